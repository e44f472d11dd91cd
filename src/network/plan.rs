//! When what happens to branches and the ways between them: each change comes in its order, those of
//! a schedule and those that chance brings. Knows no message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{
    Crash, Faults, Keeps, Latency, Nemesis, NemesisKind, Partition, ScheduledFault, Slowness,
};
use crate::model::number::count;
use crate::model::{BranchId, Random, Roster, Seed, Time};

/// What is still to come of the faults of one run.
#[derive(Debug)]
pub struct Plan {
    /// What has not begun, or has not ended.
    faults: BTreeMap<u32, ScheduledFault>,
    /// What comes when; at one moment in the order in which it was added.
    moments: BTreeMap<(Time, u64), Moment>,
    added: u64,
    /// Those that have begun and have not ended.
    lasting: BTreeMap<u32, Change>,
    /// The branches that are down, and those that are slow.
    down: BTreeSet<BranchId>,
    slow: BTreeSet<BranchId>,
    chance: Option<ByChance>,
    /// How many faults there have been.
    numbers: u32,
    lasts: Lasts,
    drawn: Vec<ScheduledFault>,
    begun: BTreeSet<u32>,
}

/// How long a bank goes on in which things go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// To the end of a run: by [`FAULTS_OVER`] all is over, a nemesis rests after many strikes, and it is
    /// kept what happened.
    Run,
    /// For days: nothing is over by itself, and nothing is kept.
    Days,
}

#[derive(Debug, Clone)]
enum Moment {
    Begins(u32),
    Ends(u32),
    /// The next that chance brings.
    Strikes(ScheduledFault),
}

/// What happens at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A partition begins.
    Divide {
        /// Tells it from others.
        number: u32,
        /// What it is.
        partition: Partition,
    },
    /// A partition is over.
    Heal {
        /// Which.
        number: u32,
    },
    /// A branch stops.
    Stop {
        /// Which.
        branch: BranchId,
        /// What it will have when it starts again.
        keeps: Keeps,
    },
    /// It starts again.
    Start {
        /// Which.
        branch: BranchId,
        /// What it has kept.
        keeps: Keeps,
    },
    /// A branch handles each input later.
    SlowDown {
        /// Tells this from other times.
        number: u32,
        /// Which.
        branch: BranchId,
        /// By how much.
        delay: Duration,
    },
    /// It no longer does.
    SpeedUp {
        /// Which.
        branch: BranchId,
    },
}

/// The faults that chance brings.
#[derive(Debug)]
struct ByChance {
    nemesis: Nemesis,
    chance: Random,
    roster: Arc<Roster>,
    /// When the last one began.
    at: Time,
    /// How many there have been, where they are counted.
    strikes: u32,
    lasts: Lasts,
}

/// The stream of chances of a nemesis.
const NEMESIS: u32 = 4;

/// All faults are over by then: as long as something goes wrong, what is not confirmed is sent again and
/// again, and a run that has not ended by then never does.
pub const FAULTS_OVER: Time = Time::from_us(3_600_000_000);

/// After so many strikes a nemesis rests: one that strikes more often than a bank recovers would keep
/// it from ever coming to an end.
const STRIKES_MAX: u32 = 20_000;

/// While so many faults last at the same time chance brings no more.
const LASTING_MAX: usize = 1_000;

/// One partition in so many works one way only.
const ONE_WAY_IN: u64 = 4;

/// How much later a slow branch handles each input, if nothing else is said.
pub const SLOW_DELAY: Duration = Duration::from_millis(50);

impl Plan {
    /// That of `faults` in a bank of `roster`, which goes on as long as it `lasts`.
    pub fn new(faults: &Faults, seed: Seed, roster: &Arc<Roster>, lasts: Lasts) -> Self {
        let mut plan = Self {
            faults: BTreeMap::new(),
            moments: BTreeMap::new(),
            added: 0,
            lasting: BTreeMap::new(),
            down: BTreeSet::new(),
            slow: BTreeSet::new(),
            chance: faults.nemesis.clone().map(|nemesis| ByChance {
                nemesis,
                chance: Random::of_purpose(seed, NEMESIS, 0),
                roster: Arc::clone(roster),
                at: Time::START,
                strikes: 0,
                lasts,
            }),
            numbers: 0,
            lasts,
            drawn: Vec::new(),
            begun: BTreeSet::new(),
        };
        let mut lasting = Vec::new();
        for fault in &faults.schedule {
            if let Some((at, until)) = fault.span() {
                lasting.push((at, until, plan.number(fault.clone())));
            }
        }
        // In the order of their beginnings: where one ends at the moment at which another of the same
        // branch begins, it ends first.
        lasting.sort_by_key(|&(at, until, _)| (at, until));
        for (at, until, number) in lasting {
            plan.add(at, Moment::Begins(number));
            plan.add(until, Moment::Ends(number));
        }
        plan.draw();
        plan
    }

