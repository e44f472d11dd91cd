//! An actor's way to the recorder, with the time of each fact.

use actix::Recipient;

use super::{Record, TimeSource};
use crate::history::{Fact, Recorded};

/// An actor's way to the recorder, if there is one. The recorder gets every fact in causal order.
#[derive(Debug, Clone)]
pub struct RecorderLink {
    /// What time it is.
    pub clock: TimeSource,
    /// The recorder; `None` where nothing is recorded.
    pub recorder: Option<Recipient<Record>>,
    /// How much the recorder wants to know.
    pub detail: Detail,
}

/// How much is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// What a verdict needs: requests, replies and applies.
    Essentials,
    /// The messages between branches too: many more.
    #[default]
    Everything,
}

impl RecorderLink {
    /// Records what `fact` says; asks for it only if someone records.
    pub fn record(&self, fact: impl FnOnce() -> Fact) {
        if let Some(recorder) = &self.recorder {
            recorder.do_send(Record(Recorded { at: self.clock.now(), fact: fact() }));
        }
    }

    /// The same for a fact that is no essential one.
    pub fn record_detail(&self, fact: impl FnOnce() -> Fact) {
        match self.detail {
            Detail::Essentials => {}
            Detail::Everything => self.record(fact),
        }
    }
}
