//! The pure bank when branches lose their memory, with no feature of the library: random faults of
//! every kind, and what must hold all the same. The rules are the bank's own (`src/bank/lives.rs`);
//! the checks know none of them.
//!
//! `PASSBOOK_LIVES_SEEDS=100000 cargo test --no-default-features --test lives` takes so many seeds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod by_hand;
mod checks;
mod customer;
mod disks;
mod judged;
mod seen;
mod starts;
mod world;

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use seen::Seen;
use world::World;

/// Enough to find nearly each rule that is taken out: docs/LIVES.md has the table.
const SEEDS: u64 = 6_000;

/// Which seeds to try: as many as are asked for, or the one that is to be looked at.
fn seeds() -> std::ops::Range<u64> {
    let asked = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    match asked("PASSBOOK_LIVES_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("PASSBOOK_LIVES_SEEDS").unwrap_or(SEEDS),
    }
}

/// 2 to 5 branches, whose messages are lost, doubled and take any order, which crash and keep all,
/// a part or nothing of what they held; sync and async.
#[test]
fn no_session_is_broken_in_silence_and_what_is_called_lost_never_comes_back() {
    let (seeds, workers, failed) = (seeds(), 2, AtomicBool::new(false));
    let mut seen = Seen::default();
    thread::scope(|scope| {
        let share = |worker| {
            let (mut seeds, failed) = (seeds.clone().skip(worker).step_by(workers), &failed);
            scope.spawn(move || {
                let mut seen = Seen::default();
                while let Some(seed) = seeds.next().filter(|_| !failed.load(Ordering::Relaxed)) {
                    seen.add(World::run(seed).unwrap_or_else(|fault| {
                        failed.store(true, Ordering::Relaxed);
                        panic!("seed {seed}: {fault}; PASSBOOK_LIVES_SEED={seed} runs it again")
                    }));
                }
                seen
            })
        };
        let shares: Vec<_> = (0..workers).map(share).collect();
        for share in shares {
            seen.add(share.join().unwrap());
        }
    });
    if seeds.end - seeds.start >= 1_000 {
        seen.check_that_all_was_tried();
    }
}
