//! Rows as JUnit XML, for CI servers.
//!
//! quick-junit holds a whole report before it writes, so a report is written for every thousand
//! rows, and its one test suite is copied into the file: memory does not grow with the rows, and
//! no row is left out. What stands outside the suites has no totals, which are not known in time;
//! every suite has its own.

use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Row, RowWriter, Status, Summary};

/// How many rows a suite has at most.
const SUITE_ROWS_MAX: usize = 1000;

const HEAD: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"passbook batch\">\n";
const SUITE_START: &str = "<testsuite ";
const TAIL: &str = "</testsuites>";

/// Writes rows as JUnit XML to `W`; give it something buffered.
#[derive(Debug)]
pub struct Junit<W: io::Write> {
    out: W,
    cases: Vec<TestCase>,
    /// The numbers of the first and the last row of the suite.
    numbers: Option<(u64, u64)>,
    took: Duration,
}

impl<W: io::Write> Junit<W> {
    /// Writes what comes before the rows to `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(HEAD.as_bytes())?;
        Ok(Self { out, cases: Vec::new(), numbers: None, took: Duration::ZERO })
    }

    /// Writes the rows so far as a suite of their own.
    fn write_suite(&mut self) -> io::Result<()> {
        let Some((first, last)) = self.numbers.take() else { return Ok(()) };
        let mut suite = TestSuite::new(format!("scenarios {first} to {last}"));
        suite.set_time(std::mem::take(&mut self.took));
        suite.add_test_cases(self.cases.drain(..));
        let mut report = Report::unnamed();
        report.add_test_suite(suite);
        let xml = report.to_string().map_err(io::Error::other)?;
        // No text of a row can hold these: in XML every `<` of a text is written `&lt;`.
        let (Some(start), Some(end)) = (xml.find(SUITE_START), xml.rfind(TAIL)) else {
            return Err(io::Error::other("quick-junit wrote a report without a suite"));
        };
        writeln!(self.out, "    {}", xml[start..end].trim_end())
    }
}

impl<W: io::Write> RowWriter for Junit<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        let first = self.numbers.map_or(row.number, |(first, _)| first);
        self.numbers = Some((first, row.number));
        self.took += Duration::from_micros(row.microseconds);
        self.cases.push(case(row));
        if self.cases.len() == SUITE_ROWS_MAX { self.write_suite() } else { Ok(()) }
    }

    fn finish(&mut self, _summary: &Summary) -> io::Result<()> {
        self.write_suite()?;
        writeln!(self.out, "{TAIL}")?;
        self.out.flush()
    }
}

fn case(row: &Row) -> TestCase {
    let mut status = match row.status {
        Status::Holds => TestCaseStatus::success(),
        Status::Undecided => TestCaseStatus::skipped(),
        Status::Unexpected | Status::Violated => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Status::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    match row.status {
        Status::Holds => {}
        Status::Undecided => {
            status.set_message("undecided: nothing could be tested");
        }
        Status::Unexpected | Status::Violated | Status::Error => {
            let word = row.status.word();
            status.set_message(printable(row.problem.as_deref().unwrap_or(word))).set_type(word);
        }
    }
    let mut case = TestCase::new(printable(row.name.as_deref().unwrap_or(&row.place)), status);
    case.set_classname(printable(&row.place)).set_time(Duration::from_micros(row.microseconds));
    case
}

/// `text` without the two characters that XML cannot hold and quick-junit lets through.
fn printable(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::report::batch::sample::{error, finished, holds, undecided, unexpected, violated};

    fn written(rows: &[Row]) -> String {
        let mut junit = Junit::new(Vec::new()).unwrap();
        for row in rows {
            junit.write(row).unwrap();
        }
        junit.finish(&finished(rows)).unwrap();
        String::from_utf8(junit.out).unwrap()
    }

    fn all<'a, 'x>(document: &'a Document<'x>, tag: &str) -> Vec<Node<'a, 'x>> {
        document.descendants().filter(|node| node.has_tag_name(tag)).collect()
    }

    #[test]
    fn each_status_is_what_a_ci_server_calls_it() {
        let rows = [holds(1), violated(2), unexpected(3), error(4), undecided(5)];
        insta::assert_snapshot!(written(&rows));
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
        let nasty = "</testsuites><testsuite \"&]]> \u{0}\u{1b}[31m\u{8}\u{fffe}\u{ffff}\r\n\té";
        let named = Row { name: Some(nasty.to_owned()), place: nasty.to_owned(), ..holds(1) };
        let wrong = Row { problem: Some(nasty.to_owned()), ..error(2) };
        let xml = written(&[named, wrong]);
        let document = Document::parse(&xml).unwrap();
        let cases = all(&document, "testcase");
        assert_eq!(cases.len(), 2);
        let name = cases[0].attribute("name").unwrap();
        assert!(name.starts_with("</testsuites><testsuite \"&]]> "), "{name}");
        let message = all(&document, "error")[0].attribute("message").unwrap();
        assert!(message.ends_with('é'), "{message}");
    }

    #[test]
    fn a_batch_without_rows_is_xml_too() {
        let xml = written(&[]);
        assert_eq!(all(&Document::parse(&xml).unwrap(), "testsuites").len(), 1);
    }
}
