//! The tables of a comparison, built once for all ways to show it: what stands where, and nothing
//! of how it is written.

use std::borrow::Cow;
use std::fmt;

use crate::compare::analyse::{
    Distribution, Interval, KINDS, PERCENTILES, PerRequest, Percentile, Ratio, Report, Row, Step,
    Verdict, all_of, kind, latency, percent, range, rounded, significant, times,
};
use crate::compare::measure::Kind;
use crate::model::number::{count, float};

/// Rows under the titles of their columns. The first column names the rows.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// What stands above a column, and what kind of values below it.
#[derive(Debug)]
pub(super) struct Column {
    /// On a page.
    pub(super) title: &'static str,
    /// `None` where Markdown leaves it out.
    pub(super) in_markdown: Option<Cow<'static, str>>,
    /// Where there is little room.
    pub(super) on_terminal: &'static str,
    pub(super) holds: Holds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Words,
    Numbers,
}

/// What stands in a cell.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing belongs there.
    Nothing,
    /// It was not measured.
    Untold,
    Name(String),
    Step {
        name: String,
        is_noise: bool,
    },
    /// In nanoseconds.
    Latency(f64),
    Percentile(Percentile),
    Count(u64),
    /// So many a second.
    Rate(f64),
    /// So much of something that is counted.
    Amount(f64),
    Bytes(f64),
    Share(f64),
    /// Of what all are compared with to itself.
    One,
    Times(f64),
    Interval(Option<Interval>),
    /// To another transport.
    Verdict(Verdict),
    /// To what was before.
    Change(Verdict),
}

/// As a person reads it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Nothing => return Ok(()),
            Self::Untold | Self::Interval(None) => return f.write_str("–"),
            Self::One => return f.write_str("1"),
            Self::Name(name) | Self::Step { name, .. } => return f.write_str(name),
            Self::Percentile(percentile) => return percentile.fmt(f),
            Self::Verdict(verdict) | Self::Change(verdict) => return verdict.fmt(f),
            Self::Latency(ns) => latency(*ns),
            Self::Count(count) => rounded(float(*count)),
            Self::Rate(number) | Self::Bytes(number) => rounded(*number),
            Self::Amount(amount) => significant(*amount),
            Self::Share(share) => percent(*share),
            Self::Times(ratio) => times(*ratio),
            Self::Interval(Some(both)) => range(both.low, both.high),
        };
        f.write_str(&text)
    }
}

impl Value {
    fn name(name: &str) -> Self {
        Self::Name(name.to_owned())
    }

    fn or_untold<T>(found: Option<T>, of: impl FnOnce(T) -> Self) -> Self {
        found.map_or(Self::Untold, of)
    }
}

/// So many columns of the latencies tell the ratio: itself, its interval and the verdict.
const RATIO_COLUMNS: usize = 3;

impl Table {
    /// The same with the columns of the ratio, which are its last, behind the names: on a phone the
    /// others are out of sight.
    pub(super) fn with_ratio_first(mut self) -> Self {
        self.columns[1..].rotate_right(RATIO_COLUMNS);
        self.rows.iter_mut().for_each(|row| row[1..].rotate_right(RATIO_COLUMNS));
        self
    }
}

impl Column {
    const fn new(title: &'static str, holds: Holds) -> Self {
        Self { title, in_markdown: Some(Cow::Borrowed(title)), on_terminal: title, holds }
    }

    const fn words(title: &'static str) -> Self {
        Self::new(title, Holds::Words)
    }

    const fn numbers(title: &'static str) -> Self {
        Self::new(title, Holds::Numbers)
    }

    fn in_markdown(self, title: impl Into<Cow<'static, str>>) -> Self {
        Self { in_markdown: Some(title.into()), ..self }
    }

    fn on_terminal(self, on_terminal: &'static str) -> Self {
        Self { on_terminal, ..self }
    }

    fn verdict() -> Self {
        Self::words("verdict").in_markdown("").on_terminal("")
    }

    fn percentiles() -> [Self; 5] {
        PERCENTILES.map(|(name, _)| Self::numbers(name))
    }
}

