//! A worker: pulls shares, gives them to its threads, brings their results to the server, and says in
//! between that it is at them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::{AckKind, Message};
use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::connection::{Link, PAUSE, connect};
use super::notices::LEASE;
use super::objects::Objects;
use super::patience::Patience;
use super::pulled::Pulled;
use super::streams;
use super::work::{Bringer, Delivery, FailureReport};
use crate::cluster::crew::MadeBy;
use crate::cluster::share::ShareError;
use crate::cluster::{ClusterError, RunShare, ServerSettings, Share, WorkerNews, WorkerSettings};
use crate::model::number::count;
use crate::run::panic_message;

/// So long the server waits for shares before it says that there are none.
const PULL_WAIT: Duration = Duration::from_secs(2);
/// So long a worker that is told to end may take for what it has begun.
const END_LIMIT: Duration = Duration::from_secs(10);
/// So often it is looked whether all is well.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// So soon a share that could not be run here is given to another.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Works until `stop`, or until it cannot go on. `make` gives what runs shares, for each thread.
pub(crate) fn work(
    server: &ServerSettings,
    settings: WorkerSettings,
    make: impl Fn() -> RunShare + Send + Sync + 'static,
    stop: &CancellationToken,
    tell: &mut dyn FnMut(WorkerNews),
) -> Result<(), ClusterError> {
    let (todo, shares) = unbounded::<Todo>();
    let (events, happened) = unbounded_channel();
    let make = Arc::new(make);
    for number in 1..=settings.threads.get() {
        let (shares, events, make) = (shares.clone(), events.clone(), Arc::clone(&make));
        let main = move || {
            let mut run = make();
            for Todo { id, share, parcel } in shares {
                let ran = AssertUnwindSafe(|| run(&share, parcel.as_deref().map(Vec::as_slice)));
                let result = catch_unwind(ran).unwrap_or_else(|panic| {
                    Err(format!("it panicked: {}", panic_message(&*panic)))
                });
                if events.send(Event::Ran { id, result }).is_err() {
                    return;
                }
            }
        };
        let spawned = thread::Builder::new().name(format!("worker-{number}")).spawn(main);
        spawned.map_err(ClusterError::Thread)?;
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(ClusterError::Thread)?.block_on(async {
        let name = my_name();
        let opened = tokio::select! {
            opened = open(server, &name) => opened?,
            () = stop.cancelled() => return Ok(()),
        };
        let Opened { link, consumer, patience } = opened;
        let lease = consumer.cached_info().config.ack_wait;
        let payload_max = link.client.server_info().max_payload;
        let me = MadeBy { worker: name, threads: count(settings.threads.get()) };
        let worker = Worker {
            bringer: Bringer { link: link.clone(), me, payload_max },
            consumer,
            todo,
            not_begun: shares,
            events,
            connected: patience.anew(),
            patience,
            lease,
            held: BTreeMap::new(),
            next_id: 0,
            held_most: settings.threads.get() * 2,
            is_pulling: false,
            done: (0, 0),
        };
        let ended = worker.serve(happened, stop, tell).await;
        // What was said to the server last is to reach it.
        let flushed = tokio::time::timeout(Duration::from_secs(2), link.client.flush()).await;
        log::debug!("flushed: {flushed:?}");
        ended
    })
}

/// What a worker needs of the server.
struct Opened {
    link: Link,
    consumer: PullConsumer,
    patience: Patience,
}

async fn open(server: &ServerSettings, name: &str) -> Result<Opened, ClusterError> {
    let link = connect(server, &format!("passbook worker {name}")).await?;
    let mut patience = Patience::new(server.patience);
    let stream = streams::shares(&link, &mut patience).await?;
    let consumer = streams::workers(&stream, server.lease, &mut patience).await?;
    Ok(Opened { link, consumer, patience })
}

/// What this worker calls itself: no other has this name.
fn my_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let host: String = host.trim().chars().take(40).map(plain).collect();
    format!("{host}-{}", std::process::id())
}

/// A share for a thread.
struct Todo {
    id: u64,
    share: Arc<Share>,
    parcel: Option<Arc<Vec<u8>>>,
}

/// Something that has happened.
enum Event {
    Pulled(Box<Message>),
    PullEnded(Result<(), String>),
    /// The parcel of a share is here.
    Ready {
        id: u64,
        parcel: Result<Option<Arc<Vec<u8>>>, String>,
    },
    Ran {
        id: u64,
        result: Result<Vec<u8>, String>,
    },
    Delivered {
        id: u64,
        delivery: Result<Delivery, ClusterError>,
    },
    Reported {
        id: u64,
        reported: Result<(), ClusterError>,
    },
}

/// A share in this worker's hands.
struct Held {
    share: Arc<Share>,
    acker: Arc<Acker>,
}

