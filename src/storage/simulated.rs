//! A disk in memory whose power fails: it forgets what was not synced, all of it, some of it, or
//! parts of single writes.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use crate::model::Random;
use crate::model::number::count;

/// A real disk writes so many bytes at once, or none of them.
const SECTOR: usize = 512;

/// What a power failure did to what was under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PowerFailure {
    /// Writes that were not synced and are kept whole.
    pub kept: u32,
    /// Those of which only some sectors are kept.
    pub torn: u32,
    /// Those that are gone.
    pub gone: u32,
    /// Whether the commit that was under way had been synced, and nobody had been told.
    pub synced: bool,
}

/// The disk of one branch. A copy is the same one.
#[derive(Debug, Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    /// What is read.
    seen: Vec<u8>,
    /// What was there when it was last known that all is kept.
    kept: Vec<u8>,
    /// What was asked for since, in order.
    since: Vec<Step>,
    /// How often the power has failed: what was opened before that reaches nothing any more.
    failures: u64,
}

#[derive(Debug)]
enum Step {
    Resize(usize),
    Write(usize, Box<[u8]>),
    Sync,
}

/// What is opened on the disk, until the power fails.
#[derive(Debug)]
struct Opened {
    disk: SimulatedDisk,
    failures: u64,
}

impl SimulatedDisk {
    /// What a store opens.
    pub fn backend(&self) -> impl StorageBackend {
        Opened { disk: self.clone(), failures: self.platter().failures }
    }

    /// All that was asked for is kept, and whoever waits for that is told so.
    pub fn settle(&self) {
        let Platter { kept, since, .. } = &mut *self.platter();
        for step in since.drain(..) {
            step.apply(kept);
        }
    }

    /// The power fails while what was asked for since [`Self::settle`] is under way: after as many
    /// steps of it as chance says. What was synced until then is kept; of what was not, each write is
    /// kept, torn or gone.
    pub fn fail(&self, chance: &mut Random) -> PowerFailure {
        let mut failure = PowerFailure::default();
        let Platter { seen, kept, since, failures } = &mut *self.platter();
        *failures += 1;
        let done = below(chance, since.len() + 1);
        let is_sync = |step: &Step| matches!(step, Step::Sync);
        let synced = since[..done].iter().rposition(is_sync).map_or(0, |last| last + 1);
        failure.synced = done > 0 && synced == since.len();
        for (place, mut step) in since.drain(..).take(done).enumerate() {
            if place < synced {
                step.apply(kept);
                continue;
            }
            if let Step::Write(_, bytes) = &mut step {
                match below(chance, 3) {
                    0 => failure.gone += 1,
                    1 if bytes.len() > SECTOR => {
                        failure.torn += 1;
                        step.tear(kept, chance);
                    }
                    _ => {
                        failure.kept += 1;
                        step.apply(kept);
                    }
                }
            } else if below(chance, 2) == 0 {
                step.apply(kept);
            }
        }
        seen.clone_from(kept);
        failure
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn below(chance: &mut Random, end: usize) -> usize {
    usize::try_from(chance.below(count(end))).unwrap_or_default()
}

impl Step {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Resize(len) => to.resize(*len, 0),
            Self::Write(at, bytes) => write(to, *at, bytes),
            Self::Sync => {}
        }
    }

    /// Keeps some sectors of a write, and not all.
    fn tear(&self, to: &mut Vec<u8>, chance: &mut Random) {
        let Self::Write(at, bytes) = self else { return };
        let sectors = bytes.len().div_ceil(SECTOR);
        let missing = below(chance, sectors);
        for (place, sector) in bytes.chunks(SECTOR).enumerate() {
            if place != missing && below(chance, 2) == 0 {
                write(to, at + place * SECTOR, sector);
            }
        }
    }
}

/// Where a resize was not kept, the disk is as long as what was written.
fn write(to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[at..end].copy_from_slice(bytes);
}

impl Opened {
    fn platter(&self) -> Result<MutexGuard<'_, Platter>, io::Error> {
        let platter = self.disk.platter();
        if platter.failures == self.failures {
            return Ok(platter);
        }
        Err(io::Error::other("the power has failed"))
    }
}

