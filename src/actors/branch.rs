//! The branch actor: what it is told goes to its shell.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use actix::{Actor, Context, Handler};
use tokio::sync::watch;

use super::branch_shell::{BranchContext, BranchShell, Kept};
use super::{
    AnswerAll, Ask, AwaitSettled, BalanceAt, Begin, BranchState, BranchSummary, Committed, Deliver,
    Due, Heard, Inspect, LatestEvent, LinkChange, PeerEnvelope, ReadLog, ReadWriteSet, Relay, Said,
    StartAgain, Stop, Summarize, Watch, WriteSetAt, WriteSetState,
};
use crate::bank::{Branch, VersionVector};
use crate::model::{BranchId, EventId, LogEntry, LogPosition, Money, RequestError};

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
        BranchShell::open(&mut self.open.borrow_mut(), branch, branch_context, kept);
    }

    /// Whether every write that it has accepted is confirmed everywhere. Not where it has stopped.
    pub fn is_settled(&self) -> bool {
        let open = self.open.borrow();
        open.as_ref().is_some_and(|shell| shell.branch.is_settled() && !shell.holds_back())
    }

    /// Which writes it holds; `None` where it has stopped.
    pub fn version(&self) -> Option<VersionVector> {
        self.open.borrow().as_ref().map(|shell| shell.branch.version().clone())
    }

    /// Whether nothing is left for it to do: it is settled, has heard from all of whom it has to, and
    /// holds no write that waits. Not where it has stopped.
    pub fn is_at_rest(&self) -> bool {
        let is_at_rest = |branch: &Branch| {
            branch.is_settled() && branch.is_closed() && !branch.holds_waiting_writes()
        };
        let open = self.open.borrow();
        open.as_ref().is_some_and(|shell| is_at_rest(&shell.branch) && !shell.holds_back())
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
    Committed => committed,
    Stop => stop,
    StartAgain => start_again,
}

/// Answers questions about how the branch stands, when all is kept that the answer rests on.
macro_rules! tell {
    ($($Message:ident => $Told:ty: |$actor:ident, $message:pat_param| $told:expr;)+) => {$(
        impl Handler<$Message> for BranchActor {
            type Result = Said<$Told>;

            fn handle(&mut self, $message: $Message, _: &mut Self::Context) -> Self::Result {
                let $actor = &*self;
                let told = $told;
                self.shell().when_kept(told)
            }
        }
    )+};
}

tell! {
    Inspect => Result<BranchState, RequestError>: |actor, Inspect { most }| {
        actor.shell_up().map(|shell| shell.state(most))
    };
    Summarize => Result<BranchSummary, RequestError>: |actor, Summarize| {
        actor.shell_up().map(|shell| shell.summary())
    };
    LatestEvent => Result<Option<EventId>, RequestError>: |actor, LatestEvent(customer)| {
        actor.shell_up().and_then(|shell| {
            let branch = &shell.branch;
            let gives = branch.gives_event_ids();
            if gives { Ok(branch.latest_event(customer)) } else { Err(branch.returning()) }
        })
    };
    ReadWriteSet => Result<WriteSetState, RequestError>: |actor, ReadWriteSet(customer)| {
        actor.shell_up().map(|shell| WriteSetState {
            balance: shell.branch.balance(),
            write_set: shell.branch.write_set(customer),
        })
    };
    WriteSetAt => Vec<EventId>: |actor, WriteSetAt(customer, position)| {
        actor.shell().branch.write_set_at(customer, position)
    };
    ReadLog => Vec<LogEntry>: |actor, ReadLog { after, most }| {
        actor.shell().branch.log_after(after).take(most).collect()
    };
    BalanceAt => Option<Money>: |actor, BalanceAt(position)| {
        actor.shell().branch.balance_at(position)
    };
    Watch => Result<watch::Receiver<LogPosition>, RequestError>: |actor, Watch| {
        actor.shell_up().map(|mut shell| {
            let position = shell.branch.position();
            shell.applied.get_or_insert_with(|| watch::Sender::new(position)).subscribe()
        })
    };
}
