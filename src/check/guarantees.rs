//! The four session guarantees, in one pass over all operations in the order of their answers.
//!
//! A balance is the sum of all writes in a log, so all of them are relevant to a read. In the order
//! of answers, the reads of a log see longer and longer prefixes of it. So each log is walked once
//! beside the operations, and for what was passed of it the latest position in every log is kept:
//! how far any log must be to hold all that a read here saw.

use std::collections::BTreeMap;

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
        repeated: repeated(ledger),
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
    /// Writes that a session which is told of a loss asks for several times, by their places.
    repeated: BTreeMap<usize, Repeated>,
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
            let test = Test::of(
                self.ledger,
                (Guarantee::ReadYourWrites, Property::ReadYourWrites),
                (at, op),
            );
            self.tests.judge(&test, (log, is_kept(own)), |tests| &mut tests.read_your_writes, at);
        }
        if let Some(seen_before) = &owed.seen {
            let test = Test::of(
                self.ledger,
                (Guarantee::MonotonicReads, Property::MonotonicReads),
                (at, op),
            );
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
        self.place(at, write);
        // What its session got no answer for binds nothing that comes after it.
        match heard {
            Heard::Answer => self.owed.makes(ledger, session, (write, &self.ended)),
            Heard::Nothing => {}
        }
    }

    /// Tests the place of a write, once. A retry is the write that it repeats; but after its session was
    /// told of a loss it may be accepted where the first request was not, and is owed less then.
    fn place(&mut self, at: (OpRef, &Op), write: WriteRef) {
        let owed = self.owed.to(at.1.session);
        match self.repeated.get_mut(&write.place()) {
            Some(repeated) => {
                repeated.ask(at.0, owed);
                if repeated.left == 0
                    && let Some((first, owed)) = repeated.asked.take()
                {
                    let at = (first, self.ledger.sessions.op(first));
                    self.tests.place(self.ledger, &owed, at, (write, &self.ended));
                }
            }
            None => {
                if !std::mem::replace(&mut self.is_made[write.place()], true) {
                    self.tests.place(self.ledger, owed, at, (write, &self.ended));
                }
            }
        }
    }
}

/// A write that is asked for several times.
#[derive(Debug, Default)]
struct Repeated {
    /// How many requests for it are still to come.
    left: u32,
    /// The first request, and what its session was owed at each of them.
    asked: Option<(OpRef, Owed)>,
}

impl Repeated {
    fn ask(&mut self, at: OpRef, owed: &Owed) {
        self.left -= 1;
        match &mut self.asked {
            Some((_, before)) => before.meet(owed),
            None => self.asked = Some((at, owed.clone())),
        }
    }
}

/// The writes for which a session that is told of a loss asks several times without being refused.
fn repeated(ledger: &Ledger) -> BTreeMap<usize, Repeated> {
    let mut repeated: BTreeMap<usize, Repeated> = BTreeMap::new();
    if ledger.told.is_empty() {
        return repeated;
    }
    let mut is_told = vec![false; ledger.sessions.len()];
    for at in &ledger.told {
        is_told[ledger.sessions.op(*at).session.place()] = true;
    }
    for (_, op) in ledger.sessions.ops().filter(|(_, op)| is_told[op.session.place()]) {
        match op.asked {
            Asked::Write { write, class: OutcomeClass::Ok | OutcomeClass::Unknown, .. } => {
                repeated.entry(write.place()).or_default().left += 1;
            }
            Asked::Write { class: OutcomeClass::Refused, .. } | Asked::Query(_) => {}
        }
    }
    repeated.retain(|_, write| write.left > 1);
    repeated
}

impl GuaranteeTests {
    /// Tests the place of a write in every log that has it. `ended` are its positions in those that
    /// ended.
    fn place(
        &mut self,
        ledger: &Ledger,
        owed: &Owed,
        (at, op): (OpRef, &Op),
        (write, ended): (WriteRef, &[u32]),
    ) {
        let Owed { seen, made, .. } = owed;
        // The first write of a session that has read nothing is after nothing, wherever it is.
        if made.is_none() && seen.is_none() {
            return;
        }
        let in_order = (Guarantee::MonotonicWrites, Property::MonotonicWrites);
        let in_order = Test::of(ledger, in_order, (at, op));
        let follows = (Guarantee::WritesFollowReads, Property::WritesFollowReads);
        let follows = Test::of(ledger, follows, (at, op));
        let row = ledger.writes.row(write);
        let in_last = ledger.roster.indexes().map(|branch| (branch, row[branch.get()]));
        for (branch, position) in in_last.filter(|(_, position)| *position != ABSENT) {
            let log = LogRef::last(branch);
            if let Some(made) = made {
                let found = (log, made.last(branch) <= position);
                self.judge(&in_order, found, |tests| &mut tests.monotonic_writes, (at, log));
            }
            if let Some(seen) = seen {
                let found = (log, seen.last(branch) <= position);
                self.judge(&follows, found, |tests| &mut tests.writes_follow_reads, (at, log));
            }
        }
        for (log, position) in ledger.logs.applied(ended) {
            if let Some(made) = made {
                let found = (log, made.at(log) <= position);
                self.judge(&in_order, found, |tests| &mut tests.monotonic_writes, (at, log));
            }
            if let Some(seen) = seen {
                let found = (log, seen.at(log) <= position);
                self.judge(&follows, found, |tests| &mut tests.writes_follow_reads, (at, log));
            }
        }
    }

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

impl Test {
    fn of(
        ledger: &Ledger,
        (guarantee, property): (Guarantee, Property),
        (at, op): (OpRef, &Op),
    ) -> Self {
        let promised = ledger.promised(op.session, guarantee);
        Self { property, promised, at, rank: op.sent.rank }
    }
}
