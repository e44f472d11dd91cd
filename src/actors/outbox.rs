//! What a branch that has a disk wants to say, until all that was to be kept before it is kept.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::Rc;

use actix::{Message, Recipient};

use super::{Delivered, ReplyTo};
use crate::bank::{
    Acknowledgement, Applied, Branch, Kept, LifeList, Memory, PeerMessage, PropagatedWrite, Reply,
    Ticket,
};
use crate::model::{BranchId, Dot, LogPosition};
use crate::network::FaultKind;

/// Asks the storage to keep something, all of it or nothing. It is [`Committed`] before the next one
/// comes.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Commit {
    /// Which of the branch's.
    pub number: u64,
    /// What is to be kept, in order.
    pub kept: Vec<Kept>,
}

/// Tells a branch that its [`Commit`] with this number is kept.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Committed(pub u64);

/// What keeps what a branch wants kept.
#[derive(Debug, Clone)]
pub struct StorageLink {
    /// Who keeps it.
    pub commits: Recipient<Commit>,
    /// The power of its disk, where that is simulated.
    pub power: Option<Rc<dyn Power>>,
}

/// The power of a simulated disk, which fails when its branch crashes.
pub trait Power: fmt::Debug {
    /// It fails. Says what that does to the disk.
    fn fail(&self) -> Vec<FaultKind>;

    /// It is back. Gives all that was kept.
    fn restore(&self) -> Memory;
}

/// From how many of them on it is looked whether those have given up who wait for an answer.
const ASKERS_MIN: usize = 64;

/// What a branch wants to say, in order. While one commit is under way the branch goes on, and what it
/// wants kept gathers for the next.
///
/// However long a commit takes, this has bounds: of requests the edge lets in so many and counts them until
/// they are answered; another branch has no more writes on their way here than it may keep; what is
/// said to it again and again is held once; and those who ask how the branch stands are held as long as they
/// wait, with nothing that is long.
#[derive(Debug)]
pub(super) struct Outbox {
    storage: StorageLink,
    /// What the next commit keeps.
    gathered: Vec<Kept>,
    /// How many commits have begun.
    begun: u64,
    /// How many of them are kept.
    kept: u64,
    /// How many writes it was told that they are applied.
    applied: LogPosition,
    /// What is said when so many are kept.
    waiting: VecDeque<(u64, Output)>,
    /// What is among it for other branches, and with which lives it goes out. Not the first time that
    /// a write goes to all of them.
    messages: BTreeMap<(BranchId, Saying), LifeList>,
    /// How many are among it who may give up waiting, and may have.
    askers: usize,
    /// From how many on it is looked for those.
    askers_max: usize,
}

/// What a message to another branch says. Said twice to the same one, with the same lives, the second
/// says nothing that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Saying {
    Write(Dot),
    Acknowledgement(Dot),
    Question,
    Answer,
    Taken(Dot),
}

/// Something that a branch says.
#[derive(Debug)]
pub(super) enum Output {
    /// The answer to a request.
    Reply(Reply),
    /// That all is settled.
    Settled(Ticket),
    /// A write, to all others. The branch knew of these lives then.
    Broadcast(PropagatedWrite, LifeList),
    /// A message to another branch.
    Send { to: BranchId, message: PeerMessage, lives: LifeList },
    /// To those who brought a write, that it is applied.
    Acknowledged {
        to: BranchId,
        acknowledgement: Acknowledgement,
        waiting: Vec<ReplyTo<Delivered>>,
        lives: LifeList,
    },
    /// To one who brought something.
    Delivered(ReplyTo<Delivered>, Delivered),
    /// That a write is applied: for whoever observes, and for watchers.
    Applied(Applied),
    /// To one who has asked how the branch stands.
    Asked(Box<dyn Question>),
}

impl Outbox {
    /// That of a branch whose `storage` keeps what it is asked to.
    pub(super) fn new(storage: StorageLink) -> Self {
        Self {
            storage,
            gathered: Vec::new(),
            begun: 0,
            kept: 0,
            applied: LogPosition::default(),
            waiting: VecDeque::new(),
            messages: BTreeMap::new(),
            askers: 0,
            askers_max: ASKERS_MIN,
        }
    }

    /// Has something kept, with the next commit.
    pub(super) fn keep(&mut self, kept: Kept) {
        self.gathered.push(kept);
    }

    /// How many commits must be kept before anything more is said.
    fn needed(&self) -> u64 {
        self.begun + u64::from(!self.gathered.is_empty())
    }

