//! The slow judge: sets and orders, straight from Terry et al., "Session Guarantees for Weakly
//! Consistent Replicated Data", 1994, section 3. Compares everything with everything, shares no
//! code with the fast judge, and knows nothing of dense indexes, running maxima or neighbours.

use std::collections::{BTreeMap, BTreeSet};

use passbook::check::Summary;
use passbook::history::Fact;
use passbook::model::{
    BranchId, CustomerId, Money, Operation, Outcome, Receipt, RequestError, Write, WriteId,
};

use crate::tale::Tale;

/// A write in the paper's sense: under the right id with another content it is another write.
type W = (WriteId, Write);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
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
    told: Told,
    /// DB(S, t): the log of the branch when it answered.
    seen: Vec<W>,
    heard: bool,
    answered: bool,
}

/// What the reference found, in the order of `Property::ALL`; `None` where no run can have this
/// history.
pub(crate) fn judge(tale: &Tale) -> Option<[Summary; 7]> {
    let mut world = World {
        tale,
        ops: Vec::new(),
        logs: BTreeMap::new(),
        wrong_balances: 0,
        balances: 0,
        unasked: false,
        last: BTreeMap::new(),
    };
    for branch in tale.roster.ids() {
        world.logs.insert(*branch, Vec::new());
    }
    for recorded in &tale.facts {
        world.happens(&recorded.fact)?;
    }
    Some([
        world.read_your_writes(),
        world.monotonic_reads(),
        world.monotonic_writes(),
        world.writes_follow_reads(),
        summary(world.balances, world.wrong_balances),
        world.convergence(),
        world.exactly_once(),
    ])
}

struct World<'a> {
    tale: &'a Tale,
    ops: Vec<Op>,
    logs: BTreeMap<BranchId, Vec<W>>,
    /// The balance that each branch gave last.
    last: BTreeMap<BranchId, Money>,
    balances: usize,
    wrong_balances: usize,
    unasked: bool,
}

