//! What a worker does with one scenario: reads it, runs it, and makes a row of it, whatever
//! happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Packing;
use super::beside::Beside;
use super::failed::Failed;
use super::filter::{Filter, lets_through};
use super::histories::{HistoryFolder, HistoryOf};
use super::listing::Listing;
use super::problem::{not_expected, told};
use super::resume::ResumeError;
use super::row::{Row, RowHead, Status};
use super::write::append_line;
use crate::check::Strictness;
use crate::model::ByteSize;
use crate::report::Assessment;
use crate::report::diagram::Diagram;
use crate::report::page::figure;
use crate::run::{
    Carrier, MemoryBudget, MemoryError, Recording, RunError, RunOptions, Runner, header, run_bytes,
};
use crate::scenario::Scenario;
use crate::scenario::generate::Generator;
use crate::source::{InputError, Place, expect_what_stands_beside, parse_scenario};

/// A scenario that waits for a worker.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its number in the whole input, from 1.
    pub(super) number: u64,
    pub(super) place: Place,
    /// How the file is packed that it is a line of.
    pub(super) packed: Option<Packing>,
    pub(super) content: Content,
}

/// What is known of a scenario before a worker has it.
#[derive(Debug)]
pub(super) enum Content {
    /// Its text.
    Text(Vec<u8>),
    /// It is still to be read.
    Unread,
    /// Its text, and what stands beside it: it was read on another machine.
    Parcelled(Vec<u8>, Beside),
    /// It is still to be made: the scenario of this number.
    Generated(Arc<Generator>, u64),
    /// Why it cannot be had.
    Unreadable(String),
    /// Why the batch cannot go on from here.
    Mismatch(ResumeError),
}

/// What came of a scenario.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are rows, and a box would cost each of them"
)]
pub(crate) enum Outcome {
    /// A row, its line where one is wanted, and a picture of what is violated, where that is.
    Row { row: Row, line: Vec<u8>, picture: Option<Box<str>> },
    /// It was filtered out.
    FilteredOut,
    /// The batch cannot go on.
    Mismatch(ResumeError),
    /// It may take what it needs, and this process has not so much for it.
    TooLargeHere(MemoryError),
}

/// Whether rows are wanted as lines of JSON too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowLines {
    Wanted,
    NotWanted,
}

/// What is done with each scenario.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) options: RunOptions,
    /// What all runs at the same time may take.
    pub(crate) memory: MemoryBudget,
    /// What one run may take, where the machine that asks for it says that; `None` for all of it.
    pub(crate) allowed: Option<MemoryBudget>,
    pub(crate) demand: Strictness,
    /// The options after `passbook run` that do the same with one of them.
    pub(crate) replay: Arc<str>,
    pub(crate) filters: Vec<Filter>,
    /// Those that are run; `None` for all.
    pub(crate) only: Option<Arc<Failed>>,
    /// Where histories go; `None` for none.
    pub(crate) histories: Option<HistoryFolder>,
    /// Whether violations are still to be drawn.
    pub(crate) draws: AtomicBool,
    pub(crate) document_max: ByteSize,
    pub(crate) lines: RowLines,
}

/// A scenario that is wanted, read as far as it can be.
struct Wanted {
    place: String,
    scenario: Result<Scenario, String>,
    expectation: Expectation,
}

/// Where it stands what is expected of a scenario that does not say it.
enum Expectation {
    /// Beside its file.
    InAFile,
    /// It came with it.
    Parcelled(Beside),
}

