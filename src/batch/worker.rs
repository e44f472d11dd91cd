//! One worker: takes chunks, runs what is in them on a runner of its own, and outlives a panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender};

use super::feed::Chunk;
use super::pipeline::Work;
use super::results::Finished;
use crate::run::{RunError, Runner};

/// What a panic is said to be that says nothing itself.
const SILENT_PANIC: &str = "no message";

/// Works until no more chunks come, or nobody takes what they come to.
pub(super) fn serve<W: Work>(
    work: &W,
    chunks: &Receiver<Chunk<W::Item>>,
    finished: &Sender<Finished<W::Outcome>>,
) {
    let mut runner = None;
    for Chunk { index, items, bytes } in chunks {
        let outcomes = items.into_iter().map(|item| do_one(work, item, &mut runner)).collect();
        if finished.send(Finished { index, outcomes, bytes }).is_err() {
            return;
        }
    }
}

fn do_one<W: Work>(
    work: &W,
    mut item: W::Item,
    runner: &mut Option<Runner>,
) -> Result<W::Outcome, RunError> {
    // A runner in which something panicked is not used again.
    let mut own = match runner.take() {
        Some(runner) => runner,
        None => Runner::new()?,
    };
    let run = AssertUnwindSafe(|| work.run(&mut own, &mut item));
    match catch_unwind(run) {
        Ok(outcome) => {
            *runner = Some(own);
            Ok(outcome)
        }
        Err(panic) => Ok(work.panicked(item, message(&*panic))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or(SILENT_PANIC)
}
