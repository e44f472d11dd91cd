//! What a scenario consists of, kind by kind, and the scenario without some of it: what is about a part
//! that goes, goes with it. Knows no run.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::explicit::{is_fate, said_of};
use crate::model::{BranchId, CustomerId, Event, EventId, Operation, Roster};
use crate::network::{Link, Partition, ScheduledFault};
use crate::scenario::Scenario;

/// What can be taken away, one by one or several at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Customers, with their visits.
    Customers,
    /// Branches, with the events there.
    Branches(Later),
    /// Visits, with their events.
    Visits(Later),
    /// Events.
    Events(Later),
    /// What becomes of single messages.
    Fates,
    /// Partitions, crashes and slow branches.
    Faults,
    /// Pauses before events.
    Pauses,
    /// That it is looked whether the bank settles, though nothing is to go wrong.
    SettleLimit,
}

/// What becomes of the events that a customer has later than one that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    /// They come when they came before: after a pause that is as long as what is gone.
    InTime,
    /// They come sooner.
    Sooner,
}

/// How long each request of a customer took, in the order of its events.
pub(super) type Took = BTreeMap<CustomerId, Vec<Duration>>;

impl Kind {
    /// All kinds, in the order in which they are tried. With an event goes what is said of its messages;
    /// and the same messages as before show the same as before, as long as all comes in time.
    pub(super) const ALL: [Self; 11] = [
        Self::Customers,
        Self::Branches(Later::InTime),
        Self::Branches(Later::Sooner),
        Self::Visits(Later::InTime),
        Self::Visits(Later::Sooner),
        Self::Events(Later::InTime),
        Self::Events(Later::Sooner),
        Self::Fates,
        Self::Faults,
        Self::Pauses,
        Self::SettleLimit,
    ];

    /// How many parts of this kind there are.
    pub(super) fn count(self, scenario: &Scenario) -> usize {
        let weather = scenario.settings.foul_weather.as_ref();
        let schedule = weather.map_or(&[][..], |weather| &weather.schedule);
        match self {
            Self::Customers => customers(scenario).len(),
            Self::Branches(_) => scenario.roster.len(),
            Self::Visits(_) => scenario.visits.len(),
            Self::Events(_) => scenario.visits.iter().map(|visit| visit.events.len()).sum(),
            Self::Fates => schedule.iter().filter(|fault| is_fate(fault)).count(),
            Self::Faults => schedule.iter().filter(|fault| !is_fate(fault)).count(),
            Self::Pauses => scenario.visits.iter().flat_map(|visit| &visit.after).flatten().count(),
            Self::SettleLimit => usize::from(weather.is_some_and(|of| of.settle_limit.is_some())),
        }
    }

    /// `scenario`, whose requests took as long as `took` says, without the parts of this kind that stand
    /// at `places`; `None` if nothing would be left that can be run.
    pub(super) fn without(
        self,
        scenario: &Scenario,
        places: &Range<usize>,
        took: &Took,
    ) -> Option<Scenario> {
        let mut left = scenario.clone();
        match self {
            Self::Customers => {
                let gone = &customers(scenario)[places.clone()];
                left.visits.retain(|visit| !gone.contains(&visit.customer));
            }
            Self::Branches(later) => {
                let gone = &scenario.roster.ids()[places.clone()];
                remove_branches(&mut left, gone)?;
                remove_events(&mut left, |_, event| gone.contains(&event.branch), later.of(took));
            }
            Self::Visits(later) => {
                remove_events(&mut left, |at, _| places.contains(&at.visit), later.of(took));
            }
            Self::Events(later) => {
                remove_events(&mut left, |at, _| places.contains(&at.event), later.of(took));
            }
            Self::Fates => remove_faults(&mut left, places, is_fate),
            Self::Faults => remove_faults(&mut left, places, |fault| !is_fate(fault)),
            Self::Pauses => {
                let pauses = left.visits.iter_mut().flat_map(|visit| &mut visit.after);
                let said = pauses.filter(|pause| pause.is_some()).enumerate();
                said.filter(|(at, _)| places.contains(at)).for_each(|(_, pause)| *pause = None);
            }
            Self::SettleLimit => left.settings.foul_weather.as_mut()?.settle_limit = None,
        }
        forget_what_is_gone(&mut left);
        (!left.visits.is_empty()).then_some(left)
    }
}

impl Later {
    /// How long requests took, if that matters.
    const fn of(self, took: &Took) -> Option<&Took> {
        match self {
            Self::InTime => Some(took),
            Self::Sooner => None,
        }
    }
}

/// Those that make visits, in the order in which they first come up.
pub(super) fn customers(scenario: &Scenario) -> Vec<CustomerId> {
    let mut seen = BTreeSet::new();
    let ids = scenario.visits.iter().map(|visit| visit.customer);
    ids.filter(|&customer| seen.insert(customer)).collect()
}