impl Job {
    /// Runs the scenario of `item`.
    pub(crate) fn run(&self, runner: &mut Runner, item: &mut Item) -> Outcome {
        let begun = now();
        let Wanted { place, scenario, expectation } = match self.open(item) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Outcome::FilteredOut,
            Err(error) => return Outcome::Mismatch(error),
        };
        let head = || self.head(item, place.clone(), begun.elapsed());
        match scenario {
            Ok(scenario) => {
                let mut picture = None;
                let expected = (&item.place, expectation);
                match self.run_one(runner, expected, scenario, (head, &mut picture)) {
                    Ok(row) => self.outcome(row, picture),
                    Err(error) => Outcome::TooLargeHere(error),
                }
            }
            Err(problem) => self.outcome(Row::failed(head(), None, problem), None),
        }
    }

    /// Says what `item` is, if it would be run.
    pub(crate) fn list(&self, item: &mut Item) -> Result<Option<Listing>, ResumeError> {
        Ok(self.open(item)?.map(|Wanted { place, scenario, .. }| {
            let (name, problem) = match scenario {
                Ok(scenario) => (Some(scenario.name), None),
                Err(problem) => (None, Some(problem)),
            };
            Listing { number: item.number, place, name, problem }
        }))
    }

    /// The listing of an item whose reader panicked with `message`.
    pub(crate) fn listing_panicked(item: &Item, message: &str) -> Listing {
        let problem = defect(&format!("reading it panicked: {message}"));
        let place = item.place.to_string();
        Listing { number: item.number, place, name: None, problem: Some(problem) }
    }

    /// Reads the scenario of `item`, unless it is not wanted.
    fn open(&self, item: &mut Item) -> Result<Option<Wanted>, ResumeError> {
        let nothing = Content::Unreadable(String::new());
        let content = match std::mem::replace(&mut item.content, nothing) {
            Content::Mismatch(error) => return Err(error),
            content @ (Content::Text(_)
            | Content::Unread
            | Content::Parcelled(..)
            | Content::Generated(..)
            | Content::Unreadable(_)) => content,
        };
        let (content, expectation) = match content {
            Content::Parcelled(text, beside) => {
                (Content::Text(text), Expectation::Parcelled(beside))
            }
            content @ (Content::Text(_)
            | Content::Unread
            | Content::Generated(..)
            | Content::Unreadable(_)
            | Content::Mismatch(_)) => (content, Expectation::InAFile),
        };
        let place = item.place.to_string();
        if self.only.as_ref().is_some_and(|only| !only.has(&place)) {
            return Ok(None);
        }
        let scenario = self.read(&item.place, &place, content);
        let name = scenario.as_ref().ok().map(|scenario| scenario.name.as_str());
        let is_wanted = lets_through(&self.filters, name, &place);
        Ok(is_wanted.then_some(Wanted { place, scenario, expectation }))
    }

    /// The outcome of an item whose run panicked with `message`.
    pub(crate) fn panicked(&self, item: Item, message: &str) -> Outcome {
        let place = item.place.to_string();
        let head = self.head(&item, place, Duration::ZERO);
        let problem = defect(&format!("the run panicked: {message}"));
        self.outcome(Row::failed(head, None, problem), None)
    }

    /// The outcome of an item that is not run, because of `problem`.
    pub(crate) fn given_up(&self, item: Item, problem: &str) -> Outcome {
        let place = item.place.to_string();
        let head = self.head(&item, place, Duration::ZERO);
        self.outcome(Row::failed(head, None, problem.to_owned()), None)
    }

    fn head(&self, item: &Item, place: String, took: Duration) -> RowHead {
        let (packed, options) = (item.packed, Arc::clone(&self.replay));
        RowHead { number: item.number, place, packed, options, took }
    }

    fn run_one(
        &self,
        runner: &mut Runner,
        (place, expectation): (&Place, Expectation),
        mut scenario: Scenario,
        (head, picture): (impl Fn() -> RowHead, &mut Option<Box<str>>),
    ) -> Result<Row, MemoryError> {
        let expected = match expectation {
            Expectation::InAFile => {
                expect_what_stands_beside(place, self.document_max, &mut scenario)
                    .map_err(|error| not_expected(&error))
            }
            Expectation::Parcelled(beside) => beside.expect(&mut scenario),
        };
        if let Err(problem) = expected {
            return Ok(Row::failed(head(), Some(scenario.name), problem));
        }
        let needed = run_bytes(&scenario, &self.options, Carrier::Mailboxes);
        let allowed = self.allowed.as_ref().map_or(Ok(()), |allowed| allowed.check(needed));
        let mut row = match allowed.and_then(|()| self.memory.take(needed)) {
            Ok(_memory) => self.run_in_memory(runner, &scenario, head),
            Err(refused) if self.allowed.is_some() && allowed.is_ok() => return Err(refused),
            Err(refused) => Row::failed(head(), Some(scenario.name.clone()), refused.to_string()),
        };
        if row.status == Status::Violated && self.draws.load(Ordering::Relaxed) {
            match self.draw(runner, &scenario) {
                Ok(drawn) => *picture = drawn,
                Err(refused) => row.warnings.push(format!("not drawn: {refused}")),
            }
        }
        Ok(row.with_warnings(scenario.warnings))
    }

    /// Runs what there is the memory for.
    fn run_in_memory(
        &self,
        runner: &mut Runner,
        scenario: &Scenario,
        head: impl Fn() -> RowHead,
    ) -> Row {
        let always = self.histories.as_ref().filter(|histories| histories.of == HistoryOf::All);
        let row = self.run_once(runner, scenario, &head, always);
        match &self.histories {
            // The same again: a seed is a history.
            Some(histories) if always.is_none() && row.status == Status::Violated => {
                self.run_once(runner, scenario, &head, Some(histories))
            }
            Some(_) | None => row,
        }
    }

    /// What shows that `scenario` is violated, as a part of a page. It is run again for that, with
    /// all its facts: a seed is a history.
    fn draw(
        &self,
        runner: &mut Runner,
        scenario: &Scenario,
    ) -> Result<Option<Box<str>>, MemoryError> {
        let options = RunOptions { recording: Recording::Facts, ..self.options.clone() };
        let needed = run_bytes(scenario, &options, Carrier::Mailboxes);
        // What the first run took is given back by now: who waits holds nothing.
        let _memory = self.memory.take(needed)?;
        let Ok(run) = runner.run(scenario, &options, None) else { return Ok(None) };
        let mut diagram = Diagram::of(&header(scenario, &run.result.config), &run.facts);
        let Some(verdicts) = &run.result.verdicts else { return Ok(None) };
        diagram.point_out(verdicts);
        Ok(figure(&diagram.cone()).ok().map(String::into_boxed_str))
    }

    fn run_once(
        &self,
        runner: &mut Runner,
        scenario: &Scenario,
        head: &impl Fn() -> RowHead,
        histories: Option<&HistoryFolder>,
    ) -> Row {
        let mut run = |history| runner.run(scenario, &self.options, history);
        let run = match histories {
            Some(of) => of.record(head().number, &scenario.name, |history| run(Some(history))),
            None => run(None),
        };
        match run {
            Ok(run) => {
                let assessment = Assessment::of(&run.result);
                Row::of(head(), &run.result, &assessment, self.demand)
            }
            Err(error) => Row::failed(head(), Some(scenario.name.clone()), explain(&error)),
        }
    }

    fn read(&self, place: &Place, shown: &str, content: Content) -> Result<Scenario, String> {
        let bytes = match content {
            Content::Generated(generator, number) => return Ok(generator.scenario(number)),
            Content::Text(bytes) | Content::Parcelled(bytes, _) => bytes,
            Content::Unread => place.read(self.document_max).map_err(|error| error.to_string())?,
            Content::Unreadable(problem) => return Err(problem),
            Content::Mismatch(error) => return Err(error.to_string()),
        };
        let scenario = parse_scenario(place, bytes, self.options.overrides.event_ids);
        scenario.map_err(|error| match error {
            InputError::Scenario(error) if place.is_line() => format!("{shown}:{}", told(&error)),
            InputError::Scenario(error) => format!("{shown}:{}:{}", error.line(), told(&error)),
            InputError::OtherKind(error) => error.summary(),
            InputError::Directory { .. }
            | InputError::Missing { .. }
            | InputError::Unreadable { .. }
            | InputError::StandardInput { .. }
            | InputError::Unfit { .. } => error.to_string(),
        })
    }

    fn outcome(&self, row: Row, picture: Option<Box<str>>) -> Outcome {
        let mut line = Vec::new();
        if self.lines == RowLines::Wanted {
            append_line(&mut line, &row);
        }
        Outcome::Row { row, line, picture }
    }
}

