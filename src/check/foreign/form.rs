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
