//! Branches whose disks answer when the test says so: what they say, and when.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Context, Handler, Message, Recipient};

use super::fixture::amount;
use super::*;
use crate::bank::{
    Acknowledgement, Branch, BranchConfig, LifeList, Passbook, PeerMessage, PropagatedWrite,
    Session, VersionVector, WriteSetDigest,
};
use crate::history::{Fact, MessageBody, Recorded};
use crate::model::{
    BranchId, CustomerId, Dot, Durability, EventId, Guarantees, LogPosition, MessageNumber,
    Operation, Overdraft, Propagation, RequestNumber, Roster, Sequence, Write, WriteId,
};

/// Commits that nobody has answered, of one branch.
pub(super) type Commits = Rc<RefCell<VecDeque<u64>>>;

struct Disk(Commits);

impl Actor for Disk {
    type Context = Context<Self>;
}

impl Handler<Commit> for Disk {
    type Result = ();

    fn handle(&mut self, commit: Commit, _: &mut Self::Context) {
        self.0.borrow_mut().push_back(commit.number);
    }
}

/// Stands for all branches that are not there, and tells what comes to them.
struct Others(mpsc::Sender<String>);

impl Actor for Others {
    type Context = Context<Self>;
}

impl Handler<PeerEnvelope> for Others {
    type Result = ();

    fn handle(&mut self, envelope: PeerEnvelope, _: &mut Self::Context) {
        self.0.send(format!("branch {} is told something", envelope.to)).unwrap();
    }
}

/// Tells what branches say to each other and apply, when they do.
struct Clerk(mpsc::Sender<String>);

impl Observer for Clerk {
    fn observe(&mut self, Recorded { fact, .. }: Recorded) {
        if let Fact::MessageSent { to, body, .. } = &fact {
            let what = match body {
                MessageBody::Propagate { id } => format!("write {}", id.event),
                MessageBody::Acknowledge { id, .. } => format!("acknowledgement of {}", id.event),
                MessageBody::CatchUp => "question".to_owned(),
                MessageBody::Missed { .. } => "answer".to_owned(),
            };
            self.0.send(format!("{what} to {to}")).unwrap();
        } else if let Fact::WriteApplied { position, .. } = &fact {
            self.0.send(format!("applied at {position}")).unwrap();
        }
    }
}

/// A bank of which the first branches are there.
pub(super) struct Bank {
    pub(super) roster: Arc<Roster>,
    actors: Vec<BranchActor>,
    pub(super) branches: Vec<Addr<BranchActor>>,
    pub(super) commits: Vec<Commits>,
    tell: mpsc::Sender<String>,
    told: mpsc::Receiver<String>,
    /// What came to those who asked how a branch stands, and to branches that are not there.
    tell_late: mpsc::Sender<String>,
    told_late: mpsc::Receiver<String>,
}

impl Bank {
    /// The branches are what `make` makes.
    pub(super) fn open(
        (here, branches): (usize, u32),
        make: impl Fn(BranchId, Arc<Roster>) -> Branch,
    ) -> Self {
        let roster = Arc::new(Roster::new((1..=branches).map(branch)).unwrap());
        let ((tell, told), (tell_late, told_late)) = (mpsc::channel(), mpsc::channel());
        let actors: Vec<BranchActor> = (0..here).map(|_| <_>::default()).collect();
        let addresses: Vec<_> = actors.iter().map(|actor| actor.clone().start()).collect();
        let others = Others(tell_late.clone()).start();
        let link = |index: usize| -> Recipient<PeerEnvelope> {
            let here = addresses.get(index).map(|branch| branch.clone().recipient());
            here.unwrap_or_else(|| others.clone().recipient())
        };
        let peers = Peers::straight(&roster, (0..roster.len()).map(link).collect());
        let commits: Vec<Commits> = actors.iter().map(|_| Commits::default()).collect();
        let clerk = Rc::new(RefCell::new(Clerk(tell.clone())));
        for ((actor, commits), &id) in actors.iter().zip(&commits).zip(roster.ids()) {
            let commits = Disk(Rc::clone(commits)).start().recipient();
            let recorder = RecorderLink {
                clock: TimeSource::real_time(),
                observer: Some(clerk.clone()),
                detail: Detail::Everything,
            };
            let context = BranchContext {
                peers: peers.clone(),
                recorder,
                standing: None,
                faulty: None,
                storage: Some(StorageLink { commits, power: None }),
            };
            actor.open(make(id, Arc::clone(&roster)), context);
        }
        let branches = addresses;
        Self { roster, actors, branches, commits, tell, told, tell_late, told_late }
    }

