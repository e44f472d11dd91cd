//! A history that a command reads: how it is opened, and what is said where it is none.

use std::io::{self, BufReader, Chain, Cursor, Read};

use super::exit::Failure;
use super::memory_args::MemoryArgs;
use super::terminal::Terminal;
use crate::check::CheckError;
use crate::source::{Decoded, Kind, OtherKind, Outputs, Place};

/// What a history is read from.
pub(super) type Text = BufReader<Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>>;

/// An opened history.
pub(super) struct HistoryInput<'a> {
    place: &'a Place,
    beginning: Vec<u8>,
}

impl<'a> HistoryInput<'a> {
    /// Opens the history at `place`, which is none of `outputs`.
    pub(super) fn open(
        place: &'a Place,
        outputs: &Outputs,
        terminal: &mut Terminal,
    ) -> Result<(Self, Text), Failure> {
        outputs.refuse(place.path())?;
        if place.is_line() {
            let what = format!("{place} is one line; name a whole history");
            return Err(Failure::bad_input(what));
        }
        terminal.before_reading(place, "a history");
        let unreadable =
            |error: io::Error| Failure::bad_input(format!("cannot read {}: {error}", place.name()));
        let Decoded { mut text, .. } = place.open().map_err(unreadable)?;
        let mut beginning = Vec::new();
        text.by_ref().take(1 << 16).read_to_end(&mut beginning).map_err(unreadable)?;
        let whole = Cursor::new(beginning.clone()).chain(text);
        Ok((Self { place, beginning }, BufReader::with_capacity(1 << 16, whole)))
    }

    /// What is said of `error`: where the file is of another kind, that.
    pub(super) fn failure(&self, error: &CheckError, memory: &MemoryArgs) -> Failure {
        let name = self.place.name();
        match error {
            CheckError::TooLarge { line, bytes } => {
                let error = memory.budget().too_large(*bytes);
                Failure::bad_input(format!("{name} is not judged: up to line {line}, {error}"))
            }
            CheckError::History(_) | CheckError::InvalidHistory { .. } => {
                let other = OtherKind::of(self.place, &self.beginning, Kind::History);
                other.map_or_else(
                    || {
                        let what = format!("{name} is no history that can be judged: {error}");
                        Failure::bad_input(what)
                    },
                    Failure::from,
                )
            }
        }
    }
}
