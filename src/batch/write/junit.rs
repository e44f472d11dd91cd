//! Rows as JUnit XML, for CI servers.
//!
//! A suite says first how many tests it has, so one is written for every thousand rows: memory does
//! not grow with the rows. What stands outside the suites has no totals, which are not known in
//! time.

use std::io;
use std::time::Duration;

use super::RowWriter;
use crate::batch::replay;
use crate::batch::row::{Row, Status};
use crate::batch::summary::{Stopped, Summary};
use crate::report::junit::{self, Case, CaseProblem, Outcome, Suite};

/// How many rows a suite has at most.
const SUITE_ROWS_MAX: u64 = 1000;

const PROGRAM: &str = "passbook batch";

/// Writes rows as JUnit XML to `W`; give it something buffered.
#[derive(Debug)]
pub struct Junit<W: io::Write> {
    out: W,
    suite: Suite,
    /// The numbers of the first and the last row of the suite.
    numbers: Option<(u64, u64)>,
}

impl<W: io::Write> Junit<W> {
    /// Writes what comes before the rows to `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        junit::open(&mut out, PROGRAM)?;
        Ok(Self { out, suite: Suite::default(), numbers: None })
    }

    /// Writes the rows so far as a suite of their own.
    fn write_rows(&mut self) -> io::Result<()> {
        let Some((first, last)) = self.numbers.take() else { return Ok(()) };
        let name = format!("scenarios {first} to {last}");
        self.suite.write(&name, &mut self.out)?;
        self.suite.clear();
        Ok(())
    }
}

impl<W: io::Write> RowWriter for Junit<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        let first = self.numbers.map_or(row.number, |(first, _)| first);
        self.numbers = Some((first, row.number));
        self.suite.add(&case(row));
        if self.suite.tests() == SUITE_ROWS_MAX { self.write_rows() } else { Ok(()) }
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.write_rows()?;
        if let Some(stopped) = summary.stopped {
            let mut suite = Suite::default();
            suite.add(&case_of_the_batch(stopped, summary.rows));
            suite.write("the whole batch", &mut self.out)?;
        }
        junit::close(&mut self.out)
    }
}

fn case(row: &Row) -> Case<'_> {
    let told = || {
        let kind = row.status.word();
        let message = row.problem.as_deref().unwrap_or(kind).to_owned();
        let by = row.passbook.as_ref().map_or(String::new(), |by| format!(" (passbook {by})"));
        CaseProblem {
            kind,
            message,
            more: format!("to see it again{by}: {}", replay::command(row)),
        }
    };
    Case {
        name: row.name.as_deref().unwrap_or(&row.place),
        class: &row.place,
        took: Duration::from_micros(row.microseconds),
        outcome: match row.status {
            Status::Holds => Outcome::Passed,
            Status::Undecided => Outcome::Skipped("undecided: nothing could be tested".to_owned()),
            Status::Unexpected | Status::Violated => Outcome::Failure(told()),
            Status::Error => Outcome::Error(told()),
        },
    }
}