fn explain(error: &RunError) -> String {
    match error {
        RunError::BalanceOutOfRange { .. } => format!("{error}; use smaller amounts"),
        RunError::History(reason) => format!("{error}: {reason}"),
        RunError::FaultsOverSockets
        | RunError::DiskForgets
        | RunError::NoNemesis
        | RunError::Impossible(_)
        | RunError::Bind(_)
        | RunError::NoRandomness(_)
        | RunError::Edge(_)
        | RunError::NoEndpoint { .. }
        | RunError::NotThere(_)
        | RunError::NotFresh { .. } => error.to_string(),
        RunError::ActorStopped | RunError::Stopped | RunError::Standstill | RunError::Facts(_) => {
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
    use std::path::Path;

    use super::*;
    use crate::history::DOCUMENT_MAX;
    use crate::model::ByteSize;

    fn job(filters: &[&str]) -> Job {
        Job {
            options: RunOptions::default(),
            memory: MemoryBudget::new(ByteSize::new(1 << 30)),
            allowed: None,
            demand: Strictness::Anything,
            replay: Arc::from(""),
            filters: filters.iter().map(|text| text.parse().unwrap()).collect(),
            only: None,
            histories: None,
            draws: AtomicBool::new(false),
            document_max: DOCUMENT_MAX,
            lines: RowLines::NotWanted,
        }
    }

    fn row(place: Place, text: &str) -> Row {
        let content = Content::Text(text.as_bytes().to_vec());
        let mut item = Item { number: 17, place, packed: None, content };
        match job(&[]).run(&mut Runner::default(), &mut item) {
            Outcome::Row { row, .. } => row,
            Outcome::FilteredOut | Outcome::Mismatch(_) | Outcome::TooLargeHere(_) => {
                panic!("no row")
            }
        }
    }

    fn line_17() -> Place {
        Place::line(Path::new("many.jsonl"), 17)
    }

    #[test]
    fn a_scenario_that_is_wrong_is_a_row_that_says_where() {
        let line = row(line_17(), r#"[{"id": 1, "type": "bransh"}]"#);
        assert_eq!((line.number, &*line.place), (17, "many.jsonl:17"));
        let problem = line.problem.unwrap();
        assert!(problem.starts_with("many.jsonl:17:20: [0].type: "), "{problem}");
        let file = row(Place::whole("a.json"), "[\n{\"id\": 1, \"type\": \"bransh\"}]");
        let problem = file.problem.unwrap();
        assert!(problem.starts_with("a.json:2:19: [0].type: "), "{problem}");
        assert!(!problem.contains('\n'));
    }

    #[test]
    fn a_panic_is_a_row() {
        let place = Place::whole("a.json");
        let item = Item { number: 3, place, packed: None, content: Content::Text(Vec::new()) };
        let Outcome::Row { row, .. } = job(&[]).panicked(item, "index out of bounds") else {
            panic!("no row");
        };
        assert_eq!((row.number, &*row.place), (3, "a.json"));
        assert!(row.problem.unwrap().starts_with("the run panicked: index out of bounds; "));
    }
}
