//! A sequence diagram for Mermaid, as `passbook draw` writes it.

use std::io::{self, Write};

use super::converter::{ConvertError, Converter};
use crate::check::{Case, Judge, JudgeOptions};
use crate::history::{Entry, Header, Recorded};
use crate::report::diagram::{Diagram, fact_bytes, write_mermaid};

/// All facts: what is drawn of them shows only at the end.
pub(super) struct Mermaid {
    bytes_max: u64,
    bytes: u64,
    header: Option<Header>,
    facts: Vec<Recorded>,
    /// What cannot be judged is drawn all the same.
    judge: Option<Judge>,
}

impl Mermaid {
    /// It takes no more than `bytes_max` of memory.
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, bytes: 0, header: None, facts: Vec::new(), judge: None }
    }
}

impl Converter for Mermaid {
    fn begin(&mut self, _out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.judge = Some(Judge::new(Case::of(header), JudgeOptions::default()));
        self.header = Some(header.clone());
        Ok(())
    }

    fn add(&mut self, _out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        let recorded = &entry.recorded;
        let judge = self.judge.take();
        self.judge = judge.and_then(|mut judge| judge.observe(recorded).is_ok().then_some(judge));
        self.bytes = self.bytes.saturating_add(fact_bytes(recorded));
        let judge_bytes = self.judge.as_ref().map_or(0, Judge::bytes);
        let bytes = self.bytes.saturating_add(judge_bytes);
        if bytes > self.bytes_max {
            return Err(ConvertError::Memory { bytes });
        }
        self.facts.push(recorded.clone());
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError> {
        let Some(header) = &self.header else { return Ok(()) };
        let mut diagram = Diagram::of(header, &self.facts);
        if let Some(mut judge) = self.judge.take() {
            judge.cut_off();
            if let Ok(verdicts) = judge.finish() {
                diagram.point_out(&verdicts);
            }
        }
        Ok(write_mermaid(out, &diagram)?)
    }
}
