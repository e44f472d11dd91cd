//! What a worker does with one scenario: reads it, runs it, and makes a row of it, whatever happens.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use miette::Diagnostic;

use super::decode::{Coding, decoded};
use super::files::{expected_results, unpacked};
use super::filter::{Filter, lets_through};
use super::lines::SCENARIO_BYTES_MAX;
use super::resume::ResumeError;
use crate::check::Demand;
use crate::report::Assessment;
use crate::report::batch::{Row, RowHead, append_line};
use crate::runner::batch::Work;
use crate::runner::{Carrier, MemoryBudget, RunError, RunOptions, Runner, run_bytes};
use crate::scenario::{Scenario, ScenarioError, Source};

/// A scenario that waits for a worker.
#[derive(Debug)]
pub(super) struct Item {
    /// Its number in the whole input, from 1.
    pub(super) number: u64,
    pub(super) place: Place,
    pub(super) content: Content,
}

/// Where a scenario stands.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// It is a file of its own.
    File(Arc<str>),
    /// It is this line of a file.
    Line(Arc<str>, u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.write_str(file),
            Self::Line(file, line) => write!(f, "{file}:{line}"),
        }
    }
}

/// What is known of a scenario before a worker has it.
#[derive(Debug)]
pub(super) enum Content {
    /// Its text.
    Text(Vec<u8>),
    /// The file that it is in.
    File(PathBuf),
    /// Why it cannot be had.
    Unreadable(String),
    /// Why the batch cannot go on from here.
    Mismatch(ResumeError),
}

/// What came of a scenario.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A row, and its line where one is wanted.
    Row { row: Row, line: Vec<u8> },
    /// It was filtered out.
    FilteredOut,
    /// The batch cannot go on.
    Mismatch(ResumeError),
}

/// Whether rows are wanted as lines of JSON too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowLines {
    Wanted,
    NotWanted,
}

/// What is done with each scenario.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) options: RunOptions,
    /// What all runs at the same time may take.
    pub(super) memory: MemoryBudget,
    pub(super) demand: Demand,
    pub(super) filters: Vec<Filter>,
    pub(super) lines: RowLines,
}

impl Work for Job {
    type Item = Item;
    type Outcome = Outcome;

    fn run(&self, runner: &mut Runner, item: &mut Item) -> Outcome {
        let nothing = Content::Unreadable(String::new());
        let content = match std::mem::replace(&mut item.content, nothing) {
            Content::Mismatch(error) => return Outcome::Mismatch(error),
            content @ (Content::Text(_) | Content::File(_) | Content::Unreadable(_)) => content,
        };
        let begun = now();
        let place = item.place.to_string();
        let scenario = read(&item.place, &place, content);
        let name = scenario.as_ref().ok().map(|scenario| scenario.name.as_str());
        if !lets_through(&self.filters, name, &place) {
            return Outcome::FilteredOut;
        }
        let head = |took| RowHead { number: item.number, place: place.clone(), took };
        self.outcome(match scenario {
            Ok(scenario) => self.run_one(runner, &item.place, scenario, || head(begun.elapsed())),
            Err(problem) => Row::failed(head(begun.elapsed()), None, problem),
        })
    }

    fn panicked(&self, item: Item, message: &str) -> Outcome {
        let place = item.place.to_string();
        let head = RowHead { number: item.number, place, took: Duration::ZERO };
        self.outcome(Row::failed(head, None, defect(&format!("the run panicked: {message}"))))
    }
}

impl Job {
    fn run_one(
        &self,
        runner: &mut Runner,
        place: &Place,
        mut scenario: Scenario,
        head: impl Fn() -> RowHead,
    ) -> Row {
        if let (Place::File(path), None) = (place, &scenario.expected)
            && let Err(problem) = expect_what_stands_beside(Path::new(&**path), &mut scenario)
        {
            return Row::failed(head(), Some(scenario.name), problem);
        }
        let needed = run_bytes(&scenario, &self.options, Carrier::Mailboxes);
        let _memory = match self.memory.take(needed) {
            Ok(memory) => memory,
            Err(refused) => return Row::failed(head(), Some(scenario.name), refused.to_string()),
        };
        match runner.run(&scenario, &self.options, None) {
            Ok(run) => {
                let assessment = Assessment::of(&run.result);
                Row::of(head(), &run.result, &assessment, self.demand)
            }
            Err(error) => Row::failed(head(), Some(scenario.name), explain(&error)),
        }
    }

    fn outcome(&self, row: Row) -> Outcome {
        let mut line = Vec::new();
        if self.lines == RowLines::Wanted {
            append_line(&mut line, &row).expect("a row can be written to memory");
        }
        Outcome::Row { row, line }
    }
}

