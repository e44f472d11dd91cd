//! A comparison, worked out once for all ways to show it.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::baseline::{Baseline, FORMAT};
use super::ladder::{Ladder, Rung};
use super::name::{all_of, machine, travels, travels_inside};
use super::number::{about, latency, percent, range, rounded, significant};
use super::row::{Change, Row};
use super::statistics::{Ratio, Verdict};
use super::warning::Warning;
use crate::compare::measure::{Comparison, Load, Machine, Subject, Transport};
use crate::report::words::count;

/// What a comparison says. Serialized as an export has it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    format: u64,
    /// The passbook that measured it.
    program: &'static str,
    /// The command line that measured it.
    pub(crate) command: String,
    pub(crate) headline: String,
    pub(crate) subject: Subject,
    pub(crate) load: Load,
    pub(crate) machine: Machine,
    #[serde(rename = "codec_ns", serialize_with = "write_ns")]
    codec: Duration,
    /// The name of the row that all are compared with.
    compared_with: Option<String>,
    /// In the order of the ladder.
    #[serde(rename = "transports")]
    pub(crate) rows: Vec<Row>,
    pub(crate) ladder: Ladder,
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
            format: FORMAT,
            program: concat!("passbook ", env!("CARGO_PKG_VERSION")),
            command: command.to_owned(),
            headline,
            subject: subject.clone(),
            load: *load,
            machine: machine.clone(),
            codec: *codec,
            compared_with: base.map(|base| rows[base].name.clone()),
            rows,
            ladder,
            warnings,
        }
    }

    /// The transports that are slower than in the baseline by more than `share` of its time, for
    /// sure: the whole 95% interval is beyond it. Each with how many times as long a request takes.
    pub fn slower_than_baseline(&self, share: f64) -> impl Iterator<Item = (&str, Ratio)> {
        self.rows.iter().filter_map(move |row| {
            let ratio = row.change?.ratio;
            let is_slower = ratio.interval.is_some_and(|interval| interval.low > 1.0 + share);
            is_slower.then_some((row.name.as_str(), ratio))
        })
    }

    /// The row that the others are compared with.
    pub(crate) fn base(&self) -> Option<&Row> {
        self.rows.iter().find(|row| self.compared_with.as_ref() == Some(&row.name))
    }
}

fn write_ns<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64() * 1e9)
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

/// What the highest transport costs against `base`, and where most of it goes; before that, over
/// which transports the rate was not reached.
fn headline(rows: &[Row], base: &Row, ladder: &Ladder, load: Load) -> String {
    match (load, rows.iter().any(Row::is_over_capacity)) {
        (Load::Open { rate }, true) => not_reached(rows, rate),
        (Load::Open { .. }, false) | (Load::Closed, _) => cost(rows, base, ladder),
    }
}

/// Where a queue grows, a latency is not the time of a request, so nothing is said of that.
fn not_reached(rows: &[Row], rate: f64) -> String {
    let answered = rows.iter().filter(|row| row.is_over_capacity()).map(|row| {
        let share = percent(row.share_of_rate.unwrap_or_default());
        format!("{} {} ({share})", travels_inside(row.transport), rounded(row.per_second))
    });
    format!(
        "The rate was not reached: of {} requests/s that were due, {} were answered. A latency then \
         tells how long the queue was, and not how long a request takes.",
        rounded(rate),
        all_of(&answered.collect::<Vec<_>>())
    )
}

fn cost(rows: &[Row], base: &Row, ladder: &Ladder) -> String {
    let others = || rows.iter().filter(|row| row.ratio.is_some());
    let Some(top) = others().max_by_key(|row| row.transport) else {
        return format!(
            "{} a request takes {} on average; nothing else was measured beside it.",
            travels(base.transport),
            latency(base.mean_ns)
        );
    };
    let Some(ratio) = top.ratio else { return String::new() };
    let mut text = sentence(top, base, ratio);
    let is_seen = matches!(ratio.verdict, Verdict::Slower | Verdict::Faster);
    if top.transport != base.transport && is_seen {
        text.push_str(&most_of_it(ladder));
    }
    text.push('.');
    let tcp = others().find(|row| row.transport == Transport::GrpcTcp);
    if let (Transport::Processes, Some(Row { ratio: Some(ratio), .. })) = (top.transport, tcp) {
        let interval = interval(*ratio);
        text.push_str(&format!(
            " Over TCP within one process it is {} times{interval}.",
            significant(ratio.estimate)
        ));
    }
    text
}

fn sentence(top: &Row, base: &Row, ratio: Ratio) -> String {
    let below = if top.transport == base.transport {
        format!("the first time ({})", base.name)
    } else {
        travels_inside(base.transport).to_owned()
    };
    let (over, interval) = (travels(top.transport), interval(ratio));
    let times = significant(ratio.estimate);
    let told = format!("{over} a request takes {times} times as long as {below}{interval}");
    match ratio.verdict {
        Verdict::Slower | Verdict::Faster => told,
        Verdict::NoDifference => {
            let rounds = count(top.rounds.len(), "round");
            format!("{told}, which {rounds} cannot tell from no difference at all")
        }
        Verdict::Undecided => format!("{told}, and a single round cannot tell how sure that is"),
    }
}

fn interval(ratio: Ratio) -> String {
    let texts = ratio.interval.map(|both| format!(" (95%: {})", range(both.low, both.high)));
    texts.unwrap_or_default()
}

fn most_of_it(ladder: &Ladder) -> String {
    let Some(step) = ladder.largest().filter(|step| step.adds_ns > 0.0) else {
        return String::new();
    };
    let part = if step.share() > 0.5 { "most of it" } else { "the largest part of it" };
    format!("; {part}, {}, is {}", about(step.share()), step.name)
}
