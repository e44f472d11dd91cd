//! What the judge says of a recorded history: as text, or as one line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::fold::Width;
use super::json::FORMAT;
use super::palette::TITLE;
use super::text;
use crate::check::{Overall, Verdicts};
use crate::history::{Extent, Header};
use crate::model::{Seed, Shown};

/// A history that was judged.
#[derive(Debug, Clone, Copy)]
pub struct JudgedHistory<'a> {
    /// Which run it is of.
    pub header: &'a Header,
    /// What the judge says.
    pub verdicts: &'a Verdicts,
    /// The verdict on the whole.
    pub summary: Overall,
}

#[derive(Serialize)]
struct Line<'a> {
    /// As of the report of a run.
    format: u64,
    scenario: &'a str,
    seed: Seed,
    /// The version that judges.
    passbook: &'static str,
    /// The version that recorded, if the history says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_by: Option<&'a str>,
    branches: usize,
    cut_off: bool,
    verdict: Overall,
    verdicts: &'a Verdicts,
}

/// Writes `judgement` for a person, with ANSI colour.
pub fn write_text(
    out: &mut dyn Write,
    judgement: &JudgedHistory<'_>,
    width: Width,
) -> io::Result<()> {
    let width = width.of_sentences();
    writeln!(out, "{TITLE}{}{TITLE:#}\n", Shown::name(&judgement.header.scenario))?;
    text::verdicts(out, judgement.verdicts, text::FoundBy::LineAndTime, width)?;
    if judgement.verdicts.extent == Extent::CutOff {
        writeln!(
            out,
            "\n  the history was cut off: it is judged up to its last whole line, so nothing is \
             said of the end"
        )?;
    }
    writeln!(out, "\n  {}", judgement.summary)
}

/// Writes what is violated of `judgement` for a person, or that nothing could be decided; nothing
/// where all holds.
pub fn write_what_is_wrong(
    out: &mut dyn Write,
    judgement: &JudgedHistory<'_>,
    width: Width,
) -> io::Result<()> {
    let width = width.of_sentences();
    if judgement.summary == Overall::Holds {
        return Ok(());
    }
    writeln!(out, "{TITLE}{}{TITLE:#}", Shown::name(&judgement.header.scenario))?;
    text::violated(out, judgement.verdicts, text::FoundBy::LineAndTime, width)?;
    writeln!(out, "\n  {}", judgement.summary)
}

/// Writes `judgement` as one line of JSON.
pub fn write_json(out: &mut dyn Write, judgement: &JudgedHistory<'_>) -> io::Result<()> {
    let JudgedHistory { header, verdicts, summary } = *judgement;
    let line = Line {
        format: FORMAT,
        scenario: &header.scenario,
        seed: header.seed,
        passbook: env!("CARGO_PKG_VERSION"),
        recorded_by: header.passbook.as_deref(),
        branches: header.roster.len(),
        cut_off: verdicts.extent == Extent::CutOff,
        verdict: summary,
        verdicts,
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}
