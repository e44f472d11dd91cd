//! Puts a batch together: one thread that feeds, several that work, and channels between them.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::feed::{Allowance, Chunk, Feed, FeedClosed};
use super::results::{BatchError, Finished, Order, Results};
use crate::run::{Runner, panic_message};

/// How a batch is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many work at the same time.
    pub jobs: NonZeroUsize,
    /// In which order results are handed out.
    pub order: Order,
}

/// For each worker, so many chunks may be on their way: enough that others go on while one is slow.
const CHUNKS_PER_JOB: usize = 16;
/// All that is on its way weighs so much at most, unless each worker's one item weighs more.
const BYTES_ON_THEIR_WAY_MAX: usize = 32 << 20;

/// Starts a batch: `produce` feeds items, `run` is called with each, and what it returns is in the
/// result; where `run` panics, what `panicked` returns for the item and the message. Memory does
/// not grow with the number of items: where results are not taken, feeding waits.
pub fn start<I: Send + 'static, O: Send + 'static>(
    plan: Plan,
    run: impl Fn(&mut Runner, &mut I) -> O + Send + Sync + 'static,
    panicked: impl Fn(I, &str) -> O + Send + Sync + 'static,
    produce: impl FnOnce(&mut Feed<I>) -> Result<(), FeedClosed> + Send + 'static,
) -> Result<Results<O>, BatchError> {
    let jobs = plan.jobs.get();
    let allowance = Allowance {
        chunks_max: jobs.saturating_mul(CHUNKS_PER_JOB),
        chunks_always: jobs,
        bytes_max: BYTES_ON_THEIR_WAY_MAX,
    };
    // The feed counts what is on its way, so the channels need no bounds of their own.
    let (chunks, chunks_to_do) = unbounded();
    let (finished, finished_chunks) = unbounded();
    let (taken, taken_chunks) = unbounded();
    let mut threads = Vec::with_capacity(jobs.saturating_add(1));
    let mut feed = Feed::new(chunks, taken_chunks, allowance);
    let feeder = move || {
        if produce(&mut feed).and_then(|()| feed.flush()).is_err() {
            log::debug!("the batch was stopped before its end");
        }
    };
    threads.push(spawn("batch-reader".to_owned(), feeder)?);
    let work = Arc::new((run, panicked));
    for number in 1..=jobs {
        let (work, chunks, finished) = (Arc::clone(&work), chunks_to_do.clone(), finished.clone());
        let worker = move || serve(&work.0, &work.1, &chunks, &finished);
        threads.push(spawn(format!("batch-worker-{number}"), worker)?);
    }
    Ok(Results::new(plan.order, finished_chunks, taken, threads))
}

