//! Which workers are at a job, and how fast each is, by the results that came. Reads no clock.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::report::words::{grouped, rate};

/// A worker of which nothing came for so long is not counted any more.
const GONE_AFTER: Duration = Duration::from_secs(60);

/// So many are told one by one.
const TOLD_MAX: usize = 8;

/// The workers of a job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crew {
    workers: BTreeMap<String, Worker>,
    threads_most: u64,
    /// What was counted before this moment is not counted in rates.
    since: Duration,
}

/// Who made a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeBy {
    /// What the worker calls itself.
    pub(crate) worker: String,
    /// How many shares it runs at once.
    pub(crate) threads: u64,
}

#[derive(Debug, Clone)]
struct Worker {
    threads: u64,
    /// What it did since rates were told last.
    done: u64,
    last: Duration,
}

impl Crew {
    /// A result of `count` scenarios or seeds came, `now` after the job began.
    pub(crate) fn did(&mut self, made_by: MadeBy, count: u64, now: Duration) {
        let MadeBy { worker, threads } = made_by;
        let entry = self.workers.entry(worker).or_insert(Worker { threads, done: 0, last: now });
        entry.done += count;
        entry.last = now;
        entry.threads = threads;
        // Whoever is let in at the server can say any number.
        let threads = self.workers.values().map(|worker| worker.threads);
        let threads = threads.fold(0, u64::saturating_add);
        self.threads_most = self.threads_most.max(threads);
    }

    /// How many threads there were at most.
    pub(crate) const fn threads_most(&self) -> u64 {
        self.threads_most
    }

    /// How many workers there are, and what each did a second since this was asked last.
    pub(crate) fn told(&mut self, now: Duration) -> String {
        self.workers.retain(|_, worker| now.saturating_sub(worker.last) < GONE_AFTER);
        let span = now.saturating_sub(self.since);
        self.since = now;
        let number = self.workers.len();
        if number == 0 {
            return "no worker".to_owned();
        }
        let mut rates: Vec<String> = Vec::new();
        for (name, worker) in &mut self.workers {
            let rate = rate(std::mem::take(&mut worker.done), span).unwrap_or(0);
            rates.push(format!("{name} {}", grouped(rate)));
        }
        let left_out = number.saturating_sub(TOLD_MAX);
        rates.truncate(TOLD_MAX);
        let more = if left_out > 0 { format!(", and {left_out} more") } else { String::new() };
        let workers = if number == 1 { "1 worker" } else { &format!("{number} workers") };
        format!("{workers}: {}{more}", rates.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(worker: &str, threads: u64) -> MadeBy {
        MadeBy { worker: worker.to_owned(), threads }
    }

    #[test]
    fn each_worker_has_its_rate_until_it_is_gone() {
        let second = Duration::from_secs;
        let mut crew = Crew::default();
        assert_eq!(crew.told(second(0)), "no worker");
        crew.did(by("a", 2), 4000, second(1));
        crew.did(by("b", 4), 1000, second(1));
        crew.did(by("a", 2), 4000, second(2));
        assert_eq!(crew.told(second(2)), "2 workers: a 4,000, b 500");
        crew.did(by("a", 2), 100, second(70));
        assert_eq!(crew.told(second(102)), "1 worker: a 1");
        assert_eq!(crew.threads_most(), 6);
        for number in 0..10 {
            crew.did(by(&format!("w{number}"), 1), 10, second(103));
        }
        assert!(crew.told(second(103)).ends_with(", and 3 more"));
    }

    #[test]
    fn workers_that_say_they_have_no_end_of_threads_are_counted() {
        let mut crew = Crew::default();
        crew.did(by("a", u64::MAX), 1, Duration::ZERO);
        crew.did(by("b", 1), 1, Duration::ZERO);
        assert_eq!(crew.threads_most(), u64::MAX);
    }
}
