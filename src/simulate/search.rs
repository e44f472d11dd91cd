//! Tries seeds on all cores. What comes of it is the same on one and on many: seeds count in their
//! order, and a search that stops at a finding has run all seeds before it and none behind it.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, Scope};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use serde::{Deserialize, Serialize};

use super::answers::defect;
use super::finding::{Finding, Violated};
use super::seeds::Seeds;
use super::tally::Tally;
use super::trial::{Outcome, Trial};
use crate::run::Runner;

/// How seeds are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Which are tried.
    pub seeds: Seeds,
    /// How many threads do it.
    pub jobs: NonZeroUsize,
    /// What a finding changes.
    pub at_finding: AtFinding,
}

/// What a search does where it finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtFinding {
    /// It stops at that of the lowest seed.
    Stop,
    /// It goes on.
    GoOn,
}

/// What a search has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What was counted.
    pub tally: Tally,
    /// What was found, ascending by seed: the first [`FINDINGS_KEPT`].
    pub findings: Vec<(u64, Finding)>,
}

impl Found {
    /// Of `count` seeds from `first`, which could not be run because of `problem`. The first stands for them.
    pub fn failed(first: u64, count: u64, problem: String) -> Self {
        let mut tally = Tally::default();
        tally.add_failed(count);
        Self { tally, findings: vec![(first, Finding::Failed { problem })] }
    }

    /// Takes what `other` came to, whose seeds come after these.
    pub fn append(&mut self, other: Self) {
        self.tally.merge(&other.tally);
        let room = FINDINGS_KEPT.saturating_sub(self.findings.len());
        self.findings.extend(other.findings.into_iter().take(room));
    }
}

/// Of so many seeds it is kept what was found.
pub const FINDINGS_KEPT: usize = 20;

/// A thread takes so many seeds at once.
const BLOCK: u64 = 16;

/// So many blocks may be under way, or done before their turn: nobody runs further ahead of a seed that
/// takes long. More than twice as many as there may be threads: each that leaves takes one with it.
const BLOCKS_AHEAD: usize = 4096;

/// So often somebody hears how far it is.
const WATCH_EVERY: Duration = Duration::from_millis(50);

/// What threads share.
struct Shared<'a> {
    trial: &'a Trial,
    plan: Plan,
    next_block: AtomicU64,
    /// The lowest seed at which a search stops.
    lowest: AtomicU64,
    stop: &'a AtomicBool,
    /// A thread needs one for each block.
    permits: Receiver<()>,
}

/// Some seeds one after the other, done.
struct Block {
    index: u64,
    tally: Tally,
    findings: Vec<(u64, Finding)>,
}

/// Searches as `plan` says until all seeds are done, something is found that it stops at, or `stop`
/// is set. `watch` hears how far it is now and then, and may set that.
pub fn search(
    plan: Plan,
    trial: &Trial,
    stop: &AtomicBool,
    mut watch: impl FnMut(&Tally),
) -> io::Result<Found> {
    let (next_block, lowest) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let (permit, permits) = bounded(BLOCKS_AHEAD);
    let shared = Shared { trial, plan, next_block, lowest, stop, permits };
    thread::scope(|scope| {
        let (done, blocks) = mpsc::channel();
        // Full at first; each block that had its turn gives one back.
        while permit.try_send(()).is_ok() {}
        for number in 1..=plan.jobs.get() {
            if let Err(error) = shared.start(number, scope, done.clone()) {
                stop.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        drop(done);
        let mut gathered = Gathered::new(plan.at_finding);
        loop {
            match blocks.recv_timeout(WATCH_EVERY) {
                Ok(block) => {
                    for _ in 0..gathered.take(block) {
                        if permit.try_send(()).is_err() {
                            log::trace!("nobody waits for a permit");
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            watch(&gathered.found.tally);
        }
        Ok(gathered.finish())
    })
}

impl Shared<'_> {
    fn start<'scope>(
        &'scope self,
        number: usize,
        scope: &'scope Scope<'scope, '_>,
        done: Sender<Block>,
    ) -> io::Result<()> {
        let name = format!("simulate-{number}");
        thread::Builder::new().name(name).spawn_scoped(scope, move || self.work(&done))?;
        Ok(())
    }

    fn work(&self, done: &Sender<Block>) {
        let mut runner = Runner::default();
        let seeds = self.plan.seeds;
        while self.permits.recv().is_ok() {
            let index = self.next_block.fetch_add(1, Ordering::Relaxed);
            let before = index.saturating_mul(BLOCK);
            let is_over = self.stop.load(Ordering::Relaxed) || before >= seeds.count();
            let first = seeds.first().saturating_add(before);
            if is_over || first > self.lowest.load(Ordering::Relaxed) {
                return;
            }
            let end = first.saturating_add(BLOCK).min(seeds.end());
            let block = self.block(index, (first, end), &mut runner);
            if done.send(block).is_err() {
                return;
            }
        }
    }

    fn block(&self, index: u64, (first, end): (u64, u64), runner: &mut Runner) -> Block {
        let mut block = Block { index, tally: Tally::default(), findings: Vec::new() };
        for seed in first..end {
            let is_needless = seed > self.lowest.load(Ordering::Relaxed);
            if is_needless || self.stop.load(Ordering::Relaxed) {
                break;
            }
            let finding = match self.trial.run(runner, seed, self.stop) {
                Outcome::Ended(run) => {
                    let verdicts = run.result.verdicts.as_deref();
                    let violated = verdicts.and_then(Violated::first_of);
                    let finding = violated
                        .map(Finding::Violated)
                        .or_else(|| defect(&run).map(|problem| Finding::Failed { problem }));
                    block.tally.add(seed, &run, finding.as_ref());
                    finding
                }
                Outcome::Failed { problem } => {
                    block.tally.add_failed(1);
                    Some(Finding::Failed { problem })
                }
                Outcome::Stopped => break,
            };
            if let Some(finding) = finding {
                block.findings.push((seed, finding));
                if self.plan.at_finding == AtFinding::Stop {
                    self.lowest.fetch_min(seed, Ordering::Relaxed);
                }
            }
        }
        block
    }
}

/// Blocks in their order.
struct Gathered {
    at_finding: AtFinding,
    found: Found,
    next: u64,
    /// Done before their turn; permits keep them few.
    early: BTreeMap<u64, Block>,
}

impl Gathered {
    fn new(at_finding: AtFinding) -> Self {
        Self { at_finding, found: Found::default(), next: 0, early: BTreeMap::new() }
    }

    /// Takes a block, and says how many have had their turn by that.
    fn take(&mut self, block: Block) -> u64 {
        let before = self.next;
        self.early.insert(block.index, block);
        while let Some(block) = self.early.remove(&self.next) {
            self.next += 1;
            self.add(block);
        }
        self.next - before
    }

    fn add(&mut self, Block { tally, findings, .. }: Block) {
        if self.at_finding == AtFinding::Stop && !self.found.findings.is_empty() {
            return;
        }
        self.found.append(Found { tally, findings });
    }

    /// All that was done. Where a search was told to stop, a block may be missing before others.
    fn finish(mut self) -> Found {
        for (_, block) in std::mem::take(&mut self.early) {
            self.add(block);
        }
        self.found
    }
}
