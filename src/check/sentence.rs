//! Turns what was found into a witness: the operations, and one plain sentence that says what was
//! seen and what was owed.

use super::bank_wide::{Divergence, Flaw, Wrong};
use super::findings::{Misordered, Unfollowed, Unread, Unseen};
use super::guarantees::Failed;
use super::ledger::{Apply, Ledger, WrongBalance};
use super::sessions::{Asked, Mark, OpRef};
use super::verdict::Promised;
use super::writes::{ABSENT, Entry, FirstSeen, WriteRef};
use super::{FailedStep, Place, Step, Witness, WitnessKind};
use crate::model::{
    BranchId, BranchIndex, CustomerId, LogPosition, Money, Operation, RequestNumber, Write,
    WriteId, WriteKind,
};

impl Ledger {
    pub(super) fn tell_unread(&self, promised: Promised, found: Unread) -> Witness {
        let Unread { read, written, write } = found;
        let noun = noun(self.writes.entry(write).write.kind);
        let later = self.sessions.op(read).sent;
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

    pub(super) fn tell_unseen(&self, promised: Promised, found: Unseen) -> Witness {
        let Unseen { earlier, later, write } = found;
        let branch = self.sessions.op(later).sent.branch;
        let noun = noun(self.writes.entry(write).write.kind);
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

    pub(super) fn tell_misordered(&self, promised: Promised, found: Misordered) -> Witness {
        let Misordered { earlier, first, later, branch } = found;
        let sentence = format!(
            "customer {} {}, then {}, but branch {} applied the second {} the first: \
             its writes were owed the order in which it made them, at every branch",
            self.customer(later),
            self.did(earlier),
            self.did(later),
            self.roster.id(branch),
            self.without(first, branch),
        );
        let kind = WitnessKind::OutOfOrder;
        self.witness((kind, promised), (earlier, later), (branch, first), sentence)
    }

    pub(super) fn tell_unfollowed(&self, promised: Promised, found: Unfollowed) -> Witness {
        let Unfollowed { read, seen, written, branch } = found;
        let sentence = format!(
            "customer {} {}, with {} in it, then {}, but branch {} applied this write {} the one \
             that was seen: it was owed a place after all that the customer had seen, at every branch",
            self.customer(written),
            self.did(read),
            self.whose(seen, self.customer(written)),
            self.did(written),
            self.roster.id(branch),
            self.without(seen, branch),
        );
        let kind = WitnessKind::NotAfterRead;
        self.witness((kind, promised), (read, written), (branch, seen), sentence)
    }

    pub(super) fn tell_balance(&self, promised: Promised, found: WrongBalance) -> Witness {
        match found {
            WrongBalance::Read { op, sum_minor } => {
                let branch = self.sessions.op(op).sent.branch;
                let held = self.position(op);
                let sentence = format!(
                    "customer {} {}, but the opening balance and the {held} {} in that branch's \
                     log come to {}",
                    self.customer(op),
                    self.did(op),
                    if held == 1 { "write" } else { "writes" },
                    money(sum_minor),
                );
                let bank =
                    of_bank(WitnessKind::WrongSum, promised, self.roster.id(branch), sentence);
                let customer = Some(self.customer(op));
                Witness { customer, later: Some(self.step(op, branch)), ..bank }
            }
            WrongBalance::Apply { at, found, sum_minor } => {
                let Apply { mark, branch, write, position } = at;
                let branch = self.roster.id(branch);
                let sentence = format!(
                    "branch {branch} gave its balance as {found} after {} at position {position} \
                     of its log, but the opening balance and the log come to {}",
                    self.named(write),
                    money(sum_minor),
                );
                let bank = of_bank(WitnessKind::WrongSum, promised, branch, sentence);
                Witness { shown: Some(self.place(mark)), ..self.about(write, bank) }
            }
        }
    }

    pub(super) fn tell_divergence(&self, promised: Promised, found: Divergence) -> Witness {
        match found {
            Divergence::Write { write, held_by, missing_at } => {
                let branch = self.roster.id(missing_at);
                let sentence = format!(
                    "at the end branch {} holds {}, and branch {branch} does not: all branches \
                     were owed the same writes",
                    self.roster.id(held_by),
                    self.named(write),
                );
                let kind = WitnessKind::WritesDiffer;
                self.about(write, of_bank(kind, promised, branch, sentence))
            }
            Divergence::Balance { first, other } => {
                let branch = self.roster.id(other);
                let sentence = format!(
                    "at the end branch {} has the balance {} and branch {branch} has {}: all \
                     branches were owed the same balance",
                    self.roster.id(first),
                    self.branches[first.get()].balance,
                    self.branches[other.get()].balance,
                );
                of_bank(WitnessKind::BalancesDiffer, promised, branch, sentence)
            }
        }
    }

    pub(super) fn tell_flaw(&self, promised: Promised, found: Flaw) -> Witness {
        let Flaw { write, wrong, branch } = found;
        let entry = self.writes.entry(write);
        let (named, customer) = (self.named(write), entry.id.customer);
        let log = &self.branches[branch.get()].writes;
        let branch = self.roster.id(branch);
        let sentence = match wrong {
            Wrong::Twice => {
                let again = if log.iter().filter(|logged| **logged == write).count() > 1 {
                    "twice"
                } else {
                    "and another write under the same id"
                };
                format!(
                    "branch {branch} applied {named} {again}: a write is owed to be applied once"
                )
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
        };
        self.about(write, of_bank(wrong.kind(), promised, branch, sentence))
    }

    /// What the customer asked for under the id of a write that it did not ask for.
    fn asked_instead(&self, unasked: &Entry) -> Option<Write> {
        let mut writes = self.writes.iter().map(|(_, entry)| entry);
        let asked =
            writes.find(|entry| entry.id == unasked.id && entry.first_seen == FirstSeen::Asked)?;
        Some(asked.write)
    }

    fn customer(&self, op: OpRef) -> CustomerId {
        self.sessions.get(self.sessions.op(op).session).customer
    }

    /// `deposited 400 at branch 1 (event 1)`
    fn did(&self, at: OpRef) -> String {
        let op = self.sessions.op(at);
        let what = match op.asked {
            Asked::Write { write, .. } => {
                let Write { kind, amount } = self.writes.entry(write).write;
                match kind {
                    WriteKind::Deposit => format!("deposited {amount}"),
                    WriteKind::Withdraw => format!("withdrew {amount}"),
                }
            }
            Asked::Query(Some(seen)) => format!("read the balance {}", seen.balance),
            Asked::Query(None) => "asked for the balance".to_owned(),
        };
        format!("{what} at branch {} (event {})", self.roster.id(op.sent.branch), op.sent.event)
    }

    /// `customer 2's deposit of 400 (event 1)`
    fn named(&self, write: WriteRef) -> String {
        let Entry { id, write, .. } = self.writes.entry(write);
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
        let Entry { id, write: content, .. } = self.writes.entry(write);
        if id.customer == customer {
            format!("its own {} of {} (event {})", noun(content.kind), content.amount, id.event)
        } else {
            self.named(write)
        }
    }

    fn at(&self, write: WriteRef, branch: BranchIndex) -> Option<u32> {
        let position = self.writes.row(write)[branch.get()];
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
        let op = self.sessions.op(at);
        let (operation, position, balance) = match op.asked {
            Asked::Write { write, .. } => {
                let operation = Operation::Write(self.writes.entry(write).write);
                (operation, self.at(write, branch), None)
            }
            Asked::Query(seen) => {
                (Operation::Query, seen.map(|seen| seen.position), seen.map(|seen| seen.balance))
            }
        };
        Step {
            request: RequestNumber::new(op.sent.request.into()),
            event: op.sent.event,
            branch: self.roster.id(op.sent.branch),
            operation,
            position: position.map(|position| LogPosition::new(position.into())),
            balance,
            sent: self.place(op.sent.mark),
            answered: op.answered.map(|mark| self.place(mark)),
        }
    }

    /// Where a fact stands. The header of a history is line 1.
    fn place(&self, Mark { fact, at }: Mark) -> Place {
        Place { line: Some(fact.saturating_add(1)), at }
    }

    pub(super) fn tell_failed(&self, failed: Failed) -> FailedStep {
        let Failed { property, at, branch, promised } = failed;
        let request = RequestNumber::new(self.sessions.op(at).sent.request.into());
        let (customer, branch) = (self.customer(at), self.roster.id(branch));
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
        let bank = of_bank(kind, promised, self.roster.id(branch), sentence);
        Witness {
            customer: Some(self.customer(later)),
            earlier: Some(steps.0),
            later: Some(steps.1),
            write: Some(self.writes.entry(write).id),
            ..bank
        }
    }

    /// `witness`, which is about `write`.
    fn about(&self, write: WriteRef, witness: Witness) -> Witness {
        let id: WriteId = self.writes.entry(write).id;
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
