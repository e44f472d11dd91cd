//! What the judge says of a recorded history: as text, or as one line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::palette::TITLE;
use super::text;
use crate::check::{Summary, Verdicts};
use crate::history::Header;
use crate::model::Seed;

/// A history that was judged.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// Which run it is of.
    pub header: &'a Header,
    /// What the judge says.
    pub verdicts: &'a Verdicts,
    /// What that comes to.
    pub summary: Summary,
}

#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    seed: Seed,
    branches: usize,
    verdict: Summary,
    verdicts: &'a Verdicts,
}

/// Writes `judgement` for a person, with ANSI colour.
pub fn write_text(out: &mut dyn Write, judgement: &Judgement<'_>) -> io::Result<()> {
    writeln!(out, "{TITLE}{}{TITLE:#}\n", judgement.header.scenario)?;
    text::verdicts(out, judgement.verdicts)?;
    writeln!(out, "\n  {}", judgement.summary)
}

/// Writes `judgement` as one line of JSON.
pub fn write_json(out: &mut dyn Write, judgement: &Judgement<'_>) -> io::Result<()> {
    let Judgement { header, verdicts, summary } = *judgement;
    let line = Line {
        scenario: &header.scenario,
        seed: header.seed,
        branches: header.roster.len(),
        verdict: summary,
        verdicts,
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}
