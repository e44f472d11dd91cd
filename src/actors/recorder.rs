//! The recorder: one actor that gets every fact, in causal order.

use actix::{Actor, Context, Handler, Recipient};

use super::{Clock, Record, TakeFacts};
use crate::history::{Fact, Recorded};

/// Keeps the facts of a run.
#[derive(Debug, Default)]
pub struct Recorder {
    facts: Vec<Recorded>,
}

impl Actor for Recorder {
    type Context = Context<Self>;
}

impl Handler<Record> for Recorder {
    type Result = ();

    fn handle(&mut self, Record(fact): Record, _: &mut Self::Context) {
        self.facts.push(fact);
    }
}

impl Handler<TakeFacts> for Recorder {
    type Result = Vec<Recorded>;

    fn handle(&mut self, _: TakeFacts, _: &mut Self::Context) -> Vec<Recorded> {
        std::mem::take(&mut self.facts)
    }
}

/// An actor's way to the recorder, if there is one.
#[derive(Debug, Clone)]
pub struct RecorderLink {
    /// What time it is.
    pub clock: Clock,
    /// The recorder; `None` where nothing is recorded.
    pub recorder: Option<Recipient<Record>>,
}

impl RecorderLink {
    /// Records what `fact` says; asks for it only if someone records.
    pub fn record(&self, fact: impl FnOnce() -> Fact) {
        if let Some(recorder) = &self.recorder {
            recorder.do_send(Record(Recorded { at: self.clock.now(), fact: fact() }));
        }
    }
}
