//! How the judge's time grows with the history: `cargo bench --bench judge`.
//!
//! Histories of ten branches are made on the fly, in pieces, and only judging is timed. The last
//! column must stay at or below 1.5: time per operation against that of the shortest history.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use passbook::check::{Case, Judge, JudgeOptions, Overall};
use passbook::history::{Fact, Recorded};
use passbook::model::{
    BranchId, CustomerId, EventId, LogPosition, Money, Operation, Receipt, RequestNumber, Roster,
    Sequence, Time, Write, WriteId,
};

const BRANCHES: usize = 10;
const CUSTOMERS: usize = 100;
/// How many writes are on their way to each branch.
const LAG_WRITES: usize = 20;
const OPERATIONS: [usize; 3] = [10_000, 100_000, 1_000_000];
/// A history is made and judged this often, and the fastest time counts.
const ROUNDS: usize = 5;
const RATIO_MAX: f64 = 1.5;

/// A bank with lag: half of the operations are writes, and each reaches the other branches when
/// some more have been accepted. A customer reads and writes anywhere, so that guarantees break.
struct Bank {
    roster: Vec<BranchId>,
    customers: Vec<CustomerId>,
    random: u64,
    requests: Vec<u64>,
    logs: Vec<(u64, i64)>,
    /// Per branch, what is on its way to it.
    under_way: Vec<VecDeque<(usize, WriteId, Write)>>,
    facts: Vec<Recorded>,
}

impl Bank {
    fn new() -> Self {
        let ids = |count: usize| (1..=i64::try_from(count).expect("small")).collect::<Vec<_>>();
        let branch = |id| BranchId::new(id).expect("an id");
        let customer = |id| CustomerId::new(id).expect("an id");
        Self {
            roster: ids(BRANCHES).into_iter().map(branch).collect(),
            customers: ids(CUSTOMERS).into_iter().map(customer).collect(),
            random: 7,
            requests: vec![0; CUSTOMERS],
            logs: vec![(0, 0); BRANCHES],
            under_way: vec![VecDeque::new(); BRANCHES],
            facts: Vec::new(),
        }
    }

    /// A number below `bound`.
    fn draw(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let bound = u64::try_from(bound).expect("small");
        usize::try_from(self.random % bound).expect("below bound")
    }

    fn record(&mut self, fact: Fact) {
        self.facts.push(Recorded { at: Time::START, fact });
    }

    fn apply(&mut self, at: usize, origin: usize, id: WriteId, write: Write) {
        let (position, balance_minor) = &mut self.logs[at];
        *position += 1;
        *balance_minor += write.delta().minor();
        let (position, balance) = (LogPosition::new(*position), Money::from_minor(*balance_minor));
        let (branch, origin) = (self.roster[at], self.roster[origin]);
        let sequence = Sequence::new(1);
        self.record(Fact::WriteApplied {
            branch,
            id,
            write,
            origin,
            life: None,
            sequence,
            position,
            balance,
        });
    }

    /// One request from its sending to its reply.
    fn operate(&mut self) {
        let (who, at) = (self.draw(CUSTOMERS), self.draw(BRANCHES));
        let (customer, branch) = (self.customers[who], self.roster[at]);
        self.requests[who] += 1;
        let request = RequestNumber::new(self.requests[who]);
        let event = EventId::new(i64::try_from(request.get()).expect("small")).expect("an id");
        let amount = Money::from_minor(100).try_into().expect("positive");
        let operation = match self.draw(4) {
            0 => Operation::Write(Write::deposit(amount)),
            1 => Operation::Write(Write::withdraw(amount)),
            _ => Operation::Query,
        };
        self.record(Fact::RequestSent { customer, request, branch, event, operation });
        self.record(Fact::RequestReceived { branch, customer, request });
        let outcome = match operation {
            Operation::Write(write) => {
                self.accept(at, WriteId { customer, event }, write);
                Receipt::Written
            }
            Operation::Query => Receipt::Balance(Money::from_minor(self.logs[at].1)),
        };
        let position = LogPosition::new(self.logs[at].0);
        self.record(Fact::ReplySent { branch, customer, request, position, outcome: Ok(outcome) });
        self.record(Fact::ReplyReceived { customer, request, branch });
    }

    fn accept(&mut self, at: usize, id: WriteId, write: Write) {
        self.apply(at, at, id, write);
        for other in (0..BRANCHES).filter(|other| *other != at) {
            self.under_way[other].push_back((at, id, write));
            if self.under_way[other].len() > LAG_WRITES {
                self.deliver(other);
            }
        }
    }

    fn deliver(&mut self, at: usize) {
        if let Some((origin, id, write)) = self.under_way[at].pop_front() {
            self.apply(at, origin, id, write);
        }
    }
}

/// How long it takes to judge a history of so many operations, and how many facts it has.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn measure(operations: usize) -> (Duration, usize) {
    let mut bank = Bank::new();
    let roster = Arc::new(Roster::new(bank.roster.iter().copied()).expect("a bank"));
    let case = Case::new(roster, Money::ZERO);
    let mut judge = Judge::new(case, JudgeOptions::default());
    let mut spent = Duration::ZERO;
    let mut facts = 0;
    let mut left = operations;
    while left > 0 {
        let piece = left.min(1000);
        left -= piece;
        for _ in 0..piece {
            bank.operate();
        }
        if left == 0 {
            for at in 0..BRANCHES {
                while !bank.under_way[at].is_empty() {
                    bank.deliver(at);
                }
            }
        }
        let start = Instant::now();
        for recorded in &bank.facts {
            judge.observe(recorded).expect("a possible history");
        }
        spent += start.elapsed();
        facts += bank.facts.len();
        bank.facts.clear();
    }
    let start = Instant::now();
    let verdicts = black_box(judge.finish().expect("a possible history"));
    spent += start.elapsed();
    assert_eq!(
        verdicts.by_property.read_your_writes.summary(),
        Overall::Violated,
        "the bank is late"
    );
    assert_eq!(verdicts.by_property.balances.summary(), Overall::Holds, "and counts right");
    assert_eq!(verdicts.by_property.exactly_once.summary(), Overall::Holds, "and loses nothing");
    (spent, facts)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn main() {
    println!("{BRANCHES} branches, {CUSTOMERS} customers, best of {ROUNDS}");
    println!(
        "{:>10} {:>10} {:>10} {:>8} {:>6}",
        "operations", "facts", "seconds", "ns/op", "ratio"
    );
    let mut base_ns = None;
    let mut worst: f64 = 0.0;
    for operations in OPERATIONS {
        let rounds = (0..ROUNDS).map(|_| measure(operations));
        let (spent, facts) = rounds.min().expect("at least one round");
        let ns = spent.as_secs_f64() * 1e9 / f64::from(u32::try_from(operations).expect("small"));
        let ratio = ns / *base_ns.get_or_insert(ns);
        worst = worst.max(ratio);
        let seconds = spent.as_secs_f64();
        println!("{operations:>10} {facts:>10} {seconds:>10.3} {ns:>8.0} {ratio:>6.2}");
    }
    println!("worst ratio {worst:.2}, at most {RATIO_MAX} is wanted");
}
