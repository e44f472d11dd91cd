//! What a branch answers to whoever asks how it stands: at once, or where it has a disk, when all is
//! kept that the answer rests on.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use actix::dev::{MessageResponse, OneshotSender};
use actix::{Actor, Context, Message};

use super::branch_shell::BranchShell;
use super::outbox::{Output, Question};
use crate::bank::Branch;

/// What a branch answers, at once or when all is kept that it rests on. Until then nothing is made of it:
/// however many ask, and go, while a commit stands still, no answer of theirs takes memory.
pub struct Said<T>(When<T>);

enum When<T> {
    Now(T),
    Later { open: Rc<RefCell<Option<BranchShell>>>, make: Make<T> },
}

/// Makes an answer that says how the branch stood when it was asked.
type Make<T> = Box<dyn FnOnce(&Branch) -> T>;

impl<T> Said<T> {
    pub(super) fn now(told: T) -> Self {
        Self(When::Now(told))
    }

    /// What the branch that is `open` makes when it may tell it.
    pub(super) fn later(
        open: Rc<RefCell<Option<BranchShell>>>,
        make: impl FnOnce(&Branch) -> T + 'static,
    ) -> Self {
        Self(When::Later { open, make: Box::new(make) })
    }
}

impl<T> fmt::Debug for Said<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said").finish_non_exhaustive()
    }
}

impl<A, M> MessageResponse<A, M> for Said<M::Result>
where
    A: Actor<Context = Context<A>>,
    M: Message,
{
    fn handle(self, _: &mut Context<A>, answer: Option<OneshotSender<M::Result>>) {
        let Some(answer) = answer else { return };
        match self.0 {
            When::Now(told) => tell(answer, told),
            When::Later { open, make } => {
                if let Some(shell) = &mut *open.borrow_mut() {
                    shell.put_out(Output::Asked(Box::new(Asked { answer, make })));
                }
            }
        }
    }
}

fn tell<T>(answer: OneshotSender<T>, told: T) {
    if answer.send(told).is_err() {
        log::debug!("nobody waits for an answer any more");
    }
}

struct Asked<T> {
    answer: OneshotSender<T>,
    make: Make<T>,
}

impl<T> Question for Asked<T> {
    fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }

    fn answer(self: Box<Self>, branch: &Branch) {
        if !self.is_given_up() {
            tell(self.answer, (self.make)(branch));
        }
    }
}
