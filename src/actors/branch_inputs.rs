//! What comes to a branch: at once, later where it is slow, and not at all where it is down.
//!
//! A message is taken up within its handler, from here to what it makes of the pure branch: each call in
//! between would copy it, and a branch does little else with most messages.

use super::branch_shell::{BranchShell, InFlight};
use super::brought::Brought;
use super::condition::Late;
use super::faulty::lost;
use super::outbox::Output;
use super::time_source::Wakes;
use super::{Answer, Ask, Due, PeerEnvelope, ReplyTo, StartAgain, Stop};
use crate::bank::{Applied, Branch, Entry, Input};
use crate::history::Fact;
use crate::model::{Life, LogEntry, LogPosition, LossReason, RequestError, RequestNumber};
use crate::network::Keeps;

/// What is said in the place of a branch that is down.
fn without_answer(branch: &Branch, request: RequestNumber, error: RequestError) -> Answer {
    Answer {
        request,
        branch: branch.id(),
        outcome: Err(error),
        position: branch.position(),
        balance: branch.nearest_balance(),
        entry: Entry::Nothing,
        waited: None,
    }
}

impl BranchShell {
    pub(super) fn is_down(&self) -> bool {
        self.condition.as_ref().is_some_and(|condition| condition.is_down)
    }

    /// It, unless it is down.
    pub(super) fn up(&self) -> Result<&Self, RequestError> {
        if self.is_down() { Err(RequestError::DOWN) } else { Ok(self) }
    }

    #[inline(always)]
    pub(super) fn request(&mut self, ask: Ask, ctx: &mut dyn Wakes) {
        match &self.condition {
            Some(condition) if condition.is_down => self.turn_away(ask),
            Some(condition) if !condition.is_prompt() => self.postpone(Late::Asked(ask), ctx),
            Some(_) | None => self.serve(ask, ctx),
        }
    }

    fn postpone(&mut self, input: Late, ctx: &mut dyn Wakes) {
        let clock = &self.branch_context.recorder.clock;
        let condition = self.condition.get_or_insert_default();
        ctx.wake_at(condition.postpone(clock.now(), input), clock);
        if let Some(faulty) = &self.branch_context.faulty {
            faulty.delay(condition.slow);
        }
    }

    #[inline(always)]
    pub(super) fn receive(&mut self, envelope: PeerEnvelope, ctx: &mut dyn Wakes) {
        match &self.condition {
            Some(condition) if condition.is_down => {
                self.record_message(|| lost(&envelope, LossReason::BranchDown));
            }
            Some(condition) if !condition.is_prompt() => {
                self.postpone(Late::Brought(envelope), ctx);
            }
            Some(_) | None => self.hear(envelope, ctx),
        }
    }

    pub(super) fn due(&mut self, Due(at): Due, ctx: &mut dyn Wakes) {
        while let Some(late) = self.condition.as_mut().and_then(|one| one.take_late(at)) {
            match late {
                Late::Asked(ask) => self.serve(ask, ctx),
                Late::Brought(envelope) => self.hear(envelope, ctx),
            }
        }
        if self.armed == Some(at) {
            self.armed = None;
            self.take(Input::DeadlineReached, ctx);
        }
    }

    /// It stops, and forgets what it had in hand. Who waits for an answer gets none, but for one that
    /// is no actor of this bank: it is told that nobody knows what became of its request.
    pub(super) fn stop(&mut self, _: Stop, _: &mut dyn Wakes) {
        let condition = self.condition.get_or_insert_default();
        assert!(!condition.is_down, "branch {} stops twice", self.branch.id());
        let late = condition.stop();
        let branch = self.branch.id();
        self.branch_context.recorder.record(|| Fact::BranchStopped { branch });
        self.armed = None;
        self.applied = None;
        self.brought = Brought::default();
        if let Some(outbox) = &mut self.outbox {
            let struck = outbox.stop();
            if let Some(faulty) = &self.branch_context.faulty {
                struck.into_iter().for_each(|kind| faulty.strike(kind));
            }
        }
        for asked in late {
            self.turn_away(asked);
        }
        for (_, who) in self.in_flight.drain() {
            match who {
                InFlight::Request { reply_to: ReplyTo::Mailbox(_), .. }
                | InFlight::Settling { .. } => {}
                InFlight::Request { request, reply_to, .. } => {
                    let outcome =
                        RequestError::OutcomeUnknown { unconfirmed_by: Vec::new(), more: 0 };
                    reply_to.send(without_answer(&self.branch, request, outcome));
                }
            }
        }
    }

    /// It starts again with what it keeps of its log.
    pub(super) fn start_again(&mut self, StartAgain(keeps): StartAgain, ctx: &mut dyn Wakes) {
        let condition = self.condition.get_or_insert_default();
        assert!(condition.is_down, "branch {} starts, and is not down", self.branch.id());
        condition.start();
        let starts = condition.starts;
        let kept = match keeps {
            Keeps::All => self.branch.position(),
            Keeps::First(kept) => LogPosition::new(kept),
        };
        let first = self.branch_context.peers.roster.first_life();
        let life = Life::new(first.get().saturating_add(starts));
        self.branch = match self.outbox.as_ref().and_then(|outbox| outbox.memory()) {
            Some(memory) => self.branch.started_from_disk(memory, life),
            None => self.branch.started_again(kept, life),
        };
        self.returns = !self.branch.serves();
        self.record_started();
        self.take(Input::Started, ctx);
    }

    /// What is on its disk and was told to nobody is applied now.
    fn record_started(&mut self) {
        let branch = &self.branch;
        let told = self.outbox.as_ref().map(|outbox| outbox.applied());
        let kept = told.map_or(branch.position(), |told| told.min(branch.position()));
        let balance = branch.balance_at(kept).unwrap_or_else(|| branch.nearest_balance());
        let started =
            Fact::BranchStarted { branch: branch.id(), life: branch.life(), kept, balance };
        self.branch_context.recorder.record(|| started);
        let untold: Vec<LogEntry> = branch.log_after(kept).collect();
        let (mut position, mut balance) = (kept, balance);
        for LogEntry { dot, id, write } in untold {
            position = position.next();
            balance = balance.saturating_add(write.delta());
            self.say(Output::Applied(Applied { dot, id, write, position, balance }));
        }
        if let Some(outbox) = &mut self.outbox {
            outbox.tell_applied(position);
        }
    }

    /// Asks of a branch that is down are not answered, but for those of no actor of this bank.
    fn turn_away(&self, Ask { request, reply_to, .. }: Ask) {
        match reply_to {
            ReplyTo::Mailbox(_) => {}
            ReplyTo::Caller(_) | ReplyTo::Then(_) => {
                reply_to.send(without_answer(&self.branch, request, RequestError::DOWN));
            }
        }
    }
}