    /// Whether something is to be kept before anything more is said.
    pub(super) fn holds_back(&self) -> bool {
        self.needed() > self.kept
    }

    /// Says `output` when all is kept that was to be kept before it.
    pub(super) fn hold(&mut self, output: Output) {
        match &output {
            Output::Send { to, message, lives } => {
                let saying = (*to, Saying::of(message));
                if self.messages.get(&saying) == Some(lives) {
                    return;
                }
                self.messages.insert(saying, lives.clone());
            }
            Output::Asked(_) | Output::Delivered(..) => {
                // The answer to a question of another branch is long, and it asks again.
                let is_long = matches!(output, Output::Delivered(_, Delivered::Answered { .. }));
                if is_long || self.askers >= self.askers_max {
                    self.forget_given_up();
                }
                self.askers += 1;
            }
            Output::Reply(_)
            | Output::Settled(_)
            | Output::Broadcast(..)
            | Output::Acknowledged { .. }
            | Output::Applied(_) => {}
        }
        self.waiting.push_back((self.needed(), output));
    }

    /// Forgets who does not wait for an answer any more.
    fn forget_given_up(&mut self) {
        let mut askers = 0;
        self.waiting.retain(|(_, output)| {
            let waits = match output {
                Output::Asked(question) => !question.is_given_up(),
                Output::Delivered(reply_to, _) => !reply_to.is_given_up(),
                Output::Reply(_)
                | Output::Settled(_)
                | Output::Broadcast(..)
                | Output::Send { .. }
                | Output::Acknowledged { .. }
                | Output::Applied(_) => return true,
            };
            askers += usize::from(waits);
            waits
        });
        self.askers = askers;
        self.askers_max = ASKERS_MIN.max(2 * askers);
    }

    /// Begins the next commit, if there is something to keep and none is under way.
    pub(super) fn commit(&mut self) {
        if self.begun == self.kept && !self.gathered.is_empty() {
            self.begun += 1;
            let kept = std::mem::take(&mut self.gathered);
            self.storage.commits.do_send(Commit { number: self.begun, kept });
        }
    }

    /// The commit that is under way is kept, if it has this number: an earlier one is of a branch that
    /// has stopped since.
    pub(super) fn committed(&mut self, Committed(number): Committed) {
        if number == self.begun {
            self.kept = number;
        }
        self.commit();
    }

    /// Takes out what may be said now, one after the other.
    pub(super) fn take_due(&mut self) -> Option<Output> {
        let kept = self.kept;
        let (_, output) = self.waiting.pop_front_if(|(needed, _)| *needed <= kept)?;
        match &output {
            Output::Send { to, message, lives } => {
                let saying = (*to, Saying::of(message));
                if self.messages.get(&saying) == Some(lives) {
                    self.messages.remove(&saying);
                }
            }
            Output::Asked(_) | Output::Delivered(..) => self.askers -= 1,
            Output::Reply(_)
            | Output::Settled(_)
            | Output::Broadcast(..)
            | Output::Acknowledged { .. }
            | Output::Applied(_) => {}
        }
        Some(output)
    }

    /// It was told that so many writes are applied.
    pub(super) fn tell_applied(&mut self, position: LogPosition) {
        self.applied = position;
    }

    /// How many writes it was told that they are applied.
    pub(super) fn applied(&self) -> LogPosition {
        self.applied
    }

    /// How much lies there.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Its branch stops: what it has not said it never says, and what it wanted kept is kept or not.
    /// Says what that does to the disk.
    pub(super) fn stop(&mut self) -> Vec<FaultKind> {
        self.waiting.clear();
        self.messages.clear();
        self.askers = 0;
        self.gathered.clear();
        self.kept = self.begun;
        self.storage.power.as_ref().map_or(Vec::new(), |power| power.fail())
    }

    /// What its branch starts with again.
    pub(super) fn memory(&self) -> Option<Memory> {
        self.storage.power.as_ref().map(|power| power.restore())
    }
}

/// A question about how a branch stands, whatever its answer is.
pub(super) trait Question {
    /// Whether nobody waits for the answer any more.
    fn is_given_up(&self) -> bool;

    /// Answers it.
    fn answer(self: Box<Self>, branch: &Branch);
}

impl fmt::Debug for dyn Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("is_given_up", &self.is_given_up()).finish()
    }
}

