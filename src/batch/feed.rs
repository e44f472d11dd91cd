//! Where items come in: gathered into chunks, and held back while too much is on its way.

use crossbeam_channel::{Receiver, Sender};
use thiserror::Error;

/// A chunk is full with so many items, or with items of so much weight, whatever comes first. A
/// small scenario takes about ten microseconds, and to hand over a chunk costs about as much.
const CHUNK_ITEMS_MAX: usize = 64;
const CHUNK_BYTES_MAX: usize = 32 << 10;

/// How much may be on its way from the feed to the taker of the results.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Chunks at most.
    pub(super) chunks_max: usize,
    /// So many chunks are allowed whatever they weigh: one for each worker.
    pub(super) chunks_always: usize,
    /// What they weigh together at most.
    pub(super) bytes_max: usize,
}

/// Items on their way to a worker.
#[derive(Debug)]
pub(super) struct Chunk<T> {
    /// Which in the order of the feed, from 0.
    pub(super) index: u64,
    pub(super) items: Vec<T>,
    pub(super) bytes: usize,
}

/// Nobody takes results any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("nobody takes results any more")]
pub struct FeedClosed;

/// Takes the items of a batch, one by one, in order.
#[derive(Debug)]
pub struct Feed<T> {
    chunks: Sender<Chunk<T>>,
    /// The weights of chunks whose results have been taken.
    taken: Receiver<usize>,
    allowance: Allowance,
    pending: Vec<T>,
    pending_bytes: usize,
    next_index: u64,
    chunks_on_their_way: usize,
    bytes_on_their_way: usize,
}

impl<T> Feed<T> {
    pub(super) fn new(
        chunks: Sender<Chunk<T>>,
        taken: Receiver<usize>,
        allowance: Allowance,
    ) -> Self {
        Self {
            chunks,
            taken,
            allowance,
            pending: Vec::new(),
            pending_bytes: 0,
            next_index: 0,
            chunks_on_their_way: 0,
            bytes_on_their_way: 0,
        }
    }

    /// Feeds `item`, whose work grows with `bytes`. Waits where enough is on its way.
    pub fn push(&mut self, item: T, bytes: usize) -> Result<(), FeedClosed> {
        if self.pending_bytes.saturating_add(bytes) > CHUNK_BYTES_MAX {
            self.flush()?;
        }
        self.pending.push(item);
        self.pending_bytes = self.pending_bytes.saturating_add(bytes);
        if self.pending.len() == CHUNK_ITEMS_MAX || self.pending_bytes >= CHUNK_BYTES_MAX {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what is gathered on its way, for the next item may take a while to come.
    pub fn flush(&mut self) -> Result<(), FeedClosed> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.pending_bytes);
        self.wait_for_allowance(bytes)?;
        let items = std::mem::take(&mut self.pending);
        let chunk = Chunk { index: self.next_index, items, bytes };
        self.chunks.send(chunk).map_err(|_| FeedClosed)?;
        self.next_index += 1;
        self.chunks_on_their_way += 1;
        self.bytes_on_their_way = self.bytes_on_their_way.saturating_add(bytes);
        Ok(())
    }

    fn wait_for_allowance(&mut self, bytes: usize) -> Result<(), FeedClosed> {
        while let Ok(bytes) = self.taken.try_recv() {
            self.has_arrived(bytes);
        }
        while !self.has_room_for(bytes) {
            let bytes = self.taken.recv().map_err(|_| FeedClosed)?;
            self.has_arrived(bytes);
        }
        Ok(())
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let Allowance { chunks_max, chunks_always, bytes_max } = self.allowance;
        let is_light = self.bytes_on_their_way.saturating_add(bytes) <= bytes_max;
        self.chunks_on_their_way < if is_light { chunks_max } else { chunks_always }
    }

    fn has_arrived(&mut self, bytes: usize) {
        self.chunks_on_their_way -= 1;
        self.bytes_on_their_way = self.bytes_on_their_way.saturating_sub(bytes);
    }
}
