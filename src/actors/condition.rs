//! What is wrong with a branch: it is down, or slow and has inputs that it handles later.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Ask, PeerEnvelope};
use crate::model::Time;

/// How a branch does.
#[derive(Debug, Default)]
pub(super) struct Condition {
    /// Whether it has stopped.
    pub(super) is_down: bool,
    /// How often it has started again.
    pub(super) starts: u64,
    /// Which time it is that it is slow, or was last.
    pub(super) slow: u32,
    /// How much later it handles each input.
    pub(super) delay: Duration,
    /// What came and is handled later, in order.
    late: VecDeque<(Time, Late)>,
}

/// An input that is handled later.
#[derive(Debug)]
pub(super) enum Late {
    Asked(Ask),
    Brought(PeerEnvelope),
}

impl Condition {
    /// Whether what comes is handled at once, unless it is down.
    pub(super) fn is_prompt(&self) -> bool {
        self.delay.is_zero() && self.late.is_empty()
    }

    /// Keeps what comes at `now` for later. Says when that is.
    pub(super) fn postpone(&mut self, now: Time, input: Late) -> Time {
        let last = self.late.back().map(|&(at, _)| at);
        // Behind what came before it, however slow the branch was then.
        let at = now.after(self.delay).max(last.unwrap_or(Time::START));
        self.late.push_back((at, input));
        at
    }

    /// What is to be handled at `now`.
    pub(super) fn take_late(&mut self, now: Time) -> Option<Late> {
        let is_due = self.late.front().is_some_and(|&(at, _)| at <= now);
        if is_due { self.late.pop_front().map(|(_, input)| input) } else { None }
    }

    /// It stops, and forgets what it had in hand. Gives what was asked of it and never came to its turn.
    pub(super) fn stop(&mut self) -> Vec<Ask> {
        self.is_down = true;
        let asked = |(_, late): (Time, Late)| match late {
            Late::Asked(ask) => Some(ask),
            Late::Brought(_) => None,
        };
        self.late.drain(..).filter_map(asked).collect()
    }

    /// It starts again.
    pub(super) fn start(&mut self) {
        self.is_down = false;
        self.starts += 1;
    }
}
