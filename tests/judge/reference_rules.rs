//! What the slow judge says of a history whose facts are possible: rule by rule, as the paper and
//! `docs/GUARANTEES.md` have them.

use std::collections::BTreeSet;

use passbook::check::Promised;
use passbook::model::{BranchId, CustomerId, Guarantee, Propagation};

use crate::reference::{End, Log, Op, Test, Told, W, World};

fn position(log: &[W], write: &W) -> Option<usize> {
    log.iter().position(|other| other == write)
}

impl World<'_> {
    fn promised(&self, customer: CustomerId, guarantee: Guarantee) -> Promised {
        match &self.history.terms {
            None => Promised::Unknown,
            Some(terms) if terms.guarantees.to(customer).has(guarantee) => Promised::Yes,
            Some(_) => Promised::No,
        }
    }

    /// The last logs, one of each branch.
    fn last_logs(&self) -> impl Iterator<Item = &Log> {
        self.logs.iter().filter(|log| log.kept.is_none())
    }

    /// Whether what needs the end, at all branches, is decided.
    fn is_decided(&self) -> bool {
        self.end == End::Known && self.down.is_empty()
    }

    /// Those of branches that are up at the end; none where the end is not known.
    fn known_last_logs(&self) -> impl Iterator<Item = &Log> {
        let logs = self.last_logs().filter(|log| !self.down.contains(&log.branch));
        logs.filter(|_| self.end == End::Known)
    }

    fn is_applied(&self, write: &W) -> bool {
        self.logs.iter().any(|log| log.writes.contains(write))
    }

    fn survives(&self, write: &W) -> bool {
        self.known_last_logs().any(|log| log.writes.contains(write))
    }

    fn was_told(&self, write: &W, told: Told) -> bool {
        self.ops.iter().any(|op| op.write == Some(*write) && op.told() == told)
    }

    /// Whether a write has happened: it was acknowledged; or answered otherwise and applied; or,
    /// where nobody answered, it is there at the end.
    fn happened(&self, write: &W) -> bool {
        self.was_told(write, Told::Written)
            || self.was_told(write, Told::Unknown) && self.is_applied(write)
            || self.survives(write)
    }

    /// The reads of a session that got a balance.
    fn is_read(op: &Op) -> bool {
        matches!(op.told(), Told::Balance(_))
    }

    /// The operations of the same session before this one, and whether a loss was told after them.
    fn before(&self, index: usize) -> impl Iterator<Item = (&Op, bool)> {
        let customer = self.ops[index].customer;
        let of_session = move |op: &&Op| op.customer == customer;
        let earlier = (0..index).map(|at| (at, &self.ops[at]));
        earlier.filter(move |(_, op)| of_session(op)).map(move |(at, op)| {
            let later = self.ops[at + 1..index].iter().filter(of_session);
            (op, later.clone().any(|op| op.says_lost && op.is_answered()))
        })
    }

    /// What of these a session is owed: after a loss was told it is what survived, but for what was
    /// accepted twice.
    fn still_owed(&self, writes: Vec<(W, bool)>) -> BTreeSet<W> {
        let is_left = |write: &W| self.survives(write) && self.numbers(write) == 1;
        let owed = writes.into_iter().filter(|(write, told)| !told || is_left(write));
        owed.map(|(write, _)| write).collect()
    }

    /// What the session has made that was acknowledged.
    fn own(&self, index: usize) -> Vec<(W, bool)> {
        let written = self.before(index).filter(|(op, _)| op.told() == Told::Written);
        written.filter_map(|(op, told)| Some((op.write?, told))).collect()
    }

    /// All that the reads of the session before this operation saw.
    fn seen(&self, index: usize) -> Vec<(W, bool)> {
        let reads = self.before(index).filter(|(op, _)| Self::is_read(op));
        reads.flat_map(|(op, told)| op.seen.iter().map(move |write| (*write, told))).collect()
    }

    /// What the session made, and got an answer for: what comes after must follow it.
    fn bound(&self, index: usize) -> Vec<(W, bool)> {
        let answered = |op: &Op| matches!(op.told(), Told::Written | Told::Unknown);
        let made = self.before(index).filter(|(op, _)| answered(op));
        let made = made.filter_map(|(op, told)| Some((op.write?, told)));
        made.filter(|(write, _)| self.happened(write)).collect()
    }

    fn reads(&self) -> impl Iterator<Item = (usize, &Op)> {
        self.ops.iter().enumerate().filter(|(_, op)| Self::is_read(op))
    }

    /// The writes of a session in the order in which it made them: each where it was first asked
    /// for without being refused, if it happened at all.
    fn made(&self, index: usize) -> Option<W> {
        let op = &self.ops[index];
        let write = op.write.filter(|_| op.told() != Told::Refused)?;
        let is_first = !self.ops[..index]
            .iter()
            .any(|other| other.write == Some(write) && other.told() != Told::Refused);
        (is_first && self.happened(&write)).then_some(write)
    }

    /// "If Read R follows Write W in a session and R is performed at server S at time t, then W is
    /// included in DB(S,t)." One test per read that follows a write.
    pub(crate) fn read_your_writes(&self) -> Vec<Test> {
        self.included(Guarantee::ReadYourWrites, |index| self.own(index))
    }

    /// "If Read R1 occurs before R2 in a session and R1 accesses server S1 at time t1 and R2
    /// accesses server S2 at time t2, then RelevantWrites(S1,t1,R1) is a subset of DB(S2,t2)." One
    /// test per read that follows one which saw anything.
    pub(crate) fn monotonic_reads(&self) -> Vec<Test> {
        self.included(Guarantee::MonotonicReads, |index| self.seen(index))
    }

    fn included(&self, guarantee: Guarantee, owed: impl Fn(usize) -> Vec<(W, bool)>) -> Vec<Test> {
        let mut tests = Vec::new();
        for (index, read) in self.reads() {
            let owed = self.still_owed(owed(index));
            if !owed.is_empty() {
                let failed = owed.iter().any(|write| !read.seen.contains(write));
                tests.push((self.promised(read.customer, guarantee), failed));
            }
        }
        tests
    }

    /// "If Write W1 precedes Write W2 in a session, then, for any server S2, if W2 in DB(S2) then
    /// W1 is also in DB(S2) and WriteOrder(W1,W2)." One test per later write and server.
    pub(crate) fn monotonic_writes(&self) -> Vec<Test> {
        self.ordered(Guarantee::MonotonicWrites, |index| self.bound(index))
    }

    /// "If Read R1 precedes Write W2 in a session and R1 is performed at server S1 at time t1,
    /// then, for any server S2, if W2 is in DB(S2) then any W1 in RelevantWrites(S1,t1,R1) is also
    /// in DB(S2) and WriteOrder(W1,W2)." One test per later write and server.
    pub(crate) fn writes_follow_reads(&self) -> Vec<Test> {
        self.ordered(Guarantee::WritesFollowReads, |index| self.seen(index))
    }

    /// The requests for the write that was first asked for in this one, unless they were refused.
    fn requests(&self, first: usize) -> impl Iterator<Item = usize> {
        let write = self.ops[first].write;
        let is_for_it = move |op: &Op| op.write == write && op.told() != Told::Refused;
        (first..self.ops.len()).filter(move |index| is_for_it(&self.ops[*index]))
    }

    /// For each write and each log in which it was applied first: whether the log lacks any write
    /// that must come before it, or has it later, whichever of the requests for it was the one that was
    /// accepted. No test where nothing must come before.
    fn ordered(
        &self,
        guarantee: Guarantee,
        earlier: impl Fn(usize) -> Vec<(W, bool)>,
    ) -> Vec<Test> {
        let mut tests = Vec::new();
        for index in 0..self.ops.len() {
            let Some(later) = self.made(index) else { continue };
            let requests = self.requests(index);
            let earlier: Vec<_> = requests.map(|index| self.still_owed(earlier(index))).collect();
            for log in self.logs.iter().filter(|_| earlier.iter().all(|owed| !owed.is_empty())) {
                let Some(at) = position(&log.writes, &later) else { continue };
                if at < log.inherited {
                    continue;
                }
                let comes_late = |w: &W| {
                    *w != later && position(&log.writes, w).is_none_or(|before| before > at)
                };
                let failed = earlier.iter().all(|owed| owed.iter().any(comes_late));
                tests.push((self.promised(later.0.customer, guarantee), failed));
            }
        }
        tests
    }

    /// One test per write that any last log has, and one for each further branch that gave a
    /// balance.
    pub(crate) fn convergence(&self) -> Vec<Test> {
        if self.last_logs().count() < 2 || !self.is_decided() {
            return Vec::new();
        }
        let held: BTreeSet<W> = self.last_logs().flat_map(|log| &log.writes).copied().collect();
        let is_missing = |write: &W| self.last_logs().any(|log| !log.writes.contains(write));
        let writes = held.iter().map(|write| (Promised::Yes, is_missing(write)));
        let first = self.last.values().next();
        let others = self.last.values().skip(1);
        let balances = others.map(|balance| (Promised::Yes, Some(balance) != first));
        writes.chain(balances).collect()
    }

    /// One test per write that was applied, acknowledged or refused, and one per answer that told of
    /// a loss; and how many acknowledged writes are lost.
    pub(crate) fn exactly_once(&self) -> (Vec<Test>, u64) {
        // In the order in which they came up.
        let mut asked: Vec<W> = Vec::new();
        for write in self.ops.iter().filter_map(|op| op.write) {
            if !asked.contains(&write) {
                asked.push(write);
            }
        }
        let (mut tests, mut lost) = (Vec::new(), 0);
        for (index, write) in asked.iter().enumerate() {
            let is_acknowledged = self.was_told(write, Told::Written);
            let mut ops = self.ops.iter().filter(|op| op.write == Some(*write));
            let is_refused = ops.any(|op| op.answer == Some(Told::Refused));
            let is_applied = self.is_applied(write);
            if !is_acknowledged && !is_refused && !is_applied {
                continue;
            }
            let mut ops = self.ops.iter().filter(|op| op.write == Some(*write));
            let may_have_happened = ops.any(|op| op.told() != Told::Refused);
            let is_twice = |log: &Log| log.writes.iter().filter(|w| *w == write).count() > 1;
            let is_wrong = self.unasked.contains(write)
                || self.too_late.contains(write)
                || is_applied && !may_have_happened
                || self.logs.iter().any(is_twice);
            let is_taken = asked[..index].iter().any(|other| {
                let is_same_id = other.0 == write.0;
                is_same_id && self.is_applied(other) && !self.unasked.contains(other)
            });
            let is_everywhere = self.last_logs().all(|log| log.writes.contains(write));
            if is_wrong {
                tests.push((Promised::Yes, true));
            } else if is_applied && is_taken {
                tests.push((Promised::No, true));
            } else if is_acknowledged
                && (is_everywhere || !self.is_decided())
                && self.is_acknowledged_early(write)
            {
                tests.push((Promised::Yes, true));
            } else if !is_acknowledged || is_everywhere {
                tests.push((Promised::Yes, false));
            } else if self.is_decided() {
                let is_lost = self.last_logs().all(|log| !log.writes.contains(write));
                lost += u64::from(is_lost);
                let promised = if is_lost { self.may_be_lost(write) } else { Promised::Yes };
                tests.push((promised, true));
            }
        }
        let nobody = self.unasked.iter().filter(|write| !asked.contains(write));
        tests.extend(nobody.map(|_| (Promised::Yes, true)));
        tests.extend((0..self.ops.len()).filter_map(|index| self.told_of_loss(index)));
        (tests, lost)
    }

    /// Whether a customer was told too early that a write is done: where every branch is to have it by
    /// then.
    fn is_acknowledged_early(&self, write: &W) -> bool {
        let propagation = self.history.terms.as_ref().map(|terms| terms.propagation);
        let mut told = self.ops.iter().filter(|op| op.write == Some(*write) && !op.given_up);
        propagation == Some(Propagation::Sync) && told.any(|op| op.is_early)
    }

    /// Whether it was promised that this write, which no branch holds, is not lost.
    fn may_be_lost(&self, write: &W) -> Promised {
        let forgot = |branch: &&BranchId| self.forgot(**branch, write);
        let branches = self.history.roster.ids();
        let forgotten_at = branches.iter().filter(forgot).count();
        let propagation = self.history.terms.as_ref().map(|terms| terms.propagation);
        if forgotten_at == 0 {
            Promised::Yes
        } else if forgotten_at == branches.len() {
            Promised::No
        } else {
            match propagation {
                Some(Propagation::Async) => Promised::No,
                Some(Propagation::Sync) => Promised::Yes,
                None => Promised::Unknown,
            }
        }
    }

    /// The test of an answer that told of a loss, if it can be tested: it fails where some last log
    /// holds all that the session was ever owed.
    fn told_of_loss(&self, index: usize) -> Option<Test> {
        if !self.ops[index].says_lost || !self.ops[index].is_answered() {
            return None;
        }
        let ever = [self.own(index), self.seen(index), self.bound(index)].concat();
        let is_renumbered = ever.iter().any(|(write, _)| self.numbers(write) > 1);
        let promised = if is_renumbered { Promised::No } else { Promised::Yes };
        let holds_all = |log: &Log| ever.iter().all(|(write, _)| log.writes.contains(write));
        let failed = self.known_last_logs().any(holds_all);
        (failed || self.is_decided()).then_some((promised, failed))
    }
}
