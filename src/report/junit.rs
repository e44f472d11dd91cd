//! JUnit XML, as CI servers read it: suites of test cases that say first how many they are. Knows
//! nothing of what the cases are of.

use std::fmt::{self, Write as _};
use std::io;
use std::time::Duration;

use crate::model::is_unseen;

/// Writes what comes before the suites of `program`.
pub(crate) fn open(out: &mut impl io::Write, program: &str) -> io::Result<()> {
    let program = Attribute(program);
    write!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{program}\">\n")
}

/// Writes what comes behind them.
pub(crate) fn close(out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(b"</testsuites>\n")?;
    out.flush()
}

/// Test cases that are counted together.
#[derive(Debug, Default)]
pub(crate) struct Suite {
    /// The cases as XML.
    cases: String,
    tests: u64,
    skipped: u64,
    errors: u64,
    failures: u64,
    took: Duration,
}

/// A test case, whatever it is of.
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) class: &'a str,
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// How a test case ended.
pub(crate) enum Outcome {
    Passed,
    Skipped(String),
    Failure(CaseProblem),
    Error(CaseProblem),
}

/// What is told of a test case that did not pass.
pub(crate) struct CaseProblem {
    /// In one word.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// What follows the message where there is room.
    pub(crate) more: String,
}

impl Suite {
    /// Counts one more case.
    pub(crate) fn add(&mut self, case: &Case<'_>) {
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

    /// How many cases it has.
    pub(crate) const fn tests(&self) -> u64 {
        self.tests
    }

    /// Takes all cases out; what room they took is kept for the next ones.
    pub(crate) fn clear(&mut self) {
        *self = Self { cases: std::mem::take(&mut self.cases), ..Self::default() };
        self.cases.clear();
    }

    /// Writes all of it, under its `name`.
    pub(crate) fn write(&self, name: &str, out: &mut impl io::Write) -> io::Result<()> {
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
