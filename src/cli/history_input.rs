//! A history that a command reads: how it is opened, and what is said where it is none.

use std::io::{self, BufReader, BufWriter, Chain, Cursor, Read, Write};
use std::path::Path;

use super::exit::Failure;
use super::memory_args::MemoryArgs;
use super::new_file::NewFile;
use super::terminal::Terminal;
use crate::check::{CheckError, JudgeOptions, Verdicts, judge_and_keep};
use crate::history::{Header, Reader, Recorded};
use crate::model::ByteSize;
use crate::model::number::count;
use crate::report::diagram::Diagram;
use crate::report::page::{RunPage, write_run};
use crate::source::{Decoded, Kind, OtherKind, Outputs, Place};

/// What a history is read from.
pub(super) type Text = BufReader<Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>>;

/// A history that is in memory as a whole, and what the judge says of it.
pub(super) struct KeptHistory {
    pub(super) header: Header,
    pub(super) diagram: Diagram,
    pub(super) verdicts: Verdicts,
}

/// In memory a fact takes about this much, with what is drawn of it.
const BYTES_PER_FACT: usize = size_of::<Recorded>() + 160;

impl KeptHistory {
    /// Reads and judges a history, in no more than `bytes_max` of memory.
    pub(super) fn read(
        text: Text,
        line_max: ByteSize,
        judge: JudgeOptions,
        bytes_max: u64,
    ) -> Result<Self, CheckError> {
        let reader = Reader::with_line_max(text, line_max)?;
        let header = reader.header().clone();
        let mut facts = Vec::new();
        let verdicts = judge_and_keep(reader, judge, bytes_max, |fact| {
            facts.push(fact);
            count(facts.len().saturating_mul(BYTES_PER_FACT))
        })?;
        let mut diagram = Diagram::of(&header, &facts);
        diagram.point_out(&verdicts);
        Ok(Self { header, diagram, verdicts })
    }

    /// Writes the page of it to `path`.
    pub(super) fn write_page(
        &self,
        path: &Path,
        program: &'static str,
        command: &str,
    ) -> Result<(), Failure> {
        let Self { header, diagram, verdicts } = self;
        let page = RunPage { program, header, verdicts: Some(verdicts), diagram, command };
        write_page(path, &page)
    }
}

/// Writes `page` to `path`.
pub(super) fn write_page(path: &Path, page: &RunPage<'_>) -> Result<(), Failure> {
    let write = || {
        let (new, file) = NewFile::create(path)?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        write_run(&mut out, page)?;
        out.flush()?;
        new.finish()
    };
    write().map_err(|error| cannot_write(path, &error))
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::bad_input(format!("cannot write {}: {error}", path.display()))
}

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