/// Leaves out, of the faults that are `of_the_kind`, those at `places`.
fn remove_faults(
    scenario: &mut Scenario,
    places: &Range<usize>,
    of_the_kind: impl Fn(&ScheduledFault) -> bool,
) {
    let Some(weather) = &mut scenario.settings.foul_weather else { return };
    let mut at = 0;
    weather.schedule.retain(|fault| {
        if !of_the_kind(fault) {
            return true;
        }
        at += 1;
        !places.contains(&(at - 1))
    });
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Its visit.
    visit: usize,
    /// How many events stand before it in all.
    event: usize,
}

/// Leaves out the events that go. Where it is said how long each `took`, later ones come in time.
fn remove_events(
    scenario: &mut Scenario,
    goes: impl Fn(Place, &Event) -> bool,
    took: Option<&Took>,
) {
    let mut left: BTreeMap<CustomerId, (&[Duration], Duration)> = took
        .into_iter()
        .flatten()
        .map(|(&customer, took)| (customer, (took.as_slice(), Duration::ZERO)))
        .collect();
    let mut event = 0;
    for (visit, of) in scenario.visits.iter_mut().enumerate() {
        let (took, gone) = left.entry(of.customer).or_default();
        let mut pauses = std::mem::take(&mut of.after).into_iter();
        let after = &mut of.after;
        of.events.retain(|asked| {
            let pause = pauses.next().flatten().unwrap_or_default();
            let own = took.split_off_first().copied();
            let goes = goes(Place { visit, event }, asked);
            event += 1;
            if goes {
                *gone += own.map_or(Duration::ZERO, |own| pause + own);
                return false;
            }
            let pause = pause + std::mem::take(gone);
            after.push(Some(pause).filter(|pause| !pause.is_zero()));
            true
        });
    }
}

/// Leaves out the branches, and what is said of them and of the ways to them; `None` where none would
/// be left.
fn remove_branches(scenario: &mut Scenario, gone: &[BranchId]) -> Option<()> {
    let is_left = |id: BranchId| !gone.contains(&id);
    let roster = &scenario.roster;
    let left = Roster::new(roster.ids().iter().copied().filter(|&id| is_left(id))).ok()?;
    scenario.roster = Arc::new(left.beginning_in(roster.first_life()));
    let joins = |link: Link| is_left(link.from) && is_left(link.to);
    scenario.settings.links.retain(|link, _| joins(*link));
    if let Some(weather) = &mut scenario.settings.foul_weather {
        weather.schedule.retain_mut(|fault| match fault {
            ScheduledFault::Partition(partition) => divides(partition, is_left),
            ScheduledFault::Crash(crash) => is_left(crash.branch),
            ScheduledFault::Slow(slowness) => is_left(slowness.branch),
            ScheduledFault::Message { name, .. } => joins(name.link),
        });
    }
    Some(())
}

/// Takes the branches that are not left out of the sides. Says whether it still divides any.
fn divides(partition: &mut Partition, is_left: impl Fn(BranchId) -> bool) -> bool {
    let Partition { sides, one_way, .. } = partition;
    sides.iter_mut().for_each(|side| side.retain(|&id| is_left(id)));
    let has_first = sides.first().is_some_and(|first| !first.is_empty());
    sides.retain(|side| !side.is_empty());
    sides.len() > 1 && (has_first || !*one_way)
}

/// Takes out what is said of visits without events, of customers without visits, and of messages about
/// events that are not there.
fn forget_what_is_gone(scenario: &mut Scenario) {
    let Scenario { visits, settings, .. } = scenario;
    visits.retain(|visit| !visit.events.is_empty());
    for visit in &mut *visits {
        if visit.after.iter().all(Option::is_none) {
            visit.after.clear();
        }
    }
    let mut writes: BTreeMap<CustomerId, BTreeSet<EventId>> = BTreeMap::new();
    for visit in &*visits {
        let own = writes.entry(visit.customer).or_default();
        own.extend(visit.events.iter().filter(|event| is_write(event)).map(|event| event.id));
    }
    settings.customer_guarantees.retain(|customer, _| writes.contains_key(customer));
    let Some(mut weather) = settings.foul_weather.take() else { return };
    weather.schedule.retain(|fault| match fault {
        ScheduledFault::Message { name, .. } => name.event.is_none_or(|(customer, event)| {
            writes.get(&customer).is_some_and(|own| own.contains(&event))
        }),
        ScheduledFault::Partition(_) | ScheduledFault::Crash(_) | ScheduledFault::Slow(_) => true,
    });
    settings.foul_weather = said_of(*weather);
}

