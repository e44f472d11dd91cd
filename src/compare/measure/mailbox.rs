//! A bank of actors in one thread, its customers among them.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, System,
    WrapFuture,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::bank::{Bank, Conclusion, Job, Played, Purpose, play, unanswered};
use super::propagation_delay::Watcher;
use super::schedule::{now, until};
use super::virtual_client::{Failure, Samples, Turn, VirtualClient};
use super::work::Work;
use super::{CompareError, Transport};
use crate::actors::{Answer, Ask, BranchActor, ReplyTo, WallClock};
use crate::bank::{Passbook, Session};
use crate::model::{Guarantees, RequestNumber, Roster, Time};
use crate::run::{BankSetup, addresses, balances, settle};

/// Plays a round in a thread of its own.
pub(super) async fn play_between_mailboxes(
    work: &Arc<Work>,
    job: Job,
    stop: CancellationToken,
) -> Result<Played, CompareError> {
    let (tell, played) = oneshot::channel();
    let work = Arc::clone(work);
    let run = move || {
        let played = System::new().block_on(async {
            tokio::select! {
                biased;
                () = stop.cancelled() => Err(CompareError::Stopped),
                played = async {
                    let mut bank = Mailboxes::open(&work, job.purpose);
                    play(&mut bank, &work, job).await
                } => played,
            }
        });
        if tell.send(played).is_err() {
            log::debug!("the comparison was stopped");
        }
    };
    thread::Builder::new().name("mailbox".to_owned()).spawn(run).map_err(CompareError::Runtime)?;
    played.await.unwrap_or(Err(ENDED))
}

const ENDED: CompareError = CompareError::BankEnded(Transport::Mailbox);

struct Mailboxes {
    work: Arc<Work>,
    branches: Vec<Addr<BranchActor>>,
    workers: Vec<Addr<WorkerActor>>,
    clock: WallClock,
    watcher: Option<Rc<RefCell<Watcher>>>,
}

impl Mailboxes {
    fn open(work: &Arc<Work>, purpose: Purpose) -> Self {
        let clock = purpose.clock();
        let (recorder, watcher) = purpose.recorder(clock);
        let Work { roster, opening_balance, .. } = &**work;
        let setup = BankSetup {
            roster,
            opening_balance: *opening_balance,
            branch: work.branch_config(purpose.speed()),
            recorder: &recorder,
            beginnings: None,
            disks: None,
            faulty: None,
        };
        let seats = setup.start_all(|mailboxes| mailboxes);
        let branches = addresses(&seats);
        let counters: Rc<[Recipient<Ask>]> =
            branches.iter().map(|branch| branch.clone().recipient()).collect();
        let worker = |worker| WorkerActor::new(work, worker, Rc::clone(&counters)).start();
        let workers = (0..work.workers.len()).map(worker).collect();
        Self { work: Arc::clone(work), branches, workers, clock, watcher }
    }
}

impl Bank for Mailboxes {
    async fn walk(&mut self, span: Range<u32>) -> Result<Vec<Samples>, CompareError> {
        let mut ends = Vec::with_capacity(self.workers.len());
        let start = now();
        for (worker, address) in self.workers.iter().enumerate() {
            let (done, end) = oneshot::channel();
            let walk = VirtualClient::new(&self.work, worker, span.clone(), start);
            address.do_send(Depart { walk, done });
            ends.push(end);
        }
        let mut samples = Vec::with_capacity(ends.len());
        for end in ends {
            let end = end.await.map_err(|_| ENDED)?;
            samples.push(end.map_err(|failure| unanswered(Transport::Mailbox, failure))?);
        }
        Ok(samples)
    }

    async fn settle(&mut self, _: u64) -> Result<(), CompareError> {
        settle(&self.branches).await.map_err(|_| ENDED)
    }

    async fn conclude(&mut self) -> Result<Conclusion, CompareError> {
        conclude(&self.branches, self.watcher.as_deref()).await.ok_or(ENDED)
    }

    fn transport(&self) -> Transport {
        Transport::Mailbox
    }

