//! The loop of whoever gathers a job: queues shares while there is room, hears what came, and hands results out
//! in order. What is decided, the window decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};
use crossbeam_channel::Sender;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::Instant;

use super::connection::{Link, PAUSE, api_error};
use super::ends::{Room, Told};
use super::notices::{DIGEST, LEASE, Notice};
use super::objects::Objects;
use super::patience::Patience;
use super::storage::Storage;
use super::streams;
use super::work::FailureReport;
use crate::cluster::crew::MadeBy;
use crate::cluster::subjects::{self, Kind};
use crate::cluster::window::{AfterFailure, Arrival, Window};
use crate::cluster::{Arrived, ClusterError, Cut, GiveUp, JobName, Share};
use crate::run::with_causes;

/// So many requests to the server are under way at once.
const AT_ONCE: usize = 32;
/// A result that nobody reads yet is got with so many others.
const RESULTS_AT_ONCE: usize = 4;
/// So often it is looked whether all is well.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a job is at the server.
pub(super) struct Queue {
    pub(super) link: Link,
    pub(super) job: JobName,
    pub(super) shares: Stream,
    pub(super) rows: Stream,
    pub(super) give_up: GiveUp,
    /// So long a share may go without a sign of its worker.
    pub(super) lease: Duration,
}

/// A share that is in play.
struct Queued {
    share: Share,
    held: Vec<u64>,
}

/// Where a result is.
enum Stored {
    /// A message of the stream.
    Message { sequence: u64, made_by: Option<MadeBy> },
    /// Nowhere: the share is given up, and why.
    GivenUp(String),
}

/// A job while it is gathered.
pub(super) struct Gathering {
    queue: Queue,
    /// What is at the server, and the patience with requests that fail.
    storage: Storage,
    cuts: mpsc::Receiver<Cut>,
    notices: mpsc::Receiver<Notice>,
    told: Sender<Told>,
    room: Room,
    /// With a connection that is away.
    connected: Patience,
    window: Window<Queued, Stored>,
    /// The number after that of the last share that was queued.
    next: u64,
    has_more: bool,
    is_caught_up: bool,
    /// Results of an earlier start, whose shares are not cut yet.
    early: BTreeMap<u64, Stored>,
    /// Failures of each share that are counted already.
    counted: BTreeMap<u64, BTreeSet<u64>>,
    /// Messages that are to be deleted.
    needless: Vec<u64>,
    /// The share that is waited for, and since when.
    waited: Option<(u64, Instant)>,
}

impl Gathering {
    pub(super) fn new(
        queue: Queue,
        (cuts, notices): (mpsc::Receiver<Cut>, mpsc::Receiver<Notice>),
        (told, room): (Sender<Told>, Room),
        (patience, ahead_max): (Patience, usize),
    ) -> Self {
        let connected = patience.anew();
        let objects = Objects::new(queue.link.clone(), queue.job.clone());
        let storage = Storage { rows: queue.rows.clone(), objects, patience };
        Self {
            queue,
            storage,
            cuts,
            notices,
            told,
            room,
            connected,
            window: Window::new(ahead_max),
            next: 0,
            has_more: true,
            is_caught_up: false,
            early: BTreeMap::new(),
            counted: BTreeMap::new(),
            needless: Vec::new(),
            waited: None,
        }
    }

