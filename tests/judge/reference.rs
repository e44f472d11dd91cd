//! The slow judge: sets and orders, straight from Terry et al., "Session Guarantees for Weakly
//! Consistent Replicated Data", 1994, section 3. Compares everything with everything, shares no
//! code with the fast judge, and knows nothing of dense indexes, running maxima or neighbours.

use std::collections::{BTreeMap, BTreeSet};

use passbook::check::{Promised, Split};
use passbook::history::Fact;
use passbook::model::{
    BranchId, CustomerId, Guarantee, Life, Money, Operation, Outcome, Overdraft, Receipt, Refusal,
    RequestError, Sequence, Write, WriteId, WriteKind,
};

use crate::history_builder::HistoryBuilder;

/// A write in the paper's sense: under the right id with another content it is another write.
type W = (WriteId, Write);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventOutcome {
    Nothing,
    Written,
    Refused,
    Balance(Money),
}

#[derive(Debug, Clone)]
struct Op {
    customer: CustomerId,
    branch: BranchId,
    write: Option<W>,
    told: EventOutcome,
    /// DB(S, t): the log of the branch when it answered.
    seen: Vec<W>,
    heard: bool,
    answered: bool,
}

/// A test: whether what it tests was promised, and whether it failed.
type Test = (Promised, bool);

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

/// What the reference found, in the order of `Property::ALL`, without what is not judged; `None`
/// where no run can have this history.
pub(crate) fn judge(history: &HistoryBuilder) -> Option<Vec<Count>> {
    let mut world = World {
        history,
        ops: Vec::new(),
        logs: BTreeMap::new(),
        dots: Vec::new(),
        balances: Vec::new(),
        overdrafts: Vec::new(),
        unasked: BTreeSet::new(),
        too_late: BTreeSet::new(),
        last: BTreeMap::new(),
    };
    for branch in history.roster.ids() {
        world.logs.insert(*branch, Vec::new());
    }
    for recorded in &history.facts {
        world.happens(&recorded.fact)?;
    }
    let mut found = vec![
        world.read_your_writes(),
        world.monotonic_reads(),
        world.monotonic_writes(),
        world.writes_follow_reads(),
        world.balances.clone(),
        world.convergence(),
        world.exactly_once(),
    ];
    if history.terms.as_ref().is_some_and(|terms| terms.overdraft == Overdraft::Reject) {
        found.push(world.overdrafts.clone());
    }
    Some(found.iter().map(|tests| count(tests)).collect())
}

struct World<'a> {
    history: &'a HistoryBuilder,
    ops: Vec<Op>,
    logs: BTreeMap<BranchId, Vec<W>>,
    /// Every apply: where, under which number, and what.
    dots: Vec<(BranchId, Dot, W)>,
    /// The balance that each branch gave last.
    last: BTreeMap<BranchId, Money>,
    balances: Vec<Test>,
    overdrafts: Vec<Test>,
    /// Applied before anybody asked.
    unasked: BTreeSet<W>,
    /// Applied when every request for it had been refused.
    too_late: BTreeSet<W>,
}

fn position(log: &[W], write: &W) -> Option<usize> {
    log.iter().position(|other| other == write)
}

