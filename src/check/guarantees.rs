//! The four session guarantees, in one pass over all operations in the order of their answers.
//!
//! A balance is the sum of all writes in a log, so all of them are relevant to a read. In the order
//! of answers, the reads at a branch see longer and longer prefixes of its log. So each log is
//! walked once beside the operations, and for what was passed of it the latest position at every
//! branch is kept: how far any branch must be to hold all that a read here saw.

use super::index::{WriteRef, place};
use super::ledger::Ledger;
use super::options::{JudgeOptions, StepsKept};
use super::property::Property;
use super::reach::Reach;
use super::sessions::{Asked, Op, OpRef, Seen};
use super::test_counter::TestCounter;
use super::witness::Promised;
use super::writes::ABSENT;
use crate::model::{BranchIndex, Guarantee, OutcomeClass};

/// The verdicts on the four guarantees.
#[derive(Debug)]
pub(super) struct GuaranteeTests {
    /// Read your writes: reads that miss a write of their session.
    pub(super) read_your_writes: TestCounter<OpRef>,
    /// Monotonic reads: reads that miss what an earlier one saw.
    pub(super) monotonic_reads: TestCounter<OpRef>,
    /// Monotonic writes: a write, and a branch that has it without all earlier ones before it.
    pub(super) monotonic_writes: TestCounter<(OpRef, BranchIndex)>,
    /// Writes follow reads: a write, and a branch that has it before what its session had read.
    pub(super) writes_follow_reads: TestCounter<(OpRef, BranchIndex)>,
    /// Every step that failed a test, if they are wanted.
    pub(super) failed: Vec<Failed>,
}

/// An operation that failed a test, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    pub(super) property: Property,
    pub(super) at: OpRef,
    pub(super) branch: BranchIndex,
    pub(super) promised: Promised,
}

/// Judges the four guarantees.
pub(super) fn judge(ledger: &Ledger, options: JudgeOptions) -> GuaranteeTests {
    let most = options.witnesses.get();
    let mut replay = SessionReplay {
        ledger,
        logs: ledger.branches.iter().map(|_| Passed::default()).collect(),
        sessions: (0..ledger.sessions.len()).map(|_| Memory::default()).collect(),
        is_made: vec![false; ledger.writes.len()],
        steps: options.steps,
        tests: GuaranteeTests {
            read_your_writes: TestCounter::new(most),
            monotonic_reads: TestCounter::new(most),
            monotonic_writes: TestCounter::new(most),
            writes_follow_reads: TestCounter::new(most),
            failed: Vec::new(),
        },
    };
    for (at, op) in ledger.sessions.ops() {
        match op.asked {
            Asked::Write { write, class } => replay.write(at, op, write, class),
            Asked::Query(Some(seen)) => replay.read(at, op, seen),
            Asked::Query(None) => {}
        }
    }
    replay.tests
}

struct SessionReplay<'a> {
    ledger: &'a Ledger,
    logs: Vec<Passed>,
    sessions: Vec<Memory>,
    /// Which writes their session has made by now.
    is_made: Vec<bool>,
    steps: StepsKept,
    tests: GuaranteeTests,
}

/// The part of a log that was passed. Empty until a read there needs it.
#[derive(Default)]
struct Passed {
    len: usize,
    reach: Option<Reach>,
}

/// What a session is owed.
#[derive(Default)]
struct Memory {
    /// Its acknowledged writes.
    own: Option<Reach>,
    /// What its reads saw.
    seen: Option<Reach>,
    /// Its writes.
    made: Option<Reach>,
}

