//! How a command opens the history that it is given, and what it says of one that it cannot use.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::exit::Failure;
use super::memory_args::MemoryArgs;
use super::terminal::Terminal;
use crate::check::CheckError;
use crate::source::{Kind, OtherKind, Outputs, Place};

/// A history that a command reads.
pub(super) struct HistoryInput<'a> {
    place: &'a Place,
    /// Whose form it has.
    kind: Kind,
    /// By which it is told what it is, if it is no history.
    beginning: Vec<u8>,
}

impl<'a> HistoryInput<'a> {
    /// Opens the history at `place`. It is not what is written to `output`.
    pub(super) fn open(
        place: &'a Place,
        output: Option<&Path>,
        terminal: &mut Terminal,
    ) -> Result<(Self, impl BufRead + use<>), Failure> {
        Self::open_as(place, Kind::History, output, terminal)
    }

    /// The same of a history of this kind.
    pub(super) fn open_as(
        place: &'a Place,
        kind: Kind,
        output: Option<&Path>,
        terminal: &mut Terminal,
    ) -> Result<(Self, impl BufRead + use<>), Failure> {
        Outputs::new(output)?.refuse(place.path())?;
        if place.is_line() {
            let what = format!("{place} is one line; name a whole history");
            return Err(Failure::bad_input(what));
        }
        terminal.before_reading(place, "a history");
        let opened = place.open().and_then(|opened| {
            let (mut text, mut beginning) = (opened.text, Vec::new());
            text.by_ref().take(1 << 16).read_to_end(&mut beginning)?;
            let whole = Cursor::new(beginning.clone()).chain(text);
            Ok((BufReader::with_capacity(1 << 16, whole), beginning))
        });
        let (input, beginning) = opened.map_err(|error| {
            Failure::bad_input(format!("cannot read {}: {error}", place.name()))
        })?;
        Ok((Self { place, kind, beginning }, input))
    }

    /// How it is named in messages.
    pub(super) fn name(&self) -> String {
        self.place.name()
    }

    /// It cannot be judged because of `error`.
    pub(super) fn unjudged(&self, error: &CheckError, memory: &MemoryArgs) -> Failure {
        match error {
            CheckError::TooLarge { line, bytes } => {
                let (name, error) = (self.name(), memory.budget().too_large(*bytes));
                Failure::bad_input(format!("{name} is not judged: up to line {line}, {error}"))
            }
            CheckError::History(_) | CheckError::InvalidHistory { .. } => {
                self.unusable("judged", error)
            }
        }
    }

    /// It cannot be `used`: because it is of another kind, or because of `error`.
    pub(super) fn unusable(&self, used: &str, error: impl Display) -> Failure {
        self.unfit(&format!("history that can be {used}"), error)
    }

    /// It is no such `thing`: because it is of another kind, or because of `error`.
    pub(super) fn unfit(&self, thing: &str, error: impl Display) -> Failure {
        let other = OtherKind::of(self.place, &self.beginning, self.kind);
        other.map_or_else(
            || Failure::bad_input(format!("{} is no {thing}: {error}", self.name())),
            Failure::from,
        )
    }
}
