//! Takes facts one by one, and gives the verdicts when all are in.

use std::sync::Arc;

use super::guarantees::Guarantees;
use super::ledger::Ledger;
use super::{JudgeError, Verdicts, bank_wide, guarantees};
use crate::history::Recorded;
use crate::model::{Money, Roster};

/// Judges one history. Needs a few dozen bytes per request, and eight per write and branch.
#[derive(Debug)]
pub struct Judge {
    ledger: Ledger,
    failed: Option<JudgeError>,
}

impl Judge {
    /// A judge of a bank whose branches all held `opening_balance` before the first fact.
    pub fn new(roster: Arc<Roster>, opening_balance: Money) -> Self {
        Self { ledger: Ledger::new(roster, opening_balance), failed: None }
    }

    /// Takes the next fact. After an error there will be no verdict: every later call returns the
    /// same error.
    pub fn observe(&mut self, recorded: &Recorded) -> Result<(), JudgeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.ledger.add(&recorded.fact).map_err(|problem| {
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
        let balances = std::mem::take(&mut self.ledger.balances);
        let ledger = &self.ledger;
        let Guarantees { reads_own, reads_on, writes_in_order, writes_follow } =
            guarantees::judge(ledger);
        Ok(Verdicts {
            read_your_writes: reads_own
                .map(|read| ledger.find_unread(read))
                .verdict(|found| ledger.tell_unread(found)),
            monotonic_reads: reads_on
                .map(|(earlier, later)| ledger.find_unseen(earlier, later))
                .verdict(|found| ledger.tell_unseen(found)),
            monotonic_writes: writes_in_order.verdict(|found| ledger.tell_misordered(found)),
            writes_follow_reads: writes_follow
                .map(|(written, branch)| ledger.find_unfollowed(written, branch))
                .verdict(|found| ledger.tell_unfollowed(found)),
            balances: balances.verdict(|found| ledger.tell_balance(found)),
            convergence: bank_wide::convergence(ledger)
                .verdict(|found| ledger.tell_divergence(found)),
            exactly_once: bank_wide::exactly_once(ledger).verdict(|found| ledger.tell_flaw(found)),
        })
    }
}

/// Judges facts that are all at hand.
pub fn judge<'a>(
    roster: Arc<Roster>,
    opening_balance: Money,
    facts: impl IntoIterator<Item = &'a Recorded>,
) -> Result<Verdicts, JudgeError> {
    let mut judge = Judge::new(roster, opening_balance);
    for recorded in facts {
        judge.observe(recorded)?;
    }
    judge.finish()
}