/// What a batch that ended before its end has beside its rows.
fn case_of_the_batch(stopped: Stopped, rows: u64) -> Case<'static> {
    let outcome = match stopped {
        Stopped::Interrupted => Outcome::Error(CaseProblem {
            kind: "interrupted",
            message: format!("the batch was interrupted after {rows} scenarios"),
            more: "the others have no test case".to_owned(),
        }),
        Stopped::Failures => Outcome::Skipped(format!(
            "the batch stopped after {rows} scenarios, for no more failures were allowed; the \
             others have no test case"
        )),
    };
    Case { name: "the batch comes to its end", class: PROGRAM, took: Duration::ZERO, outcome }
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::batch::fixture::{
        error, finished, gathered, holds, undecided, unexpected, violated,
    };
    use crate::batch::overview::BatchStats;

    fn written(rows: &[Row]) -> String {
        written_with(rows, &finished(rows))
    }

    fn written_with(rows: &[Row], summary: &Summary) -> String {
        let mut junit = Junit::new(Vec::new()).unwrap();
        for row in rows {
            junit.write(row).unwrap();
        }
        junit.finish(summary).unwrap();
        String::from_utf8(junit.out).unwrap()
    }

    fn all<'a, 'x>(document: &'a Document<'x>, tag: &str) -> Vec<Node<'a, 'x>> {
        document.descendants().filter(|node| node.has_tag_name(tag)).collect()
    }

    #[test]
    fn each_status_is_what_a_ci_server_calls_it() {
        let rows = [holds(1), violated(2), unexpected(3), error(4), undecided(5)];
        let xml = written(&rows).replace(env!("CARGO_PKG_VERSION"), "(version)");
        insta::assert_snapshot!(xml);
    }

    #[test]
    fn a_suite_holds_a_thousand_rows_and_counts_them_itself() {
        let mut rows: Vec<_> = (1..=2001).map(holds).collect();
        rows[1499] = error(1500);
        let xml = written(&rows);
        let document = Document::parse(&xml).unwrap();
        let suites = all(&document, "testsuite");
        let tests: Vec<_> = suites.iter().map(|suite| suite.attribute("tests").unwrap()).collect();
        assert_eq!(tests, ["1000", "1000", "1"]);
        let errors: Vec<_> =
            suites.iter().map(|suite| suite.attribute("errors").unwrap()).collect();
        assert_eq!(errors, ["0", "1", "0"]);
        assert_eq!(suites[2].attribute("name"), Some("scenarios 2001 to 2001"));
        assert_eq!(all(&document, "testcase").len(), 2001);
        assert!(suites.iter().all(|suite| suite.parent().unwrap().has_tag_name("testsuites")));
    }

    #[test]
    fn no_text_breaks_the_xml() {
        let nasty = "</testsuites><testsuite \"&]]> \u{0}\u{1b}[31m\u{8}\u{fffe}\u{ffff}\u{9b}\u{202e}\r\n\té";
        let named = Row { name: Some(nasty.to_owned()), place: nasty.to_owned(), ..holds(1) };
        let wrong = Row { problem: Some(nasty.to_owned()), ..error(2) };
        let xml = written(&[named, wrong]);
        let document = Document::parse(&xml).unwrap();
        let cases = all(&document, "testcase");
        assert_eq!(cases.len(), 2);
        let name = cases[0].attribute("name").unwrap();
        let told = concat!(
            "</testsuites><testsuite \"&]]> ",
            r"\u{0}\u{1b}[31m\u{8}\u{fffe}\u{ffff}",
            "\u{9b}\u{202e}\r\n\té"
        );
        assert_eq!(name, told);
        let error = all(&document, "error")[0];
        assert_eq!(error.attribute("message"), Some(told));
        // In both places, for servers show one or the other.
        assert!(error.text().unwrap().starts_with(told), "{:?}", error.text());
        let raw = xml.lines().find(|line| line.contains("<testcase"));
        assert!(
            raw.is_some_and(|raw| raw.contains("&#155;&#8238;&#13;&#10;&#9;é\" classname=")),
            "{xml}"
        );
    }

    #[test]
    fn times_have_microseconds() {
        let rows = [(1, 12), (2, 1_000_001)]
            .map(|(number, microseconds)| Row { microseconds, ..holds(number) });
        let xml = written(&rows);
        let document = Document::parse(&xml).unwrap();
        let times = |tag| -> Vec<_> {
            all(&document, tag).iter().map(|node| node.attribute("time").unwrap()).collect()
        };
        assert_eq!(times("testcase"), ["0.000012", "1.000001"]);
        assert_eq!(times("testsuite"), ["1.000013"]);
    }

    #[test]
    fn a_batch_that_ended_before_its_end_has_a_case_that_says_so() {
        let rows = [holds(1), holds(2)];
        for (stopped, counted, tag, told) in [
            (
                Stopped::Interrupted,
                "errors",
                "error",
                "the batch was interrupted after 2 scenarios",
            ),
            (Stopped::Failures, "skipped", "skipped", "the batch stopped after 2 scenarios"),
        ] {
            let stats = BatchStats { stopped: Some(stopped), ..BatchStats::default() };
            let xml = written_with(&rows, &gathered(&rows).summary(&stats));
            let document = Document::parse(&xml).unwrap();
            let suites = all(&document, "testsuite");
            let totals: Vec<_> = suites.iter().map(|suite| suite.attribute(counted)).collect();
            assert_eq!(totals, [Some("0"), Some("1")], "{xml}");
            let mark = all(&document, tag)[0];
            assert!(mark.text().is_some_and(|text| text.starts_with(told)), "{xml}");
            assert!(mark.attribute("message").is_some_and(|text| text.starts_with(told)), "{xml}");
        }
    }

    #[test]
    fn a_batch_without_rows_is_xml_too() {
        let xml = written(&[]);
        assert_eq!(all(&Document::parse(&xml).unwrap(), "testsuites").len(), 1);
    }
}
