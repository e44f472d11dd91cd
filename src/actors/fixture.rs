//! A bank for one test, whose messages between branches go on when the test says so.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use actix::{Actor, Addr, Context, Handler};

use super::{
    AnswerAll, Begin, BranchActor, BranchContext, Call, CountRemembered, Deliver, Detail,
    NoEventId, PassbookSource, PeerEnvelope, Peers, RecorderLink, SessionRegistry, StraightWay,
    Submit, Submitted, Summarize, TimeSource,
};
use crate::bank::{Branch, Passbook, VersionVector};
use crate::model::{
    Amount, BranchId, CustomerId, EventId, GuaranteePolicy, LogEntry, LogPosition, Money,
    Operation, Outcome, Roster, Sequence, Write,
};

/// Holds what branches say to each other until the test hands it on.
struct Held(Rc<RefCell<VecDeque<PeerEnvelope>>>);

impl Actor for Held {
    type Context = Context<Self>;
}

impl Handler<PeerEnvelope> for Held {
    type Result = ();

    fn handle(&mut self, envelope: PeerEnvelope, _: &mut Self::Context) {
        self.0.borrow_mut().push_back(envelope);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Straight,
    Registry,
}

/// Which passbook goes with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Kept,
    /// A new one.
    Blank,
    /// All that the customer was told.
    Told,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) customer: i64,
    pub(super) branch: i64,
    pub(super) event: Option<i64>,
    pub(super) operation: Operation,
    pub(super) shown: Shown,
}

/// What a customer is told: of a write, under which event id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) event: Option<u32>,
    pub(super) outcome: Outcome,
    pub(super) balance: Money,
    pub(super) position: LogPosition,
    pub(super) passbook: Passbook,
}

/// What requests were told, by number, the apply logs, and how many customers are remembered.
pub(super) type End = (BTreeMap<usize, Result<Told, NoEventId>>, Vec<Vec<LogEntry>>, usize);

/// Two branches, and the two ways to them.
pub(super) struct TestBank {
    roster: Arc<Roster>,
    pub(super) way: StraightWay,
    taken: Way,
    registry: Addr<SessionRegistry>,
    pub(super) actors: Vec<BranchActor>,
    branches: Vec<Addr<BranchActor>>,
    peers: Peers,
    held: Rc<RefCell<VecDeque<PeerEnvelope>>>,
    tell: mpsc::Sender<(usize, Result<Submitted, NoEventId>)>,
    tells: mpsc::Receiver<(usize, Result<Submitted, NoEventId>)>,
    asked: Vec<Asked>,
    told: BTreeMap<usize, Result<Told, NoEventId>>,
    carried: BTreeMap<i64, Passbook>,
}