    /// When something changes next.
    pub fn next_moment(&self) -> Option<Time> {
        self.moments.keys().next().map(|&(at, _)| at)
    }

    /// The next change that has come at `now`.
    pub fn take(&mut self, now: Time) -> Option<Change> {
        loop {
            let next = self.moments.first_entry().filter(|next| next.key().0 <= now)?;
            let change = match next.remove() {
                Moment::Begins(number) => self.begin(number),
                Moment::Ends(number) => self.end(number),
                Moment::Strikes(fault) => {
                    let change = self.strike(fault);
                    self.draw();
                    change
                }
            };
            if change.is_some() {
                return change;
            }
        }
    }

    /// Nothing more begins. Gives what ends all that lasts.
    pub fn clear_up(&mut self) -> Vec<Change> {
        self.moments.clear();
        self.chance = None;
        std::mem::take(&mut self.lasting).into_values().collect()
    }

    /// What chance has brought so far, with the moments that it had.
    pub fn drawn(&self) -> &[ScheduledFault] {
        &self.drawn
    }

    /// Which have begun. Those of the schedule come first, numbered from 1; what happens to single
    /// messages is not counted.
    pub fn begun(&self) -> &BTreeSet<u32> {
        &self.begun
    }

    fn number(&mut self, fault: ScheduledFault) -> u32 {
        // In days they may come round again: what had the number before is long over.
        self.numbers = self.numbers.wrapping_add(1);
        self.faults.insert(self.numbers, fault);
        self.numbers
    }

    fn add(&mut self, at: Time, moment: Moment) {
        self.added += 1;
        self.moments.insert((at, self.added), moment);
    }

    fn strike(&mut self, fault: ScheduledFault) -> Option<Change> {
        let (_, until) = fault.span()?;
        if self.is_in_the_way(&fault) || self.lasting.len() >= LASTING_MAX {
            return None;
        }
        if self.lasts == Lasts::Run {
            self.drawn.push(fault.clone());
        }
        let number = self.number(fault);
        self.add(until, Moment::Ends(number));
        self.begin(number)
    }

    /// Whether the same already happens to the same branch.
    fn is_in_the_way(&self, fault: &ScheduledFault) -> bool {
        match fault {
            ScheduledFault::Crash(Crash { branch, .. }) => self.down.contains(branch),
            ScheduledFault::Slow(Slowness { branch, .. }) => self.slow.contains(branch),
            ScheduledFault::Partition(_) | ScheduledFault::Message { .. } => false,
        }
    }

    fn end(&mut self, number: u32) -> Option<Change> {
        let ends = self.lasting.remove(&number)?;
        match &ends {
            Change::Start { branch, .. } => self.down.remove(branch),
            Change::SpeedUp { branch } => self.slow.remove(branch),
            Change::Divide { .. }
            | Change::Heal { .. }
            | Change::Stop { .. }
            | Change::SlowDown { .. } => false,
        };
        Some(ends)
    }

    fn begin(&mut self, number: u32) -> Option<Change> {
        let fault = self.faults.remove(&number)?;
        if self.is_in_the_way(&fault) {
            return None;
        }
        let (begins, ends) = match fault {
            ScheduledFault::Partition(partition) => {
                (Change::Divide { number, partition }, Change::Heal { number })
            }
            ScheduledFault::Crash(Crash { branch, keeps, .. }) => {
                self.down.insert(branch);
                (Change::Stop { branch, keeps }, Change::Start { branch, keeps })
            }
            ScheduledFault::Slow(Slowness { branch, delay, .. }) => {
                self.slow.insert(branch);
                (Change::SlowDown { number, branch, delay }, Change::SpeedUp { branch })
            }
            ScheduledFault::Message { .. } => return None,
        };
        if self.lasts == Lasts::Run {
            self.begun.insert(number);
        }
        self.lasting.insert(number, ends);
        Some(begins)
    }