fn place(at: u64) -> Result<usize, io::Error> {
    usize::try_from(at).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

impl StorageBackend for Opened {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(count(self.platter()?.seen.len()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let (at, platter) = (place(offset)?, self.platter()?);
        let there = platter.seen.get(at..at.saturating_add(out.len()));
        let there = there.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(there);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let (len, mut platter) = (place(len)?, self.platter()?);
        let step = Step::Resize(len);
        step.apply(&mut platter.seen);
        platter.since.push(step);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.platter()?.since.push(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let (at, mut platter) = (place(offset)?, self.platter()?);
        write(&mut platter.seen, at, data);
        platter.since.push(Step::Write(at, data.into()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank::Kept;
    use crate::model::{
        Amount, BranchId, CustomerId, Dot, EventId, LogEntry, Money, Roster, Seed, Sequence, Write,
        WriteId,
    };
    use crate::storage::{About, Store};

    fn about() -> About {
        let branch = BranchId::new(1).unwrap();
        let roster = Roster::new([branch]).unwrap();
        About { bank: "a bank".to_owned(), branch, roster, opening_balance: Money::ZERO }
    }

    fn entry(number: u32) -> LogEntry {
        let origin = BranchId::new(1).unwrap();
        let event = EventId::new(i64::from(number)).unwrap();
        LogEntry {
            dot: Dot::first_life(origin, Sequence::new(number)),
            id: WriteId { customer: CustomerId::new(1).unwrap(), event },
            write: Write::deposit(Amount::try_from(Money::from_minor(number.into())).unwrap()),
        }
    }

    fn came_in(store: &Store) -> Vec<LogEntry> {
        store.memory().unwrap().map_or(Vec::new(), |memory| memory.came)
    }

    fn reopened(disk: &SimulatedDisk) -> (Store, Vec<LogEntry>) {
        let (store, found) = Store::open(disk.backend()).unwrap();
        assert_eq!(found, about());
        let came = came_in(&store);
        (store, came)
    }

    /// What failures did to writes, over many seeds.
    #[derive(Debug, Default)]
    struct Seen {
        failure: PowerFailure,
        commits_kept: u32,
        commits_gone: u32,
    }

    /// Commits of one write to three, after the fifth or so of which the power fails.
    fn storm(seed: u64, seen: &mut Seen) {
        let mut chance = Random::of_part(Seed(seed), 0);
        let disk = SimulatedDisk::default();
        let mut store = Store::create(&about(), disk.backend()).unwrap();
        disk.settle();
        let mut kept: Vec<LogEntry> = Vec::new();
        for _ in 0..12 {
            let next = u32::try_from(kept.len()).unwrap() + 1;
            let batch: Vec<_> =
                (next..=next + u32::try_from(below(&mut chance, 3)).unwrap()).map(entry).collect();
            let asked: Vec<Kept> = batch.iter().copied().map(Kept::Came).collect();
            store.commit(&asked).unwrap();
            if below(&mut chance, 3) > 0 {
                disk.settle();
                kept.extend(batch);
                continue;
            }
            let failure = disk.fail(&mut chance);
            drop(store);
            let came;
            (store, came) = reopened(&disk);
            // It may fail again while the file is mended.
            if below(&mut chance, 2) == 0 {
                disk.fail(&mut chance);
                drop(store);
                (store, _) = reopened(&disk);
                let again = came_in(&store);
                assert_eq!(again, came, "seed {seed}: what was there once is there for ever");
            }
            disk.settle();
            let mut with_batch = kept.clone();
            with_batch.extend(batch);
            let is_kept = came == with_batch;
            assert!(is_kept || came == kept, "seed {seed}: all of a commit or nothing of it");
            assert!(is_kept || !failure.synced, "seed {seed}: what was synced is kept");
            kept = came;
            seen.failure.kept += failure.kept;
            seen.failure.torn += failure.torn;
            seen.failure.gone += failure.gone;
            seen.commits_kept += u32::from(is_kept);
            seen.commits_gone += u32::from(!is_kept);
        }
        assert_eq!(came_in(&store), kept, "seed {seed}");
    }

    #[test]
    fn whatever_a_power_failure_does_a_commit_is_there_whole_or_not_at_all() {
        let mut seen = Seen::default();
        for seed in 0..300 {
            storm(seed, &mut seen);
        }
        let Seen { failure, commits_kept, commits_gone } = seen;
        let counts = [failure.kept, failure.torn, failure.gone, commits_kept, commits_gone];
        assert!(counts.into_iter().all(|count| count > 20), "{counts:?}");
    }

    #[test]
    fn what_was_opened_before_a_power_failure_reaches_the_disk_no_more() {
        let disk = SimulatedDisk::default();
        let backend = disk.backend();
        backend.write(0, b"kept").unwrap();
        disk.settle();
        disk.fail(&mut Random::of_part(Seed(1), 0));
        assert!(backend.write(0, b"lost").is_err());
        let mut read = [0; 4];
        disk.backend().read(0, &mut read).unwrap();
        assert_eq!(&read, b"kept");
    }
}