    /// Lets all go on until nobody has anything to do.
    pub(super) async fn rest(&self) {
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
    }

    /// What is said since the last time, in order.
    pub(super) async fn said(&self) -> Vec<String> {
        self.rest().await;
        self.told.try_iter().collect()
    }

    /// What has come to those who asked how a branch stands, and to branches that are not there.
    pub(super) async fn said_late(&self) -> Vec<String> {
        self.rest().await;
        self.told_late.try_iter().collect()
    }

    /// The disk of the branch at `place` has kept what it was asked to.
    pub(super) async fn keep(&self, place: usize) {
        self.rest().await;
        let number = self.commits[place].borrow_mut().pop_front().expect("a commit is under way");
        self.branches[place].do_send(Committed(number));
        self.rest().await;
    }

    /// How much the branch at `place` holds back.
    pub(super) fn held(&self, place: usize) -> usize {
        let open = self.actors[place].open.borrow();
        open.as_ref().unwrap().outbox.as_ref().unwrap().len()
    }

    pub(super) fn then<T>(
        &self,
        told: impl FnOnce(T) -> String + Send + 'static,
    ) -> Box<dyn FnOnce(T) + Send> {
        let tell = self.tell.clone();
        Box::new(move |answer| tell.send(told(answer)).unwrap())
    }

    /// Asks the branch at `place` for something.
    pub(super) fn ask(
        &self,
        place: usize,
        event: i64,
        operation: Operation,
        session: Option<Session>,
    ) {
        let told = move |answer: Answer| match answer.outcome {
            Ok(receipt) => format!("{event}: {receipt:?}"),
            Err(error) => format!("{event}: {error}"),
        };
        self.branches[place].do_send(Ask {
            customer: customer(1),
            request: RequestNumber::default(),
            event: EventId::new(event).unwrap(),
            operation,
            session,
            reply_to: ReplyTo::Then(self.then(told)),
        });
    }