    fn draw(&mut self) {
        let Some(next) = self.chance.as_mut().and_then(ByChance::next) else { return };
        let at = self.chance.as_ref().map_or(Time::START, |chance| chance.at);
        self.add(at, Moment::Strikes(next));
    }
}

impl ByChance {
    fn next(&mut self) -> Option<ScheduledFault> {
        let Nemesis { kinds, interval, duration } = &self.nemesis;
        let a_while = |mean: Duration, chance: &mut Random| {
            Latency::Exponential(mean).draw(chance).max(Duration::from_micros(1))
        };
        let at = self.at.after(a_while(*interval, &mut self.chance));
        let mut until = at.after(a_while(*duration, &mut self.chance));
        self.at = at;
        if self.lasts == Lasts::Run {
            until = until.min(FAULTS_OVER);
            if at >= FAULTS_OVER || self.strikes == STRIKES_MAX {
                return None;
            }
            self.strikes += 1;
        }
        let kind = kinds.get(pick(count(kinds.len()), &mut self.chance))?;
        let ids = self.roster.ids();
        let branch = ids[pick(count(ids.len()), &mut self.chance)];
        let crash = |keeps| ScheduledFault::Crash(Crash { branch, keeps, at, until });
        Some(match kind {
            NemesisKind::Partition => {
                let (sides, one_way) = divide(ids, branch, &mut self.chance);
                ScheduledFault::Partition(Partition { sides, one_way, at, until })
            }
            NemesisKind::Crash => crash(Keeps::All),
            NemesisKind::Amnesia => crash(Keeps::First(0)),
            NemesisKind::Slow => {
                ScheduledFault::Slow(Slowness { branch, delay: SLOW_DELAY, at, until })
            }
        })
    }
}

fn pick(of: u64, chance: &mut Random) -> usize {
    usize::try_from(chance.below(of)).unwrap_or(0)
}

/// Two sides, of which `alone` is in the first and another branch in the second.
fn divide(ids: &[BranchId], alone: BranchId, chance: &mut Random) -> (Vec<Vec<BranchId>>, bool) {
    let one_way = chance.below(ONE_WAY_IN) == 0;
    let others: Vec<BranchId> = ids.iter().copied().filter(|&id| id != alone).collect();
    let kept_apart = pick(count(others.len()), chance);
    let (mut first, mut second) = (vec![alone], Vec::new());
    for (place, &id) in others.iter().enumerate() {
        let is_apart = chance.below(2) == 0 || place == kept_apart;
        if is_apart { second.push(id) } else { first.push(id) }
    }
    first.sort_unstable();
    (vec![first, second], one_way)
}

