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