impl TestBank {
    /// One whose branches are what `branch` makes.
    pub(super) fn open(
        taken: Way,
        sessions_max: usize,
        branch: impl Fn(BranchId, Arc<Roster>) -> Branch,
    ) -> Self {
        let roster = Roster::new([1, 2].map(|id| BranchId::new(id).unwrap()));
        let roster = Arc::new(roster.unwrap());
        let held = Rc::<RefCell<VecDeque<PeerEnvelope>>>::default();
        let collector = Held(Rc::clone(&held)).start().recipient();
        let peers = Peers::straight(&roster, vec![collector; 2].into());
        let actors: Vec<BranchActor> = roster.ids().iter().map(|_| <_>::default()).collect();
        for (&id, actor) in roster.ids().iter().zip(&actors) {
            actor.open(branch(id, Arc::clone(&roster)), context(&peers));
        }
        let branches: Vec<_> = actors.iter().map(|actor| actor.clone().start()).collect();
        let guarantees = GuaranteePolicy::default();
        let registry = SessionRegistry::new(Arc::clone(&roster), guarantees.clone())
            .forgetting(sessions_max, branches.clone())
            .start();
        let way = StraightWay::new(Arc::clone(&roster), guarantees, registry.clone());
        let (tell, tells) = mpsc::channel();
        let (asked, told, carried) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            roster,
            way,
            taken,
            registry,
            actors,
            branches,
            peers,
            held,
            tell,
            tells,
            asked,
            told,
            carried,
        }
    }

    /// Lets the branch at `place` begin again as what `branch` makes.
    pub(super) async fn begin_again(
        &mut self,
        place: usize,
        branch: impl Fn(BranchId, Arc<Roster>) -> Branch,
    ) {
        let id = self.roster.ids()[place];
        self.actors[place].open(branch(id, Arc::clone(&self.roster)), context(&self.peers));
        self.branches[place].do_send(Begin);
        self.rest().await;
    }

    /// Lets branches hear from each other of whom one has begun again.
    pub(super) async fn hear_each_other(&mut self) {
        // What it asks, what the other one asks and answers, and its answer.
        for _ in 0..3 {
            for from in [1, 2] {
                self.deliver(from).await;
            }
        }
    }

    /// Brings what a branch elsewhere sends to the one at `place`.
    pub(super) async fn bring(&mut self, place: usize, deliver: Deliver) {
        self.branches[place].do_send(deliver);
        self.rest().await;
    }

    /// Hands a request in, and lets nobody take it up yet.
    pub(super) fn ask(&mut self, asked: Asked) -> usize {
        let Asked { customer, branch, event, operation, shown } = asked;
        let blank = || Passbook::new(&self.roster);
        let passbook = match shown {
            Shown::Kept => PassbookSource::Kept,
            Shown::Blank => PassbookSource::Carried(blank()),
            Shown::Told => {
                PassbookSource::Carried(self.carried.get(&customer).cloned().unwrap_or_else(blank))
            }
        };
        let number = self.asked.len();
        let tell = self.tell.clone();
        let branch = BranchId::new(branch).unwrap();
        let tell = move |submitted| tell.send((number, submitted)).unwrap();
        let call = Call {
            branch,
            customer: CustomerId::new(customer).unwrap(),
            event: event.map(|id| EventId::new(id).unwrap()).into(),
            operation,
            passbook,
        };
        let branch = &self.branches[self.roster.index(branch).unwrap().get()];
        self.asked.push(asked);
        match self.taken {
            Way::Straight => self.way.submit(call, branch, tell),
            Way::Registry => {
                let (branch, tell) = (branch.clone(), Box::new(tell));
                self.registry.do_send(Submit { call, branch, tell });
            }
        }
        number
    }

    /// Lets all go on until nobody has anything to do.
    pub(super) async fn rest(&mut self) {
        for _ in 0..8 {
            self.registry.send(CountRemembered).await.unwrap();
            for branch in &self.branches {
                branch.send(Summarize).await.unwrap().unwrap();
            }
        }
        for (number, submitted) in self.tells.try_iter() {
            let asked = self.asked[number];
            let told = submitted.map(|submitted| {
                let Submitted { event, outcome, balance, position, passbook } = submitted;
                let carried = self.carried.entry(asked.customer);
                carried.or_insert_with(|| passbook.clone()).merge(&passbook);
                let is_write = matches!(asked.operation, Operation::Write(_));
                let event = is_write.then_some(event.get());
                Told { event, outcome, balance, position, passbook }
            });
            assert_eq!(self.told.insert(number, told), None, "one answer to a request");
        }
    }

    /// Loses all that is on its way between branches.
    pub(super) fn forget_messages(&mut self) {
        self.held.borrow_mut().clear();
    }

    /// Lets `customer` carry what it was told last, and nothing else.
    pub(super) fn replace_carried(&mut self, customer: i64) {
        let last = self.told.iter().next_back().and_then(|(_, told)| told.as_ref().ok());
        let last = last.expect("it was told something");
        self.carried.insert(customer, last.passbook.clone());
    }

    /// Hands on the first message of branch `from`, if there is one.
    pub(super) async fn deliver(&mut self, from: i64) {
        let mut held = self.held.take();
        let from = BranchId::new(from).unwrap();
        if let Some(place) = held.iter().position(|envelope| envelope.from == from)
            && let Some(envelope) = held.remove(place)
        {
            let to = self.roster.index(envelope.to).unwrap();
            self.branches[to.get()].do_send(envelope);
        }
        self.held.borrow_mut().extend(held);
        self.rest().await;
    }

    pub(super) async fn answer(&mut self, asked: Asked) -> Told {
        let number = self.ask(asked);
        self.rest().await;
        self.told(number)
    }

    pub(super) fn told(&self, number: usize) -> Told {
        self.told[&number].clone().unwrap()
    }

    pub(super) fn is_answered(&self, number: usize) -> bool {
        self.told.contains_key(&number)
    }

    pub(super) async fn remembered(&self) -> usize {
        self.registry.send(CountRemembered).await.unwrap().customers
    }

    /// Ends the waiting of all who wait.
    pub(super) async fn answer_all(&mut self) {
        for branch in &self.branches {
            branch.do_send(AnswerAll);
        }
        self.rest().await;
    }

    /// What everybody is told in the end, and what each branch holds. Who asks last shows which passbook
    /// is kept for each customer, and which event id comes next.
    pub(super) async fn end(mut self) -> End {
        self.answer_all().await;
        for customer in 1..=2 {
            let next = deposit(customer, 1, None);
            let query = Asked { operation: Operation::Query, shown: Shown::Kept, ..next };
            for asked in [query, next] {
                self.ask(asked);
                self.rest().await;
                // From now on nobody may wait, and whoever does would be told at no certain moment.
                self.answer_all().await;
            }
        }
        let logs = self.actors.iter().map(|actor| actor.close().unwrap().log).collect();
        let remembered = self.remembered().await;
        (self.told, logs, remembered)
    }

    pub(super) fn vector(&self, counts: [u32; 2]) -> VersionVector {
        VersionVector::from_counts(counts.map(Sequence::new), &self.roster).unwrap()
    }
}

fn context(peers: &Peers) -> BranchContext {
    let clock = TimeSource::real_time();
    let recorder = RecorderLink { clock, observer: None, detail: Detail::Essentials };
    BranchContext { peers: peers.clone(), recorder, standing: None, faulty: None, storage: None }
}

pub(super) fn in_system<T>(test: impl Future<Output = T>) -> T {
    actix::System::new().block_on(test)
}

pub(super) fn amount(minor: i64) -> Amount {
    Amount::try_from(Money::from_minor(minor)).unwrap()
}

/// A deposit of 1 by a customer that carries a new passbook.
pub(super) fn deposit(customer: i64, branch: i64, event: Option<i64>) -> Asked {
    let operation = Operation::Write(Write::deposit(amount(100)));
    Asked { customer, branch, event, operation, shown: Shown::Blank }
}
