//! A comparison, worked out once for all ways to show it.

use std::time::Duration;

use super::baseline::Baseline;
use super::headline::headline;
use super::ladder::{Ladder, Rung};
use super::name::machine;
use super::row::{Change, Row};
use super::warning::Warning;
use crate::compare::measure::{Comparison, Load, Machine, Subject, Transport};

/// What a comparison says.
#[derive(Debug, Clone)]
pub struct Report {
    /// The command line that measured it.
    pub(crate) command: String,
    pub(crate) subject: Subject,
    pub(crate) load: Load,
    pub(crate) machine: Machine,
    pub(crate) codec: Duration,
    /// In the order of the ladder.
    pub(crate) rows: Vec<Row>,
    /// What all rows are compared with, among them.
    pub(crate) base: Option<usize>,
    pub(crate) ladder: Ladder,
    pub(crate) headline: String,
    pub(crate) warnings: Vec<Warning>,
}

impl Report {
    /// Works `comparison` out. `command` is the command line that measured it.
    pub fn of(comparison: &Comparison, command: &str, baseline: Option<&Baseline>) -> Self {
        let Comparison { subject, load, machine, measured, codec } = comparison;
        let mut rows: Vec<Row> = Vec::new();
        let mut unanswered = Vec::new();
        for measured in measured {
            match Row::of(measured, *load, &rows) {
                Some(row) => rows.push(row),
                None => unanswered.push(measured.transport.word().to_owned()),
            }
        }
        let mailbox = rows.iter().position(|row| row.transport == Transport::Mailbox);
        let base = mailbox.or_else(|| (!rows.is_empty()).then_some(0));
        if let Some(base) = base {
            compare_with(&mut rows, base);
        }
        let mut warnings = Vec::new();
        if !unanswered.is_empty() {
            warnings.push(Warning::Unanswered { names: unanswered });
        }
        warnings.extend(Warning::of(&rows, *load, base.map(|base| &rows[base])));
        if let Some(baseline) = baseline {
            warnings.extend(compare_with_earlier(&mut rows, baseline, comparison));
        }
        let ladder = ladder(&rows, *codec);
        let headline = match base {
            Some(base) => headline(&rows, &rows[base], &ladder, *load),
            None => "Nothing was measured: no request was answered.".to_owned(),
        };
        Self {
            command: command.to_owned(),
            subject: subject.clone(),
            load: *load,
            machine: machine.clone(),
            codec: *codec,
            rows,
            base,
            ladder,
            headline,
            warnings,
        }
    }

    /// The row that the others are compared with.
    pub(crate) fn base(&self) -> Option<&Row> {
        self.base.map(|base| &self.rows[base])
    }
}

fn compare_with(rows: &mut [Row], base: usize) {
    let sample = rows[base].sample.clone();
    for (place, row) in rows.iter_mut().enumerate() {
        if place != base {
            row.ratio = Some(row.sample.beside(&sample));
        }
    }
}

fn compare_with_earlier(
    rows: &mut [Row],
    baseline: &Baseline,
    comparison: &Comparison,
) -> Vec<Warning> {
    let mut missing = Vec::new();
    for row in rows {
        match baseline.sample(&row.name) {
            Some(then) => {
                let ratio = row.sample.against(&then);
                row.change = Some(Change { mean_ns: then.center_ns(), ratio });
            }
            None => missing.push(row.name.clone()),
        }
    }
    let mut warnings = Vec::new();
    if !missing.is_empty() {
        warnings.push(Warning::NotInBaseline { names: missing });
    }
    let (then, now) = (baseline.machine(), &comparison.machine);
    if then != now {
        warnings.push(Warning::OtherMachine { then: machine(then), now: machine(now) });
    }
    warnings
}

/// The first row of each transport, from the bottom up; nothing where a mean may be of a queue.
fn ladder(rows: &[Row], codec: Duration) -> Ladder {
    if rows.iter().any(Row::is_over_capacity) {
        return Ladder::of(&[], codec);
    }
    let firsts: Vec<&Row> = Transport::ALL
        .into_iter()
        .filter_map(|transport| rows.iter().find(|row| row.transport == transport))
        .collect();
    let mut below: Option<&Row> = None;
    let mut rungs = Vec::with_capacity(firsts.len());
    for row in firsts {
        let verdict = below.map(|below| row.sample.beside(&below.sample).verdict);
        rungs.push(Rung { transport: row.transport, mean_ns: row.mean_ns, verdict });
        below = Some(row);
    }
    Ladder::of(&rungs, codec)
}
