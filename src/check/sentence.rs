//! Turns what was found into a witness: the operations, and one plain sentence that says what was
//! seen and what was owed.

use super::findings::{
    MonotonicReadsFailure, MonotonicWritesFailure, ReadYourWritesFailure, WritesFollowReadsFailure,
};
use super::guarantees::Failed;
use super::index::{LogRef, WriteRef};
use super::ledger::Ledger;
use super::logs::EndedLog;
use super::sessions::{Asked, Mark, OpRef};
use super::witness::Promised;
use super::writes::{ABSENT, Entry};
use super::{FactPlace, FailedStep, Lines, Step, Witness, WitnessKind};
use crate::model::{
    BranchId, BranchIndex, CustomerId, LogPosition, Operation, RequestNumber, Time, Write,
    WriteKind, listed,
};

/// Tells what was found in a ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sentences<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) lines: Lines,
}

impl Sentences<'_> {
    pub(super) fn read_your_writes(
        &self,
        promised: Promised,
        found: ReadYourWritesFailure,
    ) -> Witness {
        let ReadYourWritesFailure { read, written, write } = found;
        let noun = noun(self.ledger.writes.entry(write).write.kind);
        let sentence = format!(
            "customer {} {}, then {}, whose log {}: it was owed at least its own {noun}",
            self.customer(read),
            self.did(written),
            self.did(read),
            self.lacked(write, noun, read),
        );
        let log = self.ledger.log_of(self.ledger.sessions.op(read));
        let kind = WitnessKind::OwnWriteMissing;
        self.witness((kind, promised), (written, read), (log, write), sentence)
    }

    pub(super) fn monotonic_reads(
        &self,
        promised: Promised,
        found: MonotonicReadsFailure,
    ) -> Witness {
        let MonotonicReadsFailure { earlier, later, write } = found;
        let log = self.ledger.log_of(self.ledger.sessions.op(later));
        let noun = noun(self.ledger.writes.entry(write).write.kind);
        let sentence = format!(
            "customer {} {}, with {} in it, then {}, whose log {}: \
             it was owed at least all that it had already seen",
            self.customer(later),
            self.did(earlier),
            self.whose(write, self.customer(later)),
            self.did(later),
            self.lacked(write, noun, later),
        );
        let kind = WitnessKind::SeenWriteMissing;
        self.witness((kind, promised), (earlier, later), (log, write), sentence)
    }

    pub(super) fn monotonic_writes(
        &self,
        promised: Promised,
        found: MonotonicWritesFailure,
    ) -> Witness {
        let MonotonicWritesFailure { earlier, first, later, log } = found;
        let sentence = format!(
            "customer {} {}, then {}, but branch {} applied the second {} the first{}: \
             its writes were owed the order in which it made them, at every branch",
            self.customer(later),
            self.did(earlier),
            self.did(later),
            self.id(log.branch),
            self.without(first, log),
            self.lost_before(first, log),
        );
        let kind = WitnessKind::OutOfOrder;
        self.witness((kind, promised), (earlier, later), (log, first), sentence)
    }

    pub(super) fn writes_follow_reads(
        &self,
        promised: Promised,
        found: WritesFollowReadsFailure,
    ) -> Witness {
        let WritesFollowReadsFailure { read, seen, written, log } = found;
        let sentence = format!(
            "customer {} {}, with {} in it, then {}, but branch {} applied this write {} the one \
             that was seen{}: it was owed a place after all that the customer had seen, at every branch",
            self.customer(written),
            self.did(read),
            self.whose(seen, self.customer(written)),
            self.did(written),
            self.id(log.branch),
            self.without(seen, log),
            self.lost_before(seen, log),
        );
        let kind = WitnessKind::NotAfterRead;
        self.witness((kind, promised), (read, written), (log, seen), sentence)
    }

    pub(super) fn id(&self, branch: BranchIndex) -> BranchId {
        self.ledger.roster.id(branch)
    }

    pub(super) fn customer(&self, op: OpRef) -> CustomerId {
        self.ledger.sessions.get(self.ledger.sessions.op(op).session).customer
    }

    /// `deposited 400 at branch 1 (event 1)`
    pub(super) fn did(&self, at: OpRef) -> String {
        let op = self.ledger.sessions.op(at);
        let what = match op.asked {
            Asked::Write { write, .. } => {
                let Write { kind, amount } = self.ledger.writes.entry(write).write;
                match kind {
                    WriteKind::Deposit => format!("deposited {amount}"),
                    WriteKind::Withdraw => format!("withdrew {amount}"),
                }
            }
            Asked::Query(Some(seen)) => format!("read the balance {}", seen.balance),
            Asked::Query(None) => "asked for the balance".to_owned(),
        };
        format!("{what} at branch {} (event {})", self.id(op.sent.branch), op.sent.event)
    }

    /// `a deposit of 400`
    pub(super) fn content(&self, write: WriteRef) -> String {
        let Write { kind, amount } = self.ledger.writes.entry(write).write;
        format!("a {} of {amount}", noun(kind))
    }

    /// `customer 2's deposit of 400 (event 1)`
    pub(super) fn named(&self, write: WriteRef) -> String {
        let Entry { id, write, .. } = self.ledger.writes.entry(write);
        format!(
            "customer {}'s {} of {} (event {})",
            id.customer,
            noun(write.kind),
            write.amount,
            id.event
        )
    }

    /// The same, or `its own deposit of 400 (event 1)`, in a sentence about `customer`.
    pub(super) fn whose(&self, write: WriteRef, customer: CustomerId) -> String {
        let Entry { id, write: content, .. } = self.ledger.writes.entry(write);
        if id.customer == customer {
            format!("its own {} of {} (event {})", noun(content.kind), content.amount, id.event)
        } else {
            self.named(write)
        }
    }

    fn at(&self, write: WriteRef, log: LogRef) -> Option<u32> {
        let position = self.ledger.place_in(log, write);
        (position != ABSENT).then_some(position)
    }

    /// What the log did in which `read` was answered too early: `did not yet hold` a write, `never
    /// held` it or `no longer held` it; and, in the last two cases, whose memory ended, if any did.
    fn lacked(&self, write: WriteRef, noun: &str, read: OpRef) -> String {
        let op = self.ledger.sessions.op(read);
        let log = self.ledger.log_of(op);
        let answered = op.answered.map_or(u64::MAX, |mark| mark.fact);
        let lost = || self.ledger.logs.that_lost(write).filter(|log| log.stopped.fact < answered);
        if lost().any(|lost| lost.branch == log.branch) {
            let lost = lost().filter(|lost| lost.branch == log.branch);
            format!("no longer held that {noun}, for {}", self.memory_ended(lost))
        } else if self.at(write, log).is_some() {
            format!("did not yet hold that {noun}")
        } else if lost().next().is_some() {
            format!("never held that {noun}, for {}", self.memory_ended(lost()))
        } else {
            format!("never held that {noun}")
        }
    }

    /// How a log took what should follow `write`: `before` it or `without` it.
    fn without(&self, write: WriteRef, log: LogRef) -> &'static str {
        match self.at(write, log) {
            Some(_) => "before",
            None => "without",
        }
    }

    /// `, for branch 2 lost its memory at 31.200 ms`, of a write that a log is without, where that
    /// is so.
    fn lost_before(&self, write: WriteRef, log: LogRef) -> String {
        let lost = || self.ledger.logs.that_lost(write);
        if self.at(write, log).is_some() || lost().next().is_none() {
            return String::new();
        }
        format!(", for {}", self.memory_ended(lost()))
    }

    /// `branch 2 lost its memory at 31.200 ms, branch 3 at 40.000 ms`
    pub(super) fn memory_ended<'a>(&self, lost: impl Iterator<Item = &'a EndedLog>) -> String {
        let name = |log: &EndedLog| (self.id(log.branch), log.stopped.at);
        let ended: Vec<(BranchId, Time)> = lost.map(name).collect();
        let texts = ended.iter().enumerate().map(|(index, (branch, at))| match index {
            0 => format!("branch {branch} lost its memory at {at}"),
            _ => format!("branch {branch} at {at}"),
        });
        listed(texts)
    }

    pub(super) fn step(&self, at: OpRef, log: LogRef) -> Step {
        let op = self.ledger.sessions.op(at);
        let (operation, position, balance) = match op.asked {
            Asked::Write { write, .. } => {
                let operation = Operation::Write(self.ledger.writes.entry(write).write);
                (operation, self.at(write, log), None)
            }
            Asked::Query(seen) => {
                (Operation::Query, seen.map(|seen| seen.position), seen.map(|seen| seen.balance))
            }
        };
        Step {
            request: RequestNumber::new(op.sent.request.into()),
            event: op.sent.event,
            branch: self.id(op.sent.branch),
            operation,
            position: position.map(|position| LogPosition::new(position.into())),
            balance,
            sent: self.place(op.sent.mark),
            answered: op.answered.map(|mark| self.place(mark)),
        }
    }

    /// Where a fact stands. The header of a history is line 1.
    pub(super) fn place(&self, Mark { fact, at }: Mark) -> FactPlace {
        match self.lines {
            Lines::Known => FactPlace { line: Some(fact.saturating_add(1)), at },
            Lines::Unknown => FactPlace { line: None, at },
        }
    }

    pub(super) fn failed(&self, failed: Failed) -> FailedStep {
        let Failed { property, at, log, promised } = failed;
        let request = RequestNumber::new(self.ledger.sessions.op(at).sent.request.into());
        let (customer, branch) = (self.customer(at), self.id(log.branch));
        FailedStep { property, customer, request, branch, promised }
    }

    fn witness(
        &self,
        (kind, promised): (WitnessKind, Promised),
        (earlier, later): (OpRef, OpRef),
        (log, write): (LogRef, WriteRef),
        sentence: String,
    ) -> Witness {
        let steps = (self.step(earlier, log), self.step(later, log));
        let bank = of_bank(kind, promised, self.id(log.branch), sentence);
        Witness {
            customer: Some(self.customer(later)),
            earlier: Some(steps.0),
            later: Some(steps.1),
            write: Some(self.ledger.writes.entry(write).id),
            ..bank
        }
    }
}

/// What the bank as a whole shows at `branch`.
pub(super) fn of_bank(
    kind: WitnessKind,
    promised: Promised,
    branch: BranchId,
    sentence: String,
) -> Witness {
    Witness {
        kind,
        promised,
        customer: None,
        earlier: None,
        later: None,
        branch,
        write: None,
        other: None,
        shown: None,
        sentence,
    }
}

pub(super) fn noun(kind: WriteKind) -> &'static str {
    match kind {
        WriteKind::Deposit => "deposit",
        WriteKind::Withdraw => "withdrawal",
    }
}
