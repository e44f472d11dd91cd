//! What a branch says: at once, or where it has a disk, when all is kept that it rests on.

use tokio::sync::watch;

use super::branch_shell::{BranchShell, InFlight};
use super::faulty::body;
use super::outbox::{Outbox, Output};
use super::time_source::Wakes;
use super::{Answer, Broadcast, Committed, Delivered, PeerEnvelope, ReplyTo, Settled, Standing};
use crate::bank::{Acknowledgement, Applied, LifeList, PeerMessage, PropagatedWrite, Reply};
use crate::history::{Fact, MessageBody};
use crate::model::{BranchId, Life, LogPosition};

impl BranchShell {
    /// Says `output`, when all is kept that was to be kept before it.
    pub(super) fn put_out(&mut self, output: Output) {
        match self.holding() {
            Some(outbox) => outbox.hold(output),
            None => self.say(output),
        }
    }

    /// What it puts things into that it says later, if something is to be kept before.
    #[inline]
    pub(super) fn holding(&mut self) -> Option<&mut Outbox> {
        self.outbox.as_deref_mut().filter(|outbox| outbox.holds_back())
    }

    /// Whether something is to be kept before it says anything more.
    pub(super) fn holds_back(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.holds_back())
    }

    pub(super) fn say(&mut self, output: Output) {
        match output {
            Output::Reply(reply) => self.answer(reply),
            Output::Settled(ticket) => {
                if let Some(InFlight::Settling { reply_to }) = self.take_in_flight(ticket) {
                    reply_to.send(Settled);
                }
            }
            Output::Broadcast(write, lives) => self.broadcast(write, lives),
            Output::Send { to, message, lives } => self.send_out(to, message, lives),
            Output::Acknowledged { to, acknowledgement, waiting, lives } => {
                self.acknowledge_brought(to, acknowledgement, (waiting, &lives));
            }
            Output::Delivered(reply_to, delivered) => reply_to.send(delivered),
            Output::Applied(applied) => self.tell_applied(applied),
            Output::Asked(question) => question.answer(&self.branch),
        }
    }

    /// A commit is kept: what had to wait for it is said.
    pub(super) fn committed(&mut self, committed: Committed, _: &mut dyn Wakes) {
        if let Some(outbox) = &mut self.outbox {
            outbox.committed(committed);
        }
        while let Some(output) = self.outbox.as_mut().and_then(|outbox| outbox.take_due()) {
            self.say(output);
        }
    }

    /// Tells from now on how long the apply log is.
    pub(super) fn watch(&mut self) -> watch::Receiver<LogPosition> {
        let position = self.branch.position();
        self.applied.get_or_insert_with(|| watch::Sender::new(position)).subscribe()
    }

    /// Tells those who have brought something what became of it.
    pub(super) fn tell_bringers(
        &mut self,
        bringers: impl IntoIterator<Item = ReplyTo<Delivered>>,
        delivered: impl Fn() -> Delivered,
    ) {
        for reply_to in bringers {
            self.put_out(Output::Delivered(reply_to, delivered()));
        }
    }

    #[inline(always)]
    pub(super) fn answer(&mut self, reply: Reply) {
        let Reply { ticket, outcome, position, balance, entry } = reply;
        let Some(InFlight::Request { customer, request, reply_to, waited }) =
            self.take_in_flight(ticket)
        else {
            return;
        };
        let branch = self.branch.id();
        self.branch_context.recorder.record(|| {
            let outcome = outcome.clone();
            Fact::ReplySent { branch, customer, request, position, outcome }
        });
        reply_to.send(Answer { request, branch, outcome, position, balance, entry, waited });
    }

    pub(super) fn send(&mut self, to: BranchId, message: PeerMessage) {
        let lives = self.branch.lives().clone();
        match message {
            PeerMessage::Acknowledge(acknowledgement)
                if self.brought.awaits(acknowledgement.dot) =>
            {
                let waiting = self.brought.take_waiting(acknowledgement.dot);
                return self.put_out(Output::Acknowledged { to, acknowledgement, waiting, lives });
            }
            PeerMessage::Missed(missed) if self.brought.is_asked_by(to) => {
                if let Some(reply_to) = self.brought.take_question() {
                    let answered = Delivered::Answered { missed, lives };
                    self.put_out(Output::Delivered(reply_to, answered));
                }
                return;
            }
            // Whoever brought it waits for an answer, and got it.
            PeerMessage::Taken(_) => return,
            PeerMessage::Propagate(_)
            | PeerMessage::Acknowledge(_)
            | PeerMessage::CatchUp(_)
            | PeerMessage::Missed(_) => {}
        }
        match self.holding() {
            Some(outbox) => outbox.hold(Output::Send { to, message, lives }),
            None => self.send_out(to, message, lives),
        }
    }

    #[inline(always)]
    pub(super) fn tell_applied(&mut self, applied: Applied) {
        self.record_applied(applied);
        self.tell_watchers(applied.position);
        if let Some(outbox) = &mut self.outbox {
            outbox.tell_applied(applied.position);
        }
    }

    #[inline(always)]
    fn send_out(&mut self, to: BranchId, message: PeerMessage, lives: LifeList) {
        self.sent = self.sent.next();
        let (from, number) = (self.branch.id(), self.sent);
        let body = || body(&message);
        self.record_message(|| Fact::MessageSent { from, to, number, body: body() });
        let envelope = PeerEnvelope { from, to, number, lives, message };
        self.branch_context.peers.send(envelope);
    }

    #[inline(always)]
    pub(super) fn broadcast(&mut self, write: PropagatedWrite, lives: LifeList) {
        let (from, first) = (self.branch.id(), self.sent.next());
        for &to in self.branch_context.peers.roster.ids().iter().filter(|&&to| to != from) {
            self.sent = self.sent.next();
            let (number, body) = (self.sent, MessageBody::Propagate { id: write.id });
            self.record_message(|| Fact::MessageSent { from, to, number, body });
        }
        self.branch_context.peers.broadcast(Broadcast { from, first, lives, write });
    }

    fn acknowledge_brought(
        &mut self,
        to: BranchId,
        acknowledgement: Acknowledgement,
        (waiting, lives): (Vec<ReplyTo<Delivered>>, &LifeList),
    ) {
        let (from, body) = (self.branch.id(), body(&PeerMessage::Acknowledge(acknowledgement)));
        for reply_to in waiting {
            self.sent = self.sent.next();
            let number = self.sent;
            self.record_message(|| Fact::MessageSent { from, to, number, body });
            let lives = lives.clone();
            reply_to.send(Delivered::Applied { acknowledgement, number, lives });
        }
    }

    fn tell_watchers(&self, position: LogPosition) {
        if let Some(applied) = &self.applied {
            // They may all have gone.
            applied.send_replace(position);
        }
    }

    #[inline(always)]
    fn record_applied(&self, applied: Applied) {
        let Applied { dot, id, write, position, balance } = applied;
        self.branch_context.recorder.record(|| Fact::WriteApplied {
            branch: self.branch.id(),
            id,
            write,
            origin: dot.origin,
            life: (dot.life != Life::FIRST).then_some(dot.life),
            sequence: dot.sequence,
            position,
            balance,
        });
    }

    pub(super) fn tell_standing(&self, standing: Standing) {
        let told = self.branch_context.standing.as_ref().map(|told| told.send(standing));
        if !matches!(told, Some(Ok(()))) {
            log::debug!("nobody wants to know that {standing:?}");
        }
    }

    #[inline(always)]
    pub(super) fn record_message(&self, fact: impl FnOnce() -> Fact) {
        self.branch_context.recorder.record_detail(fact);
    }

    pub(super) fn tell_conflict(&mut self, write: &PropagatedWrite) {
        log::error!(
            "branch {} got {} as number {} of branch {}, which names another write here: two \
             processes are that branch",
            self.branch.id(),
            write.id,
            write.dot.sequence,
            write.dot.origin,
        );
        let waiting = self.brought.take_waiting(write.dot);
        self.tell_bringers(waiting, || Delivered::Conflicts);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::disk_by_hand::{
        acknowledged, branch, config, deposit, propagated, waiting_session, with_a_write,
    };
    use crate::actors::fixture::{amount, in_system};
    use crate::actors::{AnswerAll, AwaitSettled, Heard, LinkChange, LinkEvent, Watch};
    use crate::bank::{Branch, VersionVector};
    use crate::model::{Money, Operation, Roster, Write, WriteKind};

    fn new(id: BranchId, roster: Arc<Roster>) -> Branch {
        Branch::new(id, roster, Money::ZERO, config())
    }

    #[test]
    fn nothing_is_said_while_a_commit_stands_and_then_all_of_it_in_order() {
        in_system(async {
            let bank = with_a_write(new).await;
            let nothing = VersionVector::new(&bank.roster);
            let first = &bank.branches[0];
            let length = first.send(Watch).await.unwrap().unwrap();
            bank.ask(0, 2, deposit(1), None);
            bank.ask(0, 3, Operation::Query, None);
            bank.ask(0, 1, deposit(1), None);
            bank.ask(0, 1, deposit(7), None);
            bank.ask(0, 9, Operation::Query, Some(waiting_session(&bank.roster)));
            first.do_send(bank.envelope(2, PeerMessage::CatchUp(nothing.clone())));
            first.do_send(bank.envelope(2, PeerMessage::Propagate(propagated(1, 1, 1))));
            let write = |write| bank.envelope(3, PeerMessage::Propagate(write));
            bank.bring("same", 1, write(propagated(1, 2, 1)));
            bank.bring("other", 1, write(propagated(1, 2, 7)));
            bank.bring("early", 0, write(propagated(3, 5, 1)));
            bank.bring("asked", 1, bank.envelope(3, PeerMessage::CatchUp(nothing)));
            first.do_send(LinkChange { peer: branch(3), news: LinkEvent::InReach });
            let reply_to = ReplyTo::Then(bank.then(|Settled| "settled".to_owned()));
            first.do_send(AwaitSettled { reply_to });
            for (from, sequence) in [(2, 1), (2, 2), (3, 1), (3, 2)] {
                first.do_send(bank.envelope(from, acknowledged(sequence)));
            }
            assert_eq!((bank.said().await, bank.said_late().await), (vec![], vec![]));
            assert!(!length.has_changed().unwrap());
            bank.keep(0).await;
            let expected = [
                "applied at 2",
                "2: Written",
                "write 2 to 2",
                "write 2 to 3",
                "3: Balance(Money(2))",
                "1: Written",
                "1: refused: this event id already names another write: deposit 0.01",
                "answer to 2",
                "acknowledgement of 1 to 2",
                "acknowledgement of 2 to 3",
                "same: applied",
                "other: conflicts",
                "early: crowded",
                "asked: answered",
                "question to 3",
                "settled",
            ];
            assert_eq!(bank.said().await, expected);
            assert_eq!(*length.borrow(), LogPosition::new(2));
        });
    }

    #[test]
    fn what_is_itself_to_be_kept_is_said_with_the_next_commit() {
        in_system(async {
            let bank = with_a_write(new).await;
            let first = &bank.branches[0];
            bank.ask(0, 2, deposit(1), None);
            bank.ask(0, 3, Operation::Query, Some(waiting_session(&bank.roster)));
            let withdraw = Operation::Write(Write { kind: WriteKind::Withdraw, amount: amount(9) });
            bank.ask(0, 4, withdraw, None);
            first.do_send(bank.envelope(2, PeerMessage::Propagate(propagated(2, 1, 1))));
            bank.bring("new", 1, bank.envelope(3, PeerMessage::Propagate(propagated(3, 1, 1))));
            bank.relay("relayed", 2);
            let begun = [1, 1, 9].map(Life::new);
            let lives = LifeList::from_lives(begun, &bank.roster).unwrap();
            let over = bank.envelope(3, PeerMessage::Propagate(propagated(3, 9, 1)));
            first.do_send(Heard { from: branch(3), lives });
            bank.bring("over", 1, over);
            bank.ask(0, 5, Operation::Query, None);
            assert_eq!((bank.said().await, bank.said_late().await), (vec![], vec![]));
            bank.keep(0).await;
            let expected = ["applied at 2", "2: Written", "write 2 to 2", "write 2 to 3"];
            assert_eq!(bank.said().await, expected);
            bank.keep(0).await;
            let expected = [
                "4: refused: insufficient funds: the balance is 0.02, 0.09 was requested",
                "applied at 3",
                "acknowledgement of 1 to 2",
                "3: Balance(Money(3))",
                "applied at 4",
                "acknowledgement of 1 to 3",
                "new: applied",
                "applied at 5",
                "relayed: Written",
                "question to 2",
                "question to 3",
                "over: thrown away",
                "5: Balance(Money(5))",
            ];
            assert_eq!(bank.said().await, expected);
            assert!(bank.commits[0].borrow().is_empty());
        });
    }

    #[test]
    fn whoever_asks_how_a_branch_stands_hears_how_it_stood_when_that_is_kept() {
        in_system(async {
            let bank = with_a_write(new).await;
            bank.ask(0, 2, deposit(1), None);
            bank.all_questions();
            bank.rest().await;
            // They were asked before, and hear nothing of it.
            bank.ask(0, 3, deposit(1), None);
            bank.ask(0, 9, Operation::Query, Some(waiting_session(&bank.roster)));
            bank.branches[0].do_send(AnswerAll);
            assert_eq!((bank.said().await, bank.said_late().await), (vec![], vec![]));
            bank.keep(0).await;
            let told = bank.said_late().await;
            let answers: Vec<&str> = told
                .iter()
                .map(String::as_str)
                .filter(|told| !told.starts_with("branch"))
                .collect();
            let expected = [
                "state of 2 with 2",
                "summary of 2",
                "latest event 2",
                "2 write(s) for 0.02",
                "write set of 1",
                "log of 2",
                "balance 0.01",
                "length 2",
            ];
            assert_eq!(answers, expected);
            assert_eq!(told.len() - answers.len(), 2, "the write goes to two branches");
            assert_eq!(bank.said().await.len(), 4);
            bank.keep(0).await;
            let last = bank.said().await;
            assert!(last[4].starts_with("9: ") && last.len() == 5, "{last:?}");
        });
    }
}
