//! Tells what the whole bank owed, as [`Sentences`] tell what a session was owed.

use super::bank_wide::{Divergence, Flaw, Wrong};
use super::cause::Cause;
use super::index::{LogRef, WriteRef};
use super::ledger::WrongBalance;
use super::overdraft::Overdrawn;
use super::sentence::{Sentences, noun, of_bank};
use super::sessions::{OpRef, Seen, Sent};
use super::settles::{Unsettled, Why};
use super::witness::Promised;
use super::writes::{Apply, Entry, FirstSeen};
use super::{Witness, WitnessKind};
use crate::model::{BranchIndex, Money, Write, WriteId};

impl Sentences<'_> {
    pub(super) fn balance(&self, promised: Promised, found: WrongBalance) -> Witness {
        let kind = WitnessKind::WrongSum;
        match found {
            WrongBalance::Read { op, seen: Seen { position: held, balance }, sum_minor } => {
                let Sent { branch, event, .. } = self.ledger.sessions.op(op).sent;
                let sentence = format!(
                    "customer {} read the balance {balance} at branch {} (event {event}), but the \
                     opening balance and the {held} {} in that branch's log come to {}",
                    self.customer(op),
                    self.id(branch),
                    if held == 1 { "write" } else { "writes" },
                    money(sum_minor),
                );
                self.asked(op, of_bank(kind, promised, self.id(branch), sentence))
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
                self.asked(op, of_bank(kind, promised, branch, sentence))
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
        match found {
            Flaw::Write { write, wrong, log } => self.wrong(promised, (write, wrong), log),
            Flaw::ToldWrongly { at, held_by } => self.told_wrongly(promised, at, held_by),
        }
    }

    fn told_wrongly(&self, promised: Promised, at: OpRef, held_by: BranchIndex) -> Witness {
        let sent = self.ledger.sessions.op(at).sent;
        let branch = self.id(sent.branch);
        let sentence = format!(
            "branch {branch} told customer {} (event {}) that writes are lost, but branch {} holds \
             all that the customer had written or read: what is called lost was owed to be lost",
            self.customer(at),
            sent.event,
            self.id(held_by),
        );
        let bank = of_bank(WitnessKind::ToldWrongly, promised, branch, sentence);
        self.asked(at, bank)
    }

    fn wrong(&self, promised: Promised, (write, wrong): (WriteRef, Wrong), log: LogRef) -> Witness {
        let branch = self.id(log.branch);
        let sentence = self.says_wrong((write, wrong), log);
        let bank = self.about(write, of_bank(wrong.kind(), promised, branch, sentence));
        let shown = match wrong {
            Wrong::Twice | Wrong::RefusedButApplied | Wrong::NobodyAsked => {
                self.ledger.writes.wrong_apply(write).map(|apply| self.place(apply.mark))
            }
            Wrong::Missing | Wrong::Lost | Wrong::IdNotUnique(_) | Wrong::Early(_) => None,
        };
        let earlier = match wrong {
            Wrong::IdNotUnique(first) => self.first_asked(first),
            Wrong::Twice
            | Wrong::Missing
            | Wrong::Lost
            | Wrong::RefusedButApplied
            | Wrong::NobodyAsked
            | Wrong::Early(_) => None,
        };
        Witness {
            earlier: earlier.map(|op| self.step(op, log)),
            later: self.first_asked(write).map(|op| self.step(op, log)),
            shown,
            ..bank
        }
    }

    fn says_wrong(&self, (write, wrong): (WriteRef, Wrong), log: LogRef) -> String {
        let entry = self.ledger.writes.entry(write);
        let (named, customer) = (self.named(write), entry.id.customer);
        let branch = self.id(log.branch);
        let whose = self.whose(write, customer);
        let lost = || self.ledger.logs.that_lost(write);
        match wrong {
            Wrong::Twice => {
                format!("branch {branch} applied {named} twice: a write is owed to be applied once")
            }
            Wrong::Missing if lost().any(|lost| lost.branch == log.branch) => format!(
                "customer {customer} was told that {whose} was done, but branch {branch} does not \
                 hold it any more, for {}: an acknowledged write is owed everywhere",
                self.memory_ended(lost().filter(|lost| lost.branch == log.branch)),
            ),
            Wrong::Missing => format!(
                "customer {customer} was told that {whose} was done, but branch {branch} never \
                 applied it: an acknowledged write is owed everywhere",
            ),
            Wrong::Lost if entry.forgotten => format!(
                "customer {customer} was told that {whose} was done, but no branch holds it any \
                 more, for {}: an acknowledged write is owed everywhere",
                self.memory_ended(lost()),
            ),
            Wrong::Lost => format!(
                "customer {customer} was told that {whose} was done, but no branch ever applied \
                 it: an acknowledged write is owed everywhere",
            ),
            Wrong::RefusedButApplied => format!(
                "customer {customer} was told that {whose} was refused, but branch {branch} applied \
                 it: a refused write was owed to have no effect",
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
            Wrong::Early(_) => format!(
                "customer {customer} was told that {whose} was done before branch {branch} had \
                 applied it: with sync propagation an acknowledged write is owed everywhere by then",
            ),
        }
    }

    pub(super) fn unsettled(&self, promised: Promised, found: &Unsettled) -> Witness {
        let Unsettled { mark, branch, ref why } = *found;
        let branch = self.id(branch);
        let sentence = match *why {
            Why::Lacks { origin, life, writes } => {
                let life =
                    if life.is_first() { String::new() } else { format!(" in its life {life}") };
                format!(
                    "branch {branch} still waited for {} that branch {} had accepted\
                     {life}, though all faults were over: every accepted write was owed everywhere",
                    writes_of(writes),
                    self.id(origin),
                )
            }
            Why::Down => format!("the bank is said to have settled, but branch {branch} was down"),
            Why::Holds { writes, other: (other, held) } => format!(
                "the bank is said to have settled, but branch {} held {}, and branch {branch} held {}",
                self.id(other),
                writes_of(held),
                writes_of(writes),
            ),
        };
        let bank = of_bank(WitnessKind::NotSettled, promised, branch, sentence);
        Witness { shown: Some(self.place(mark)), ..bank }
    }

    pub(super) fn overdrawn(&self, promised: Promised, found: &Overdrawn) -> Witness {
        let Overdrawn { at: Apply { mark, branch: at, write, .. }, origin, balance_minor, .. } =
            *found;
        let here = self.ledger.logs.at(at, mark.fact);
        let (branch, origin) = (self.id(at), self.id(origin));
        let went = format!(
            "branch {branch} applied {}, which branch {origin} had accepted, and its balance went \
             to {}",
            self.named(write),
            money(balance_minor),
        );
        let (why, other) = match self.ledger.cause(found) {
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
            earlier: other.and_then(|other| self.first_asked(other)).map(|op| self.step(op, here)),
            later: self.first_asked(write).map(|op| self.step(op, here)),
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

    /// `witness`, which is about the answer to `op`.
    fn asked(&self, op: OpRef, witness: Witness) -> Witness {
        let customer = Some(self.customer(op));
        let log = self.ledger.log_of(self.ledger.sessions.op(op));
        Witness { customer, later: Some(self.step(op, log)), ..witness }
    }

    /// `witness`, which is about `write`.
    fn about(&self, write: WriteRef, witness: Witness) -> Witness {
        let id: WriteId = self.ledger.writes.entry(write).id;
        Witness { customer: Some(id.customer), write: Some(id), ..witness }
    }
}

/// `1 write` or `3 writes`
fn writes_of(count: u64) -> String {
    let word = if count == 1 { "write" } else { "writes" };
    format!("{count} {word}")
}

/// A sum as decimal text, even where no balance can hold it.
fn money(minor: i128) -> String {
    match i64::try_from(minor) {
        Ok(minor) => Money::from_minor(minor).to_string(),
        Err(_) => format!("{minor} cents, which no balance can hold"),
    }
}
