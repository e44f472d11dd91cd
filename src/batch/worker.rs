//! One worker: takes chunks, runs what is in them on a runner of its own, and outlives a panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender};

use super::feed::Chunk;
use super::results::Finished;
use crate::run::{RunError, Runner};

/// What a panic is said to be that says nothing itself.
const SILENT_PANIC: &str = "no message";

/// Works until no more chunks come, or nothing takes their results.
pub(super) fn serve<I, O>(
    run: &impl Fn(&mut Runner, &mut I) -> O,
    panicked: &impl Fn(I, &str) -> O,
    chunks: &Receiver<Chunk<I>>,
    finished: &Sender<Finished<O>>,
) {
    let mut runner = None;
    for Chunk { index, items, bytes } in chunks {
        let do_one = |item| do_one(run, panicked, item, &mut runner);
        let outcomes = items.into_iter().map(do_one).collect();
        if finished.send(Finished { index, outcomes, bytes }).is_err() {
            return;
        }
    }
}

fn do_one<I, O>(
    run: &impl Fn(&mut Runner, &mut I) -> O,
    panicked: &impl Fn(I, &str) -> O,
    mut item: I,
    runner: &mut Option<Runner>,
) -> Result<O, RunError> {
    // A runner in which something panicked is not used again.
    let mut own = match runner.take() {
        Some(runner) => runner,
        None => Runner::new()?,
    };
    match catch_unwind(AssertUnwindSafe(|| run(&mut own, &mut item))) {
        Ok(outcome) => {
            *runner = Some(own);
            Ok(outcome)
        }
        Err(panic) => Ok(panicked(item, message(&*panic))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or(SILENT_PANIC)
}
