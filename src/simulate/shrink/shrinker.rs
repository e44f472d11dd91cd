//! Makes a violating run small: takes away parts by halves down to single ones, then makes spans
//! shorter, and begins again, while the same is still violated.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::explicit::explicit;
use super::parts::{Kind, Later, Took, customers};
use super::spans::{Span, halved};
use crate::check::{Promised, Property, Verdicts};
use crate::model::number::micros;
use crate::run::{Chances, CustomerResult, Run, RunError, RunOptions, Runner};
use crate::scenario::Scenario;

/// How long shrinking takes at most, by default.
pub const LIMIT: Duration = Duration::from_secs(1);

/// How often spans are made shorter at most. Those that only get shorter together do so little by
/// little, and how long they are is no part of being minimal.
const ROUNDS_MAX: usize = 4;

/// A violation: the same is one of the same property with the same label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// What is violated.
    pub property: Property,
    /// Whether it was promised to anyone who did not get it.
    pub promised: Promised,
}

/// A small scenario that violates the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shrunk {
    /// The scenario, in which nothing is left to chance.
    pub scenario: Scenario,
    /// What it violates.
    pub target: Target,
    /// What was seen in its run and what was owed.
    pub sentence: String,
    /// How many events it has.
    pub events: usize,
    /// How many branches.
    pub branches: usize,
    /// How many customers.
    pub customers: usize,
    /// How many faults are in its schedule; each message that takes another time than the latency says
    /// is one.
    pub faults: usize,
    /// How many scenarios were run for it.
    pub trials: u64,
    /// Whether no customer, branch, visit, event, pause or fault can be taken away any more. Unknown,
    /// and not said, where the time was over before that was tried.
    pub is_minimal: bool,
}

/// Why a scenario cannot be shrunk.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShrinkError {
    /// Its run does not end.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its run does not violate that.
    #[error("{} is not violated, so there is nothing to shrink", .target.property)]
    NotViolated {
        /// What it should violate.
        target: Target,
    },
    /// With all said that chance decided, its run is another one: a defect of this program.
    #[error(
        "{} is violated, and no longer so where all is said that chance decided: report it, with the scenario and its seed",
        .target.property
    )]
    AnotherRun {
        /// What it should violate.
        target: Target,
    },
}

/// Makes `scenario` as small as it gets within `limit` (`None`: however long that takes), as long as
/// its run violates `target`. What overrides its settings must stand in them.
///
/// What fails without a violation, a run that ends with an error, is not shrunk: that is the error of
/// this too. A smaller scenario whose run ends with one does not count as a violation.
pub fn shrink(
    scenario: &Scenario,
    target: Target,
    runner: &mut Runner,
    limit: Option<Duration>,
) -> Result<Shrunk, ShrinkError> {
    let until = limit.map(|limit| now() + limit);
    let options = RunOptions { chances: Chances::Kept, ..RunOptions::default() };
    let Run { result, decided, .. } = runner.run(scenario, &options, None)?;
    let verdicts = result.verdicts.as_deref();
    verdicts
        .and_then(|verdicts| target.shown_by(verdicts))
        .ok_or(ShrinkError::NotViolated { target })?;
    let explicit = explicit(scenario, &decided.unwrap_or_default());
    let options = RunOptions::default();
    let mut trial = Trial { runner, target, options, count: 1 };
    let shown = trial.run(&explicit).ok_or(ShrinkError::AnotherRun { target })?;
    let mut shrinker = Shrinker { best: explicit, shown, trial, until, is_late: false };
    shrinker.shrink();
    Ok(shrinker.shrunk())
}

#[expect(clippy::disallowed_methods, reason = "shrinking takes a limited time of the machine")]
fn now() -> Instant {
    Instant::now()
}

impl Target {
    /// The sentence that shows it, if it is violated.
    fn shown_by(self, verdicts: &Verdicts) -> Option<String> {
        let verdict = verdicts.of(self.property)?;
        let witness = verdict.witness().filter(|_| verdict.promised() == Some(self.promised))?;
        Some(witness.sentence.clone())
    }
}

/// Runs scenarios, to see whether they violate the same.
struct Trial<'a> {
    runner: &'a mut Runner,
    target: Target,
    options: RunOptions,
    /// How many there have been.
    count: u64,
}

