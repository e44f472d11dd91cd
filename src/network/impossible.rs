//! What of a schedule no bank can carry out. Knows the branches, and no customer.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::fault::{
    Crash, Faults, Keeps, MessageName, Nemesis, NemesisKind, Partition, ScheduledFault, Slowness,
};
use super::plan::FAULTS_OVER;
use super::show_span;
use crate::model::{BranchId, Roster, Time};

/// Why a fault cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Impossible {
    /// It happens to nobody.
    #[error("there is no branch {branch}")]
    NoBranch {
        /// Who is not there.
        branch: BranchId,
    },
    /// It divides nothing.
    #[error("a partition has two sides or more, and each has a branch")]
    Sides,
    /// A branch cannot be kept from itself.
    #[error("branch {branch} is there twice in the sides of a partition")]
    Twice {
        /// Which.
        branch: BranchId,
    },
    /// It is over too early.
    #[error("it is over at {until}, before it begins at {at}")]
    EndsFirst {
        /// When it begins.
        at: Time,
        /// When it is over.
        until: Time,
    },
    /// Nothing goes wrong so late.
    #[error(
        "all faults are over {} after the start, and this one is not",
        show_span(FAULTS_OVER.since(Time::START))
    )]
    TooLate,
    /// What is down cannot stop.
    #[error("two crashes of branch {branch} overlap")]
    CrashesOverlap {
        /// Which.
        branch: BranchId,
    },
    /// Of two delays neither counts.
    #[error("branch {branch} is slow twice at the same time")]
    SlownessesOverlap {
        /// Which.
        branch: BranchId,
    },
    /// There is no such message.
    #[error("a branch sends no message to itself")]
    ToItself,
    /// Nor is there one before the first.
    #[error("attempts are counted from 1")]
    NoAttempt,
    /// A message has one fate.
    #[error("{name} has two fates")]
    TwoFates {
        /// Of which message.
        name: MessageName,
    },
    /// Each loss of memory costs a question from each branch to each other one.
    #[error(
        "branches lose their memory in banks of at most {most} branches, and there are {branches}",
        most = Faults::FORGETTING_MAX
    )]
    TooManyBranches {
        /// How many there are.
        branches: usize,
    },
}

/// A fault of a schedule that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Its place in the schedule.
    pub fault: usize,
    /// That of an earlier one that it does not go with.
    pub other: Option<usize>,
    /// Why not.
    pub why: Impossible,
}

/// When a branch is down, or slow, and in which place that is said.
type Spans = BTreeMap<BranchId, Vec<(Time, Time, usize)>>;

impl Faults {
    /// Branches lose their memory in banks of at most so many: each time all ask all others.
    pub const FORGETTING_MAX: usize = 64;

    /// Whether a bank of `roster` can have them, but for the customers that a schedule may name.
    pub fn check(&self, roster: &Roster) -> Result<(), Impossible> {
        let amnesia = |nemesis: &Nemesis| nemesis.kinds.contains(&NemesisKind::Amnesia);
        if self.nemesis.as_ref().is_some_and(amnesia) {
            may_forget(roster)?;
        }
        match contradictions(&self.schedule, roster).into_iter().next() {
            Some(first) => Err(first.why),
            None => Ok(()),
        }
    }
}

impl Faults {
    /// Whether a branch is to forget something.
    pub fn forgets(&self) -> bool {
        let forgets = |fault: &ScheduledFault| {
            matches!(fault, ScheduledFault::Crash(Crash { keeps: Keeps::First(_), .. }))
        };
        let mut kinds = self.nemesis.iter().flat_map(|nemesis| &nemesis.kinds);
        kinds.any(|kind| *kind == NemesisKind::Amnesia) || self.schedule.iter().any(forgets)
    }
}

/// Whether branches of `roster` may lose their memory.
pub fn may_forget(roster: &Roster) -> Result<(), Impossible> {
    let branches = roster.len();
    if branches > Faults::FORGETTING_MAX {
        return Err(Impossible::TooManyBranches { branches });
    }
    Ok(())
}

