//! Searches seeds of every load, a few of each before many of any, and tells of the first that shows a
//! broken promise or a run without an end.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use passbook::check::{Promised, Property, Verdicts};
use passbook::history::RequestResult;
use passbook::model::{Guarantees, RequestError};
use passbook::run::{RunOptions, Runner};
use passbook::simulate::{AtFinding, Finding, Found, Plan, Seeds, Tally, Trial, search};

use crate::loads::HuntLoad;

/// What a hunt came to.
pub(crate) enum Hunted {
    Found(HuntFinding),
    Nothing { seeds: u64 },
}

/// A broken promise, or a run without an end.
pub(crate) struct HuntFinding {
    load: &'static str,
    seed: u64,
    /// How many seeds were run until then, of all loads.
    after: u64,
    told: String,
}

impl fmt::Display for HuntFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, seed, after, told } = self;
        write!(f, "{after} seeds | {load}, seed {seed} | {told}")
    }
}

/// A load is given so many seeds before the next has its turn; and each time it comes again, twice as
/// many as it had.
const FIRST_TURN: u64 = 8;

/// No run takes as long: one that does has no end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs about `seeds` seeds of all `loads` together, up to the first finding.
pub(crate) fn hunt(loads: &[HuntLoad], seeds: u64) -> Hunted {
    let each = seeds.div_ceil(u64::try_from(loads.len()).expect("few")).max(1);
    let (mut first, mut turn, mut after) = (0, FIRST_TURN, 0);
    while first < each {
        let end = (first + turn).min(each);
        for load in loads {
            match turn_of(load, first, end) {
                (count, Some((seed, told))) => {
                    let (load, after) = (load.name, after + count);
                    return Hunted::Found(HuntFinding { load, seed, after, told });
                }
                (count, None) => after += count,
            }
        }
        (first, turn) = (end, end);
    }
    Hunted::Nothing { seeds: after }
}

/// How many of the seeds were run, and what was found.
fn turn_of(load: &HuntLoad, first: u64, end: u64) -> (u64, Option<(u64, String)>) {
    let (mut begin, mut count) = (first, 0);
    while begin < end {
        let (scenarios, most) = load.from(begin);
        let until = end.min(begin.saturating_add(most));
        let trial = Trial::new(scenarios, load.settings.clone());
        let found = searched(load, &trial, (begin, until));
        if let Some((seed, told)) = objection(load, &trial, (begin..until, &found)) {
            return (count + seed + 1 - begin, Some((seed, told)));
        }
        count += found.tally.seeds;
        begin = until;
    }
    (count, None)
}

fn searched(load: &HuntLoad, trial: &Trial, (first, end): (u64, u64)) -> Found {
    // What was not promised is no finding here, but `search` would stop at it.
    let at_finding =
        if load.promised() == Guarantees::ALL { AtFinding::Stop } else { AtFinding::GoOn };
    let seeds = Seeds::new(first, end).expect("some");
    let jobs = NonZeroUsize::new(2).expect("more than none");
    let (mut run, mut since) = (0, now());
    let watch = |tally: &Tally| {
        if tally.seeds != run {
            (run, since) = (tally.seeds, now());
        } else if since.elapsed() > PATIENCE {
            no_end(load, first + run, end);
        }
    };
    search(Plan { seeds, jobs, at_finding }, trial, &AtomicBool::new(false), watch)
        .expect("threads start")
}

/// A thread that never comes back cannot be told to: the whole process ends.
fn no_end(load: &HuntLoad, first: u64, end: u64) -> ! {
    let told =
        format!("hunt: 0 seeds | {}, seed {first}..{end} | does not come to its end", load.name);
    writeln!(io::stderr(), "{told}").expect("somebody reads it");
    process::exit(101)
}

#[expect(clippy::disallowed_methods, reason = "how long a run takes is what is asked")]
fn now() -> Instant {
    Instant::now()
}

/// The lowest seed with a broken promise or without an end, and what is told of it.
fn objection(
    load: &HuntLoad,
    trial: &Trial,
    (seeds, found): (Range<u64>, &Found),
) -> Option<(u64, String)> {
    let promised = load.promised();
    let failed = found.findings.iter().find_map(|(seed, finding)| match finding {
        Finding::Failed { problem } => Some((*seed, problem.clone())),
        Finding::Violated(_) => None,
    });
    if promised == Guarantees::ALL {
        let violated = found.findings.first().map(|(seed, finding)| {
            let property = finding.property().map_or_else(String::new, |it| format!("{it}: "));
            (*seed, format!("{property}{}", finding.told()))
        });
        return violated.or_else(|| in_vain(load, trial, (seeds, found)));
    }
    let violated = found.tally.first_violated.iter().filter_map(|(&property, &seed)| {
        Some((seed, format!("{property}: {}", broken(trial, seed, property)?)))
    });
    violated.chain(failed).min()
}

/// The first seed in which a request came to its wait limit, where none has to.
fn in_vain(
    load: &HuntLoad,
    trial: &Trial,
    (mut seeds, found): (Range<u64>, &Found),
) -> Option<(u64, String)> {
    let is_it = |request: &RequestResult| {
        matches!(request.outcome, Err(RequestError::VersionNotReached(_)))
    };
    if load.may_wait_in_vain() || found.tally.not_reached == 0 {
        return None;
    }
    seeds.find_map(|seed| {
        let run =
            Runner::default().run(&trial.load().scenario(seed), trial.options(), None).ok()?;
        let mut customers = run.result.customers.iter();
        let customer = customers.find(|customer| customer.requests.iter().any(is_it))?;
        let told = format!("customer {} waited in vain, though nothing lasts as long", customer.id);
        Some((seed, told))
    })
}

/// What shows that `property`, which is violated in the run of `seed`, was promised.
fn broken(trial: &Trial, seed: u64, property: Property) -> Option<String> {
    let run = Runner::default().run(&trial.load().scenario(seed), trial.options(), None);
    let verdicts: Arc<Verdicts> = run.ok()?.result.verdicts?;
    let verdict = verdicts.of(property)?;
    let is_promised = verdict.promised() == Some(Promised::Yes);
    is_promised.then(|| Some(verdict.witness()?.sentence.clone()))?
}

/// A hash of the facts of the first `seeds`: the same wherever the bank does the same.
pub(crate) fn facts_of(load: &HuntLoad, seeds: u64) -> u64 {
    let hash = Arc::new(Mutex::new(Fnv(0xcbf2_9ce4_8422_2325)));
    let mut runner = Runner::default();
    for seed in 0..seeds {
        let scenario = load.from(seed).0.scenario(seed);
        let options = RunOptions { overrides: load.settings.clone(), ..RunOptions::default() };
        let history = Box::new(Hashing(Arc::clone(&hash)));
        let run = || runner.run(&scenario, &options, Some(history)).map(|_| ());
        let ended = matches!(catch_unwind(AssertUnwindSafe(run)), Ok(Ok(())));
        hash.lock().expect("nobody panics with it").add(&[u8::from(ended)]);
    }
    let Fnv(hash) = *hash.lock().expect("nobody panics with it");
    hash
}

/// FNV-1a, which is the same on every machine.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

struct Hashing(Arc<Mutex<Fnv>>);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