    /// Gathers until all is handed out.
    pub(super) async fn gather(&mut self) -> Result<(), ClusterError> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        while self.has_more || !self.window.is_empty() {
            let cuts = self.cut();
            let is_busy = !cuts.is_empty();
            self.queue(cuts).await?;
            let is_busy = self.hand_out().await? || is_busy;
            self.storage.delete(&mut self.needless).await;
            while let Ok(notice) = self.notices.try_recv() {
                self.heed(notice).await?;
            }
            if is_busy {
                continue;
            }
            let has_room = self.has_more && self.is_caught_up && self.window.room() > 0;
            let is_due = self.window.due().next().is_some();
            let room = Arc::clone(&self.room);
            tokio::select! {
                cut = self.cuts.recv(), if has_room => match cut {
                    Some(cut) => self.queue(vec![cut]).await?,
                    None => self.has_more = false,
                },
                Some(notice) = self.notices.recv() => self.heed(notice).await?,
                permit = room.acquire(), if is_due => drop(permit),
                _ = look.tick() => self.look().await?,
            }
        }
        Ok(())
    }

    /// Shares for which there is room, as far as they are cut.
    fn cut(&mut self) -> Vec<Cut> {
        let mut cuts = Vec::new();
        while self.is_caught_up && cuts.len() < self.window.room().min(AT_ONCE) {
            match self.cuts.try_recv() {
                Ok(cut) => cuts.push(cut),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.has_more = false;
                    break;
                }
            }
        }
        cuts
    }

    /// Brings shares to the server, unless their results are there already.
    async fn queue(&mut self, cuts: Vec<Cut>) -> Result<(), ClusterError> {
        let mut published = Vec::new();
        for Cut { share, parcel, held } in cuts {
            let number = share.number;
            self.next = number + 1;
            self.forget_early_below(number);
            let early = self.early.remove(&number);
            if early.is_none() {
                published.push(number);
            }
            // A result that is there may turn out to be of other inputs.
            if let (Some(parcel), Some(digest)) = (&parcel, share.parcel()) {
                self.storage.bring(parcel, digest).await?;
            }
            self.window.queue(number, Queued { share, held });
            if let Some(stored) = early {
                self.arrived(number, stored);
            }
        }
        self.publish(published).await
    }

    /// Publishes shares that are in play. One that waits already is left as it is.
    async fn publish(&mut self, mut numbers: Vec<u64>) -> Result<(), ClusterError> {
        while !numbers.is_empty() {
            let context = &self.queue.link.context;
            let lease_ms = self.queue.lease.as_millis().to_string();
            let lease_ms = &lease_ms;
            let mut attempts = Vec::with_capacity(numbers.len());
            for number in &numbers {
                let Some(Queued { share, .. }) = self.window.share(*number) else { continue };
                let subject = subjects::share(&self.queue.job, *number);
                let bytes = share.to_bytes()?;
                attempts.push(async move {
                    let mut headers = HeaderMap::new();
                    headers.insert(LEASE, lease_ms.as_str());
                    match context.publish_with_headers(subject, headers, bytes.into()).await {
                        Ok(acknowledged) => (*number, acknowledged.await.map(drop)),
                        Err(error) => (*number, Err(error)),
                    }
                });
            }
            let mut again = Vec::new();
            for (number, published) in join_all(attempts).await {
                let Err(error) = published else {
                    self.storage.patience.restore();
                    continue;
                };
                let reason = with_causes(&error);
                if reason.contains("maximum messages per subject") {
                    continue;
                }
                if is_full(&error, &reason) {
                    let what = "the shares of this job".to_owned();
                    return Err(ClusterError::Full { what, reason });
                }
                self.storage.patience.fail(&reason)?;
                again.push(number);
            }
            numbers = again;
            if !numbers.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// Results of shares that are not queued any more are needless: an earlier start has their rows.
    fn forget_early_below(&mut self, number: u64) {
        let later = self.early.split_off(&number);
        for stored in std::mem::replace(&mut self.early, later).into_values() {
            if let Stored::Message { sequence, .. } = stored {
                self.needless.push(sequence);
            }
        }
    }

    fn arrived(&mut self, number: u64, stored: Stored) {
        match self.window.arrived(number, stored) {
            Arrival::Taken => {}
            Arrival::Needless(Stored::Message { sequence, .. }) => {
                let is_it = |at: &Stored| matches!(at, Stored::Message { sequence: of, .. } if *of == sequence);
                // The same message may be told twice.
                let is_in_play = self.window.result(number).is_some_and(is_it);
                if !is_in_play {
                    self.needless.push(sequence);
                }
            }
            Arrival::Needless(Stored::GivenUp(_)) => {}
        }
    }

    async fn heed(&mut self, notice: Notice) -> Result<(), ClusterError> {
        let (number, kind, sequence, made_by) = match notice {
            Notice::CaughtUp => {
                self.is_caught_up = true;
                return Ok(());
            }
            Notice::Message { number, kind, sequence, made_by } => {
                (number, kind, sequence, made_by)
            }
        };
        match kind {
            Kind::Result if number >= self.next => {
                self.early.insert(number, Stored::Message { sequence, made_by });
            }
            Kind::Result => self.arrived(number, Stored::Message { sequence, made_by }),
            Kind::Failure => self.failed(number, sequence).await?,
        }
        Ok(())
    }

    /// A worker says that it could not run a share.
    async fn failed(&mut self, number: u64, sequence: u64) -> Result<(), ClusterError> {
        if !self.counted.entry(number).or_default().insert(sequence) {
            return Ok(());
        }
        let Some(message) = self.storage.message(sequence).await? else { return Ok(()) };
        // A report that cannot be read says at least that there is no result.
        let report = serde_json::from_slice(&message.payload).unwrap_or_else(|error| {
            let reason = format!("what it says cannot be read: {error}");
            FailureReport::Failed { worker: "without a name".to_owned(), reason }
        });
        let (worker, reason) = match report {
            FailureReport::Differs { difference, .. } => {
                let job = self.queue.job.to_string();
                return Err(ClusterError::Differs { job, number, difference });
            }
            FailureReport::Failed { worker, reason } => (worker, reason),
        };
        let then = match self.window.failed(number) {
            AfterFailure::Needless => {
                self.needless.push(sequence);
                return Ok(());
            }
            AfterFailure::TriedAgain => "it is tried again",
            AfterFailure::GivenUp => {
                self.arrived(number, Stored::GivenUp(reason.clone()));
                let waits = subjects::share(&self.queue.job, number);
                if let Err(error) = self.queue.shares.purge().filter(waits).await {
                    log::debug!("share {number} still waits: {error}");
                }
                "it is given up"
            }
        };
        let text = format!("worker {worker} could not run share {number}: {reason}; {then}");
        self.tell(Told::Warning(text));
        Ok(())
    }

    /// Hands out results that are due, as far as there is room for them. Whether there were any.
    async fn hand_out(&mut self) -> Result<bool, ClusterError> {
        let most = self.room.available_permits().min(RESULTS_AT_ONCE);
        let due: Vec<(u64, Option<u64>)> = self
            .window
            .due()
            .take(most)
            .map(|(number, stored)| match stored {
                Stored::Message { sequence, .. } => (number, Some(*sequence)),
                Stored::GivenUp(_) => (number, None),
            })
            .collect();
        let rows = &self.queue.rows;
        let got = due.iter().map(async |(_, sequence)| match sequence {
            Some(sequence) => Some(rows.direct_get(*sequence).await),
            None => None,
        });
        let got = join_all(got).await;
        let mut has_any = false;
        for ((number, sequence), got) in due.into_iter().zip(got) {
            let message = match got {
                None => None,
                Some(Ok(message)) => Some(message),
                Some(Err(error)) if error.kind() == DirectGetErrorKind::NotFound => {
                    self.window.lost(number);
                    self.publish(vec![number]).await?;
                    return Ok(true);
                }
                Some(Err(error)) => {
                    self.storage.patience.fail(with_causes(&error))?;
                    tokio::time::sleep(PAUSE).await;
                    return Ok(has_any);
                }
            };
            if !self.hand_out_one(number, message).await? {
                return Ok(true);
            }
            self.needless.extend(sequence);
            has_any = true;
        }
        Ok(has_any)
    }

    /// Hands out the result of share `number`; false where what is stored is none.
    async fn hand_out_one(
        &mut self,
        number: u64,
        message: Option<StreamMessage>,
    ) -> Result<bool, ClusterError> {
        let Some(Queued { share, .. }) = self.window.share(number) else { return Ok(true) };
        let (result, made_by) = match message {
            None => (self.given_up(&share.clone(), number).await?, None),
            Some(message) => {
                let digest = share.digest().to_string();
                let is_of_it = message.headers.get(DIGEST).is_some_and(|of| of.as_str() == digest);
                let sequence = message.sequence;
                // It may be of other arguments, or of inputs that have changed.
                let content = if is_of_it { self.storage.content(message).await? } else { None };
                let Some(content) = content else {
                    self.needless.push(sequence);
                    self.storage.delete(&mut self.needless).await;
                    self.window.lost(number);
                    self.publish(vec![number]).await?;
                    return Ok(false);
                };
                let made_by = match self.window.result(number) {
                    Some(Stored::Message { made_by, .. }) => made_by.clone(),
                    Some(Stored::GivenUp(_)) | None => None,
                };
                (content, made_by)
            }
        };
        let Some(Queued { share, held }) = self.window.take(number) else { return Ok(true) };
        self.needless.extend(self.counted.remove(&number).unwrap_or_default());
        if let Some(digest) = share.parcel()
            && !share.is_of_seeds()
        {
            self.storage.objects.delete(&digest.to_string()).await;
        }
        if let Ok(permit) = self.room.try_acquire() {
            permit.forget();
        }
        self.tell(Told::Share(Box::new(Arrived { share, held, result, made_by })));
        Ok(true)
    }

    async fn given_up(&mut self, share: &Share, number: u64) -> Result<Vec<u8>, ClusterError> {
        let parcel = match share.parcel() {
            Some(digest) => {
                let object = self.storage.object(&digest.to_string()).await?;
                object.into_parcel(digest).map(Some)
            }
            None => Ok(None),
        };
        let reason = match self.window.result(number) {
            Some(Stored::GivenUp(reason)) => reason.as_str(),
            Some(Stored::Message { .. }) | None => "",
        };
        let give_up =
            |parcel: Option<Vec<u8>>| (self.queue.give_up)(share, parcel.as_deref(), reason);
        parcel.and_then(give_up).map_err(|reason| {
            let (job, what) = (self.queue.job.to_string(), share.told());
            ClusterError::GivenUp { job, number, what, reason }
        })
    }

    /// Looks whether all is well: the connection, and the share that is waited for.
    async fn look(&mut self) -> Result<(), ClusterError> {
        self.queue.link.look(&mut self.connected)?;
        let waits_for = self.window.waiting().next().map(|(number, _)| number);
        let now = Instant::now();
        match (waits_for, self.waited) {
            (None, _) => self.waited = None,
            (Some(number), Some((of, since))) if of == number => {
                if now.duration_since(since) > self.queue.lease.saturating_add(LOOK_EVERY) {
                    self.waited = Some((number, now));
                    self.look_for_lost().await?;
                }
            }
            (Some(number), _) => self.waited = Some((number, now)),
        }
        Ok(())
    }

    /// A share that neither waits nor has a result was lost with a disk: it is queued again.
    async fn look_for_lost(&mut self) -> Result<(), ClusterError> {
        if let Err(error) = self.queue.rows.get_info().await
            && api_error(&error).is_some_and(|of| of.error_code() == ErrorCode::STREAM_NOT_FOUND)
        {
            return Err(ClusterError::Removed { name: self.queue.job.to_string() });
        }
        let numbers: Vec<u64> = self.window.waiting().map(|(number, _)| number).collect();
        let Queue { shares, rows, job, .. } = &self.queue;
        let looked = numbers.into_iter().map(async |number| {
            let waits = shares.direct_get_last_for_subject(subjects::share(job, number)).await;
            if waits.is_ok() {
                return (number, Some(Place::Waits));
            }
            match rows.direct_get_last_for_subject(subjects::rows(job, number)).await {
                Ok(message) => (number, Some(Place::Done(message.sequence))),
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                    let is_missing =
                        waits.is_err_and(|error| error.kind() == DirectGetErrorKind::NotFound);
                    (number, is_missing.then_some(Place::Nowhere))
                }
                Err(_) => (number, None),
            }
        });
        let mut lost = Vec::new();
        for (number, place) in join_all(looked).await {
            match place {
                None => {}
                Some(Place::Waits) => self.storage.patience.restore(),
                Some(Place::Done(sequence)) => {
                    self.storage.patience.restore();
                    self.arrived(number, Stored::Message { sequence, made_by: None });
                }
                Some(Place::Nowhere) => lost.push(number),
            }
        }
        self.publish(lost).await
    }

    fn tell(&self, told: Told) {
        if self.told.send(told).is_err() {
            log::debug!("nobody listens any more");
        }
    }
}

/// Where a share without a notice is.
enum Place {
    Waits,
    Done(u64),
    Nowhere,
}

fn is_full(error: &async_nats::jetstream::context::PublishError, reason: &str) -> bool {
    let code = api_error(error).map(|error| error.error_code());
    error.kind() == PublishErrorKind::Other
        && (reason.contains("maximum bytes exceeded") || code.is_some_and(streams::is_full))
}