struct Worker {
    bringer: Bringer,
    consumer: PullConsumer,
    todo: Sender<Todo>,
    not_begun: Receiver<Todo>,
    events: UnboundedSender<Event>,
    /// With pulls that fail, and with a connection that is away.
    patience: Patience,
    connected: Patience,
    /// The shortest time that a share may go without a sign.
    lease: Duration,
    held: BTreeMap<u64, Held>,
    next_id: u64,
    held_most: usize,
    is_pulling: bool,
    /// Shares, and scenarios and seeds in them.
    done: (u64, u64),
}

impl Worker {
    async fn serve(
        mut self,
        mut happened: UnboundedReceiver<Event>,
        stop: &CancellationToken,
        tell: &mut dyn FnMut(WorkerNews),
    ) -> Result<(), ClusterError> {
        let mut signs_for = self.lease;
        let mut sign = lazy(signs_for / 3);
        let mut look = lazy(LOOK_EVERY);
        let mut end_by: Option<Instant> = None;
        loop {
            if self.lease < signs_for {
                signs_for = self.lease;
                sign = lazy(signs_for / 3);
            }
            match end_by {
                None => self.pull(),
                Some(end_by) => {
                    let is_idle = self.held.is_empty() && !self.is_pulling;
                    if is_idle || Instant::now() >= end_by {
                        self.give_all_back().await;
                        return Ok(());
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled(), if end_by.is_none() => {
                    end_by = Some(Instant::now() + END_LIMIT);
                    self.give_back_what_is_not_begun().await;
                }
                Some(event) = happened.recv() => {
                    if let Some(warning) = self.heed(event, end_by.is_some()).await? {
                        tell(WorkerNews::Warning(warning));
                    }
                }
                _ = sign.tick() => self.say_that_it_goes_on().await,
                _ = look.tick() => {
                    self.bringer.link.look(&mut self.connected)?;
                    let (shares, count) = self.done;
                    tell(WorkerNews::Done { shares, count });
                }
            }
        }
    }

    /// Asks for as many shares as there are hands free.
    fn pull(&mut self) {
        let free = self.held_most.saturating_sub(self.held.len());
        if self.is_pulling || free == 0 {
            return;
        }
        self.is_pulling = true;
        let (consumer, events) = (self.consumer.clone(), self.events.clone());
        let client = self.bringer.link.client.clone();
        tokio::spawn(async move {
            let pulled = pull(&client, &consumer, free, &events).await;
            if pulled.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
            if events.send(Event::PullEnded(pulled)).is_err() {
                log::trace!("the worker has ended");
            }
        });
    }

    /// Does what follows from `event`. What people are told of it, if anything.
    async fn heed(
        &mut self,
        event: Event,
        is_ending: bool,
    ) -> Result<Option<String>, ClusterError> {
        match event {
            Event::Pulled(message) if is_ending => {
                answer(&message.split().1, AckKind::Nak(None)).await;
            }
            Event::Pulled(message) => return self.take(*message).await,
            Event::PullEnded(pulled) => {
                self.is_pulling = false;
                match pulled {
                    Ok(()) => self.patience.restore(),
                    Err(reason) => self.patience.fail(reason)?,
                }
            }
            Event::Ready { id, parcel } => match (parcel, self.held.get(&id)) {
                (_, None) => {}
                (Ok(parcel), Some(held)) => {
                    let todo = Todo { id, share: Arc::clone(&held.share), parcel };
                    if self.todo.send(todo).is_err() {
                        return Err(ClusterError::Panicked);
                    }
                }
                (Err(reason), Some(_)) => return Ok(self.failed(id, reason)),
            },
            Event::Ran { id, result: Ok(result) } => self.deliver(id, result),
            Event::Ran { id, result: Err(reason) } => return Ok(self.failed(id, reason)),
            Event::Delivered { id, delivery } => return self.delivered(id, delivery?).await,
            Event::Reported { id, reported } => {
                reported?;
                if let Some(held) = self.held.remove(&id) {
                    answer(&held.acker, AckKind::Nak(Some(AGAIN_AFTER))).await;
                }
            }
        }
        Ok(None)
    }

    /// Takes a share in hand.
    async fn take(&mut self, message: Message) -> Result<Option<String>, ClusterError> {
        let (message, acker) = message.split();
        let share = match Share::from_bytes(&message.payload) {
            Ok(share) => Arc::new(share),
            Err(error @ (ShareError::OtherVersion { .. } | ShareError::Format(_))) => {
                answer(&acker, AckKind::Nak(Some(AGAIN_AFTER))).await;
                return Err(error.into());
            }
            Err(error @ (ShareError::NotAShare { .. } | ShareError::TooLarge)) => {
                answer(&acker, AckKind::Term).await;
                return Ok(Some(format!("{} is thrown away: {error}", message.subject)));
            }
        };
        let lease = message.headers.as_ref().and_then(|headers| headers.get(LEASE));
        if let Some(lease) = lease.and_then(|ms| ms.as_str().parse().ok()) {
            self.lease = self.lease.min(Duration::from_millis(lease));
        }
        let acker = Arc::new(acker);
        // Given again, for a sign came too late: this one counts now.
        let same = self.held.values_mut().find(|held| held.share == share);
        if let Some(held) = same {
            held.acker = acker;
            return Ok(None);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.held.insert(id, Held { share: Arc::clone(&share), acker });
        let (link, events) = (self.bringer.link.clone(), self.events.clone());
        let mut patience = self.patience.anew();
        tokio::spawn(async move {
            let parcel = parcel(&link, &share, &mut patience).await;
            if events.send(Event::Ready { id, parcel }).is_err() {
                log::trace!("the worker has ended");
            }
        });
        Ok(None)
    }

    /// Reports that a share cannot be run here.
    fn failed(&self, id: u64, reason: String) -> Option<String> {
        let share = Arc::clone(&self.held.get(&id)?.share);
        let told = format!("share {} of job {}: {reason}", share.number, share.job);
        let (bringer, events) = (self.bringer.clone(), self.events.clone());
        let mut patience = self.patience.anew();
        tokio::spawn(async move {
            let worker = bringer.me.worker.clone();
            let report = FailureReport::Failed { worker, reason };
            let reported = bringer.report(&share, &report, &mut patience).await;
            if events.send(Event::Reported { id, reported }).is_err() {
                log::trace!("the worker has ended");
            }
        });
        Some(told)
    }

    fn deliver(&self, id: u64, result: Vec<u8>) {
        let Some(held) = self.held.get(&id) else { return };
        let (share, bringer) = (Arc::clone(&held.share), self.bringer.clone());
        let (events, mut patience) = (self.events.clone(), self.patience.anew());
        tokio::spawn(async move {
            let mut delivery = bringer.deliver(&share, result, &mut patience).await;
            if let Ok(Delivery::Differs(difference)) = &delivery {
                let (worker, difference) = (bringer.me.worker.clone(), difference.clone());
                let report = FailureReport::Differs { worker, difference };
                if let Err(error) = bringer.report(&share, &report, &mut patience).await {
                    delivery = Err(error);
                }
            }
            if events.send(Event::Delivered { id, delivery }).is_err() {
                log::trace!("the worker has ended");
            }
        });
    }

    async fn delivered(
        &mut self,
        id: u64,
        delivery: Delivery,
    ) -> Result<Option<String>, ClusterError> {
        let Some(Held { share, acker }) = self.held.remove(&id) else { return Ok(None) };
        let (job, number) = (share.job.to_string(), share.number);
        match delivery {
            Delivery::Done => {
                answer(&acker, AckKind::Ack).await;
                self.done.0 += 1;
                self.done.1 += share.count();
                Ok(None)
            }
            Delivery::Removed => {
                answer(&acker, AckKind::Term).await;
                // Or it has ended before its end, at what it looked for.
                log::debug!("job {job} is not there any more; share {number} is dropped");
                Ok(None)
            }
            Delivery::NotNow(reason) => {
                answer(&acker, AckKind::Nak(Some(AGAIN_AFTER))).await;
                Ok(Some(format!(
                    "the result of share {number} of job {job} is not stored: {reason}; the share is \
                     given back"
                )))
            }
            Delivery::Differs(difference) => Err(ClusterError::Differs { job, number, difference }),
        }
    }

    async fn say_that_it_goes_on(&self) {
        for held in self.held.values() {
            answer(&held.acker, AckKind::Progress).await;
        }
    }

    async fn give_back_what_is_not_begun(&mut self) {
        while let Ok(Todo { id, .. }) = self.not_begun.try_recv() {
            if let Some(held) = self.held.remove(&id) {
                answer(&held.acker, AckKind::Nak(None)).await;
            }
        }
    }

    async fn give_all_back(&mut self) {
        for held in std::mem::take(&mut self.held).into_values() {
            answer(&held.acker, AckKind::Nak(None)).await;
        }
    }
}

/// One that does not catch up with what it missed.
fn lazy(span: Duration) -> Interval {
    let mut interval = interval(span.max(Duration::from_millis(10)));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// An answer that does not reach the server is as if the worker had gone away: the share is given again.
async fn answer(acker: &Acker, kind: AckKind) {
    if let Err(error) = acker.ack_with(kind).await {
        log::debug!("the server was not answered: {error}");
    }
}

/// Pulls up to `most` shares. All that comes is taken, to the end of the request.
async fn pull(
    client: &Client,
    consumer: &PullConsumer,
    most: usize,
    events: &UnboundedSender<Event>,
) -> Result<(), String> {
    let mut pulled = Pulled::ask(client, consumer, (most, PULL_WAIT)).await?;
    while let Some(message) = pulled.next().await {
        if events.send(Event::Pulled(Box::new(message?))).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The parcel of `share`, if it needs one.
async fn parcel(
    link: &Link,
    share: &Share,
    patience: &mut Patience,
) -> Result<Option<Arc<Vec<u8>>>, String> {
    let Some(digest) = share.parcel() else { return Ok(None) };
    let mut objects = Objects::new(link.clone(), share.job.clone());
    let object = objects.get(&digest.to_string(), patience).await;
    let parcel = object.map_err(|error| error.to_string())?.into_parcel(digest)?;
    Ok(Some(Arc::new(parcel)))
}
