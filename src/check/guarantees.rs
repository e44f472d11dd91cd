//! The four session guarantees, in one pass over all operations in the order of their answers.
//!
//! A balance is the sum of all writes in a log, so all of them are relevant to a read. In the order
//! of answers, the reads of a log see longer and longer prefixes of it. So each log is walked once
//! beside the operations, and for what was passed of it the latest position in every log is kept:
//! how far any log must be to hold all that a read here saw.

use super::index::{LogRef, WriteRef};
use super::ledger::Ledger;
use super::options::{JudgeOptions, StepsKept};
use super::owed::{Owed, OwedToSessions, Told};
use super::property::Property;
use super::reach::Reach;
use super::sessions::{Asked, Heard, Op, OpRef, Seen};
use super::test_counter::TestCounter;
use super::witness::Promised;
use super::writes::ABSENT;
use crate::model::{Guarantee, OutcomeClass};

/// The verdicts on the four guarantees.
#[derive(Debug)]
pub(super) struct GuaranteeTests {
    /// Read your writes: reads that miss a write of their session.
    pub(super) read_your_writes: TestCounter<OpRef>,
    /// Monotonic reads: reads that miss what an earlier one saw.
    pub(super) monotonic_reads: TestCounter<OpRef>,
    /// Monotonic writes: a write, and a log that has it without all earlier ones before it.
    pub(super) monotonic_writes: TestCounter<(OpRef, LogRef)>,
    /// Writes follow reads: a write, and a log that has it before what its session had read.
    pub(super) writes_follow_reads: TestCounter<(OpRef, LogRef)>,
    /// Every step that failed a test, if they are wanted.
    pub(super) failed: Vec<Failed>,
    /// Each answer that told a session of a loss.
    pub(super) told: Vec<Told>,
    steps: StepsKept,
}

/// An operation that failed a test, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    pub(super) property: Property,
    pub(super) at: OpRef,
    pub(super) log: LogRef,
    pub(super) promised: Promised,
}

/// Judges the four guarantees.
pub(super) fn judge(ledger: &Ledger, options: JudgeOptions) -> GuaranteeTests {
    let most = options.witnesses.get();
    let mut replay = SessionReplay {
        ledger,
        owed: OwedToSessions::new(ledger),
        is_made: vec![false; ledger.writes.len()],
        ended: Vec::new(),
        tests: GuaranteeTests {
            steps: options.steps,
            read_your_writes: TestCounter::new(most),
            monotonic_reads: TestCounter::new(most),
            monotonic_writes: TestCounter::new(most),
            writes_follow_reads: TestCounter::new(most),
            failed: Vec::new(),
            told: Vec::new(),
        },
    };
    let mut told = ledger.told.iter().peekable();
    for (at, op) in ledger.sessions.ops() {
        match op.asked {
            Asked::Write { write, class, heard } => replay.write((at, op), write, (class, heard)),
            Asked::Query(Some(seen)) => replay.read(at, op, seen),
            Asked::Query(None) => {}
        }
        if told.next_if(|told| **told == at).is_some() {
            let told = replay.owed.tell_of_loss(ledger, (at, op.session));
            replay.tests.told.push(told);
        }
    }
    replay.tests
}

struct SessionReplay<'a> {
    ledger: &'a Ledger,
    owed: OwedToSessions,
    /// Which writes their session has made by now.
    is_made: Vec<bool>,
    /// The positions of a write in the logs that ended.
    ended: Vec<u32>,
    tests: GuaranteeTests,
}

