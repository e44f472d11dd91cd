//! Requests that are in a branch's mailbox, and how many of them there are. Nothing takes one out
//! again, whether or not its client still waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix::Addr;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::status::CallError;
use crate::actors::{Answer, Desk, Enter};
use crate::model::CustomerId;

/// Counts requests.
#[derive(Debug, Default)]
pub(super) struct Tally {
    waiting: AtomicUsize,
    turned_away: AtomicU64,
}

/// A place among the requests that wait; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Tally>);

/// Enters what the answer says in the passbook that the desk keeps.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) desk: Addr<Desk>,
    pub(super) customer: CustomerId,
}

/// A request that waits for its answer. Where the client goes away before, a task waits in its
/// stead: the answer is entered all the same, and the place stays taken so long.
#[derive(Debug)]
pub(super) struct UnderWay(Option<Waiting>);

#[derive(Debug)]
struct Waiting {
    answer: oneshot::Receiver<Answer>,
    keeper: Option<Keeper>,
    _place: Place,
}

impl Tally {
    /// One of `most` places, if one is free.
    pub(super) fn place(tally: &Arc<Self>, most: usize) -> Result<Place, CallError> {
        let waiting = tally.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(tally));
        if waiting < most { Ok(place) } else { Err(CallError::Overloaded { waiting }) }
    }

    /// Counts a request that was turned away.
    pub(super) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl UnderWay {
    /// A request that `answer` will answer.
    pub(super) fn new(
        answer: oneshot::Receiver<Answer>,
        keeper: Option<Keeper>,
        place: Place,
    ) -> Self {
        Self(Some(Waiting { answer, keeper, _place: place }))
    }

    /// Waits for the answer.
    pub(super) async fn answer(mut self) -> Result<Answer, CallError> {
        let answer = match &mut self.0 {
            Some(waiting) => waiting.answered().await,
            None => Err(CallError::ActorStopped),
        };
        self.0 = None;
        answer
    }
}

impl Waiting {
    async fn answered(&mut self) -> Result<Answer, CallError> {
        let answer = (&mut self.answer).await.map_err(|_| CallError::ActorStopped)?;
        if let Some(Keeper { desk, customer }) = &self.keeper {
            desk.do_send(Enter { customer: *customer, entry: answer.entry.clone() });
        }
        Ok(answer)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let (Some(mut waiting), Ok(runtime)) = (self.0.take(), Handle::try_current()) else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = waiting.answered().await {
                log::debug!("a request that nobody waits for any more: {error}");
            }
        });
    }
}