const fn is_write(event: &Event) -> bool {
    match event.operation {
        Operation::Write(_) => true,
        Operation::Query => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Fate;
    use crate::simulate::shrink::fixture::{
        asked, branch, crash, customer, lost, ms, partition, scenario, schedule, slow, visits,
    };

    fn without(kind: Kind, place: usize, scenario: &Scenario) -> Scenario {
        kind.without(scenario, &(place..place + 1), &took()).unwrap()
    }

    fn took() -> Took {
        [(customer(1), [10, 20, 30].map(ms).to_vec()), (customer(2), vec![ms(40)])].into()
    }

    /// The ids of the events of each visit.
    fn events(scenario: &Scenario) -> Vec<Vec<u32>> {
        let ids = |visit: &crate::scenario::Visit| {
            visit.events.iter().map(|event| event.id.get()).collect()
        };
        scenario.visits.iter().map(ids).collect()
    }

    /// How many milliseconds customers pause, visit by visit.
    fn pauses(scenario: &Scenario) -> Vec<Vec<u128>> {
        let of = |pause: &Option<Duration>| pause.unwrap_or_default().as_millis();
        scenario.visits.iter().map(|visit| visit.after.iter().map(of).collect()).collect()
    }

    #[test]
    fn with_a_customer_goes_what_it_asks_and_what_is_said_of_it() {
        let (own, others) = (lost((1, 1), (1, 2)), lost((2, 1), (3, 2)));
        let all = scenario(vec![own, others.clone(), crash(1, 2, 3)]);
        let left = without(Kind::Customers, 0, &all);
        assert_eq!(left.visits, visits()[1..2]);
        assert_eq!(customers(&left), [customer(2)]);
        assert_eq!(left.settings.customer_guarantees.keys().collect::<Vec<_>>(), [&customer(2)]);
        assert_eq!(schedule(&left), [others, crash(1, 2, 3)]);
    }

    #[test]
    fn with_a_branch_go_the_events_there_and_all_that_happens_to_it() {
        let left_fault = crash(1, 2, 3);
        let all = scenario(vec![
            left_fault.clone(),
            slow(3, ms(5), 2, 3),
            lost((1, 1), (1, 3)),
            lost((1, 1), (1, 2)),
            partition(&[&[1], &[3], &[2]], false),
            partition(&[&[1, 3], &[2]], true),
            partition(&[&[1, 2], &[3]], false),
            partition(&[&[3], &[1], &[2]], true),
        ]);
        let left = without(Kind::Branches(Later::Sooner), 2, &all);
        assert_eq!(left.roster.ids(), [1, 2].map(branch));
        assert_eq!(events(&left), [[1, 2]]);
        let divided = partition(&[&[1], &[2]], false);
        let one_way = partition(&[&[1], &[2]], true);
        assert_eq!(schedule(&left), [left_fault, lost((1, 1), (1, 2)), divided, one_way]);
        assert_eq!(Kind::Branches(Later::Sooner).without(&all, &(0..3), &took()), None);
    }

    #[test]
    fn with_an_event_goes_what_is_said_of_its_messages_and_a_visit_without_any() {
        let all = scenario(vec![lost((2, 1), (3, 1)), lost((1, 1), (1, 2))]);
        let left = without(Kind::Events(Later::Sooner), 2, &all);
        assert_eq!(events(&left), [vec![1, 2], vec![3]]);
        assert_eq!(schedule(&left), [lost((1, 1), (1, 2))]);
        assert_eq!(Kind::Events(Later::Sooner).without(&all, &(0..4), &took()), None);
    }

    #[test]
    fn later_events_of_the_customer_come_in_time_or_sooner() {
        let all = scenario(Vec::new());
        assert_eq!(pauses(&all), [vec![4, 0], vec![5], vec![6]]);
        let pauses_without = |place, later| pauses(&without(Kind::Events(later), place, &all));
        assert_eq!(pauses_without(0, Later::Sooner), [vec![], vec![5], vec![6]]);
        assert_eq!(pauses_without(0, Later::InTime), [vec![14], vec![5], vec![6]]);
        assert_eq!(pauses_without(1, Later::InTime), [vec![4], vec![5], vec![26]]);
        let visit = without(Kind::Visits(Later::InTime), 0, &all);
        assert_eq!(pauses(&visit), [[5], [40]]);
        assert_eq!(events(&visit), [[1], [3]]);
    }

    #[test]
    fn faults_fates_and_pauses_go_one_by_one() {
        let said = [asked(1, Fate::Lost), crash(1, 2, 3), asked(2, Fate::Lost), crash(1, 4, 5)];
        let all = scenario(said.to_vec());
        let [one, two, three, four] = said;
        let left = |kind, place| schedule(&without(kind, place, &all));
        assert_eq!(left(Kind::Fates, 1), [one.clone(), two.clone(), four.clone()]);
        assert_eq!(left(Kind::Faults, 1), [one, two, three]);
        assert_eq!(pauses(&without(Kind::Pauses, 1, &all)), [vec![4, 0], vec![], vec![6]]);
    }

    #[test]
    fn each_part_is_counted_and_what_has_none_of_a_kind_has_none_to_go() {
        let said = vec![asked(1, Fate::Lost), crash(1, 2, 3), asked(2, Fate::Lost)];
        let count = |kind: Kind| kind.count(&scenario(said.clone()));
        let counts = Kind::ALL.map(count);
        assert_eq!(counts, [2, 3, 3, 3, 3, 4, 4, 2, 1, 3, 0]);
    }
}