impl Saying {
    fn of(message: &PeerMessage) -> Self {
        match message {
            PeerMessage::Propagate(write) => Self::Write(write.dot),
            PeerMessage::Acknowledge(acknowledgement) => Self::Acknowledgement(acknowledgement.dot),
            PeerMessage::CatchUp(_) => Self::Question,
            PeerMessage::Missed(_) => Self::Answer,
            PeerMessage::Taken(dot) => Self::Taken(*dot),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::disk_by_hand::{
        Bank, branch, config, customer, deposit, propagated, with_a_write,
    };
    use crate::actors::fixture::in_system;
    use crate::actors::{Deliver, Inspect, LinkChange, LinkEvent, ReadWriteSet, Summarize};
    use crate::bank::{BranchConfig, VersionVector};
    use crate::model::{Money, Propagation, Roster};

    fn new(id: BranchId, roster: Arc<Roster>) -> Branch {
        Branch::new(id, roster, Money::ZERO, config())
    }

    #[test]
    fn those_who_give_up_asking_are_not_held_and_those_who_wait_are_answered() {
        in_system(async {
            let bank = with_a_write(new).await;
            bank.ask(0, 2, deposit(1), None);
            for _ in 0..100 {
                drop(bank.branches[0].send(ReadWriteSet(customer(1))));
                let given_up: Vec<_> = (0..50)
                    .map(|_| {
                        let asked = bank.branches[0].send(Inspect { most: 9 });
                        actix_rt::spawn(asked)
                    })
                    .collect();
                bank.question(Summarize, |_| "answered".to_owned());
                bank.rest().await;
                given_up.iter().for_each(actix_rt::task::JoinHandle::abort);
                bank.rest().await;
            }
            // The write, for whoever observes, who asked and two others; and who waits.
            let held = bank.held(0);
            assert!((103..103 + 300).contains(&held), "{held}");
            bank.keep(0).await;
            let told = bank.said_late().await;
            assert_eq!(told.iter().filter(|told| *told == "answered").count(), 100);
        });
    }

    #[test]
    fn what_is_said_to_another_branch_again_is_held_once() {
        in_system(async {
            let bank = with_a_write(new).await;
            bank.ask(0, 2, deposit(1), None);
            bank.rest().await;
            let before = bank.held(0);
            let nothing = VersionVector::new(&bank.roster);
            for _ in 0..100 {
                for message in [
                    PeerMessage::Propagate(propagated(1, 1, 1)),
                    PeerMessage::CatchUp(nothing.clone()),
                ] {
                    bank.branches[0].do_send(bank.envelope(2, message));
                }
                let news = LinkEvent::InReach;
                bank.branches[0].do_send(LinkChange { peer: branch(3), news });
                // One elsewhere, whose call is over before it is answered.
                let (reply_to, answer) = tokio::sync::oneshot::channel();
                let reply_to = ReplyTo::Caller(reply_to);
                let envelope = bank.envelope(3, PeerMessage::CatchUp(nothing.clone()));
                bank.branches[0].do_send(Deliver { envelope, waiting_max: 1, reply_to });
                bank.rest().await;
                drop(answer);
            }
            assert_eq!(bank.held(0) - before, 4);
            bank.keep(0).await;
            let said = bank.said().await;
            let again = ["acknowledgement of 1 to 2", "answer to 2", "question to 3"];
            assert_eq!(said[said.len() - 3..], again);
            // When it is said, it may be said again.
            bank.ask(0, 3, deposit(1), None);
            bank.branches[0].do_send(bank.envelope(2, PeerMessage::CatchUp(nothing)));
            bank.keep(0).await;
            assert_eq!(bank.said().await.last().map(String::as_str), Some("answer to 2"));
        });
    }

    #[test]
    fn writes_that_another_disk_has_not_kept_are_bounded() {
        in_system(async {
            for propagation in [Propagation::Async, Propagation::Sync] {
                let config = BranchConfig { kept_max: Some(2), propagation, ..config() };
                let bank =
                    Bank::open((2, 2), |id, roster| Branch::new(id, roster, Money::ZERO, config));
                for event in [1, 2] {
                    bank.ask(0, event, deposit(1), None);
                    bank.keep(0).await;
                }
                bank.ask(0, 3, deposit(1), None);
                let said = bank.said().await;
                let refused = said.last().unwrap();
                assert!(refused.starts_with("3: unavailable") && refused.contains("2"), "{said:?}");
                assert!(bank.commits[0].borrow().is_empty());
                // It has kept the first, and says so.
                bank.keep(1).await;
                bank.ask(0, 4, deposit(1), None);
                bank.keep(0).await;
                let said = bank.said().await;
                assert!(said.contains(&"applied at 3".to_owned()), "{said:?}");
            }
        });
    }
}