pub(super) fn latencies(report: &Report) -> Table {
    let base = report.base().map_or("", |row| row.name.as_str());
    let mut columns = vec![Column::words("transport")];
    columns.extend(Column::percentiles());
    columns.extend([
        Column::numbers("ops/s"),
        Column::numbers("ratio").in_markdown(format!("× {base}")),
        Column::numbers("95%"),
        Column::verdict(),
    ]);
    let rows = report.rows.iter().map(|row| {
        let mut cells = vec![Value::name(&row.name)];
        cells.extend(percentiles(&row.latencies.all));
        cells.push(Value::Rate(row.per_second));
        cells.extend(match row.ratio {
            Some(Ratio { estimate, interval, verdict }) => {
                [Value::Times(estimate), Value::Interval(interval), Value::Verdict(verdict)]
            }
            None => [Value::One, Value::Nothing, Value::Nothing],
        });
        cells
    });
    Table { title: "Latency of a request", columns, rows: rows.collect() }
}

pub(super) fn steps(report: &Report) -> Table {
    let columns = vec![
        Column::words("step").in_markdown("where the time goes"),
        Column::numbers("adds"),
        Column::numbers("share"),
        Column { in_markdown: None, ..Column::words("not measured apart") },
    ];
    let row = |step: &Step| {
        vec![
            Value::Step { name: step.name.clone(), is_noise: step.within_noise },
            Value::Latency(step.adds_ns),
            Value::Share(step.share()),
            Value::Name(all_of(&step.merged_names())),
        ]
    };
    let rows = report.ladder.steps.iter().map(row).collect();
    Table { title: "Steps of the ladder", columns, rows }
}

pub(super) fn costs(report: &Report) -> Table {
    let columns = vec![
        Column::words("transport").in_markdown("per request"),
        Column::numbers("mean"),
        Column::numbers("spread of rounds").on_terminal("spread"),
        Column::numbers("processor time").in_markdown("processor").on_terminal("processor"),
        Column::numbers("context switches").on_terminal("switches"),
        Column::numbers("messages"),
        Column::numbers("bytes"),
    ];
    let row = |row: &Row| {
        let PerRequest { processor_ns, context_switches, messages, bytes } = row.per_request;
        vec![
            Value::name(&row.name),
            Value::Latency(row.mean_ns),
            Value::or_untold(row.spread, Value::Share),
            Value::or_untold(processor_ns, Value::Latency),
            Value::or_untold(context_switches, Value::Amount),
            Value::or_untold(messages, Value::Amount),
            Value::or_untold(bytes, Value::Bytes),
        ]
    };
    Table { title: "What a request costs", columns, rows: report.rows.iter().map(row).collect() }
}

/// A table for each kind that there is.
pub(super) fn kinds(report: &Report) -> Vec<Table> {
    let of_kind = |of| {
        let mut columns = vec![Column::words("transport")];
        columns.extend(Column::percentiles());
        columns.push(Column::numbers("count"));
        let rows = report.rows.iter().flat_map(|row| {
            let found = row.latencies.kinds.iter().filter(|(other, _)| *other == of);
            found.map(|(_, latencies)| {
                let mut cells = vec![Value::name(&row.name)];
                cells.extend(percentiles(latencies));
                cells.push(Value::Count(latencies.count));
                cells
            })
        });
        Table { title: kind(of), columns, rows: rows.collect() }
    };
    KINDS.into_iter().map(of_kind).filter(|table| !table.rows.is_empty()).collect()
}

/// `None` where there is no baseline.
pub(super) fn changes(report: &Report) -> Option<Table> {
    let columns = vec![
        Column::words("transport").in_markdown("against the baseline"),
        Column::numbers("then"),
        Column::numbers("now"),
        Column::numbers("ratio").in_markdown("× then").on_terminal("× then"),
        Column::numbers("95%"),
        Column::verdict(),
    ];
    let row = |row: &Row| {
        let change = row.change?;
        Some(vec![
            Value::name(&row.name),
            Value::Latency(change.mean_ns),
            Value::Latency(row.mean_ns),
            Value::Times(change.ratio.estimate),
            Value::Interval(change.ratio.interval),
            Value::Change(change.ratio.verdict),
        ])
    };
    let rows: Vec<_> = report.rows.iter().filter_map(row).collect();
    let table = Table { title: "Against the baseline", columns, rows };
    (!table.rows.is_empty()).then_some(table)
}

