//! The result of a batch, as a person reads it.

use std::io::{self, Write};

use anstyle::Style;

use crate::batch::overview::{Failure, Overview, Slow};
use crate::batch::row::Status;
use crate::batch::summary::{Stopped, Summary};
use crate::model::{Shown, number};
use crate::report::palette::{BAD, GOOD, MAYBE, NO, PLAIN, QUIET, STRONG, TITLE, UNSURE, YES};
use crate::report::table::{Cell, Columns, Row, write_table};
use crate::report::verdict_counts::write_verdict_counts;
use crate::report::words::{count, grouped, rate, readable, span, wrapped};

const INDENT: usize = 2;
/// As far as a sentence runs to the right.
const WIDTH: usize = 96;
/// What rows of the first format leave out.
const OPTIONS_UNKNOWN: &str = "Rows of an earlier passbook do not say which options their batch had: \
                               add them to the commands.";
/// A longer name is cut.
const NAME_MAX: usize = 48;
/// A longer problem is cut: a row that is merged can say anything.
const PROBLEM_MAX: usize = 1000;

/// Writes the result of a batch, with ANSI colour.
pub fn write_text(out: &mut dyn Write, overview: &Overview, summary: &Summary) -> io::Result<()> {
    title(out, overview, summary)?;
    numbers(out, summary)?;
    if overview.verdicts().len() > 0 {
        heading(out, "Properties")?;
        write_verdict_counts(out, INDENT, overview.verdicts())?;
    }
    if overview.slowest().len() > 0 {
        heading(out, "Slowest")?;
        let rows: Vec<_> = overview.slowest().map(slow).collect();
        write_table(out, INDENT, &rows)?;
    }
    if overview.failures().len() > 0 {
        heading(out, "Failures")?;
        failures(out, overview)?;
    }
    writeln!(out)?;
    closing(out, summary)
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{STRONG}{text}{STRONG:#}\n")
}

/// `12 scenarios  in 1.5 s: 8 a second, 2 jobs; passbook 0.1.0`
fn title(out: &mut dyn Write, overview: &Overview, summary: &Summary) -> io::Result<()> {
    let scenarios = count(summary.rows, "scenario");
    let wall = summary.wall();
    let earlier = match overview.earlier() {
        0 => String::new(),
        rows => format!(", {} of them from before", grouped(rows)),
    };
    let rate = match rate(summary.rows - overview.earlier(), wall) {
        Some(rate) => format!(": {} a second", grouped(rate)),
        None => String::new(),
    };
    let jobs = count(summary.jobs, "job");
    let took = span(readable(wall));
    let made_by = match &*overview.made_by().collect::<Vec<_>>() {
        [] => String::new(),
        versions => format!("; passbook {}", Shown::name(&versions.join(", "))),
    };
    writeln!(
        out,
        "{TITLE}{scenarios}{earlier}{TITLE:#}  {QUIET}in {took}{rate}, {jobs}{made_by}{QUIET:#}\n"
    )
}

/// A row per status, and what else was counted.
fn numbers(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let right = |number: u64| Cell::plain(grouped(number)).right();
    let mut rows: Vec<Row> = Vec::new();
    for status in Status::ALL {
        let number = summary.statuses.of(status);
        let (style, mark) = looks(status);
        let style = if number > 0 { style } else { QUIET };
        rows.push(vec![
            Cell::new(style, mark)
                .and(if number > 0 { PLAIN } else { QUIET }, format!(" {}", status.word())),
            Cell::new(if number > 0 { style } else { QUIET }, grouped(number)).right(),
        ]);
    }
    let expecting = summary.as_expected + summary.not_as_expected;
    if expecting > 0 {
        let of = format!("of {} that say what they expect", grouped(expecting));
        rows.push(vec![
            Cell::plain("as expected"),
            right(summary.as_expected),
            Cell::new(QUIET, of),
        ]);
    }
    for (label, number) in [
        ("refused writes", summary.refused_writes),
        ("with warnings", summary.with_warnings),
        ("filtered out", summary.filtered_out),
    ] {
        if number > 0 {
            rows.push(vec![Cell::plain(label), right(number)]);
        }
    }
    if let Some(partition) = summary.partition {
        let mut row = vec![Cell::plain("partition"), Cell::plain(partition.to_string()).right()];
        row.extend(
            summary
                .inputs
                .map(|inputs| Cell::new(QUIET, format!("of {}", count(inputs, "scenario")))),
        );
        rows.push(row);
    }
    let (of_status, others) = rows.split_at(Status::ALL.len());
    let mut columns = Columns::default();
    rows.iter().for_each(|row| columns.fit(row));
    of_status.iter().try_for_each(|row| columns.write(out, INDENT, row))?;
    if !others.is_empty() {
        writeln!(out)?;
    }
    others.iter().try_for_each(|row| columns.write(out, INDENT, row))
}

const fn looks(status: Status) -> (Style, &'static str) {
    match status {
        Status::Holds => (GOOD, YES),
        Status::Undecided => (UNSURE, MAYBE),
        Status::Unexpected | Status::Violated | Status::Error => (BAD, NO),
    }
}

fn slow(Slow { place, name, took }: &Slow) -> Row {
    let mut row = vec![
        Cell::plain(span(readable(*took))).right(),
        Cell::plain(Shown::name(place).to_string()),
    ];
    row.extend(
        name.as_deref().map(|name| Cell::new(QUIET, Shown::brief(name, NAME_MAX).to_string())),
    );
    row
}

/// Each of the failures that are kept, with what is wrong and how to see it again.
fn failures(out: &mut dyn Write, overview: &Overview) -> io::Result<()> {
    let mut columns = Columns::default();
    overview.failures().for_each(|failure| columns.fit(&failed(failure)));
    for failure in overview.failures() {
        columns.write(out, INDENT, &failed(failure))?;
        let indent = INDENT + 4;
        let problem = failure.problem.as_deref().unwrap_or_default();
        for line in wrapped(&Shown::brief(problem, PROBLEM_MAX).to_string(), WIDTH - indent) {
            writeln!(out, "{:indent$}{line}", "")?;
        }
        writeln!(out, "{:indent$}{QUIET}{}{QUIET:#}", "", Shown::new(&failure.again))?;
    }
    let more = overview.statuses().failures() - number::count(overview.failures().len());
    if more > 0 {
        let more = count(more, "more failure");
        writeln!(out, "  {QUIET}… {more}; a result file has them all{QUIET:#}")?;
    }
    if overview.failures().any(|failure| !failure.has_options) {
        for line in wrapped(OPTIONS_UNKNOWN, WIDTH - INDENT) {
            writeln!(out, "  {UNSURE}{line}{UNSURE:#}")?;
        }
    }
    Ok(())
}

fn failed(failure: &Failure) -> Row {
    let mut row = vec![
        Cell::new(BAD, NO).and(PLAIN, format!(" {}", Shown::name(&failure.place))),
        Cell::new(BAD, failure.status.word()),
    ];
    row.extend(
        failure
            .name
            .as_deref()
            .map(|name| Cell::new(QUIET, Shown::brief(name, NAME_MAX).to_string())),
    );
    row
}

/// One line that says it all.
fn closing(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    if let Some(stopped) = summary.stopped {
        let why = match stopped {
            Stopped::Interrupted => "interrupted",
            Stopped::Failures => "no more failures were allowed",
        };
        writeln!(out, "  {UNSURE}{MAYBE} stopped before the end: {why}{UNSURE:#}")?;
    }
    let all = count(summary.rows, "scenario");
    let (failed, undecided) = (summary.statuses.failures(), summary.statuses.undecided);
    if summary.rows == 0 {
        writeln!(out, "  {UNSURE}{MAYBE} no scenario was run{UNSURE:#}")
    } else if failed > 0 {
        writeln!(out, "  {BAD}{NO} {} of {all} failed{BAD:#}", grouped(failed))
    } else if undecided > 0 {
        let undecided = grouped(undecided);
        writeln!(out, "  {UNSURE}{MAYBE} none of {all} failed, {undecided} undecided{UNSURE:#}")
    } else {
        writeln!(out, "  {GOOD}{YES}{GOOD:#} none of {all} failed")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::batch::fixture::{error, gathered, holds, undecided, unexpected, violated};
    use crate::batch::overview::BatchStats;

    fn view(rows: &[crate::batch::Row], stats: &BatchStats) -> String {
        let overview = gathered(rows);
        let mut out = Vec::new();
        write_text(&mut out, &overview, &overview.summary(stats)).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        let text = String::from_utf8(text).unwrap().replace(env!("CARGO_PKG_VERSION"), "(version)");
        assert!(
            text.lines().all(|line| line.trim_end() == line),
            "no line ends in spaces:\n{text}"
        );
        text
    }

    fn stats(wall_ms: u64) -> BatchStats {
        BatchStats { wall: Duration::from_millis(wall_ms), jobs: 2, ..BatchStats::default() }
    }

    #[test]
    fn a_batch_of_all_sorts() {
        let mut rows = vec![holds(1), violated(2), unexpected(3), error(4), undecided(5)];
        rows[0].microseconds = 1_234_567;
        rows[2].microseconds = 4_321;
        let stats = BatchStats {
            inputs: Some(21),
            filtered_out: 2,
            partition: Some("count:1/3".parse().unwrap()),
            ..stats(1_500)
        };
        insta::assert_snapshot!(view(&rows, &stats));
    }

    #[test]
    fn a_batch_where_all_is_well() {
        let rows: Vec<_> = (1..=12).map(holds).collect();
        insta::assert_snapshot!(view(&rows, &stats(3)));
    }

    #[test]
    fn a_flood_of_failures_is_cut_and_the_first_are_shown_whatever_order_they_come_in() {
        let mut rows: Vec<_> = (1..=2_025).map(error).collect();
        rows.reverse();
        let stats = BatchStats { stopped: Some(Stopped::Failures), ..stats(10) };
        insta::assert_snapshot!(view(&rows, &stats));
    }

    #[test]
    fn an_interrupted_batch_without_rows_says_so() {
        let stats = BatchStats { stopped: Some(Stopped::Interrupted), ..stats(0) };
        insta::assert_snapshot!(view(&[], &stats));
    }

    #[test]
    fn commands_of_rows_that_do_not_say_their_options_are_told_to_be_without() {
        let row = crate::batch::Row { format: 1, options: None, ..violated(1) };
        let told = "Rows of an earlier passbook do not say which options their batch had";
        assert!(view(&[row, error(2)], &stats(1)).contains(told));
        assert!(!view(&[violated(1)], &stats(1)).contains(told));
    }

    #[test]
    fn refused_writes_and_warnings_are_counted_where_there_are_any() {
        let mut row = holds(1);
        row.warnings = vec!["a".to_owned(), "b".to_owned()];
        row.counts.as_mut().unwrap().refused_writes = Some(3);
        let text = view(&[row, error(2)], &stats(1));
        assert!(text.contains("\n  refused writes  3\n  with warnings   1\n"), "{text}");
    }

    #[test]
    fn no_name_moves_the_cursor() {
        let row = crate::batch::Row { name: Some("a\u{1b}[2J\nb".to_owned()), ..violated(1) };
        let text = view(&[row], &stats(1));
        assert!(text.contains(r"a\u{1b}[2J\nb"), "{text}");
    }
}