/// What is to be known of a run that violates the same.
struct Shown {
    sentence: String,
    took: Took,
}

impl Trial<'_> {
    /// What shows the violation in the run of `scenario`, if there is one.
    fn run(&mut self, scenario: &Scenario) -> Option<Shown> {
        self.count += 1;
        let result = self.runner.run(scenario, &self.options, None).ok()?.result;
        let sentence = self.target.shown_by(result.verdicts.as_deref()?)?;
        let took = |of: CustomerResult| {
            (of.id, of.requests.into_iter().map(|request| request.took).collect())
        };
        Some(Shown { sentence, took: result.customers.into_iter().map(took).collect() })
    }
}

struct Shrinker<'a> {
    /// The smallest so far.
    best: Scenario,
    shown: Shown,
    trial: Trial<'a>,
    until: Option<Instant>,
    is_late: bool,
}

impl Shrinker<'_> {
    fn shrink(&mut self) {
        for _ in 0..ROUNDS_MAX {
            while self.remove_all() {}
            if self.is_late || !self.shorten_all() {
                return;
            }
        }
        while self.remove_all() {}
    }

    fn shrunk(self) -> Shrunk {
        let Self { best: scenario, shown, trial, is_late, .. } = self;
        let count = |kind: Kind| kind.count(&scenario);
        Shrunk {
            target: trial.target,
            sentence: shown.sentence,
            events: count(Kind::Events(Later::Sooner)),
            branches: scenario.roster.len(),
            customers: customers(&scenario).len(),
            faults: count(Kind::Fates) + count(Kind::Faults),
            trials: trial.count,
            is_minimal: !is_late,
            scenario,
        }
    }

    /// Keeps `candidate` if it violates the same.
    fn keeps(&mut self, candidate: Option<Scenario>) -> bool {
        self.is_late |= self.until.is_some_and(|until| now() > until);
        let Some(candidate) = candidate.filter(|_| !self.is_late) else { return false };
        let Some(shown) = self.trial.run(&candidate) else { return false };
        (self.best, self.shown) = (candidate, shown);
        true
    }

    /// Takes away what can be of each kind. Says whether that was anything.
    fn remove_all(&mut self) -> bool {
        let mut has_removed = false;
        for kind in Kind::ALL {
            has_removed |= self.remove(kind);
        }
        has_removed
    }

    /// Takes away all parts of a kind, the halves, and so on down to single ones: the last first, for
    /// what comes before a violation is needed more than what comes after it.
    fn remove(&mut self, kind: Kind) -> bool {
        let mut has_removed = false;
        let mut together = kind.count(&self.best);
        while together > 0 {
            let mut end = kind.count(&self.best);
            while end > 0 && !self.is_late {
                let start = end.saturating_sub(together);
                has_removed |=
                    self.keeps(kind.without(&self.best, &(start..end), &self.shown.took));
                end = start.min(kind.count(&self.best));
            }
            together = if together == 1 { 0 } else { together.div_ceil(2) };
        }
        has_removed
    }

    /// Makes spans shorter, all at once and one by one. Says whether any was.
    fn shorten_all(&mut self) -> bool {
        let mut has_shortened = false;
        while self.keeps(halved(&self.best)) {
            has_shortened = true;
        }
        for span in Span::all(&self.best) {
            has_shortened |= self.shorten(span);
        }
        has_shortened
    }

    /// Looks for the shortest, in whole units, that violates the same.
    fn shorten(&mut self, span: Span) -> bool {
        let whole_us = micros(span.of(&self.best));
        let unit_us = unit(whole_us);
        // As short as the first is too short, and as long as the second is long enough.
        let (mut short, mut long) = (0, whole_us.div_ceil(unit_us));
        let mut candidate = 0;
        let mut has_shortened = false;
        while candidate < long {
            let shorter = Duration::from_micros(candidate * unit_us);
            if self.keeps(span.set(&self.best, shorter)) {
                has_shortened = true;
                long = candidate;
            } else {
                short = candidate;
            }
            candidate = short + (long - short).div_ceil(2);
        }
        has_shortened
    }
}

/// In which a span is told: a millisecond, or less where it is shorter.
fn unit(span_us: u64) -> u64 {
    [1_000, 100, 10].into_iter().find(|unit| span_us >= *unit).unwrap_or(1)
}