/// What a row of the measurements is of: all requests over a transport, or those of one kind.
struct Measured<'a> {
    scenario: &'a str,
    row: &'a Row,
    kind: Option<Kind>,
    latencies: &'a Distribution,
}

impl Measured<'_> {
    /// What was measured for all kinds together stands in their row alone.
    fn together<T>(&self, of: fn(&Row) -> Option<T>, value: fn(T) -> Value) -> Value {
        match self.kind {
            None => Value::or_untold(of(self.row), value),
            Some(_) => Value::Nothing,
        }
    }

    fn percentile(&self, place: usize) -> Value {
        Value::Percentile(self.latencies.percentiles()[place])
    }
}

/// What stands in a column of the measurements.
type Measurement = fn(&Measured<'_>) -> Value;

/// New ones stand at the end.
const MEASUREMENTS: [(&str, Measurement); 26] = [
    ("scenario", |of| Value::name(of.scenario)),
    ("transport", |of| Value::name(&of.row.name)),
    ("kind", |of| Value::name(of.kind.map_or("all", kind))),
    ("count", |of| Value::Count(of.latencies.count)),
    // Of all, a mean over rounds, as the ratio is of.
    ("mean_ns", |of| Value::Latency(of.kind.map_or(of.row.mean_ns, |_| of.latencies.mean_ns))),
    ("p50_ns", |of| of.percentile(0)),
    ("p90_ns", |of| of.percentile(1)),
    ("p99_ns", |of| of.percentile(2)),
    ("p999_ns", |of| of.percentile(3)),
    ("max_ns", |of| of.percentile(4)),
    ("operations_per_second", |of| of.together(|row| Some(row.per_second), Value::Rate)),
    ("rounds", |of| of.together(|row| Some(count(row.rounds.len())), Value::Count)),
    ("spread", |of| of.together(|row| row.spread, Value::Share)),
    ("ratio", |of| of.together(|row| Some(row.ratio?.estimate), Value::Times)),
    ("ratio_low", |of| of.together(|row| Some(row.ratio?.interval?.low), Value::Times)),
    ("ratio_high", |of| of.together(|row| Some(row.ratio?.interval?.high), Value::Times)),
    ("verdict", |of| of.together(|row| Some(row.ratio?.verdict), Value::Verdict)),
    ("processor_ns_per_request", |of| {
        of.together(|row| row.per_request.processor_ns, Value::Amount)
    }),
    ("context_switches_per_request", |of| {
        of.together(|row| row.per_request.context_switches, Value::Amount)
    }),
    ("messages_per_request", |of| of.together(|row| row.per_request.messages, Value::Amount)),
    ("bytes_per_request", |of| of.together(|row| row.per_request.bytes, Value::Amount)),
    ("baseline_ratio", |of| of.together(|row| Some(row.change?.ratio.estimate), Value::Times)),
    ("baseline_verdict", |of| of.together(|row| Some(row.change?.ratio.verdict), Value::Change)),
    ("doubtful", |of| Value::Name(of.latencies.doubtful.join(";"))),
    ("share_of_rate", |of| of.together(|row| row.share_of_rate, Value::Share)),
    ("passbook", |_| Value::name(env!("CARGO_PKG_VERSION"))),
];

/// All that was measured, a row for each transport and kind.
pub(super) fn measurements(report: &Report) -> Table {
    let scenario = &report.subject.scenario;
    let rows = report.rows.iter().flat_map(|row| {
        let kinds = row.latencies.kinds.iter().map(|(kind, latencies)| (Some(*kind), latencies));
        [(None, &row.latencies.all)].into_iter().chain(kinds).map(move |(kind, latencies)| {
            let measured = Measured { scenario, row, kind, latencies };
            MEASUREMENTS.iter().map(|(_, value)| value(&measured)).collect()
        })
    });
    let columns = MEASUREMENTS.map(|(title, _)| Column::numbers(title)).into();
    Table { title: "Measurements", columns, rows: rows.collect() }
}

fn percentiles(distribution: &Distribution) -> [Value; 5] {
    distribution.percentiles().map(Value::Percentile)
}