impl SessionReplay<'_> {
    fn read(&mut self, at: OpRef, op: &Op, seen: Seen) {
        let log = self.ledger.log_of(op);
        let owed = self.owed.to(op.session);
        let is_kept = |reach: &Reach| reach.at(log) <= seen.position;
        if let Some(own) = &owed.own {
            let test = self.test(Guarantee::ReadYourWrites, Property::ReadYourWrites, (at, op));
            self.tests.judge(&test, (log, is_kept(own)), |tests| &mut tests.read_your_writes, at);
        }
        if let Some(seen_before) = &owed.seen {
            let test = self.test(Guarantee::MonotonicReads, Property::MonotonicReads, (at, op));
            let is_kept = is_kept(seen_before);
            self.tests.judge(&test, (log, is_kept), |tests| &mut tests.monotonic_reads, at);
        }
        // Nothing is owed for a read that saw nothing, nor to a session that is over.
        if seen.position == 0 || self.ledger.sessions.get(op.session).requests == op.sent.request {
            return;
        }
        self.owed.sees(self.ledger, op.session, (log, seen.position));
    }

    fn write(&mut self, at: (OpRef, &Op), write: WriteRef, (class, heard): (OutcomeClass, Heard)) {
        let (ledger, session) = (self.ledger, at.1.session);
        if class == OutcomeClass::Refused {
            return;
        }
        ledger.logs.positions(&ledger.writes, write, &mut self.ended);
        if class == OutcomeClass::Ok {
            self.owed.acknowledges(ledger, session, (write, &self.ended));
        }
        if !ledger.took_effect(write) {
            return;
        }
        // A retry is the write that it repeats.
        if !std::mem::replace(&mut self.is_made[write.place()], true) {
            self.place(at, write);
        }
        // What its session got no answer for binds nothing that comes after it.
        match heard {
            Heard::Answer => self.owed.makes(ledger, session, (write, &self.ended)),
            Heard::Nothing => {}
        }
    }

    /// Tests the place of a write in every log that has it.
    fn place(&mut self, (at, op): (OpRef, &Op), write: WriteRef) {
        let ledger = self.ledger;
        let Owed { seen, made, .. } = self.owed.to(op.session);
        // The first write of a session that has read nothing is after nothing, wherever it is.
        if made.is_none() && seen.is_none() {
            return;
        }
        let in_order = self.test(Guarantee::MonotonicWrites, Property::MonotonicWrites, (at, op));
        let follows =
            self.test(Guarantee::WritesFollowReads, Property::WritesFollowReads, (at, op));
        let row = ledger.writes.row(write);
        for branch in ledger.roster.indexes() {
            let (log, position) = (LogRef::last(branch), row[branch.get()]);
            if position == ABSENT {
                continue;
            }
            if let Some(made) = made {
                let found = (log, made.last(branch) < position);
                self.tests.judge(&in_order, found, |tests| &mut tests.monotonic_writes, (at, log));
            }
            if let Some(seen) = seen {
                let found = (log, seen.last(branch) < position);
                self.tests.judge(
                    &follows,
                    found,
                    |tests| &mut tests.writes_follow_reads,
                    (at, log),
                );
            }
        }
        for (log, position) in ledger.logs.applied(&self.ended) {
            if let Some(made) = made {
                let found = (log, made.at(log) < position);
                self.tests.judge(&in_order, found, |tests| &mut tests.monotonic_writes, (at, log));
            }
            if let Some(seen) = seen {
                let found = (log, seen.at(log) < position);
                self.tests.judge(
                    &follows,
                    found,
                    |tests| &mut tests.writes_follow_reads,
                    (at, log),
                );
            }
        }
    }

    /// A test of the operation `op`.
    fn test(&self, guarantee: Guarantee, property: Property, (at, op): (OpRef, &Op)) -> Test {
        let promised = self.ledger.promised(op.session, guarantee);
        Test { property, promised, at, rank: op.sent.rank }
    }
}

impl GuaranteeTests {
    /// Counts a test in a log, and what is found if what it tests is not kept there.
    fn judge<F>(
        &mut self,
        test: &Test,
        (log, is_kept): (LogRef, bool),
        test_counter: impl FnOnce(&mut Self) -> &mut TestCounter<F>,
        finding: F,
    ) {
        let Test { property, promised, at, rank } = *test;
        let test_counter = test_counter(self);
        test_counter.test(promised);
        if is_kept {
            return;
        }
        test_counter.fail(promised, rank.into(), finding);
        match self.steps {
            StepsKept::None => {}
            StepsKept::All => self.failed.push(Failed { property, at, log, promised }),
        }
    }
}

/// A test of a guarantee: of an operation.
struct Test {
    property: Property,
    promised: Promised,
    at: OpRef,
    /// How early the operation is among all.
    rank: u32,
}