impl World<'_> {
    fn happens(&mut self, fact: &Fact) -> Option<()> {
        match fact {
            Fact::RequestSent { customer, request, branch, event, operation } => {
                let id = WriteId { customer: *customer, event: *event };
                self.request_sent(request.get(), *branch, id, *operation)?;
            }
            Fact::RequestReceived { branch, customer, request } => {
                self.logs.get(branch)?;
                let mut session = self.ops.iter().filter(|op| op.customer == *customer);
                let nth = usize::try_from(request.get()).ok()?.checked_sub(1)?;
                let op = session.nth(nth)?;
                // Only the last request must be at its branch: others may come a second time.
                if session.next().is_none() && op.branch != *branch {
                    return None;
                }
            }
            Fact::WriteApplied { branch, id, write, origin, life, position, balance, sequence } => {
                self.logs.get(origin)?;
                let write = (*id, *write);
                self.numbered(*branch, (*origin, *life, *sequence), write)?;
                let log = self.logs.get_mut(branch)?;
                log.push(write);
                if usize::try_from(position.get()).ok()? != log.len() {
                    return None;
                }
                self.applied(*branch, *origin, write, *balance);
            }
            Fact::ReplySent { branch, customer, request, position, outcome } => {
                let op = self.find(*customer, request.get(), *branch)?;
                self.reply_sent(op, position.get(), outcome)?;
            }
            Fact::ReplyReceived { customer, request, branch } => {
                let op = self.find(*customer, request.get(), *branch)?;
                let op = &mut self.ops[op];
                if !op.answered || op.heard {
                    return None;
                }
                op.heard = true;
            }
            Fact::MessageSent { .. }
            | Fact::MessageReceived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageDuplicated { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::RequestGivenUp { .. }
            | Fact::BranchStopped { .. }
            | Fact::BranchStarted { .. }
            | Fact::PartitionBegan { .. }
            | Fact::PartitionHealed { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. }
            | Fact::SlownessBegan { .. }
            | Fact::SlownessEnded { .. } => panic!("no history of the generator has {fact:?}"),
            _ => panic!("this reference knows no fact such as {fact:?}"),
        }
        Some(())
    }

    /// A number names one write, and each branch applies those of one origin in their order.
    fn numbered(&mut self, at: BranchId, dot: Dot, write: W) -> Option<()> {
        let (origin, life, sequence) = dot;
        let names_another = self.dots.iter().any(|(_, other, w)| *other == dot && *w != write);
        let falls = self.dots.iter().any(|(branch, (from, lived, number), _)| {
            *branch == at && *from == origin && *lived == life && *number > sequence
        });
        self.dots.push((at, dot, write));
        (!names_another && !falls).then_some(())
    }

    fn applied(&mut self, at: BranchId, origin: BranchId, write: W, balance: Money) {
        let log = self.logs[&at].clone();
        let mut asked = self.ops.iter().filter(|op| op.write == Some(write)).peekable();
        if asked.peek().is_none() {
            self.unasked.insert(write);
        } else if asked.all(|op| op.told == EventOutcome::Refused) {
            self.too_late.insert(write);
        }
        self.last.insert(at, balance);
        self.balance(&log, balance);
        if write.1.kind == WriteKind::Withdraw {
            let promised = if at == origin { Promised::Yes } else { Promised::No };
            self.overdrafts.push((promised, self.sum(&log) < 0));
        }
    }

    fn request_sent(
        &mut self,
        request: u64,
        branch: BranchId,
        id: WriteId,
        operation: Operation,
    ) -> Option<()> {
        self.logs.get(&branch)?;
        let session: Vec<&Op> = self.ops.iter().filter(|op| op.customer == id.customer).collect();
        let is_next = usize::try_from(request).ok()? == session.len() + 1;
        if !is_next || session.iter().any(|op| !op.heard) {
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
            told: EventOutcome::Nothing,
            seen: Vec::new(),
            heard: false,
            answered: false,
        });
        Some(())
    }

    fn reply_sent(&mut self, op: usize, position: u64, outcome: &Outcome) -> Option<()> {
        let log = self.logs[&self.ops[op].branch].clone();
        if self.ops[op].answered || usize::try_from(position).ok()? != log.len() {
            return None;
        }
        let told = match outcome {
            Ok(Receipt::Written) => EventOutcome::Written,
            Ok(Receipt::Balance(balance)) => {
                self.gives(op, &log, *balance);
                EventOutcome::Balance(*balance)
            }
            Err(RequestError::Refused(
                Refusal::InsufficientFunds { balance, .. } | Refusal::BalanceOutOfRange { balance },
            )) => {
                self.gives(op, &log, *balance);
                EventOutcome::Refused
            }
            Err(
                RequestError::Refused(_)
                | RequestError::VersionNotReached { .. }
                | RequestError::Unavailable { .. }
                | RequestError::Full { .. }
                | RequestError::Declined { .. },
            ) => EventOutcome::Refused,
            Err(RequestError::OutcomeUnknown { .. } | RequestError::NoAnswer { .. }) => {
                EventOutcome::Nothing
            }
            Err(_) => panic!("this reference knows no outcome such as {outcome:?}"),
        };
        let op = &mut self.ops[op];
        match (op.write, told) {
            (Some(_), EventOutcome::Balance(_)) | (None, EventOutcome::Written) => return None,
            (Some(_), EventOutcome::Nothing | EventOutcome::Written | EventOutcome::Refused)
            | (None, EventOutcome::Nothing | EventOutcome::Refused | EventOutcome::Balance(_)) => {}
        }
        (op.told, op.seen, op.answered) = (told, log, true);
        Some(())
    }

    fn find(&self, customer: CustomerId, request: u64, branch: BranchId) -> Option<usize> {
        let nth = usize::try_from(request).ok()?.checked_sub(1)?;
        let mut session = self.ops.iter().enumerate().filter(|(_, op)| op.customer == customer);
        session.nth(nth).filter(|(_, op)| op.branch == branch).map(|(index, _)| index)
    }

    fn gives(&mut self, op: usize, log: &[W], balance: Money) {
        self.last.insert(self.ops[op].branch, balance);
        self.balance(log, balance);
    }

    fn sum(&self, log: &[W]) -> i128 {
        let sum: i128 = log.iter().map(|(_, write)| i128::from(write.delta().minor())).sum();
        i128::from(self.history.opening.minor()) + sum
    }

    fn balance(&mut self, log: &[W], found: Money) {
        self.balances.push((Promised::Yes, self.sum(log) != i128::from(found.minor())));
    }

    fn promised(&self, customer: CustomerId, guarantee: Guarantee) -> Promised {
        match &self.history.terms {
            None => Promised::Unknown,
            Some(terms) if terms.guarantees.to(customer).has(guarantee) => Promised::Yes,
            Some(_) => Promised::No,
        }
    }

    fn is_applied(&self, write: &W) -> bool {
        self.logs.values().any(|log| log.contains(write))
    }

    fn told(&self, write: &W, told: EventOutcome) -> bool {
        self.ops.iter().any(|op| op.write == Some(*write) && op.told == told)
    }

    /// The reads of a session that got a balance.
    fn is_read(op: &Op) -> bool {
        matches!(op.told, EventOutcome::Balance(_))
    }

    /// The operations of the same session before this one.
    fn before(&self, index: usize) -> impl Iterator<Item = (usize, &Op)> {
        let customer = self.ops[index].customer;
        let earlier = self.ops[..index].iter().enumerate();
        earlier.filter(move |(_, op)| op.customer == customer)
    }

    /// All reads.
    fn reads(&self) -> impl Iterator<Item = (usize, &Op)> {
        self.ops.iter().enumerate().filter(|(_, op)| Self::is_read(op))
    }

    /// The writes of a session in the order in which it made them: each where it was first asked
    /// for without being refused, if it happened at all.
    fn made(&self, index: usize) -> Option<W> {
        let op = &self.ops[index];
        let write = op.write.filter(|_| op.told != EventOutcome::Refused)?;
        let is_first = !self.ops[..index]
            .iter()
            .any(|other| other.write == Some(write) && other.told != EventOutcome::Refused);
        let happened = self.told(&write, EventOutcome::Written) || self.is_applied(&write);
        (is_first && happened).then_some(write)
    }

    /// "If Read R follows Write W in a session and R is performed at server S at time t, then W is
    /// included in DB(S,t)." One test per read that follows a write.
    fn read_your_writes(&self) -> Vec<Test> {
        let mut tests = Vec::new();
        for (index, read) in self.reads() {
            let written = self.before(index).filter(|(_, op)| op.told == EventOutcome::Written);
            let written: Vec<W> = written.filter_map(|(_, op)| op.write).collect();
            if !written.is_empty() {
                let failed = written.iter().any(|write| !read.seen.contains(write));
                tests.push((self.promised(read.customer, Guarantee::ReadYourWrites), failed));
            }
        }
        tests
    }

    /// "If Read R1 occurs before R2 in a session and R1 accesses server S1 at time t1 and R2
    /// accesses server S2 at time t2, then RelevantWrites(S1,t1,R1) is a subset of DB(S2,t2)." One
    /// test per read that follows one which saw anything.
    fn monotonic_reads(&self) -> Vec<Test> {
        let mut tests = Vec::new();
        for (index, read) in self.reads() {
            let relevant = self.seen_before(index);
            let database: BTreeSet<W> = read.seen.iter().copied().collect();
            if !relevant.is_empty() {
                let failed = !relevant.is_subset(&database);
                tests.push((self.promised(read.customer, Guarantee::MonotonicReads), failed));
            }
        }
        tests
    }

    /// All that the reads of the session before this operation saw.
    fn seen_before(&self, index: usize) -> BTreeSet<W> {
        let reads = self.before(index).filter(|(_, op)| Self::is_read(op));
        reads.flat_map(|(_, op)| op.seen.iter().copied()).collect()
    }

    /// "If Write W1 precedes Write W2 in a session, then, for any server S2, if W2 in DB(S2) then
    /// W1 is also in DB(S2) and WriteOrder(W1,W2)." One test per later write and server.
    fn monotonic_writes(&self) -> Vec<Test> {
        let earlier = |index: usize| {
            self.before(index).filter_map(|(earlier, _)| self.made(earlier)).collect()
        };
        self.ordered(Guarantee::MonotonicWrites, earlier)
    }

    /// "If Read R1 precedes Write W2 in a session and R1 is performed at server S1 at time t1,
    /// then, for any server S2, if W2 is in DB(S2) then any W1 in RelevantWrites(S1,t1,R1) is also
    /// in DB(S2) and WriteOrder(W1,W2)." One test per later write and server.
    fn writes_follow_reads(&self) -> Vec<Test> {
        self.ordered(Guarantee::WritesFollowReads, |index| self.seen_before(index))
    }

    /// For each write and each log that has it: whether the log lacks any write that must come
    /// before it, or has it later. No test where nothing must come before.
    fn ordered(&self, guarantee: Guarantee, earlier: impl Fn(usize) -> BTreeSet<W>) -> Vec<Test> {
        let mut tests = Vec::new();
        for index in 0..self.ops.len() {
            let Some(later) = self.made(index) else { continue };
            let earlier = earlier(index);
            for log in self.logs.values().filter(|_| !earlier.is_empty()) {
                let Some(at) = position(log, &later) else { continue };
                let comes_late = |w: &W| position(log, w).is_none_or(|before| before >= at);
                let failed = earlier.iter().any(comes_late);
                tests.push((self.promised(later.0.customer, guarantee), failed));
            }
        }
        tests
    }

    /// One test per write that any branch has, and one for each further branch that gave a balance.
    fn convergence(&self) -> Vec<Test> {
        if self.logs.len() < 2 {
            return Vec::new();
        }
        let applied: BTreeSet<W> = self.logs.values().flatten().copied().collect();
        let is_missing = |write: &W| self.logs.values().any(|log| !log.contains(write));
        let writes = applied.iter().map(|write| (Promised::Yes, is_missing(write)));
        let first = self.last.values().next();
        let others = self.last.values().skip(1);
        let balances = others.map(|balance| (Promised::Yes, Some(balance) != first));
        writes.chain(balances).collect()
    }

    /// One test per write that was applied, acknowledged or refused.
    fn exactly_once(&self) -> Vec<Test> {
        // In the order in which they came up.
        let mut asked: Vec<W> = Vec::new();
        for write in self.ops.iter().filter_map(|op| op.write) {
            if !asked.contains(&write) {
                asked.push(write);
            }
        }
        let mut tests = Vec::new();
        for (index, write) in asked.iter().enumerate() {
            let is_acknowledged = self.told(write, EventOutcome::Written);
            let is_refused = self.told(write, EventOutcome::Refused);
            let is_applied = self.is_applied(write);
            if !is_acknowledged && !is_refused && !is_applied {
                continue;
            }
            let may_have_happened = is_acknowledged || self.told(write, EventOutcome::Nothing);
            let is_twice = |log: &Vec<W>| log.iter().filter(|w| *w == write).count() > 1;
            let is_wrong = self.unasked.contains(write)
                || self.too_late.contains(write)
                || is_applied && !may_have_happened
                || self.logs.values().any(is_twice);
            let is_taken = asked[..index].iter().any(|other| {
                let is_same_id = other.0 == write.0;
                is_same_id && self.is_applied(other) && !self.unasked.contains(other)
            });
            if is_wrong {
                tests.push((Promised::Yes, true));
            } else if is_applied && is_taken {
                tests.push((Promised::No, true));
            } else {
                let everywhere = self.logs.values().all(|log| log.contains(write));
                tests.push((Promised::Yes, is_acknowledged && !everywhere));
            }
        }
        let nobody = self.unasked.iter().filter(|write| !asked.contains(write));
        tests.extend(nobody.map(|_| (Promised::Yes, true)));
        tests
    }
}
