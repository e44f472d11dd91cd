//! The branch actor: what it is told goes to its shell.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use actix::{Actor, Context, Handler};
use tokio::sync::watch;

use super::branch_shell::{BranchContext, BranchShell, Room};
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
    /// What the last branch here leaves to the next.
    room: Rc<RefCell<Room>>,
}

impl BranchActor {
    /// Opens `branch`.
    pub fn open(&self, branch: Branch, branch_context: BranchContext) {
        let room = self.room.take();
        BranchShell::open(&mut self.open.borrow_mut(), branch, branch_context, room);
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
        let state = state(shell.summary(), &shell.branch, usize::MAX);
        self.room.replace(shell.take_room());
        *open = None;
        Some(state)
    }

    fn shell(&self) -> RefMut<'_, BranchShell> {
        RefMut::map(self.open.borrow_mut(), |shell| {
            shell.as_mut().expect("who asks a branch has opened it")
        })
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

/// Answers questions about how the branch stands, when all is kept that the answer rests on. What the
/// answer is to be made of is taken now, as long as that is small; what is long is read when it is told.
macro_rules! tell {
    ($($Message:ident => $Told:ty: |$shell:pat_param, $message:pat_param| $make:expr;)+) => {$(
        impl Handler<$Message> for BranchActor {
            type Result = Said<$Told>;

            fn handle(&mut self, $message: $Message, _: &mut Self::Context) -> Self::Result {
                let mut open = self.shell();
                let make = {
                    let $shell = &mut *open;
                    making($make)
                };
                if open.holds_back() {
                    Said::later(Rc::clone(&self.open), make)
                } else {
                    Said::now(make(&open.branch))
                }
            }
        }
    )+};
}

/// Lets the compiler know what `make` takes.
fn making<T, F: FnOnce(&Branch) -> T + 'static>(make: F) -> F {
    make
}

/// How `branch` stood when it had this `summary`, with up to `most` writes of its log.
fn state(summary: BranchSummary, branch: &Branch, most: usize) -> BranchState {
    let length = usize::try_from(summary.position.get()).unwrap_or(usize::MAX);
    BranchState { summary, log: branch.log().take(most.min(length)).collect() }
}

tell! {
    Inspect => Result<BranchState, RequestError>: |shell, Inspect { most }| {
        let summary = shell.up().map(BranchShell::summary);
        move |branch| summary.map(|summary| state(summary, branch, most))
    };
    Summarize => Result<BranchSummary, RequestError>: |shell, Summarize| {
        let summary = shell.up().map(BranchShell::summary);
        move |_| summary
    };
    LatestEvent => Result<Option<EventId>, RequestError>: |shell, LatestEvent(customer)| {
        let latest = shell.up().and_then(|shell| {
            let branch = &shell.branch;
            let gives = branch.gives_event_ids();
            if gives { Ok(branch.latest_event(customer)) } else { Err(branch.returning()) }
        });
        move |_| latest
    };
    ReadWriteSet => Result<WriteSetState, RequestError>: |shell, ReadWriteSet(customer)| {
        let stands = shell.up().map(|shell| (shell.branch.balance(), shell.branch.position()));
        move |branch| stands.map(|(balance, position)| WriteSetState {
            balance,
            write_set: branch.write_set_at(customer, position),
        })
    };
    WriteSetAt => Vec<EventId>: |_, WriteSetAt(customer, position)| {
        move |branch| branch.write_set_at(customer, position)
    };
    ReadLog => Vec<LogEntry>: |shell, ReadLog { after, most }| {
        let length = shell.branch.log_after(after).len();
        move |branch| branch.log_after(after).take(most.min(length)).collect()
    };
    BalanceAt => Option<Money>: |shell, BalanceAt(position)| {
        let balance = shell.branch.balance_at(position);
        move |_| balance
    };
    Watch => Result<watch::Receiver<LogPosition>, RequestError>: |shell, Watch| {
        let length = if shell.is_down() { Err(RequestError::DOWN) } else { Ok(shell.watch()) };
        move |_| length
    };
}
