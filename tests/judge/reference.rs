//! The slow judge: sets and orders, straight from Terry et al., "Session Guarantees for Weakly
//! Consistent Replicated Data", 1994, section 3. Compares everything with everything, shares no
//! code with the fast judge, and knows nothing of dense indexes, running maxima or neighbours.
//!
//! Here it follows the facts; what it says of them is in `reference_rules.rs`.

use std::collections::{BTreeMap, BTreeSet};

use passbook::check::{Promised, Split};
use passbook::history::Fact;
use passbook::model::{
    BranchId, CustomerId, Life, Money, Operation, Outcome, Overdraft, Receipt, Refusal,
    RequestError, Sequence, Write, WriteId, WriteKind,
};

use crate::history_builder::HistoryBuilder;

/// A write in the paper's sense: under the right id with another content it is another write.
pub(crate) type W = (WriteId, Write);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// No answer, or none that says anything.
    Nothing,
    /// That it is not known what became of it.
    Unknown,
    Written,
    Refused,
    Balance(Money),
}

#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) customer: CustomerId,
    pub(crate) branch: BranchId,
    pub(crate) write: Option<W>,
    /// What the branch answered, be it heard or not.
    pub(crate) answer: Option<Told>,
    /// Whether that says that writes are lost.
    pub(crate) says_lost: bool,
    /// Whether it says that a write is done which some branch has never applied.
    pub(crate) is_early: bool,
    /// DB(S, t): the log of the branch when it answered.
    pub(crate) seen: Vec<W>,
    pub(crate) heard: bool,
    pub(crate) given_up: bool,
}

impl Op {
    /// What the customer was told.
    pub(crate) fn told(&self) -> Told {
        if self.given_up { Told::Nothing } else { self.answer.unwrap_or(Told::Nothing) }
    }

    /// Whether the customer has an answer, or will have.
    pub(crate) fn is_answered(&self) -> bool {
        self.told() != Told::Nothing
    }
}

/// A log of a branch. Of its writes it took the first from the one before.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) branch: BranchId,
    pub(crate) writes: Vec<W>,
    pub(crate) inherited: usize,
    /// How many the next one kept of it, if there is one.
    pub(crate) kept: Option<usize>,
    /// Under which number each was applied; `None` where that is not looked at any more.
    dots: Vec<Option<Dot>>,
}

/// A test: whether what it tests was promised, and whether it failed.
pub(crate) type Test = (Promised, bool);

/// The number of an accepted write, and whose.
type Dot = (BranchId, Option<Life>, Sequence);

/// How many tests of a property there were, and how many failed.
pub(crate) type Count = (Split, Split);

fn count(tests: &[Test]) -> Count {
    let mut counts = Count::default();
    for (promised, failed) in tests {
        counts.0.add(*promised);
        if *failed {
            counts.1.add(*promised);
        }
    }
    counts
}

/// What the reference found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// In the order of `Property::ALL`, without what is not judged.
    pub(crate) counts: Vec<Count>,
    /// How many acknowledged writes are lost.
    pub(crate) lost: u64,
}

/// Whether the end of a history is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Known,
    Lost,
}

/// What the reference found; `None` where no run can have this history.
pub(crate) fn judge(history: &HistoryBuilder, end: End) -> Option<Found> {
    let log = |branch: &BranchId| Log {
        branch: *branch,
        writes: Vec::new(),
        inherited: 0,
        kept: None,
        dots: Vec::new(),
    };
    let mut world = World {
        history,
        end,
        ops: Vec::new(),
        logs: history.roster.ids().iter().map(log).collect(),
        down: BTreeSet::new(),
        dots: Vec::new(),
        balances: Vec::new(),
        overdrafts: Vec::new(),
        settlings: Vec::new(),
        claims: BTreeMap::new(),
        unasked: BTreeSet::new(),
        too_late: BTreeSet::new(),
        last: BTreeMap::new(),
    };
    for recorded in &history.facts {
        world.happens(&recorded.fact)?;
    }
    if end == End::Lost {
        // What is on its way may never arrive.
        world.ops.iter_mut().for_each(|op| op.given_up |= !op.heard);
    }
    let (exactly_once, lost) = world.exactly_once();
    let mut found = vec![
        world.read_your_writes(),
        world.monotonic_reads(),
        world.monotonic_writes(),
        world.writes_follow_reads(),
        world.balances.clone(),
        world.convergence(),
        exactly_once,
    ];
    if history.terms.as_ref().is_some_and(|terms| terms.overdraft == Overdraft::Reject) {
        found.push(world.overdrafts.clone());
    }
    if !world.settlings.is_empty() {
        found.push(world.settlings.clone());
    }
    Some(Found { counts: found.iter().map(|tests| count(tests)).collect(), lost })
}