fn summary(tested: usize, failed: usize) -> Summary {
    match (tested, failed) {
        (0, 0) => Summary::Undecided,
        (_, 0) => Summary::Holds,
        (_, _) => Summary::Violated,
    }
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
            Fact::WriteApplied { branch, id, write, origin, position, balance, sequence: _ } => {
                self.logs.get(origin)?;
                let log = self.logs.get_mut(branch)?;
                log.push((*id, *write));
                if usize::try_from(position.get()).ok()? != log.len() {
                    return None;
                }
                let log = log.clone();
                self.unasked |= !self.ops.iter().any(|op| op.write == Some((*id, *write)));
                self.last.insert(*branch, *balance);
                self.balance(&log, *balance);
            }
            Fact::MessageSent { from, to, .. }
            | Fact::MessageReceived { from, to, .. }
            | Fact::MessageLost { from, to, .. }
            | Fact::WriteSetCompared { branch: from, with: to, .. } => {
                self.logs.get(from)?;
                self.logs.get(to)?;
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
        }
        Some(())
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
            told: Told::Nothing,
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
            Ok(Receipt::Written) => Told::Written,
            Ok(Receipt::Balance(balance)) => {
                self.balance(&log, *balance);
                Told::Balance(*balance)
            }
            Err(
                RequestError::Refused(_)
                | RequestError::VersionNotReached { .. }
                | RequestError::Unavailable { .. }
                | RequestError::Declined { .. },
            ) => Told::Refused,
            Err(RequestError::OutcomeUnknown { .. } | RequestError::NoAnswer { .. }) => {
                Told::Nothing
            }
        };
        let op = &mut self.ops[op];
        match (op.write, told) {
            (Some(_), Told::Balance(_)) | (None, Told::Written) => return None,
            (Some(_), Told::Nothing | Told::Written | Told::Refused)
            | (None, Told::Nothing | Told::Refused | Told::Balance(_)) => {}
        }
        (op.told, op.seen, op.answered) = (told, log, true);
        Some(())
    }

    fn find(&self, customer: CustomerId, request: u64, branch: BranchId) -> Option<usize> {
        let nth = usize::try_from(request).ok()?.checked_sub(1)?;
        let mut session = self.ops.iter().enumerate().filter(|(_, op)| op.customer == customer);
        session.nth(nth).filter(|(_, op)| op.branch == branch).map(|(index, _)| index)
    }

    fn balance(&mut self, log: &[W], found: Money) {
        let sum: i128 = log.iter().map(|(_, write)| i128::from(write.delta().minor())).sum();
        self.balances += 1;
        if i128::from(self.tale.opening.minor()) + sum != i128::from(found.minor()) {
            self.wrong_balances += 1;
        }
    }

    fn is_applied(&self, write: &W) -> bool {
        self.logs.values().any(|log| log.contains(write))
    }

    fn told(&self, write: &W, told: Told) -> bool {
        self.ops.iter().any(|op| op.write == Some(*write) && op.told == told)
    }

    /// The reads of a session that got a balance.
    fn is_read(op: &Op) -> bool {
        matches!(op.told, Told::Balance(_))
    }

    /// All (earlier, later) operations of one session.
    fn pairs(&self) -> impl Iterator<Item = (&Op, &Op)> {
        self.ops.iter().enumerate().flat_map(move |(index, later)| {
            let earlier = self.ops[..index].iter().filter(|op| op.customer == later.customer);
            earlier.map(move |earlier| (earlier, later))
        })
    }

    /// The writes of a session in the order in which it made them: each where it was first asked
    /// for without being refused, if it happened at all.
    fn made(&self, index: usize) -> Option<W> {
        let op = &self.ops[index];
        let write = op.write.filter(|_| op.told != Told::Refused)?;
        let is_first = !self.ops[..index]
            .iter()
            .any(|other| other.write == Some(write) && other.told != Told::Refused);
        let happened = self.told(&write, Told::Written) || self.is_applied(&write);
        (is_first && happened).then_some(write)
    }

    /// "If Read R follows Write W in a session and R is performed at server S at time t, then W is
    /// included in DB(S,t)."
    fn read_your_writes(&self) -> Summary {
        let (mut tested, mut failed) = (0, 0);
        for (w, r) in self.pairs() {
            if let (Some(write), Told::Written, true) = (w.write, w.told, Self::is_read(r)) {
                tested += 1;
                failed += usize::from(!r.seen.contains(&write));
            }
        }
        summary(tested, failed)
    }

    /// "If Read R1 occurs before R2 in a session and R1 accesses server S1 at time t1 and R2
    /// accesses server S2 at time t2, then RelevantWrites(S1,t1,R1) is a subset of DB(S2,t2)."
    fn monotonic_reads(&self) -> Summary {
        let (mut tested, mut failed) = (0, 0);
        for (r1, r2) in self.pairs().filter(|(r1, r2)| Self::is_read(r1) && Self::is_read(r2)) {
            let relevant: BTreeSet<W> = r1.seen.iter().copied().collect();
            let database: BTreeSet<W> = r2.seen.iter().copied().collect();
            tested += usize::from(!relevant.is_empty());
            failed += usize::from(!relevant.is_subset(&database));
        }
        summary(tested, failed)
    }

    /// "If Write W1 precedes Write W2 in a session, then, for any server S2, if W2 in DB(S2) then
    /// W1 is also in DB(S2) and WriteOrder(W1,W2)."
    fn monotonic_writes(&self) -> Summary {
        let (mut tested, mut failed) = (0, 0);
        for later in 0..self.ops.len() {
            for earlier in 0..later {
                let (Some(w1), Some(w2)) = (self.made(earlier), self.made(later)) else { continue };
                if w1.0.customer == w2.0.customer {
                    let (t, f) = self.ordered(&w1, &w2);
                    tested += t;
                    failed += f;
                }
            }
        }
        summary(tested, failed)
    }

    /// "If Read R1 precedes Write W2 in a session and R1 is performed at server S1 at time t1,
    /// then, for any server S2, if W2 is in DB(S2) then any W1 in RelevantWrites(S1,t1,R1) is also
    /// in DB(S2) and WriteOrder(W1,W2)."
    fn writes_follow_reads(&self) -> Summary {
        let (mut tested, mut failed) = (0, 0);
        for later in 0..self.ops.len() {
            let Some(w2) = self.made(later) else { continue };
            for r1 in &self.ops[..later] {
                if r1.customer != w2.0.customer || !Self::is_read(r1) {
                    continue;
                }
                for w1 in &r1.seen {
                    let (t, f) = self.ordered(w1, &w2);
                    tested += t;
                    failed += f;
                }
            }
        }
        summary(tested, failed)
    }

    /// How many logs have `w2`, and how many of them do not have `w1` before it.
    fn ordered(&self, w1: &W, w2: &W) -> (usize, usize) {
        let with: Vec<_> =
            self.logs.values().filter_map(|log| Some((position(log, w2)?, log))).collect();
        let wrong = with.iter().filter(|(at, log)| position(log, w1).is_none_or(|w1| w1 >= *at));
        (with.len(), wrong.count())
    }

    fn convergence(&self) -> Summary {
        if self.logs.len() < 2 {
            return Summary::Undecided;
        }
        let sets: BTreeSet<BTreeSet<W>> =
            self.logs.values().map(|log| log.iter().copied().collect()).collect();
        let balances: BTreeSet<Money> =
            self.logs.keys().map(|b| *self.last.get(b).unwrap_or(&self.tale.opening)).collect();
        let applied = self.logs.values().map(Vec::len).sum();
        summary(applied, usize::from(sets.len() > 1 || balances.len() > 1))
    }

    fn exactly_once(&self) -> Summary {
        let asked: BTreeSet<W> = self.ops.iter().filter_map(|op| op.write).collect();
        let mut tested = 0;
        let mut is_wrong = self.unasked;
        for write in &asked {
            let is_acknowledged = self.told(write, Told::Written);
            let is_refused = self.told(write, Told::Refused);
            let may_have_happened = is_acknowledged || self.told(write, Told::Nothing);
            tested += usize::from(is_acknowledged || is_refused || self.is_applied(write));
            is_wrong |= is_acknowledged && !self.logs.values().all(|log| log.contains(write));
            is_wrong |= !may_have_happened && self.is_applied(write);
        }
        for log in self.logs.values() {
            let ids: BTreeSet<WriteId> = log.iter().map(|(id, _)| *id).collect();
            is_wrong |= ids.len() < log.len();
        }
        summary(tested, usize::from(is_wrong))
    }
}
