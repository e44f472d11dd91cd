//! The forms in which other programs write histories.

use std::io::BufRead;

use super::finding::{ForeignError, ForeignVerdicts};
use super::{elle, keys, lists, plume};
use crate::model::{ByteSize, words};

words! {
    /// Whose form a history has.
    pub(crate) enum ForeignForm {
        /// Plume's text: an operation a line, a key per write.
        Plume = "plume",
        /// Elle's list-append as JSON: each key is a log.
        Elle = "elle",
    }
}

impl ForeignForm {
    /// To judge a text takes up to so many times its bytes, where that is hostile.
    const fn times(self) -> u64 {
        match self {
            Self::Plume => 15,
            Self::Elle => 40,
        }
    }

    /// How long a text may be that is judged in so many bytes of memory.
    pub(crate) fn text_max(self, bytes: u64) -> ByteSize {
        ByteSize::new(bytes / self.times())
    }
}

/// Reads a history of another program as a whole, in no more than `room` bytes of text, and judges
/// it.
pub(crate) fn judge_foreign(
    form: ForeignForm,
    input: impl BufRead,
    room: ByteSize,
) -> Result<ForeignVerdicts, ForeignError> {
    match form {
        ForeignForm::Plume => Ok(keys::judge(&plume::read(input, room)?)),
        ForeignForm::Elle => Ok(lists::judge(&elle::read(&elle::text(input, room)?)?)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Parts of a history in either form; put together at random, some are one.
    const PARTS: [&str; 20] = [
        "w(1,1,1,1)\n",
        "r(1,0,2,1)\n",
        "r(1,1,2,2)\n",
        "r(2,1,1,",
        "18446744073709551615",
        ")",
        "\n",
        "{\"type\":\"ok\",\"process\":1,\"value\":[[\"append\",\"x\",1]]}\n",
        "{\"type\":\"info\",\"process\":1,\"value\":[[\"append\",\"x\",2]]}\n",
        "{\"type\":\"ok\",\"process\":2,\"value\":[[\"r\",\"x\",[2,1,1]]]}\n",
        "{\"type\":\"ok\",\"process\":",
        "\"value\":[[\"r\",null,null]]",
        "[",
        "]",
        "{",
        "}",
        ",",
        "null",
        "\"\\ud800\"",
        "é",
    ];

    proptest! {
        #[test]
        fn whatever_is_read_is_judged_or_told(
            parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..30),
        ) {
            let text = parts.concat();
            for form in ForeignForm::ALL {
                match judge_foreign(form, text.as_bytes(), ByteSize::new(1 << 20)) {
                    Ok(verdicts) => prop_assert!(
                        verdicts.iter().all(|(_, of)| of.failed <= of.tested
                            && (of.failed == 0) == of.witness.is_none())
                    ),
                    Err(error) => prop_assert!(error.to_string().starts_with("line "), "{}", error),
                }
            }
        }
    }
}
