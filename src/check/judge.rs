//! Takes facts one by one, and gives the verdicts when all are in.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::guarantees::Guarantees;
use super::ledger::Ledger;
use super::verdict::Undecided;
use super::{JudgeError, Verdicts, bank_wide, guarantees};
use crate::history::{Header, Recorded, Terms};
use crate::model::{Money, Roster};

/// What is known of a run before its first fact.
#[derive(Debug, Clone)]
pub struct Case {
    /// The branches.
    pub roster: Arc<Roster>,
    /// What each branch held at the start.
    pub opening_balance: Money,
    /// What was promised; `None` where nobody says.
    pub terms: Option<Terms>,
}

impl Case {
    /// The case of a history with this header.
    pub fn of(header: &Header) -> Self {
        let Header { roster, opening_balance, terms, .. } = header;
        Self { roster: Arc::clone(roster), opening_balance: *opening_balance, terms: terms.clone() }
    }
}

/// What is wanted of a judge beyond the verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeOptions {
    /// How many witnesses of each property are kept at most.
    pub witnesses: NonZeroUsize,
    /// Whether every step that failed a test is kept.
    pub steps: StepsKept,
}

impl Default for JudgeOptions {
    fn default() -> Self {
        Self { witnesses: NonZeroUsize::MIN, steps: StepsKept::default() }
    }
}

/// Which of the steps that failed a test are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StepsKept {
    /// None.
    #[default]
    None,
    /// All of them.
    All,
}

/// Judges one history. Needs a few dozen bytes per request, and eight per write and branch.
#[derive(Debug)]
pub struct Judge {
    ledger: Ledger,
    options: JudgeOptions,
    failed: Option<JudgeError>,
}

impl Judge {
    /// A judge of `case`.
    pub fn new(case: Case, options: JudgeOptions) -> Self {
        Self { ledger: Ledger::new(case, options.witnesses.get()), options, failed: None }
    }

    /// Takes the next fact. After an error there will be no verdict: every later call returns the
    /// same error.
    pub fn observe(&mut self, recorded: &Recorded) -> Result<(), JudgeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.ledger.add(recorded).map_err(|problem| {
            let error = JudgeError { fact: self.ledger.facts(), problem };
            self.failed = Some(error);
            error
        })
    }

    /// The verdicts on all facts that were observed. A request without a reply may have taken
    /// effect or not.
    pub fn finish(mut self) -> Result<Verdicts, JudgeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.ledger.close();
        let balances = self.ledger.take_balances();
        let ledger = &self.ledger;
        let untested = Undecided::NothingToTest;
        let Guarantees { reads_own, reads_on, writes_in_order, writes_follow, failed } =
            guarantees::judge(ledger, self.options);
        Ok(Verdicts {
            read_your_writes: reads_own
                .map(|read| ledger.find_unread(read))
                .verdict(untested, |promised, found| ledger.tell_unread(promised, found)),
            monotonic_reads: reads_on
                .map(|read| ledger.find_unseen(read))
                .verdict(untested, |promised, found| ledger.tell_unseen(promised, found)),
            monotonic_writes: writes_in_order
                .map(|(written, branch)| ledger.find_misordered(written, branch))
                .verdict(untested, |promised, found| ledger.tell_misordered(promised, found)),
            writes_follow_reads: writes_follow
                .map(|(written, branch)| ledger.find_unfollowed(written, branch))
                .verdict(untested, |promised, found| ledger.tell_unfollowed(promised, found)),
            balances: balances
                .verdict(untested, |promised, found| ledger.tell_balance(promised, found)),
            convergence: bank_wide::convergence(ledger)
                .verdict(untested, |promised, found| ledger.tell_divergence(promised, found)),
            exactly_once: bank_wide::exactly_once(ledger)
                .verdict(untested, |promised, found| ledger.tell_flaw(promised, found)),
            no_overdraft: None,
            failed_steps: failed.into_iter().map(|failed| ledger.tell_failed(failed)).collect(),
        })
    }
}

/// Judges facts that are all at hand.
pub fn judge<'a>(
    case: Case,
    options: JudgeOptions,
    facts: impl IntoIterator<Item = &'a Recorded>,
) -> Result<Verdicts, JudgeError> {
    let mut judge = Judge::new(case, options);
    for recorded in facts {
        judge.observe(recorded)?;
    }
    judge.finish()
}
