//! Rows as JUnit XML, for CI servers.
//!
//! A suite says first how many tests it has, so one is written for every thousand rows: memory does
//! not grow with the rows. What stands outside the suites has no totals, which are not known in
//! time.

use std::fmt::{self, Write as _};
use std::io;
use std::time::Duration;

use super::RowWriter;
use crate::batch::replay;
use crate::batch::row::{Row, Status};
use crate::batch::summary::{Stopped, Summary};
use crate::model::is_unseen;

/// How many rows a suite has at most.
const SUITE_ROWS_MAX: u64 = 1000;

const HEAD: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"passbook batch\">\n";
const TAIL: &str = "</testsuites>\n";

/// Writes rows as JUnit XML to `W`; give it something buffered.
#[derive(Debug)]
pub struct Junit<W: io::Write> {
    out: W,
    suite: Suite,
    /// The numbers of the first and the last row of the suite.
    numbers: Option<(u64, u64)>,
}

/// Test cases that are counted together.
#[derive(Debug, Default)]
struct Suite {
    /// The cases as XML.
    cases: String,
    tests: u64,
    skipped: u64,
    errors: u64,
    failures: u64,
    took: Duration,
}

/// A test case, whatever it is of.
struct Case<'a> {
    name: &'a str,
    class: &'a str,
    took: Duration,
    outcome: Outcome,
}

/// How a test case ended.
enum Outcome {
    Passed,
    Skipped(String),
    Failure(CaseProblem),
    Error(CaseProblem),
}

/// What is told of a test case that did not pass.
struct CaseProblem {
    /// In one word.
    kind: &'static str,
    message: String,
    /// What follows the message where there is room.
    more: String,
}

impl<W: io::Write> Junit<W> {
    /// Writes what comes before the rows to `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(HEAD.as_bytes())?;
        Ok(Self { out, suite: Suite::default(), numbers: None })
    }

    /// Writes the rows so far as a suite of their own.
    fn write_rows(&mut self) -> io::Result<()> {
        let Some((first, last)) = self.numbers.take() else { return Ok(()) };
        let name = format!("scenarios {first} to {last}");
        self.suite.write(&name, &mut self.out)?;
        // What room the cases took is kept for the next ones.
        self.suite = Suite { cases: std::mem::take(&mut self.suite.cases), ..Suite::default() };
        self.suite.cases.clear();
        Ok(())
    }
}

impl<W: io::Write> RowWriter for Junit<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        let first = self.numbers.map_or(row.number, |(first, _)| first);
        self.numbers = Some((first, row.number));
        self.suite.add(&Case::of(row));
        if self.suite.tests == SUITE_ROWS_MAX { self.write_rows() } else { Ok(()) }
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.write_rows()?;
        if let Some(stopped) = summary.stopped {
            let mut suite = Suite::default();
            suite.add(&Case::of_the_batch(stopped, summary.rows));
            suite.write("the whole batch", &mut self.out)?;
        }
        self.out.write_all(TAIL.as_bytes())?;
        self.out.flush()
    }
}

impl Suite {
    fn add(&mut self, case: &Case<'_>) {
        self.tests += 1;
        self.took += case.took;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::Failure(_) => self.failures += 1,
            Outcome::Error(_) => self.errors += 1,
        }
        self.cases.push_str(&case.to_string());
    }

    fn write(&self, name: &str, out: &mut impl io::Write) -> io::Result<()> {
        let Self { cases, tests, skipped, errors, failures, took } = self;
        write!(
            out,
            "    <testsuite name=\"{}\" tests=\"{tests}\" skipped=\"{skipped}\" errors=\"{errors}\" \
             failures=\"{failures}\" time=\"{}\">\n{cases}    </testsuite>\n",
            Attribute(name),
            Seconds(*took)
        )
    }
}

impl<'a> Case<'a> {
    fn of(row: &'a Row) -> Self {
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
        Self {
            name: row.name.as_deref().unwrap_or(&row.place),
            class: &row.place,
            took: Duration::from_micros(row.microseconds),
            outcome: match row.status {
                Status::Holds => Outcome::Passed,
                Status::Undecided => {
                    Outcome::Skipped("undecided: nothing could be tested".to_owned())
                }
                Status::Unexpected | Status::Violated => Outcome::Failure(told()),
                Status::Error => Outcome::Error(told()),
            },
        }
    }

    /// What a batch that ended before its end has beside its rows.
    fn of_the_batch(stopped: Stopped, rows: u64) -> Self {
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
        let name = "the batch comes to its end";
        Self { name, class: "passbook batch", took: Duration::ZERO, outcome }
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, class, took) = (Attribute(self.name), Attribute(self.class), Seconds(self.took));
        write!(f, "        <testcase name=\"{name}\" classname=\"{class}\" time=\"{took}\"")?;
        let (tag, told) = match &self.outcome {
            Outcome::Passed => return f.write_str("/>\n"),
            Outcome::Skipped(why) => {
                writeln!(f, ">")?;
                let (message, text) = (Attribute(why), Text(why));
                writeln!(f, "            <skipped message=\"{message}\">{text}</skipped>")?;
                return f.write_str("        </testcase>\n");
            }
            Outcome::Failure(told) => ("failure", told),
            Outcome::Error(told) => ("error", told),
        };
        // Some servers show the attribute, some the text.
        let CaseProblem { kind, message, more } = told;
        let (attribute, text, more) = (Attribute(message), Text(message), Text(more));
        write!(
            f,
            ">\n            <{tag} message=\"{attribute}\" type=\"{kind}\">{text}\n\n{more}</{tag}>\n\
             \x20       </testcase>\n"
        )
    }
}

/// A span as seconds, with all its microseconds.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.as_secs(), self.0.subsec_micros())
    }
}

/// Text within the quotes of an attribute, in which a reader would take a line's end for a blank.
struct Attribute<'a>(&'a str);

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' => f.write_str("&quot;"),
            '\t' | '\n' => by_number(c, f),
            _ => escape(c, f),
        })
    }
}

/// Text between tags.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' => f.write_char(c),
            _ => escape(c, f),
        })
    }
}

/// Writes `c` so that it is no markup. What is not visible is written by its number, so that it
/// says nothing to a terminal; what XML cannot hold, as in a program: `\u{1b}`.
fn escape(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '\t' | '\n' | '\r' => by_number(c, f),
        '\0'..' ' | '\u{fffe}' | '\u{ffff}' => write!(f, "{}", c.escape_unicode()),
        _ if is_unseen(c) => by_number(c, f),
        _ => f.write_char(c),
    }
}

fn by_number(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "&#{};", u32::from(c))
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