pub(crate) struct World<'a> {
    pub(crate) history: &'a HistoryBuilder,
    pub(crate) end: End,
    pub(crate) ops: Vec<Op>,
    /// Those of a branch in their order.
    pub(crate) logs: Vec<Log>,
    pub(crate) down: BTreeSet<BranchId>,
    /// Every number, and what it names.
    dots: Vec<(Dot, W)>,
    /// The balance that each branch gave last.
    pub(crate) last: BTreeMap<BranchId, Money>,
    balances: Vec<Test>,
    overdrafts: Vec<Test>,
    settlings: Vec<Test>,
    /// The balance for which each branch refused each write last.
    claims: BTreeMap<(BranchId, W), Money>,
    /// Applied before anybody asked.
    pub(crate) unasked: BTreeSet<W>,
    /// Applied when every request for it had been refused.
    pub(crate) too_late: BTreeSet<W>,
}

impl World<'_> {
    fn happens(&mut self, fact: &Fact) -> Option<()> {
        match fact {
            Fact::RequestSent { customer, request, branch, event, operation } => {
                let id = WriteId { customer: *customer, event: *event };
                self.request_sent(request.get(), *branch, id, *operation)?;
            }
            Fact::RequestReceived { branch, customer, request } => {
                self.up(*branch)?;
                let mut session = self.ops.iter().filter(|op| op.customer == *customer);
                let nth = usize::try_from(request.get()).ok()?.checked_sub(1)?;
                let op = session.nth(nth)?;
                // Only the last request must be at its branch: others may come a second time.
                if session.next().is_none() && op.branch != *branch {
                    return None;
                }
            }
            Fact::WriteApplied { branch, id, write, origin, life, position, balance, sequence } => {
                self.current(*origin)?;
                self.up(*branch)?;
                let dot = (*origin, *life, *sequence);
                self.applied(*branch, dot, (*id, *write), (position.get(), *balance))?;
            }
            Fact::ReplySent { branch, customer, request, position, outcome } => {
                self.up(*branch)?;
                let op = self.find(*customer, request.get(), *branch)?;
                self.reply_sent(op, position.get(), outcome)?;
            }
            Fact::ReplyReceived { customer, request, branch } => {
                let op = self.find(*customer, request.get(), *branch)?;
                let op = &mut self.ops[op];
                if op.answer.is_none() || op.heard || op.given_up {
                    return None;
                }
                op.heard = true;
            }
            Fact::RequestGivenUp { customer, request, branch } => {
                let op = self.find(*customer, request.get(), *branch)?;
                let op = &mut self.ops[op];
                if op.heard || op.given_up {
                    return None;
                }
                op.given_up = true;
            }
            Fact::BranchStopped { branch } => {
                self.up(*branch)?;
                self.down.insert(*branch);
            }
            Fact::BranchStarted { branch, life: _, kept, balance } => {
                self.started(*branch, kept.get(), *balance)?;
            }
            Fact::Settled {} => self.settled(),
            Fact::Unsettled { branch, origin, .. } => {
                self.current(*branch)?;
                self.current(*origin)?;
                self.settlings.push((Promised::Yes, true));
            }
            Fact::MessageSent { .. }
            | Fact::MessageReceived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageDuplicated { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::PartitionBegan { .. }
            | Fact::PartitionHealed { .. }
            | Fact::SlownessBegan { .. }
            | Fact::SlownessEnded { .. } => panic!("no history of the generators has {fact:?}"),
            _ => panic!("this reference knows no fact such as {fact:?}"),
        }
        Some(())
    }

    /// The place of the last log of a branch.
    fn current(&self, branch: BranchId) -> Option<usize> {
        self.logs.iter().rposition(|log| log.branch == branch)
    }

    /// The same, of a branch where something happens.
    fn up(&self, branch: BranchId) -> Option<usize> {
        self.current(branch).filter(|_| !self.down.contains(&branch))
    }

    /// The log of a branch.
    fn log(&self, branch: BranchId) -> Vec<W> {
        self.logs[self.current(branch).unwrap()].writes.clone()
    }

    /// A branch is back. Where it has lost something, another log begins.
    fn started(&mut self, branch: BranchId, kept: u64, balance: Money) -> Option<()> {
        let current = self.current(branch)?;
        let kept = usize::try_from(kept).ok()?;
        if !self.down.remove(&branch) || kept > self.logs[current].writes.len() {
            return None;
        }
        if kept < self.logs[current].writes.len() {
            let mut next = self.logs[current].clone();
            self.logs[current].kept = Some(kept);
            next.writes.truncate(kept);
            next.dots.truncate(kept);
            next.inherited = kept;
            // Under which of its numbers a write was kept is not looked at.
            for (dot, write) in next.dots.iter_mut().zip(&next.writes) {
                if self.numbers(write) > 1 {
                    *dot = None;
                }
            }
            self.logs.push(next);
        }
        let log = self.log(branch);
        self.last.insert(branch, balance);
        self.balance(&log, balance);
        Some(())
    }

    /// Under how many numbers a write was applied anywhere.
    pub(crate) fn numbers(&self, write: &W) -> usize {
        let dots: BTreeSet<Dot> =
            self.dots.iter().filter(|(_, named)| named == write).map(|(dot, _)| *dot).collect();
        dots.len()
    }

    fn settled(&mut self) {
        let current = self.history.roster.ids().iter();
        let lengths: BTreeSet<usize> =
            current.map(|branch| self.logs[self.current(*branch).unwrap()].writes.len()).collect();
        self.settlings.push((Promised::Yes, lengths.len() > 1 || !self.down.is_empty()));
    }

    fn applied(
        &mut self,
        at: BranchId,
        dot: Dot,
        write: W,
        (position, balance): (u64, Money),
    ) -> Option<()> {
        let (origin, life, sequence) = dot;
        let names_another = self.dots.iter().any(|(other, named)| *other == dot && *named != write);
        let current = self.current(at)?;
        // Each branch applies those of one origin in their order.
        let falls =
            self.logs[current].dots.iter().flatten().any(|(from, lived, number)| {
                *from == origin && *lived == life && *number > sequence
            });
        if names_another || falls {
            return None;
        }
        let is_known = self.dots.iter().any(|(other, _)| *other == dot);
        self.dots.push((dot, write));
        let log = &mut self.logs[current];
        log.writes.push(write);
        log.dots.push(Some(dot));
        if usize::try_from(position).ok()? != log.writes.len() {
            return None;
        }
        let mut asked = self.ops.iter().filter(|op| op.write == Some(write)).peekable();
        if asked.peek().is_none() {
            self.unasked.insert(write);
        } else if asked.all(|op| op.answer == Some(Told::Refused)) {
            self.too_late.insert(write);
        }
        self.last.insert(at, balance);
        let log = self.log(at);
        self.balance(&log, balance);
        if write.1.kind == WriteKind::Withdraw {
            let learns_again = is_known && self.forgot(at, &write);
            let is_own = at == origin && !learns_again;
            let promised = if is_own { Promised::Yes } else { Promised::No };
            self.overdrafts.push((promised, self.sum(&log) < 0));
        }
        Some(())
    }

    /// Whether a branch has lost a write with its memory, be it there again or not.
    pub(crate) fn forgot(&self, branch: BranchId, write: &W) -> bool {
        let of_branch = self.logs.iter().filter(|log| log.branch == branch);
        of_branch
            .filter_map(|log| Some((log, log.kept?)))
            .any(|(log, kept)| log.writes.contains(write) && !log.writes[..kept].contains(write))
    }

    fn request_sent(
        &mut self,
        request: u64,
        branch: BranchId,
        id: WriteId,
        operation: Operation,
    ) -> Option<()> {
        self.current(branch)?;
        let session: Vec<&Op> = self.ops.iter().filter(|op| op.customer == id.customer).collect();
        let is_next = usize::try_from(request).ok()? == session.len() + 1;
        if !is_next || session.iter().any(|op| !op.heard && !op.given_up) {
            return None;
        }
        let write = match operation {
            Operation::Write(write) => Some((id, write)),
            Operation::Query => None,
        };
        self.ops.push(Op {
            customer: id.customer,
            branch,
            write,
            answer: None,
            says_lost: false,
            is_early: false,
            seen: Vec::new(),
            heard: false,
            given_up: false,
        });
        Some(())
    }

    fn reply_sent(&mut self, op: usize, position: u64, outcome: &Outcome) -> Option<()> {
        let log = self.log(self.ops[op].branch);
        if self.ops[op].answer.is_some() || usize::try_from(position).ok()? != log.len() {
            return None;
        }
        let told = match outcome {
            Ok(Receipt::Written) => Told::Written,
            Ok(Receipt::Balance(balance)) => Told::Balance(*balance),
            Err(
                RequestError::Refused(_)
                | RequestError::VersionNotReached { .. }
                | RequestError::Unavailable { .. }
                | RequestError::Full { .. }
                | RequestError::Declined { .. }
                | RequestError::Returning { .. }
                | RequestError::WritesLost { .. },
            ) => Told::Refused,
            Err(RequestError::OutcomeUnknown { .. }) => Told::Unknown,
            Err(RequestError::NoAnswer { .. }) => Told::Nothing,
            Err(_) => panic!("this reference knows no outcome such as {outcome:?}"),
        };
        match (self.ops[op].write, told) {
            (Some(_), Told::Balance(_)) | (None, Told::Written) => return None,
            (Some(_), Told::Nothing | Told::Unknown | Told::Written | Told::Refused)
            | (None, Told::Nothing | Told::Unknown | Told::Refused | Told::Balance(_)) => {}
        }
        // What is answered too late is told to nobody.
        if !self.ops[op].given_up {
            let branch = self.ops[op].branch;
            let given = match outcome {
                Ok(Receipt::Balance(balance)) => Some(*balance),
                Err(RequestError::Refused(
                    Refusal::InsufficientFunds { balance, .. }
                    | Refusal::BalanceOutOfRange { balance },
                )) => {
                    // The first result of a write again is no new balance.
                    let write = self.ops[op].write;
                    let before =
                        write.and_then(|write| self.claims.insert((branch, write), *balance));
                    Some(*balance).filter(|_| before != Some(*balance))
                }
                Ok(Receipt::Written) | Err(_) => None,
            };
            if let Some(balance) = given {
                self.last.insert(branch, balance);
                self.balance(&log, balance);
            }
        }
        let has_it = |branch: &BranchId, write: &W| {
            self.logs.iter().any(|log| log.branch == *branch && log.writes.contains(write))
        };
        let is_early = told == Told::Written
            && self.ops[op].write.as_ref().is_some_and(|write| {
                self.history.roster.ids().iter().any(|branch| !has_it(branch, write))
            });
        let op = &mut self.ops[op];
        op.is_early = is_early;
        op.says_lost = matches!(outcome, Err(RequestError::WritesLost { .. }));
        (op.answer, op.seen) = (Some(told), log);
        Some(())
    }

    fn find(&self, customer: CustomerId, request: u64, branch: BranchId) -> Option<usize> {
        let nth = usize::try_from(request).ok()?.checked_sub(1)?;
        let mut session = self.ops.iter().enumerate().filter(|(_, op)| op.customer == customer);
        session.nth(nth).filter(|(_, op)| op.branch == branch).map(|(index, _)| index)
    }

    fn sum(&self, log: &[W]) -> i128 {
        let sum: i128 = log.iter().map(|(_, write)| i128::from(write.delta().minor())).sum();
        i128::from(self.history.opening.minor()) + sum
    }

    fn balance(&mut self, log: &[W], found: Money) {
        self.balances.push((Promised::Yes, self.sum(log) != i128::from(found.minor())));
    }
}