impl ScheduledFault {
    /// From when until when it lasts; `None` of what happens to one message.
    pub const fn span(&self) -> Option<(Time, Time)> {
        match self {
            Self::Partition(Partition { at, until, .. })
            | Self::Crash(Crash { at, until, .. })
            | Self::Slow(Slowness { at, until, .. }) => Some((*at, *until)),
            Self::Message { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster() -> Arc<Roster> {
        Roster::new([1, 2, 3].map(|id| BranchId::new(id).unwrap())).unwrap().into()
    }

    fn all_kinds() -> Nemesis {
        let [interval, duration] = [50, 20].map(Duration::from_millis);
        Nemesis { kinds: NemesisKind::ALL.to_vec(), interval, duration }
    }

    /// The changes until `end`, with their moments.
    fn changes(plan: &mut Plan, end: Time) -> Vec<(Time, Change)> {
        let mut changes = Vec::new();
        while let Some(now) = plan.next_moment().filter(|&at| at <= end) {
            while let Some(change) = plan.take(now) {
                changes.push((now, change));
            }
        }
        changes
    }

    #[test]
    fn what_chance_brings_is_the_same_when_it_is_scheduled() {
        let end = Time::from_us(5_000_000);
        for seed in 0..50 {
            let faults = Faults { nemesis: Some(all_kinds()), ..Faults::default() };
            let mut by_chance = Plan::new(&faults, Seed(seed), &roster(), Lasts::Run);
            let changed = changes(&mut by_chance, end);
            assert!(changed.len() > 60, "{}", changed.len());
            let schedule = by_chance.drawn().to_vec();
            let scheduled = Faults { schedule, ..Faults::default() };
            let mut again = Plan::new(&scheduled, Seed(0), &roster(), Lasts::Run);
            assert_eq!(changes(&mut again, end), changed);
        }
    }

    #[test]
    fn what_lasts_ends_when_the_weather_clears_up() {
        let faults = Faults { nemesis: Some(all_kinds()), ..Faults::default() };
        let mut plan = Plan::new(&faults, Seed(7), &roster(), Lasts::Run);
        let mut down: i32 = 0;
        let mut changed = changes(&mut plan, Time::from_us(3_000_000));
        changed.extend(plan.clear_up().into_iter().map(|change| (Time::START, change)));
        for (_, change) in changed {
            down += match change {
                Change::Stop { .. } | Change::Divide { .. } | Change::SlowDown { .. } => 1,
                Change::Start { .. } | Change::Heal { .. } | Change::SpeedUp { .. } => -1,
            };
        }
        assert_eq!(down, 0);
        assert_eq!(plan.next_moment(), None);
    }

    fn partitions(changed: &[(Time, Change)]) -> usize {
        changed.iter().filter(|(_, what)| matches!(what, Change::Divide { .. })).count()
    }

    #[test]
    fn a_nemesis_whose_strikes_last_long_waits_until_some_are_over() {
        let kinds = vec![NemesisKind::Partition];
        let (interval, duration) = (Duration::from_millis(1), Duration::from_secs(60));
        let faults =
            Faults { nemesis: Some(Nemesis { kinds, interval, duration }), ..Faults::default() };
        let mut plan = Plan::new(&faults, Seed(1), &roster(), Lasts::Days);
        let (mut standing, mut most) = (0_i64, 0);
        for (_, change) in changes(&mut plan, Time::from_us(300_000_000)) {
            standing += if matches!(change, Change::Divide { .. }) { 1 } else { -1 };
            most = most.max(standing);
        }
        assert_eq!(most, 1_000);
    }

    #[test]
    fn a_nemesis_rests_after_many_strikes() {
        let kinds = vec![NemesisKind::Partition];
        let interval = Duration::from_millis(1);
        let nemesis = Some(Nemesis { kinds, interval, ..all_kinds() });
        let faults = Faults { nemesis, ..Faults::default() };
        let mut plan = Plan::new(&faults, Seed(1), &roster(), Lasts::Run);
        assert_eq!(partitions(&changes(&mut plan, FAULTS_OVER)), 20_000);
        assert_eq!(plan.next_moment(), None);
        // And never where the bank goes on for days.
        let mut plan = Plan::new(&faults, Seed(1), &roster(), Lasts::Days);
        let struck = partitions(&changes(&mut plan, FAULTS_OVER));
        // One each millisecond of an hour; by chance one in two thousand more or fewer.
        assert!((3_590_000..3_610_000).contains(&struck), "{struck}");
        let next = plan.next_moment().unwrap();
        assert!(next > FAULTS_OVER && next < FAULTS_OVER.after(Duration::from_secs(1)), "{next}");
        assert!(plan.drawn().is_empty() && plan.begun().is_empty(), "nothing grows");
        // About twenty last at once, and each has an end.
        let held = [plan.faults.len(), plan.lasting.len(), plan.moments.len()];
        assert!(held.iter().all(|&held| held < 100), "{held:?}");
    }

    #[test]
    fn partitions_by_chance_have_two_sides_with_someone_in_each() {
        let kinds = vec![NemesisKind::Partition];
        let faults =
            Faults { nemesis: Some(Nemesis { kinds, ..all_kinds() }), ..Faults::default() };
        let mut plan = Plan::new(&faults, Seed(1), &roster(), Lasts::Run);
        let mut one_way = 0;
        for (_, change) in changes(&mut plan, Time::from_us(10_000_000)) {
            let Change::Divide { partition, .. } = change else { continue };
            assert_eq!(partition.sides.len(), 2);
            assert_eq!(partition.sides.iter().map(Vec::len).sum::<usize>(), 3);
            assert!(partition.sides.iter().all(|side| !side.is_empty()), "{partition:?}");
            one_way += u32::from(partition.one_way);
        }
        assert!(one_way > 20, "{one_way}");
    }
}
