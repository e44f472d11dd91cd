//! An actor's way to whoever observes what happens, with the time of each fact.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::TimeSource;
use crate::history::{Fact, Recorded};

/// An actor's way to the observer, if there is one. It is called where the fact happens, so it gets
/// every fact in causal order.
#[derive(Clone)]
pub struct RecorderLink {
    /// What time it is.
    pub clock: TimeSource,
    /// The observer; `None` where nothing is recorded.
    pub observer: Option<Rc<RefCell<dyn Observer>>>,
    /// How much the observer wants to know.
    pub detail: Detail,
}

/// Is told of each fact when it happens.
pub trait Observer {
    /// Takes a fact.
    fn observe(&mut self, recorded: Recorded);
}

/// How much is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// What a verdict needs: requests, replies and applies.
    Essentials,
    /// The messages between branches too: many more.
    #[default]
    Everything,
}

impl RecorderLink {
    /// Records what `fact` says; asks for it only if someone observes.
    #[inline(always)]
    pub fn record(&self, fact: impl FnOnce() -> Fact) {
        if let Some(observer) = &self.observer {
            observer.borrow_mut().observe(Recorded { at: self.clock.now(), fact: fact() });
        }
    }

    /// The same for a fact that is no essential one.
    #[inline(always)]
    pub fn record_detail(&self, fact: impl FnOnce() -> Fact) {
        match self.detail {
            Detail::Essentials => {}
            Detail::Everything => self.record(fact),
        }
    }
}

impl fmt::Debug for RecorderLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clock, observer, detail } = self;
        let mut shown = f.debug_struct("RecorderLink");
        shown.field("clock", clock).field("is_observed", &observer.is_some());
        shown.field("detail", detail).finish()
    }
}