    /// Asks how the first branch stands.
    pub(super) fn question<M, T>(&self, question: M, told: impl FnOnce(T) -> String + 'static)
    where
        M: Message<Result = T> + Send + 'static,
        T: Send + 'static,
        BranchActor: Handler<M>,
        Context<BranchActor>: ToEnvelope<BranchActor, M>,
    {
        let (asked, tell) = (self.branches[0].send(question), self.tell_late.clone());
        actix_rt::spawn(async move { tell.send(told(asked.await.unwrap())).unwrap() });
    }

    /// What `from` says to the first branch, with the lives that all began in.
    pub(super) fn envelope(&self, from: u32, message: PeerMessage) -> PeerEnvelope {
        let (from, lives) = (branch(from), LifeList::of_first_lives());
        PeerEnvelope { from, to: branch(1), number: MessageNumber::default(), lives, message }
    }

    pub(super) fn bring(&self, name: &'static str, waiting_max: usize, envelope: PeerEnvelope) {
        let told = move |delivered: Delivered| {
            let what = match delivered {
                Delivered::Applied { .. } => "applied",
                Delivered::Answered { .. } => "answered",
                Delivered::ThrownAway { .. } => "thrown away",
                Delivered::Conflicts => "conflicts",
                Delivered::Crowded { .. } => "crowded",
            };
            format!("{name}: {what}")
        };
        let reply_to = ReplyTo::Then(self.then(told));
        self.branches[0].do_send(Deliver { envelope, waiting_max, reply_to });
    }

    pub(super) fn relay(&self, name: &'static str, event: i64) {
        let told = move |answer: Answer| format!("{name}: {:?}", answer.outcome.unwrap());
        let (from, id, write) = (branch(3), write_id(3, event), Write::deposit(amount(1)));
        let reply_to = ReplyTo::Then(self.then(told));
        self.branches[0].do_send(Relay { from, id, write, reply_to });
    }

    /// Asks all that can be asked about how the first branch stands.
    pub(super) fn all_questions(&self) {
        self.question(Inspect { most: 9 }, |state| {
            let state = state.unwrap();
            format!("state of {} with {}", state.summary.position, state.log.len())
        });
        self.question(Summarize, |summary| format!("summary of {}", summary.unwrap().position));
        self.question(LatestEvent(customer(1)), |event| {
            format!("latest event {}", event.unwrap().unwrap())
        });
        self.question(ReadWriteSet(customer(1)), |state| {
            let WriteSetState { balance, write_set } = state.unwrap();
            format!("{} write(s) for {}", write_set.len(), balance.unwrap())
        });
        self.question(WriteSetAt(customer(1), LogPosition::new(1)), |write_set| {
            format!("write set of {}", write_set.len())
        });
        self.question(ReadLog { after: LogPosition::default(), most: 9 }, |log| {
            format!("log of {}", log.len())
        });
        self.question(BalanceAt(LogPosition::new(1)), |balance| {
            format!("balance {}", balance.unwrap())
        });
        self.question(Watch, |length| format!("length {}", *length.unwrap().borrow()));
    }
}

pub(super) fn branch(id: u32) -> BranchId {
    BranchId::new(i64::from(id)).unwrap()
}

pub(super) fn customer(id: i64) -> CustomerId {
    CustomerId::new(id).unwrap()
}

fn write_id(by: i64, event: i64) -> WriteId {
    WriteId { customer: customer(by), event: EventId::new(event).unwrap() }
}

pub(super) fn deposit(minor: i64) -> Operation {
    Operation::Write(Write::deposit(amount(minor)))
}

/// The write `sequence` of `origin`, by a customer with the same number.
pub(super) fn propagated(origin: u32, sequence: u32, minor: i64) -> PropagatedWrite {
    PropagatedWrite {
        dot: Dot::first_life(branch(origin), Sequence::new(sequence)),
        id: write_id(i64::from(origin), i64::from(sequence)),
        write: Write::deposit(amount(minor)),
        dependencies: None,
    }
}

pub(super) fn config() -> BranchConfig {
    let (propagation, overdraft) = (Propagation::Async, Overdraft::Reject);
    BranchConfig { propagation, overdraft, durability: Durability::Disk, ..BranchConfig::default() }
}

pub(super) fn acknowledged(sequence: u32) -> PeerMessage {
    let PropagatedWrite { dot, id, .. } = propagated(1, sequence, 1);
    let write_set = WriteSetDigest::told(sequence, 0, None);
    PeerMessage::Acknowledge(Acknowledgement { dot, id, write_set })
}

/// A session that has seen the first write of branch 2.
pub(super) fn waiting_session(roster: &Roster) -> Session {
    let seen = [0, 1, 0].map(Sequence::new);
    let mut passbook = Passbook::new(roster);
    passbook.reads = VersionVector::from_counts(seen, roster).unwrap();
    Session { passbook, guarantees: Guarantees::ALL }
}

/// One of which a branch is there that `make` makes; it holds a write, which is kept and said.
pub(super) async fn with_a_write(make: impl Fn(BranchId, Arc<Roster>) -> Branch) -> Bank {
    let bank = Bank::open((1, 3), make);
    bank.ask(0, 1, deposit(1), None);
    bank.keep(0).await;
    let all = ["applied at 1", "1: Written", "write 1 to 2", "write 1 to 3"];
    assert_eq!(bank.said().await, all);
    assert_eq!(bank.said_late().await.len(), 2);
    bank
}
