//! The branch actor: what it is told goes to its shell.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use actix::{Actor, Context, Handler, MessageResult};
use tokio::sync::watch;

use super::branch_shell::{BranchContext, BranchShell, Kept};
use super::{
    AnswerAll, Ask, AwaitSettled, BalanceAt, Begin, BranchState, Deliver, Due, Heard, Inspect,
    LatestEvent, LinkChange, PeerEnvelope, ReadLog, ReadWriteSet, Relay, StartAgain, Stop,
    Summarize, Watch, WriteSetAt, WriteSetState,
};
use crate::bank::Branch;
use crate::model::{BranchId, EventId, LogEntry, Money, RequestError};

/// A branch of a bank, with its mailbox. A copy is the same one: whoever has started it opens and
/// closes the branch with it. What is sent to it before and after is lost; what asks it for an answer
/// of its handler may come only between.
#[derive(Debug, Clone, Default)]
pub struct BranchActor {
    pub(super) open: Rc<RefCell<Option<BranchShell>>>,
    kept: Rc<RefCell<Kept>>,
}

impl BranchActor {
    /// Opens `branch`.
    pub fn open(&self, branch: Branch, branch_context: BranchContext) {
        let kept = self.kept.take();
        *self.open.borrow_mut() = Some(BranchShell::new(branch, branch_context, kept));
    }

    /// Whether every write that it has accepted is confirmed everywhere. Not where it has stopped.
    pub fn is_settled(&self) -> bool {
        self.open.borrow().as_ref().is_some_and(|shell| shell.branch.is_settled())
    }

    /// Whether nothing is left for it to do: it is settled, has heard from all of whom it has to, and
    /// holds no write that waits. Not where it has stopped.
    pub fn is_at_rest(&self) -> bool {
        let is_at_rest = |branch: &Branch| {
            branch.is_settled() && branch.is_closed() && !branch.holds_waiting_writes()
        };
        self.open.borrow().as_ref().is_some_and(|shell| is_at_rest(&shell.branch))
    }

    /// Which it is, if it is open.
    pub fn id(&self) -> Option<BranchId> {
        self.open.borrow().as_ref().map(|shell| shell.branch.id())
    }

    /// How many messages it has sent to others since it was opened; none where it has stopped.
    pub fn sent(&self) -> u64 {
        self.open.borrow().as_ref().map_or(0, |shell| shell.sent.get())
    }

    /// Closes it: says how it stands, with its whole apply log; `None` where it has stopped.
    pub fn close(&self) -> Option<BranchState> {
        let mut open = self.open.borrow_mut();
        let shell = open.as_mut()?;
        let state = shell.state(usize::MAX);
        self.kept.replace(shell.keep());
        *open = None;
        Some(state)
    }

    fn shell(&self) -> RefMut<'_, BranchShell> {
        RefMut::map(self.open.borrow_mut(), |shell| {
            shell.as_mut().expect("who asks a branch has opened it")
        })
    }

    /// The same, unless it is down.
    fn shell_up(&self) -> Result<RefMut<'_, BranchShell>, RequestError> {
        let shell = self.shell();
        if shell.is_down() { Err(RequestError::DOWN) } else { Ok(shell) }
    }
}

impl Actor for BranchActor {
    type Context = Context<Self>;
}

hand_on! {
    BranchActor:
    Begin => begin,
    Ask => request,
    PeerEnvelope => receive,
    Heard => hear_of,
    Deliver => deliver,
    Relay => take_relayed,
    Due => due,
    AwaitSettled => settle,
    LinkChange => change_link,
    AnswerAll => answer_all,
    Stop => stop,
    StartAgain => start_again,
}

impl Handler<Inspect> for BranchActor {
    type Result = MessageResult<Inspect>;

    fn handle(&mut self, Inspect { most }: Inspect, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.shell_up().map(|shell| shell.state(most)))
    }
}

impl Handler<Summarize> for BranchActor {
    type Result = MessageResult<Summarize>;

    fn handle(&mut self, _: Summarize, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.shell_up().map(|shell| shell.summary()))
    }
}

impl Handler<LatestEvent> for BranchActor {
    type Result = Result<Option<EventId>, RequestError>;

    fn handle(
        &mut self,
        LatestEvent(customer): LatestEvent,
        _: &mut Self::Context,
    ) -> Self::Result {
        let branch = &self.shell_up()?.branch;
        if branch.gives_event_ids() {
            return Ok(branch.latest_event(customer));
        }
        Err(branch.returning())
    }
}

impl Handler<ReadWriteSet> for BranchActor {
    type Result = MessageResult<ReadWriteSet>;

    fn handle(
        &mut self,
        ReadWriteSet(customer): ReadWriteSet,
        _: &mut Self::Context,
    ) -> Self::Result {
        MessageResult(self.shell_up().map(|shell| WriteSetState {
            balance: shell.branch.balance(),
            write_set: shell.branch.write_set(customer),
        }))
    }
}

impl Handler<WriteSetAt> for BranchActor {
    type Result = Vec<EventId>;

    fn handle(&mut self, asked: WriteSetAt, _: &mut Self::Context) -> Vec<EventId> {
        let WriteSetAt(customer, position) = asked;
        self.shell().branch.write_set_at(customer, position)
    }
}

impl Handler<ReadLog> for BranchActor {
    type Result = Vec<LogEntry>;

    fn handle(&mut self, ReadLog { after, most }: ReadLog, _: &mut Self::Context) -> Vec<LogEntry> {
        self.shell().branch.log_after(after).take(most).collect()
    }
}

impl Handler<BalanceAt> for BranchActor {
    type Result = Option<Money>;

    fn handle(&mut self, BalanceAt(position): BalanceAt, _: &mut Self::Context) -> Option<Money> {
        self.shell().branch.balance_at(position)
    }
}

impl Handler<Watch> for BranchActor {
    type Result = MessageResult<Watch>;

    fn handle(&mut self, _: Watch, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.shell_up().map(|mut shell| {
            let position = shell.branch.position();
            let applied = shell.applied.get_or_insert_with(|| watch::Sender::new(position));
            applied.subscribe()
        }))
    }
}