fn spawn(
    name: String,
    main: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, BatchError> {
    thread::Builder::new().name(name).spawn(main).map_err(BatchError::Thread)
}

/// Works until no more chunks come, or nothing takes their results.
fn serve<I, O>(
    run: &impl Fn(&mut Runner, &mut I) -> O,
    panicked: &impl Fn(I, &str) -> O,
    chunks: &Receiver<Chunk<I>>,
    finished: &Sender<Finished<O>>,
) {
    let mut runner = Runner::default();
    for Chunk { index, items, bytes } in chunks {
        let do_one = |item| do_one(run, panicked, item, &mut runner);
        let outcomes = items.into_iter().map(do_one).collect();
        if finished.send(Finished { index, outcomes, bytes }).is_err() {
            return;
        }
    }
}

/// Runs `item`, or says that it panicked.
pub(crate) fn do_one<I, O>(
    run: &impl Fn(&mut Runner, &mut I) -> O,
    panicked: &impl Fn(I, &str) -> O,
    mut item: I,
    runner: &mut Runner,
) -> O {
    // A runner keeps nothing of a run that panicked.
    match catch_unwind(AssertUnwindSafe(|| run(runner, &mut item))) {
        Ok(outcome) => outcome,
        Err(panic) => panicked(item, panic_message(&*panic)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::super::results::Next;
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Doubles numbers, and panics at 13.
    fn double(_: &mut Runner, item: &mut u64) -> u64 {
        assert_ne!(*item, 13, "unlucky");
        *item * 2
    }

    fn unlucky(item: u64, message: &str) -> u64 {
        assert!(message.contains("unlucky"), "{message}");
        item + 1_000_000
    }

    fn plan(jobs: usize, order: Order) -> Plan {
        Plan { jobs: NonZeroUsize::new(jobs).unwrap(), order }
    }

    fn all<R>(mut results: Results<R>) -> Vec<R> {
        let mut outcomes = Vec::new();
        loop {
            match results.next_within(LONG).unwrap() {
                Next::Outcome(outcome) => outcomes.push(outcome),
                Next::NotYet => {}
                Next::End => return outcomes,
            }
        }
    }

    fn feed_numbers(count: u64) -> impl FnOnce(&mut Feed<u64>) -> Result<(), FeedClosed> + Send {
        move |feed| (0..count).try_for_each(|number| feed.push(number, 100))
    }

    #[test]
    fn results_are_in_the_order_of_the_feed_whoever_is_first() {
        let count = 20_000;
        let done = all(start(plan(4, Order::AsFed), double, unlucky, feed_numbers(count)).unwrap());
        let expected: Vec<u64> =
            (0..count).map(|n| if n == 13 { 1_000_013 } else { n * 2 }).collect();
        assert_eq!(done, expected);
    }

    #[test]
    fn without_order_everything_still_comes_out_once() {
        let mut done =
            all(start(plan(4, Order::AsFinished), double, unlucky, feed_numbers(5000)).unwrap());
        done.sort_unstable();
        let mut expected: Vec<u64> = (0..5000).filter(|n| *n != 13).map(|n| n * 2).collect();
        expected.push(1_000_013);
        assert_eq!(done, expected);
    }

    #[test]
    fn an_empty_batch_ends() {
        assert!(
            all(start(plan(2, Order::AsFed), double, unlucky, feed_numbers(0)).unwrap()).is_empty()
        );
    }

    #[test]
    fn what_is_on_its_way_is_bounded_while_nobody_takes_results() {
        static FED: AtomicUsize = AtomicUsize::new(0);
        let produce = |feed: &mut Feed<u64>| {
            (100..1_000_000).try_for_each(|number| {
                feed.push(number, 100)?;
                FED.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        };
        let mut results = start(plan(2, Order::AsFed), double, unlucky, produce).unwrap();
        for _ in 0..10_000 {
            assert!(matches!(results.next_within(LONG), Ok(Next::Outcome(_))));
        }
        // 2 × 16 chunks of 64, and those that are being gathered and taken.
        assert!(FED.load(Ordering::SeqCst) <= 10_000 + 34 * 64);
        drop(results);
    }

    #[test]
    fn heavy_items_are_one_to_a_worker() {
        static FED: AtomicUsize = AtomicUsize::new(0);
        let produce = |feed: &mut Feed<u64>| {
            (100..200).try_for_each(|number| {
                feed.push(number, 1 << 30)?;
                FED.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        };
        let mut results = start(plan(3, Order::AsFed), double, unlucky, produce).unwrap();
        for taken in 1..=50 {
            assert!(matches!(results.next_within(LONG), Ok(Next::Outcome(_))));
            assert!(FED.load(Ordering::SeqCst) <= taken + 3);
        }
        assert_eq!(50 + all(results).len(), 100);
    }

    #[test]
    fn a_reader_that_panics_is_no_quiet_end() {
        let produce = |feed: &mut Feed<u64>| {
            feed.push(1, 100)?;
            feed.flush()?;
            panic!("the reader has a defect");
        };
        let mut results = start(plan(2, Order::AsFed), double, unlucky, produce).unwrap();
        assert!(matches!(results.next_within(LONG), Ok(Next::Outcome(2))));
        assert!(matches!(results.next_within(LONG), Err(BatchError::ThreadPanicked)));
    }

    #[test]
    fn whoever_drops_the_results_stops_the_feed() {
        let (told, stopped) = crossbeam_channel::bounded(1);
        let produce = move |feed: &mut Feed<u64>| {
            let fed = (100..u64::MAX).try_for_each(|number| feed.push(number, 100));
            told.send(fed).unwrap();
            fed
        };
        let mut results = start(plan(2, Order::AsFed), double, unlucky, produce).unwrap();
        assert!(matches!(results.next_within(LONG), Ok(Next::Outcome(200))));
        drop(results);
        assert_eq!(stopped.recv_timeout(LONG), Ok(Err(FeedClosed)));
    }
}
