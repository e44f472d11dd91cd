//! Between branches where messages may be lost: what the weather decides is done and recorded here.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::{PeerEnvelope, RecorderLink};
use crate::bank::PeerMessage;
use crate::history::{Fact, MessageBody};
use crate::model::number::count;
use crate::model::{LossReason, WriteId};
use crate::network::{About, FaultKind, Link, MessageKind, Sent, Weather};

/// What stands between branches. A copy is the same one, and small: each branch has some.
#[derive(Debug, Clone)]
pub struct Faulty(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    weather: RefCell<Weather>,
    recorder: RecorderLink,
}

impl Faulty {
    /// The ways in this `weather`.
    pub fn new(weather: Weather, recorder: RecorderLink) -> Self {
        Self(Rc::new(Inner { weather: RefCell::new(weather), recorder }))
    }

    /// What the weather has been, and will be.
    pub fn weather(&self) -> &RefCell<Weather> {
        &self.0.weather
    }

    /// After how long the message that is sent now arrives: once, twice, or not at all.
    pub(super) fn send(&self, envelope: &PeerEnvelope) -> [Option<Duration>; 2] {
        let now = self.0.recorder.clock.now();
        let sent = self.0.weather.borrow_mut().send(now, link(envelope), about(&envelope.message));
        match sent {
            Sent::Lost(reason) => {
                self.lose(envelope, reason);
                [None, None]
            }
            Sent::OnItsWay(after) => [Some(after), None],
            Sent::Twice(after, again) => {
                let &PeerEnvelope { from, to, number, ref message, .. } = envelope;
                let body = || body(message);
                self.0.recorder.record_detail(|| Fact::MessageDuplicated {
                    from,
                    to,
                    number,
                    body: body(),
                });
                [Some(after), Some(again)]
            }
        }
    }

    /// Whether the message, which comes to the end of its way now, arrives.
    pub(super) fn lets_arrive(&self, envelope: &PeerEnvelope) -> bool {
        let now = self.0.recorder.clock.now();
        let is_cut = self.0.weather.borrow_mut().is_cut(now, link(envelope));
        if is_cut {
            self.lose(envelope, LossReason::Partition);
        }
        !is_cut
    }

    /// Something went wrong that was no message's fate.
    pub(super) fn strike(&self, kind: FaultKind) {
        self.0.weather.borrow_mut().strike(kind, self.0.recorder.clock.now());
    }

    /// A branch was slow with an input.
    pub(super) fn delay(&self, number: u32) {
        self.0.weather.borrow_mut().delay(number, self.0.recorder.clock.now());
    }

    fn lose(&self, envelope: &PeerEnvelope, reason: LossReason) {
        self.0.recorder.record_detail(|| lost(envelope, reason));
    }
}

/// That a message did not arrive.
pub(super) fn lost(envelope: &PeerEnvelope, reason: LossReason) -> Fact {
    let &PeerEnvelope { from, to, number, ref message, .. } = envelope;
    Fact::MessageLost { from, to, number, body: body(message), reason: Some(reason) }
}

/// What a message says, as it is recorded.
///
/// Panics on what is no message, but the answer to a call.
pub(super) fn body(message: &PeerMessage) -> MessageBody {
    match message {
        PeerMessage::Propagate(write) => MessageBody::Propagate { id: write.id },
        PeerMessage::Acknowledge(acknowledgement) => MessageBody::Acknowledge {
            id: acknowledgement.id,
            write_set_len: acknowledgement.write_set.len,
        },
        PeerMessage::CatchUp(_) => MessageBody::CatchUp,
        PeerMessage::Missed(missed) => MessageBody::Missed { writes: count(missed.writes.len()) },
        PeerMessage::Taken(_) => unreachable!("it is told as the answer to a call"),
    }
}

fn link(&PeerEnvelope { from, to, .. }: &PeerEnvelope) -> Link {
    Link { from, to }
}

fn about(message: &PeerMessage) -> About {
    let of = |id: WriteId| Some((id.customer, id.event));
    match body(message) {
        MessageBody::Propagate { id } => (MessageKind::Propagate, of(id)),
        MessageBody::Acknowledge { id, .. } => (MessageKind::Acknowledge, of(id)),
        MessageBody::CatchUp => (MessageKind::CatchUp, None),
        MessageBody::Missed { .. } => (MessageKind::Missed, None),
    }
}
