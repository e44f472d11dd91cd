//! A sequence diagram for Mermaid, as `passbook draw` writes it.

use std::io::{self, Write};

use super::converter::{ConvertError, Converter};
use crate::check::{Case, JudgeOptions, judge_cut_off};
use crate::history::{Entry, Header, Recorded};
use crate::report::diagram::{Diagram, write_mermaid};

/// All facts: what is drawn of them shows only at the end.
#[derive(Debug, Default)]
pub(super) struct Mermaid {
    header: Option<Header>,
    facts: Vec<Recorded>,
}

impl Converter for Mermaid {
    fn begin(&mut self, _out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.header = Some(header.clone());
        Ok(())
    }

    fn add(&mut self, _out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        self.facts.push(entry.recorded.clone());
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError> {
        let Some(header) = &self.header else { return Ok(()) };
        let mut diagram = Diagram::of(header, &self.facts);
        // What cannot be judged is drawn all the same.
        let verdicts = judge_cut_off(Case::of(header), JudgeOptions::default(), &self.facts);
        if let Ok(verdicts) = verdicts {
            diagram.point_out(&verdicts);
        }
        Ok(write_mermaid(out, &diagram)?)
    }
}
