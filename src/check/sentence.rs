//! Turns what was found into a witness: the operations, and one plain sentence that says what was
//! seen and what was owed.

use super::bank_wide::{Divergence, Flaw, Wrong};
use super::findings::{
    MonotonicReadsFailure, MonotonicWritesFailure, ReadYourWritesFailure, WritesFollowReadsFailure,
};
use super::guarantees::Failed;
use super::index::WriteRef;
use super::ledger::{Ledger, WrongBalance};
use super::overdraft::{Cause, Overdrawn};
use super::sessions::{Asked, Mark, OpRef};
use super::witness::Promised;
use super::writes::{ABSENT, Apply, Entry, FirstSeen};
use super::{FactPlace, FailedStep, Lines, Step, Witness, WitnessKind};
use crate::model::{
    BranchId, BranchIndex, CustomerId, LogPosition, Money, Operation, RequestNumber, Write,
    WriteId, WriteKind,
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
        let later = self.ledger.sessions.op(read).sent;
        let sentence = format!(
            "customer {} {}, then {}, whose log {} that {noun}: it was owed at least its own {noun}",
            self.customer(read),
            self.did(written),
            self.did(read),
            self.lacked(write, later.branch),
        );
        let kind = WitnessKind::OwnWriteMissing;
        self.witness((kind, promised), (written, read), (later.branch, write), sentence)
    }

    pub(super) fn monotonic_reads(
        &self,
        promised: Promised,
        found: MonotonicReadsFailure,
    ) -> Witness {
        let MonotonicReadsFailure { earlier, later, write } = found;
        let branch = self.ledger.sessions.op(later).sent.branch;
        let noun = noun(self.ledger.writes.entry(write).write.kind);
        let sentence = format!(
            "customer {} {}, with {} in it, then {}, whose log {} that {noun}: \
             it was owed at least all that it had already seen",
            self.customer(later),
            self.did(earlier),
            self.whose(write, self.customer(later)),
            self.did(later),
            self.lacked(write, branch),
        );
        let kind = WitnessKind::SeenWriteMissing;
        self.witness((kind, promised), (earlier, later), (branch, write), sentence)
    }

    pub(super) fn monotonic_writes(
        &self,
        promised: Promised,
        found: MonotonicWritesFailure,
    ) -> Witness {
        let MonotonicWritesFailure { earlier, first, later, branch } = found;
        let sentence = format!(
            "customer {} {}, then {}, but branch {} applied the second {} the first: \
             its writes were owed the order in which it made them, at every branch",
            self.customer(later),
            self.did(earlier),
            self.did(later),
            self.id(branch),
            self.without(first, branch),
        );
        let kind = WitnessKind::OutOfOrder;
        self.witness((kind, promised), (earlier, later), (branch, first), sentence)
    }

    pub(super) fn writes_follow_reads(
        &self,
        promised: Promised,
        found: WritesFollowReadsFailure,
    ) -> Witness {
        let WritesFollowReadsFailure { read, seen, written, branch } = found;
        let sentence = format!(
            "customer {} {}, with {} in it, then {}, but branch {} applied this write {} the one \
             that was seen: it was owed a place after all that the customer had seen, at every branch",
            self.customer(written),
            self.did(read),
            self.whose(seen, self.customer(written)),
            self.did(written),
            self.id(branch),
            self.without(seen, branch),
        );
        let kind = WitnessKind::NotAfterRead;
        self.witness((kind, promised), (read, written), (branch, seen), sentence)
    }

    pub(super) fn balance(&self, promised: Promised, found: WrongBalance) -> Witness {
        let kind = WitnessKind::WrongSum;
        match found {
            WrongBalance::Read { op, sum_minor } => {
                let branch = self.ledger.sessions.op(op).sent.branch;
                let held = self.ledger.position(op);
                let sentence = format!(
                    "customer {} {}, but the opening balance and the {held} {} in that branch's \
                     log come to {}",
                    self.customer(op),
                    self.did(op),
                    if held == 1 { "write" } else { "writes" },
                    money(sum_minor),
                );
                self.asked(op, branch, of_bank(kind, promised, self.id(branch), sentence))
            }
            WrongBalance::Apply { at, found, sum_minor } => {
                let Apply { mark, branch, write, position } = at;
                let branch = self.id(branch);
                let sentence = format!(
                    "branch {branch} gave its balance as {found} after {} at position {position} \
                     of its log, but the opening balance and the log come to {}",
                    self.named(write),
                    money(sum_minor),
                );
                let bank = self.about(write, of_bank(kind, promised, branch, sentence));
                Witness { shown: Some(self.place(mark)), ..bank }
            }
            WrongBalance::Refusal { op, found, sum_minor } => {
                let sent = self.ledger.sessions.op(op).sent;
                let branch = self.id(sent.branch);
                let sentence = format!(
                    "branch {branch} gave its balance as {found} when it refused customer {}'s \
                     event {}, but the opening balance and its log come to {}",
                    self.customer(op),
                    sent.event,
                    money(sum_minor),
                );
                self.asked(op, sent.branch, of_bank(kind, promised, branch, sentence))
            }
            WrongBalance::Start { mark, branch, found, sum_minor } => {
                let branch = self.id(branch);
                let sentence = format!(
                    "branch {branch} gave its balance as {found} when it started, but the opening \
                     balance and its log come to {}",
                    money(sum_minor),
                );
                let bank = of_bank(kind, promised, branch, sentence);
                Witness { shown: Some(self.place(mark)), ..bank }
            }
        }
    }

    pub(super) fn divergence(&self, promised: Promised, found: Divergence) -> Witness {
        match found {
            Divergence::Write { write, held_by, missing_at } => {
                let branch = self.id(missing_at);
                let sentence = format!(
                    "at the end branch {} holds {}, and branch {branch} does not: all branches \
                     were owed the same writes",
                    self.id(held_by),
                    self.named(write),
                );
                self.about(write, of_bank(WitnessKind::WritesDiffer, promised, branch, sentence))
            }
            Divergence::Balance { first, other } => {
                let branch = self.id(other.0);
                let sentence = format!(
                    "at the end branch {} has the balance {} and branch {branch} has {}: all \
                     branches were owed the same balance",
                    self.id(first.0),
                    first.1,
                    other.1,
                );
                of_bank(WitnessKind::BalancesDiffer, promised, branch, sentence)
            }
        }
    }

    pub(super) fn flaw(&self, promised: Promised, found: Flaw) -> Witness {
        let Flaw { write, wrong, branch: at } = found;
        let entry = self.ledger.writes.entry(write);
        let (named, customer) = (self.named(write), entry.id.customer);
        let branch = self.id(at);
        let sentence = match wrong {
            Wrong::Twice => {
                format!("branch {branch} applied {named} twice: a write is owed to be applied once")
            }
            Wrong::AcknowledgedButMissing => format!(
                "customer {customer} was told that {} was done, but branch {branch} never applied \
                 it: an acknowledged write is owed everywhere",
                self.whose(write, customer),
            ),
            Wrong::RefusedButApplied => format!(
                "customer {customer} was told that {} was refused, but branch {branch} applied it: \
                 a refused write was owed to have no effect",
                self.whose(write, customer),
            ),
            Wrong::NobodyAsked => match self.asked_instead(entry) {
                Some(Write { kind, amount }) => format!(
                    "branch {branch} applied {named}, but under that id the customer asked for a \
                     {} of {amount}",
                    noun(kind),
                ),
                None => format!("branch {branch} applied {named}, but nobody had asked for it"),
            },
            Wrong::IdNotUnique(first) => format!(
                "customer {customer} gave the id {} to {} and to {}, and both were applied: the \
                 customer's fault, for an id names one write",
                entry.id.event,
                self.content(first),
                self.content(write),
            ),
        };
        let bank = self.about(write, of_bank(wrong.kind(), promised, branch, sentence));
        let shown = match wrong {
            Wrong::Twice | Wrong::RefusedButApplied | Wrong::NobodyAsked => {
                self.ledger.writes.wrong_apply(write).map(|apply| self.place(apply.mark))
            }
            Wrong::AcknowledgedButMissing | Wrong::IdNotUnique(_) => None,
        };
        let earlier = match wrong {
            Wrong::IdNotUnique(first) => self.first_asked(first),
            Wrong::Twice
            | Wrong::AcknowledgedButMissing
            | Wrong::RefusedButApplied
            | Wrong::NobodyAsked => None,
        };
        Witness {
            earlier: earlier.map(|op| self.step(op, at)),
            later: self.first_asked(write).map(|op| self.step(op, at)),
            shown,
            ..bank
        }
    }

    pub(super) fn overdrawn(&self, promised: Promised, found: &Overdrawn) -> Witness {
        let Overdrawn { at: Apply { mark, branch: at, write, .. }, origin, balance_minor } = *found;
        let (branch, origin) = (self.id(at), self.id(origin));
        let went = format!(
            "branch {branch} applied {}, which branch {origin} had accepted, and its balance went \
             to {}",
            self.named(write),
            money(balance_minor),
        );
        let (why, other) = match found.cause(&self.ledger.writes, |branch| self.ledger.log(branch))
        {
            Cause::AcceptedElsewhere(other) => {
                let name = self.named(other);
                let why = format!(
                    "branch {origin} did not yet hold {name}{}: each branch decides alone",
                    self.accepted(other),
                );
                (why, Some(other))
            }
            Cause::MissingHere(other) => {
                let name = self.named(other);
                (format!("branch {origin} held {name}, which was missing here"), Some(other))
            }
            Cause::Alone => {
                (format!("branch {origin} accepted it though its balance did not cover it"), None)
            }
        };
        let sentence = format!("{went}: {why}");
        let bank = of_bank(WitnessKind::BelowZero, promised, branch, sentence);
        Witness {
            other: other.map(|other| self.ledger.writes.entry(other).id),
            earlier: other.and_then(|other| self.first_asked(other)).map(|op| self.step(op, at)),
            later: self.first_asked(write).map(|op| self.step(op, at)),
            shown: Some(self.place(mark)),
            ..self.about(write, bank)
        }
    }

    /// `, which branch 1 had accepted`
    fn accepted(&self, write: WriteRef) -> String {
        let origin = self.ledger.writes.entry(write).origin;
        origin.map_or_else(String::new, |origin| {
            format!(", which branch {} had accepted", self.id(origin))
        })
    }

    /// The first request for a write.
    fn first_asked(&self, write: WriteRef) -> Option<OpRef> {
        let mut ops = self.ledger.sessions.ops();
        ops.find(|(_, op)| op.sent.write == Some(write)).map(|(at, _)| at)
    }

    /// What the customer asked for under the id of a write that it did not ask for.
    fn asked_instead(&self, unasked: &Entry) -> Option<Write> {
        let mut writes = self.ledger.writes.iter().map(|(_, entry)| entry);
        let asked =
            writes.find(|entry| entry.id == unasked.id && entry.first_seen == FirstSeen::Asked)?;
        Some(asked.write)
    }

    fn id(&self, branch: BranchIndex) -> BranchId {
        self.ledger.roster.id(branch)
    }

    fn customer(&self, op: OpRef) -> CustomerId {
        self.ledger.sessions.get(self.ledger.sessions.op(op).session).customer
    }

    /// `deposited 400 at branch 1 (event 1)`
    fn did(&self, at: OpRef) -> String {
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
    fn content(&self, write: WriteRef) -> String {
        let Write { kind, amount } = self.ledger.writes.entry(write).write;
        format!("a {} of {amount}", noun(kind))
    }

    /// `customer 2's deposit of 400 (event 1)`
    fn named(&self, write: WriteRef) -> String {
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
    fn whose(&self, write: WriteRef, customer: CustomerId) -> String {
        let Entry { id, write: content, .. } = self.ledger.writes.entry(write);
        if id.customer == customer {
            format!("its own {} of {} (event {})", noun(content.kind), content.amount, id.event)
        } else {
            self.named(write)
        }
    }

    fn at(&self, write: WriteRef, branch: BranchIndex) -> Option<u32> {
        let position = self.ledger.writes.row(write)[branch.get()];
        (position != ABSENT).then_some(position)
    }

    /// What the log of a branch that read too early did: `did not yet hold` or `never held`.
    fn lacked(&self, write: WriteRef, branch: BranchIndex) -> &'static str {
        match self.at(write, branch) {
            Some(_) => "did not yet hold",
            None => "never held",
        }
    }

    /// How a branch applied what should follow `write`: `before` it or `without` it.
    fn without(&self, write: WriteRef, branch: BranchIndex) -> &'static str {
        match self.at(write, branch) {
            Some(_) => "before",
            None => "without",
        }
    }

    fn step(&self, at: OpRef, branch: BranchIndex) -> Step {
        let op = self.ledger.sessions.op(at);
        let (operation, position, balance) = match op.asked {
            Asked::Write { write, .. } => {
                let operation = Operation::Write(self.ledger.writes.entry(write).write);
                (operation, self.at(write, branch), None)
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
    fn place(&self, Mark { fact, at }: Mark) -> FactPlace {
        match self.lines {
            Lines::Known => FactPlace { line: Some(fact.saturating_add(1)), at },
            Lines::Unknown => FactPlace { line: None, at },
        }
    }

    pub(super) fn failed(&self, failed: Failed) -> FailedStep {
        let Failed { property, at, branch, promised } = failed;
        let request = RequestNumber::new(self.ledger.sessions.op(at).sent.request.into());
        let (customer, branch) = (self.customer(at), self.id(branch));
        FailedStep { property, customer, request, branch, promised }
    }

    fn witness(
        &self,
        (kind, promised): (WitnessKind, Promised),
        (earlier, later): (OpRef, OpRef),
        (branch, write): (BranchIndex, WriteRef),
        sentence: String,
    ) -> Witness {
        let steps = (self.step(earlier, branch), self.step(later, branch));
        let bank = of_bank(kind, promised, self.id(branch), sentence);
        Witness {
            customer: Some(self.customer(later)),
            earlier: Some(steps.0),
            later: Some(steps.1),
            write: Some(self.ledger.writes.entry(write).id),
            ..bank
        }
    }

    /// `witness`, which is about the answer to `op`.
    fn asked(&self, op: OpRef, branch: BranchIndex, witness: Witness) -> Witness {
        let customer = Some(self.customer(op));
        Witness { customer, later: Some(self.step(op, branch)), ..witness }
    }

    /// `witness`, which is about `write`.
    fn about(&self, write: WriteRef, witness: Witness) -> Witness {
        let id: WriteId = self.ledger.writes.entry(write).id;
        Witness { customer: Some(id.customer), write: Some(id), ..witness }
    }
}

/// What the bank as a whole shows at `branch`.
fn of_bank(kind: WitnessKind, promised: Promised, branch: BranchId, sentence: String) -> Witness {
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

fn noun(kind: WriteKind) -> &'static str {
    match kind {
        WriteKind::Deposit => "deposit",
        WriteKind::Withdraw => "withdrawal",
    }
}

/// A sum as decimal text, even where no balance can hold it.
fn money(minor: i128) -> String {
    match i64::try_from(minor) {
        Ok(minor) => Money::from_minor(minor).to_string(),
        Err(_) => format!("{minor} cents, which no balance can hold"),
    }
}