    fn processes(&self) -> Vec<u32> {
        vec![std::process::id()]
    }

    fn carried_bytes(&self) -> Option<u64> {
        None
    }

    fn time(&self) -> Time {
        self.clock.now()
    }
}

/// How `branches` stand; `None` if one has stopped.
pub(super) async fn conclude(
    branches: &[Addr<BranchActor>],
    watcher: Option<&RefCell<Watcher>>,
) -> Option<Conclusion> {
    let balances = balances(branches).await.ok()?;
    let seen = watcher.map(|watcher| watcher.borrow_mut().take_seen()).unwrap_or_default();
    Some(Conclusion { balances, seen })
}

/// The customers of one worker: one, or some who take turns.
struct WorkerActor {
    roster: Arc<Roster>,
    counters: Rc<[Recipient<Ask>]>,
    /// One per customer; `None` where nothing is promised.
    sessions: Vec<Option<Session>>,
    connector: Option<Depart>,
    requests: RequestNumber,
}

/// Sends a worker on its way.
#[derive(Message)]
#[rtype(result = "()")]
struct Depart {
    walk: VirtualClient,
    done: oneshot::Sender<Result<Samples, Failure>>,
}

impl WorkerActor {
    fn new(work: &Work, worker: usize, counters: Rc<[Recipient<Ask>]>) -> Self {
        let session = |guarantees| {
            (guarantees != Guarantees::NONE)
                .then(|| Session { passbook: Passbook::new(&work.roster), guarantees })
        };
        let customers = &work.workers[worker].customers;
        Self {
            roster: Arc::clone(&work.roster),
            counters,
            sessions: customers.iter().map(|customer| session(customer.guarantees)).collect(),
            connector: None,
            requests: RequestNumber::default(),
        }
    }

    fn go_on(&mut self, ctx: &mut Context<Self>) {
        let Some(Depart { walk, .. }) = &self.connector else { return };
        match (walk.turn().is_some(), walk.due()) {
            (false, _) => self.end(Ok),
            (true, Some(due)) if due > now() => self.wait(due, ctx),
            (true, _) => self.ask(ctx),
        }
    }

    fn wait(&self, due: Instant, ctx: &mut Context<Self>) {
        ctx.spawn(until(due).into_actor(self).map(|(), worker, ctx| worker.ask(ctx)));
    }

    fn ask(&mut self, ctx: &mut Context<Self>) {
        let Some(Turn { step, customer, event }) =
            self.connector.as_ref().and_then(|connector| connector.walk.turn())
        else {
            return;
        };
        self.requests = self.requests.next();
        let reply_to = ReplyTo::Mailbox(Arc::new(ctx.address().recipient()));
        self.counters[step.branch.get()].do_send(Ask {
            customer: customer.id,
            request: self.requests,
            event: event.id,
            operation: event.operation,
            session: self.sessions[step.who].clone(),
            reply_to,
        });
    }

    fn end(&mut self, conclude: impl FnOnce(Samples) -> Result<Samples, Failure>) {
        if let Some(Depart { walk, done }) = self.connector.take()
            && done.send(conclude(walk.finish())).is_err()
        {
            log::debug!("nobody waits for a worker any more");
        }
    }
}

impl Actor for WorkerActor {
    type Context = Context<Self>;
}

impl Handler<Depart> for WorkerActor {
    type Result = ();

    fn handle(&mut self, depart: Depart, ctx: &mut Self::Context) {
        self.connector = Some(depart);
        self.go_on(ctx);
    }
}

impl Handler<Answer> for WorkerActor {
    type Result = ();

    fn handle(&mut self, answer: Answer, ctx: &mut Self::Context) {
        let Some(Depart { walk, .. }) = &mut self.connector else { return };
        let Some(who) = walk.turn().map(|turn| turn.step.who) else { return };
        let answered = walk.answered(&answer.outcome);
        if let Some(session) = &mut self.sessions[who] {
            session.passbook.enter(&answer.entry, &self.roster);
        }
        match answered {
            Ok(()) => self.go_on(ctx),
            Err(failure) => self.end(|_| Err(failure)),
        }
    }
}