/// What of `schedule` a bank of `roster` cannot have.
pub fn contradictions(schedule: &[ScheduledFault], roster: &Roster) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let (mut down, mut slow) = (Spans::new(), Spans::new());
    let mut fates: BTreeMap<MessageName, usize> = BTreeMap::new();
    for (fault, what) in schedule.iter().enumerate() {
        if let Err(why) = what.check(roster) {
            found.push(Contradiction { fault, other: None, why });
        }
        match what {
            ScheduledFault::Crash(Crash { branch, at, until, .. }) => {
                down.entry(*branch).or_default().push((*at, *until, fault));
            }
            ScheduledFault::Slow(Slowness { branch, at, until, .. }) => {
                slow.entry(*branch).or_default().push((*at, *until, fault));
            }
            ScheduledFault::Message { name, fate: _ } => {
                if let Some(first) = fates.insert(*name, fault) {
                    let why = Impossible::TwoFates { name: *name };
                    found.push(Contradiction { fault, other: Some(first), why });
                }
            }
            ScheduledFault::Partition(_) => {}
        }
    }
    overlaps(down, |branch| Impossible::CrashesOverlap { branch }, &mut found);
    overlaps(slow, |branch| Impossible::SlownessesOverlap { branch }, &mut found);
    found
}

/// Each that begins while another of the same branch lasts.
fn overlaps(spans: Spans, why: impl Fn(BranchId) -> Impossible, found: &mut Vec<Contradiction>) {
    for (branch, mut of_branch) in spans {
        of_branch.sort_unstable();
        let mut last: Option<(Time, usize)> = None;
        for (at, until, fault) in of_branch {
            if let Some((over, earlier)) = last
                && at < over
            {
                let (fault, other) = (fault.max(earlier), Some(fault.min(earlier)));
                found.push(Contradiction { fault, other, why: why(branch) });
            }
            last = last.max(Some((until, fault)));
        }
    }
}

impl ScheduledFault {
    /// Whether a bank of `roster` can have it, by itself.
    fn check(&self, roster: &Roster) -> Result<(), Impossible> {
        let is_there = |&branch: &BranchId| match roster.index(branch) {
            Some(_) => Ok(()),
            None => Err(Impossible::NoBranch { branch }),
        };
        match self {
            Self::Partition(Partition { sides, .. }) => {
                sides.iter().flatten().try_for_each(is_there)?;
                are_sides(sides)?;
            }
            Self::Crash(Crash { branch, keeps, .. }) => {
                is_there(branch)?;
                match keeps {
                    Keeps::All => {}
                    Keeps::First(_) => may_forget(roster)?,
                }
            }
            Self::Slow(Slowness { branch, .. }) => is_there(branch)?,
            Self::Message { name, fate: _ } => {
                let MessageName { link, attempt, .. } = name;
                is_there(&link.from)?;
                is_there(&link.to)?;
                if link.from == link.to {
                    return Err(Impossible::ToItself);
                }
                if *attempt == 0 {
                    return Err(Impossible::NoAttempt);
                }
            }
        }
        match self.span() {
            Some((at, until)) if until < at => Err(Impossible::EndsFirst { at, until }),
            Some((_, until)) if until > FAULTS_OVER => Err(Impossible::TooLate),
            Some(_) | None => Ok(()),
        }
    }
}

