//! What is said of another program's history: as text, or as one line of JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::fold::Width;
use super::json::FORMAT;
use super::palette::{BAD, GOOD, NO, QUIET, TITLE, YES};
use super::words::{count, wrapped};
use crate::check::foreign::{Finding, ForeignForm, ForeignVerdicts, ForeignWitness};
use crate::check::{Overall, Property};
use crate::model::Shown;

/// A history that was judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JudgedForeign<'a> {
    pub(crate) name: &'a str,
    pub(crate) form: ForeignForm,
    pub(crate) verdicts: &'a ForeignVerdicts,
    pub(crate) summary: Overall,
}

#[derive(Serialize)]
struct Line<'a> {
    /// As of the report of a run.
    format: u64,
    from: ForeignForm,
    passbook: &'static str,
    verdict: Overall,
    verdicts: BTreeMap<Property, Entry<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    undecided: &'a [String],
}

#[derive(Serialize)]
struct Entry<'a> {
    verdict: Overall,
    tested: u64,
    violations: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<&'a ForeignWitness>,
}

/// Writes `judged` for a person, with ANSI colour; when `quiet`, only what is wrong.
pub(crate) fn write_text(
    out: &mut dyn Write,
    judged: &JudgedForeign<'_>,
    told: Told,
    width: Width,
) -> io::Result<()> {
    let width = width.of_sentences();
    let JudgedForeign { name, verdicts, summary, .. } = *judged;
    if told == Told::WhatIsWrong && summary == Overall::Holds {
        return Ok(());
    }
    writeln!(out, "{TITLE}{}{TITLE:#}\n", Shown::name(name))?;
    for (property, finding) in verdicts.iter() {
        let Finding { tested, failed, witness } = finding;
        let name = property.to_string();
        let tests = count(tested, "test");
        match finding.verdict() {
            Overall::Violated => {
                writeln!(
                    out,
                    "  {BAD}{NO} {name:20} violated{BAD:#} {QUIET}in {failed} of {tests}{QUIET:#}"
                )?;
                if let Some(ForeignWitness { line, sentence }) = witness {
                    for line in wrapped(&format!("line {line}: {sentence}"), width - 6) {
                        writeln!(out, "      {line}")?;
                    }
                }
            }
            Overall::Holds if told == Told::All => {
                writeln!(out, "  {GOOD}{YES}{GOOD:#} {name:20} holds {QUIET}in {tests}{QUIET:#}")?;
            }
            Overall::Undecided if told == Told::All => {
                writeln!(out, "  {QUIET}– {name:20} nothing to test{QUIET:#}")?;
            }
            Overall::Holds | Overall::Undecided => {}
        }
    }
    for sentence in &verdicts.undecided {
        writeln!(out)?;
        for line in wrapped(&format!("undecided: {sentence}"), width - 2) {
            writeln!(out, "  {line}")?;
        }
    }
    writeln!(out, "\n  {summary}")
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    All,
    WhatIsWrong,
}

/// Writes `judged` as one line of JSON.
pub(crate) fn write_json(out: &mut dyn Write, judged: &JudgedForeign<'_>) -> io::Result<()> {
    let JudgedForeign { form, verdicts, summary, .. } = *judged;
    let verdicts_by = verdicts.iter().map(|(property, finding)| {
        let (tested, violations) = (finding.tested, finding.failed);
        let witness = finding.witness.as_ref();
        (property, Entry { verdict: finding.verdict(), tested, violations, witness })
    });
    let line = Line {
        format: FORMAT,
        from: form,
        passbook: env!("CARGO_PKG_VERSION"),
        verdict: summary,
        verdicts: verdicts_by.collect(),
        undecided: &verdicts.undecided,
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}
