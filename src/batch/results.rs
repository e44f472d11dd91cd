//! Where results come out: in the order of the items, or as they come.

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, vec};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use thiserror::Error;

/// In which order results are handed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The order in which their items were fed.
    #[default]
    AsFed,
    /// Whatever is finished first, though what was fed together stays together.
    AsFinished,
}

/// The result of a chunk.
#[derive(Debug)]
pub(super) struct Finished<R> {
    pub(super) index: u64,
    pub(super) outcomes: Vec<R>,
    pub(super) bytes: usize,
}

/// The next result, if there is one.
#[derive(Debug)]
pub enum Next<R> {
    /// This.
    Outcome(R),
    /// None so far.
    NotYet,
    /// There are no more.
    End,
}

/// Why a batch cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// No more threads.
    #[error("cannot start a thread; try fewer with --jobs")]
    Thread(#[source] io::Error),
    /// A defect of this program.
    #[error("a thread of the batch panicked")]
    ThreadPanicked,
}

/// The results of a batch. Whoever drops this stops the batch: what is in the workers' hands is
/// abandoned, and no thread is waited for, for one may be reading what never comes.
#[derive(Debug)]
pub struct Results<R> {
    order: Order,
    finished: Receiver<Finished<R>>,
    /// Tells the feed that there is room again.
    taken: Sender<usize>,
    /// Finished before its turn; the feed's allowance keeps these few.
    early: BTreeMap<u64, Finished<R>>,
    next_index: u64,
    current: vec::IntoIter<R>,
    threads: Vec<JoinHandle<()>>,
}

impl<R> Results<R> {
    pub(super) fn new(
        order: Order,
        finished: Receiver<Finished<R>>,
        taken: Sender<usize>,
        threads: Vec<JoinHandle<()>>,
    ) -> Self {
        let (early, current) = (BTreeMap::new(), Vec::new().into_iter());
        Self { order, finished, taken, early, next_index: 0, current, threads }
    }

    /// The next result. Waits for it up to `limit`.
    pub fn next_within(&mut self, limit: Duration) -> Result<Next<R>, BatchError> {
        loop {
            if let Some(outcome) = self.current.next() {
                return Ok(Next::Outcome(outcome));
            }
            if let Some(finished) = self.early.remove(&self.next_index) {
                self.begin(finished);
                continue;
            }
            match self.finished.recv_timeout(limit) {
                Ok(finished) => match self.order {
                    Order::AsFinished => self.begin(finished),
                    Order::AsFed => {
                        self.early.insert(finished.index, finished);
                    }
                },
                Err(RecvTimeoutError::Timeout) => return Ok(Next::NotYet),
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
        }
    }

    fn begin(&mut self, finished: Finished<R>) {
        self.next_index += 1;
        self.current = finished.outcomes.into_iter();
        // Where the feed has come to its end, nothing needs to know.
        if self.taken.send(finished.bytes).is_err() {
            log::trace!("the last chunks are on their way");
        }
    }

    /// All threads are done, or about to be. One that panicked has left something out.
    fn end(&mut self) -> Result<Next<R>, BatchError> {
        for thread in self.threads.drain(..) {
            thread.join().map_err(|_| BatchError::ThreadPanicked)?;
        }
        assert!(self.early.is_empty(), "results after number {} are missing", self.next_index);
        Ok(Next::End)
    }
}
