//! A history that is in memory as a whole, to be drawn; and where pages of it go.

use std::io::{self, BufRead};

use super::new_file::OutputFile;
use crate::check::{CheckError, JudgeOptions, Verdicts, judge_and_keep};
use crate::history::{Header, Reader};
use crate::model::ByteSize;
use crate::report::diagram::{Diagram, fact_bytes};
use crate::report::page::{RunPage, write_run};

/// A history that is in memory as a whole, and what the judge says of it.
pub(super) struct KeptHistory {
    pub(super) header: Header,
    pub(super) diagram: Diagram,
    pub(super) verdicts: Verdicts,
}

impl KeptHistory {
    /// Reads and judges a history, in no more than `bytes_max` of memory.
    pub(super) fn read(
        text: impl BufRead,
        line_max: ByteSize,
        judge: JudgeOptions,
        bytes_max: u64,
    ) -> Result<Self, CheckError> {
        let reader = Reader::with_line_max(text, line_max)?;
        let header = reader.header().clone();
        let (mut facts, mut bytes) = (Vec::new(), 0_u64);
        let verdicts = judge_and_keep(reader, judge, bytes_max, |fact| {
            bytes = bytes.saturating_add(fact_bytes(&fact));
            facts.push(fact);
            bytes
        })?;
        let mut diagram = Diagram::of(&header, &facts);
        diagram.point_out(&verdicts);
        Ok(Self { header, diagram, verdicts })
    }

    /// Writes the page of it to `file`.
    pub(super) fn write_page(
        &self,
        file: OutputFile,
        program: &'static str,
        command: &str,
    ) -> io::Result<()> {
        let Self { header, diagram, verdicts } = self;
        let page = RunPage { program, header, verdicts: Some(verdicts), diagram, command };
        write_page(file, &page)
    }
}

/// Writes `page` to `file`, as all of it.
pub(super) fn write_page(mut file: OutputFile, page: &RunPage<'_>) -> io::Result<()> {
    write_run(&mut file, page)?;
    file.finish()
}