impl SessionReplay<'_> {
    fn read(&mut self, at: OpRef, op: &Op, seen: Seen) {
        let branch = op.sent.branch;
        let memory = &self.sessions[op.session.place()];
        let is_kept = |reach: &Reach| reach[branch.get()] <= seen.position;
        let own = memory.own.as_ref().map(is_kept);
        let seen_before = memory.seen.as_ref().map(is_kept);
        if let Some(is_kept) = own {
            let test = self.test(Guarantee::ReadYourWrites, Property::ReadYourWrites, (at, op));
            self.judge(&test, is_kept, |tests| &mut tests.read_your_writes, at);
        }
        if let Some(is_kept) = seen_before {
            let test = self.test(Guarantee::MonotonicReads, Property::MonotonicReads, (at, op));
            self.judge(&test, is_kept, |tests| &mut tests.monotonic_reads, at);
        }
        // Nothing is owed for a read that saw nothing, nor to a session that is over.
        if seen.position == 0 || self.ledger.sessions.get(op.session).requests == op.sent.request {
            return;
        }
        let width = self.ledger.branches.len();
        let passed = &mut self.logs[branch.get()];
        let reach = passed.reach.get_or_insert_with(|| Reach::new(width));
        for write in &self.ledger.prefix(branch, seen.position)[passed.len..] {
            reach.add(self.ledger.writes.row(*write));
        }
        passed.len = place(seen.position);
        let memory = &mut self.sessions[op.session.place()];
        memory.seen.get_or_insert_with(|| Reach::new(width)).join(reach);
    }

    fn write(&mut self, at: OpRef, op: &Op, write: WriteRef, class: OutcomeClass) {
        let ledger = self.ledger;
        let row = ledger.writes.row(write);
        let width = ledger.branches.len();
        let memory = &mut self.sessions[op.session.place()];
        match class {
            OutcomeClass::Ok => memory.own.get_or_insert_with(|| Reach::new(width)).add(row),
            OutcomeClass::Unknown => {}
            OutcomeClass::Refused => return,
        }
        // A retry is the write that it repeats.
        let is_made = &mut self.is_made[write.place()];
        if *is_made || !ledger.writes.entry(write).took_effect() {
            return;
        }
        *is_made = true;
        let before = memory.made.take();
        let seen = memory.seen.take();
        // The first write of a session that has read nothing is after nothing, wherever it is.
        let tested = if before.is_none() && seen.is_none() { 0 } else { width };
        let in_order = self.test(Guarantee::MonotonicWrites, Property::MonotonicWrites, (at, op));
        let follows =
            self.test(Guarantee::WritesFollowReads, Property::WritesFollowReads, (at, op));
        for branch in ledger.roster.indexes().take(tested) {
            let position = row[branch.get()];
            if position == ABSENT {
                continue;
            }
            if let Some(before) = &before {
                let test = Test { branch, ..in_order };
                let is_kept = before[branch.get()] < position;
                self.judge(&test, is_kept, |tests| &mut tests.monotonic_writes, (at, branch));
            }
            if let Some(seen) = &seen {
                let test = Test { branch, ..follows };
                let is_kept = seen[branch.get()] < position;
                self.judge(&test, is_kept, |tests| &mut tests.writes_follow_reads, (at, branch));
            }
        }
        let memory = &mut self.sessions[op.session.place()];
        memory.seen = seen;
        memory.made.insert(before.unwrap_or_else(|| Reach::new(width))).add(row);
    }

    /// A test of the operation `op` at the branch that it asked.
    fn test(&self, guarantee: Guarantee, property: Property, (at, op): (OpRef, &Op)) -> Test {
        let promised = self.ledger.promised(op.session, guarantee);
        Test { property, promised, at, rank: op.sent.rank.into(), branch: op.sent.branch }
    }

    /// Counts a test, and what is found if it fails.
    fn judge<F>(
        &mut self,
        test: &Test,
        is_kept: bool,
        test_counter: impl FnOnce(&mut GuaranteeTests) -> &mut TestCounter<F>,
        finding: F,
    ) {
        let Test { property, promised, at, rank, branch } = *test;
        let test_counter = test_counter(&mut self.tests);
        test_counter.test(promised);
        if is_kept {
            return;
        }
        test_counter.fail(promised, rank, finding);
        match self.steps {
            StepsKept::None => {}
            StepsKept::All => {
                self.tests.failed.push(Failed { property, at, branch, promised });
            }
        }
    }
}

/// A test of a guarantee: of an operation, at a branch.
struct Test {
    property: Property,
    promised: Promised,
    at: OpRef,
    /// How early the operation is among all.
    rank: u64,
    branch: BranchIndex,
}
