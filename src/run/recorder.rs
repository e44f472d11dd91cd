//! The recorder of a run: gets every fact in causal order, and hands each to whoever wants it: the
//! report, a history file, the judge.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::options::{Judging, Recording, RunError, RunOptions};
use super::result::RunConfig;
use crate::actors::{Detail, Observer, RecorderLink, TimeSource};
use crate::check::{Case, Judge, JudgeOptions, Lines, Verdicts};
use crate::history::{Fact, Header, Recorded, Terms, Writer};
use crate::model::Time;
use crate::scenario::Scenario;

/// Where a history is written to: something buffered.
pub type HistoryOutput = Box<dyn io::Write>;

/// Hands on the facts of a run.
pub(super) struct Recorder {
    kept: Option<Vec<Recorded>>,
    history: Option<Writer<HistoryOutput>>,
    judge: Option<Judge>,
    last_request_at: Time,
    /// The first thing that went wrong. The run goes on, and ends with it.
    failed: Option<RunError>,
}

/// A recorder, and the way of its actors to it.
pub(super) type SharedRecorder = Rc<RefCell<Recorder>>;

/// What came of the facts of a run.
#[derive(Debug, Default)]
pub(super) struct Conclusion {
    /// The facts, if they were kept.
    pub(super) facts: Vec<Recorded>,
    /// The verdicts, if it was judged.
    pub(super) verdicts: Option<Arc<Verdicts>>,
    /// When the last request was sent.
    pub(super) last_request_at: Time,
}

impl Recorder {
    /// The recorder that a run of `scenario` needs, if it needs one, and the way to it.
    pub(super) fn open(
        scenario: &Scenario,
        config: &RunConfig,
        options: &RunOptions,
        history: Option<HistoryOutput>,
        clock: TimeSource,
    ) -> Result<(Option<SharedRecorder>, RecorderLink), RunError> {
        let detail = match (options.recording, &history) {
            (Recording::Off, None) => Detail::Essentials,
            (Recording::Facts, _) | (Recording::Off, Some(_)) => Detail::Everything,
        };
        let lines = match detail {
            Detail::Essentials => Lines::Unknown,
            Detail::Everything => Lines::Known,
        };
        let judge = JudgeOptions { lines, ..options.judge };
        let begin = |out| Writer::new(out, &header(scenario, config)).map_err(RunError::History);
        let recorder = Self {
            kept: (options.recording == Recording::Facts).then(Vec::new),
            history: history.map(begin).transpose()?,
            judge: (options.judging == Judging::On)
                .then(|| Judge::new(case(scenario, config), judge)),
            last_request_at: Time::START,
            failed: None,
        };
        let recorder = recorder.is_wanted().then(|| Rc::new(RefCell::new(recorder)));
        let observer = recorder.clone().map(|recorder| recorder as Rc<RefCell<dyn Observer>>);
        let link = RecorderLink { clock, observer, detail };
        Ok((recorder, link))
    }

    fn is_wanted(&self) -> bool {
        self.kept.is_some() || self.history.is_some() || self.judge.is_some()
    }

    fn hand_on(&mut self, recorded: &Recorded) -> Result<(), RunError> {
        if let Fact::RequestSent { .. } = recorded.fact {
            self.last_request_at = recorded.at;
        }
        if let Some(judge) = &mut self.judge {
            judge.observe(recorded)?;
        }
        if let Some(history) = &mut self.history {
            history.record(recorded).map_err(RunError::History)?;
        }
        Ok(())
    }

    /// What came of the facts. It takes no more.
    pub(super) fn conclude(&mut self) -> Result<Conclusion, RunError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        if let Some(history) = self.history.take() {
            history.finish().map_err(RunError::History)?;
        }
        let verdicts = self.judge.take().map(|judge| judge.finish().map(Arc::new)).transpose()?;
        let facts = self.kept.take().unwrap_or_default();
        Ok(Conclusion { facts, verdicts, last_request_at: self.last_request_at })
    }
}

fn case(scenario: &Scenario, config: &RunConfig) -> Case {
    Case {
        roster: scenario.roster.clone(),
        opening_balance: scenario.opening_balance,
        terms: Some(terms(config)),
    }
}

fn terms(config: &RunConfig) -> Terms {
    Terms {
        guarantees: config.guarantees.clone(),
        propagation: config.propagation,
        overdraft: config.overdraft,
        durability: config.durability,
    }
}

/// What the history of a run says before its first fact.
pub(crate) fn header(scenario: &Scenario, config: &RunConfig) -> Header {
    Header {
        passbook: Some(env!("CARGO_PKG_VERSION").to_owned()),
        scenario: scenario.name.clone(),
        seed: config.seed,
        roster: scenario.roster.clone(),
        opening_balance: scenario.opening_balance,
        terms: Some(terms(config)),
        config: config.in_words(),
    }
}

impl Observer for Recorder {
    fn observe(&mut self, recorded: Recorded) {
        if self.failed.is_some() {
            return;
        }
        match (self.hand_on(&recorded), &mut self.kept) {
            (Err(failed), _) => self.failed = Some(failed),
            (Ok(()), Some(kept)) => kept.push(recorded),
            (Ok(()), None) => {}
        }
    }
}