fn read(place: &Place, shown: &str, content: Content) -> Result<Scenario, String> {
    let bytes = match content {
        Content::Text(bytes) => bytes,
        Content::File(path) => read_file(&path).map_err(|error| error.to_string())?,
        Content::Unreadable(problem) => return Err(problem),
        Content::Mismatch(error) => return Err(error.to_string()),
    };
    let source = Source::from_bytes(unpacked(shown), bytes);
    let scenario = source.and_then(|source| Scenario::parse(&source));
    scenario.map_err(|error| match place {
        Place::File(_) => format!("{shown}:{}:{}", error.line(), told(&error)),
        Place::Line(..) => format!("{shown}:{}", told(&error)),
    })
}

/// What the file at `path` holds, unpacked.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SCENARIO_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if Coding::of(&bytes) != Coding::Plain {
        let packed = Cursor::new(std::mem::take(&mut bytes));
        decoded(packed)?.take(SCENARIO_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= SCENARIO_BYTES_MAX) {
        return Ok(bytes);
    }
    Err(io::Error::other(too_long()))
}

/// What is said of a scenario that nobody can mean.
pub(super) fn too_long() -> String {
    format!("longer than {} MiB; is this a scenario?", SCENARIO_BYTES_MAX >> 20)
}

/// Takes the expected result of `scenario` from the file beside it, if there is one.
fn expect_what_stands_beside(path: &Path, scenario: &mut Scenario) -> Result<(), String> {
    for beside in expected_results(path) {
        let name = beside.display().to_string();
        let bytes = match read_file(&beside) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("{name}: {error}")),
        };
        let expected = Source::from_bytes(&*name, bytes)
            .and_then(|source| scenario.parse_expected(&source))
            .map_err(|error| format!("{name}:{}:{}", error.line(), told(&error)))?;
        scenario.expected = Some(expected);
        return Ok(());
    }
    Ok(())
}

/// In which column what is wrong with an input, and what to do, on one line.
fn told(error: &ScenarioError) -> String {
    let column = error.column();
    match error.help() {
        Some(help) => format!("{column}: {error}; {help}"),
        None => format!("{column}: {error}"),
    }
}

fn explain(error: &RunError) -> String {
    match error {
        RunError::BalanceOutOfRange { .. } => format!("{error}; use smaller amounts"),
        RunError::Runtime(reason) | RunError::History(reason) => format!("{error}: {reason}"),
        RunError::Bind(_)
        | RunError::Edge(_)
        | RunError::NoEndpoint { .. }
        | RunError::Remote { .. } => error.to_string(),
        RunError::ActorStopped | RunError::Standstill | RunError::Facts(_) => {
            defect(&error.to_string())
        }
    }
}

fn defect(what: &str) -> String {
    format!("{what}; this is a defect of passbook, please report it with the scenario")
}

#[expect(clippy::disallowed_methods, reason = "a row says how long its scenario took")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ByteSize;

    fn job(filters: &[&str]) -> Job {
        Job {
            options: RunOptions::default(),
            memory: MemoryBudget::new(ByteSize::new(1 << 30)),
            demand: Demand::Anything,
            filters: filters.iter().map(|text| text.parse().unwrap()).collect(),
            lines: RowLines::NotWanted,
        }
    }

    fn row(place: Place, text: &str) -> Row {
        let content = Content::Text(text.as_bytes().to_vec());
        let mut item = Item { number: 17, place, content };
        match job(&[]).run(&mut Runner::new().unwrap(), &mut item) {
            Outcome::Row { row, .. } => row,
            Outcome::FilteredOut | Outcome::Mismatch(_) => panic!("no row"),
        }
    }

    #[test]
    fn a_scenario_that_is_wrong_is_a_row_that_says_where() {
        let line = row(Place::Line("many.jsonl".into(), 17), r#"[{"id": 1, "type": "bransh"}]"#);
        assert_eq!((line.number, &*line.place), (17, "many.jsonl:17"));
        let problem = line.problem.unwrap();
        assert!(problem.starts_with("many.jsonl:17:20: [0].type: "), "{problem}");
        let file = row(Place::File("a.json".into()), "[\n{\"id\": 1, \"type\": \"bransh\"}]");
        let problem = file.problem.unwrap();
        assert!(problem.starts_with("a.json:2:19: [0].type: "), "{problem}");
        assert!(!problem.contains('\n'));
    }

    #[test]
    fn a_panic_is_a_row() {
        let place = Place::File("a.json".into());
        let item = Item { number: 3, place, content: Content::Text(Vec::new()) };
        let Outcome::Row { row, .. } = job(&[]).panicked(item, "index out of bounds") else {
            panic!("no row");
        };
        assert_eq!((row.number, &*row.place), (3, "a.json"));
        assert!(row.problem.unwrap().starts_with("the run panicked: index out of bounds; "));
    }
}