fn are_sides(sides: &[Vec<BranchId>]) -> Result<(), Impossible> {
    if sides.len() < 2 || sides.iter().any(Vec::is_empty) {
        return Err(Impossible::Sides);
    }
    let mut named = BTreeSet::new();
    match sides.iter().flatten().find(|branch| !named.insert(**branch)) {
        Some(&branch) => Err(Impossible::Twice { branch }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Fate, Link, MessageKind};

    fn branch(id: i64) -> BranchId {
        BranchId::new(id).unwrap()
    }

    fn bank(branches: i64) -> Roster {
        Roster::new((1..=branches).map(branch)).unwrap()
    }

    fn crash(of: i64, at: u64, until: u64) -> ScheduledFault {
        let [at, until] = [at, until].map(Time::from_us);
        ScheduledFault::Crash(Crash { branch: branch(of), keeps: Keeps::All, at, until })
    }

    fn told(schedule: &[ScheduledFault]) -> Vec<(usize, Option<usize>, String)> {
        let found = contradictions(schedule, &bank(3)).into_iter();
        found.map(|one| (one.fault, one.other, one.why.to_string())).collect()
    }

    #[test]
    fn crashes_of_one_branch_follow_each_other() {
        assert_eq!(told(&[crash(1, 5, 9), crash(1, 9, 9), crash(1, 9, 20), crash(2, 6, 8)]), []);
        let overlap = "two crashes of branch 1 overlap".to_owned();
        assert_eq!(told(&[crash(1, 7, 9), crash(1, 5, 8)]), [(1, Some(0), overlap.clone())]);
        let within = [crash(1, 0, 90), crash(1, 5, 8), crash(1, 30, 31)];
        assert_eq!(told(&within), [(1, Some(0), overlap.clone()), (2, Some(0), overlap)]);
    }

    #[test]
    fn what_ends_does_not_begin_later() {
        let early = "it is over at 0.004 ms, before it begins at 0.005 ms".to_owned();
        assert_eq!(told(&[crash(1, 5, 4)]), [(0, None, early)]);
        assert_eq!(told(&[crash(4, 5, 4)]), [(0, None, "there is no branch 4".to_owned())]);
    }

    #[test]
    fn a_partition_divides_branches_that_there_are() {
        let partition = |sides: &[&[i64]]| {
            let side = |ids: &&[i64]| ids.iter().map(|&id| branch(id)).collect();
            let sides = sides.iter().map(side).collect();
            let (at, until) = (Time::START, Time::from_us(5));
            ScheduledFault::Partition(Partition { sides, one_way: false, at, until })
        };
        assert_eq!(told(&[partition(&[&[1], &[2, 3]]), partition(&[&[3], &[1]])]), []);
        let sides = "a partition has two sides or more, and each has a branch";
        for (wrong, why) in [
            (partition(&[&[1, 2, 3]]), sides),
            (partition(&[&[1], &[]]), sides),
            (partition(&[]), sides),
            (partition(&[&[1], &[2, 1]]), "branch 1 is there twice in the sides of a partition"),
            (partition(&[&[1], &[7]]), "there is no branch 7"),
        ] {
            assert_eq!(told(&[wrong]), [(0, None, why.to_owned())]);
        }
    }

    #[test]
    fn a_message_goes_elsewhere_and_has_one_fate() {
        let message = |from, to, attempt| {
            let link = Link { from: branch(from), to: branch(to) };
            let name = MessageName { kind: MessageKind::CatchUp, event: None, link, attempt };
            ScheduledFault::Message { name, fate: Fate::Lost }
        };
        assert_eq!(told(&[message(1, 2, 1), message(1, 2, 2), message(2, 1, 1)]), []);
        let two = "catch-up, from branch 1 to 2, attempt 1 has two fates".to_owned();
        assert_eq!(told(&[message(1, 2, 1), message(1, 2, 1)]), [(1, Some(0), two)]);
        for (wrong, why) in [
            (message(2, 2, 1), "a branch sends no message to itself"),
            (message(2, 1, 0), "attempts are counted from 1"),
            (message(2, 9, 1), "there is no branch 9"),
        ] {
            assert_eq!(told(&[wrong]), [(0, None, why.to_owned())]);
        }
    }

    #[test]
    fn memories_end_in_small_banks_alone() {
        let nemesis = |kinds: &[NemesisKind]| {
            let kinds = kinds.to_vec();
            let nemesis =
                Nemesis { kinds, interval: Nemesis::INTERVAL, duration: Nemesis::DURATION };
            Faults { nemesis: Some(nemesis), ..Faults::default() }
        };
        let [amnesia, crashes] =
            [&[NemesisKind::Slow, NemesisKind::Amnesia], &[NemesisKind::Crash][..]].map(nemesis);
        assert_eq!(amnesia.check(&bank(64)), Ok(()));
        assert_eq!(crashes.check(&bank(65)), Ok(()));
        assert_eq!(
            amnesia.check(&bank(65)).unwrap_err().to_string(),
            "branches lose their memory in banks of at most 64 branches, and there are 65"
        );
        let ScheduledFault::Crash(kept) = crash(1, 5, 9) else { panic!("it is one") };
        let part = ScheduledFault::Crash(Crash { keeps: Keeps::First(3), ..kept });
        let part = Faults { schedule: vec![part], ..Faults::default() };
        assert_eq!(part.check(&bank(64)), Ok(()));
        assert_eq!(part.check(&bank(65)), Err(Impossible::TooManyBranches { branches: 65 }));
    }
}
