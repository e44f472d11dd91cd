//! Runs that violate something become small scenarios in which nothing is left to chance.

use std::time::Duration;

use passbook::check::{Promised, Property};
use passbook::history::{Fact, Recorded};
use passbook::model::{BranchId, CustomerId, EventId, Guarantee, Guarantees, Roster};
use passbook::network::{Partition, ScheduledFault};
use passbook::run::{Chances, Judging, Recording, Run, RunOptions, Runner, run};
use passbook::scenario::{FoulWeather, Scenario, Visit};
use passbook::simulate::{ShrinkError, Shrunk, Target, explicit, shrink};
use proptest::prelude::*;

use crate::foul_weather::stormy;

/// Asynchronous, and messages take their time: nothing else goes wrong.
fn lagging(seed: u64) -> Scenario {
    let mut scenario = stormy(seed);
    let think = Some("exponential:10ms".parse().expect("it is right"));
    let foul_weather = FoulWeather { think, ..FoulWeather::default() };
    scenario.settings.foul_weather = Some(Box::new(foul_weather));
    scenario
}

type Weather = fn(u64) -> Scenario;

const WEATHERS: [(&str, Weather); 2] = [("stormy", stormy), ("lagging", lagging)];

const LATENCIES: [&str; 4] = ["none", "constant:3ms", "uniform:1ms..20ms", "exponential:90ms"];

fn recorded(scenario: &Scenario, chances: Chances) -> Run {
    let recording = Recording::Facts;
    let options = RunOptions { recording, judging: Judging::Off, chances, ..RunOptions::default() };
    run(scenario, &options).expect("it ends")
}

/// Each weather with each latency, so many seeds of each.
fn each(seeds: u64, check: impl Fn(&str, &Scenario)) {
    for (name, weather) in WEATHERS {
        for latency in LATENCIES {
            for seed in 0..seeds {
                let mut scenario = weather(seed);
                scenario.settings.latency = Some(latency.parse().expect("it is right"));
                check(&format!("{name}, {latency}, seed {seed}"), &scenario);
            }
        }
    }
}

#[test]
fn a_run_that_keeps_what_chance_decides_is_the_same_run() {
    each(40, |name, scenario| {
        let [kept, forgotten] =
            [Chances::Kept, Chances::Forgotten].map(|chances| recorded(scenario, chances));
        assert_eq!(kept.facts, forgotten.facts, "{name}");
        assert_eq!(kept.result, forgotten.result, "{name}");
    });
}

#[test]
fn what_is_explicit_has_the_history_that_chance_gave_it() {
    each(120, |name, scenario| {
        let by_chance = recorded(scenario, Chances::Kept);
        let decided = by_chance.decided.as_deref().expect("it was kept");
        let again = recorded(&explicit(scenario, decided), Chances::Forgotten);
        let differs = by_chance.facts.iter().zip(&again.facts).find(|(one, other)| one != other);
        assert_eq!(differs, None, "{name}");
        assert_eq!(by_chance.facts.len(), again.facts.len(), "{name}");
    });
}

#[test]
fn what_was_scheduled_already_stays_beside_what_chance_brought() {
    for seed in 0..60 {
        let once = stormy(seed);
        let said = explicit(&once, &recorded(&once, Chances::Kept).decided.expect("it was kept"));
        let mut more = stormy(seed + 1000);
        let weather = more.settings.foul_weather.as_mut().expect("it is stormy");
        weather.schedule = said.settings.foul_weather.map_or(Vec::new(), |said| said.schedule);
        let run = recorded(&more, Chances::Kept);
        let again = explicit(&more, &run.decided.expect("it was kept"));
        let [facts, again] =
            [run.facts, recorded(&again, Chances::Forgotten).facts].map(without_numbers);
        let differs = facts.iter().zip(&again).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(facts.len(), again.len(), "seed {seed}");
    }
}

/// Facts without what tells partitions apart: what was scheduled and never began has a number too.
fn without_numbers(mut facts: Vec<Recorded>) -> Vec<Recorded> {
    for recorded in &mut facts {
        if let Fact::PartitionBegan { partition, .. } | Fact::PartitionHealed { partition } =
            &mut recorded.fact
        {
            *partition = 0;
        }
    }
    facts
}

fn property(guarantee: Guarantee) -> Property {
    match guarantee {
        Guarantee::ReadYourWrites => Property::ReadYourWrites,
        Guarantee::MonotonicReads => Property::MonotonicReads,
        Guarantee::MonotonicWrites => Property::MonotonicWrites,
        Guarantee::WritesFollowReads => Property::WritesFollowReads,
    }
}

const fn not_promised(property: Property) -> Target {
    Target { property, promised: Promised::No }
}

/// What shows that `target` is violated in the run of `scenario`.
fn sentence(scenario: &Scenario, target: Target) -> Option<String> {
    let verdicts = run(scenario, &RunOptions::default()).ok()?.result.verdicts?;
    let verdict = verdicts.of(target.property)?;
    let is_it = verdict.promised() == Some(target.promised);
    verdict.witness().filter(|_| is_it).map(|witness| witness.sentence.clone())
}

/// The first scenario of the seeds from `first` on in which this is violated, all guarantees but
/// `without` being on.
fn violating(weather: Weather, without: Guarantees, first: u64, target: Target) -> Scenario {
    let promised = Guarantees::ALL.iter().filter(|one| !without.has(*one));
    let promised = promised.fold(Guarantees::NONE, Guarantees::with);
    let scenario = |seed| {
        let mut scenario = weather(seed);
        scenario.settings.guarantees = Some(promised);
        scenario
    };
    let mut all = (first..).map(scenario);
    all.find(|one| sentence(one, target).is_some()).expect("there are seeds enough")
}

/// The same, where one guarantee is off and violated.
fn breaking(weather: Weather, guarantee: Guarantee, first: u64) -> (Scenario, Target) {
    let target = not_promised(property(guarantee));
    let without = Guarantees::NONE.with(guarantee);
    (violating(weather, without, first, target), target)
}

fn shrunk(scenario: &Scenario, target: Target) -> Shrunk {
    shrink(scenario, target, &mut Runner::default(), None).expect("it is violated")
}

#[test]
fn what_each_guarantee_prevents_is_shown_by_few_events() {
    for (name, weather) in WEATHERS {
        for guarantee in Guarantee::ALL {
            let (scenario, target) = breaking(weather, guarantee, 0);
            let small = shrunk(&scenario, target);
            assert!((2..=5).contains(&small.events), "{name}, {guarantee:?}: {small:?}");
            assert!(small.is_minimal);
            assert_eq!(sentence(&small.scenario, target), Some(small.sentence), "{name}");
            assert_eq!(events(&small.scenario).count(), small.events);
            assert!(small.branches <= 3 && small.customers <= 2 && small.faults <= 5);
            // What is left is what was there.
            for event in events(&small.scenario) {
                assert!(events(&scenario).any(|one| one == event), "{name}: {event:?}");
            }
        }
    }
}

fn events(scenario: &Scenario) -> impl Iterator<Item = (CustomerId, passbook::model::Event)> {
    let of = |visit: &Visit| {
        let customer = visit.customer;
        visit.events.clone().into_iter().map(move |event| (customer, event))
    };
    scenario.visits.iter().flat_map(of).collect::<Vec<_>>().into_iter()
}

#[test]
fn a_write_that_is_lost_with_a_memory_is_shown_by_the_write_and_the_loss() {
    let target = not_promised(Property::ExactlyOnce);
    let scenario = violating(stormy, Guarantees::NONE, 0, target);
    let small = shrunk(&scenario, target);
    // The second event is there for the run to go on until the memory ends.
    assert_eq!((small.events, small.customers, small.faults), (2, 1, 1), "{small:?}");
    assert!(small.is_minimal);
    assert!(small.sentence.contains("but no branch holds it any more"), "{}", small.sentence);
}

#[test]
fn the_same_run_becomes_the_same_scenario_whatever_was_run_before() {
    let mut runner = Runner::default();
    for (_, weather) in WEATHERS {
        for guarantee in Guarantee::ALL {
            let (scenario, target) = breaking(weather, guarantee, 300);
            let used = shrink(&scenario, target, &mut runner, None).expect("it is violated");
            assert_eq!(used, shrunk(&scenario, target));
            let again = shrunk(&used.scenario, target);
            assert_eq!(again.events, used.events, "it is small already");
        }
    }
}

#[test]
fn when_the_time_is_over_the_best_so_far_is_given_and_not_called_minimal() {
    let (scenario, target) = breaking(stormy, Guarantee::MonotonicWrites, 0);
    let shrink =
        |limit| shrink(&scenario, target, &mut Runner::default(), limit).expect("it is violated");
    let none = shrink(Some(Duration::ZERO));
    assert_eq!((none.is_minimal, none.trials), (false, 2));
    assert_eq!(sentence(&none.scenario, target), Some(none.sentence));
    assert_eq!(none.events, events(&scenario).count());
    assert!(shrink(Some(Duration::from_hours(1))).is_minimal);
}

#[test]
fn what_is_not_violated_is_not_shrunk() {
    let target = Target { property: Property::MonotonicReads, promised: Promised::Yes };
    let refused = shrink(&stormy(1), target, &mut Runner::default(), None).unwrap_err();
    assert!(matches!(refused, ShrinkError::NotViolated { .. }), "{refused:?}");
    assert_eq!(
        refused.to_string(),
        "monotonic reads is not violated, so there is nothing to shrink"
    );
}

/// Something that stands by itself in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Customer(CustomerId),
    Branch(BranchId),
    Visit(usize),
    Event(usize, usize),
    Pause(usize, usize),
    Fault(usize),
}

fn parts(of: &Scenario) -> Vec<Part> {
    let mut parts: Vec<Part> = of.roster.ids().iter().map(|&id| Part::Branch(id)).collect();
    for (at, visit) in of.visits.iter().enumerate() {
        parts.extend([Part::Customer(visit.customer), Part::Visit(at)]);
        parts.extend((0..visit.events.len()).map(|place| Part::Event(at, place)));
        let pauses = visit.after.iter().enumerate().filter(|(_, pause)| pause.is_some());
        parts.extend(pauses.map(|(place, _)| Part::Pause(at, place)));
    }
    let faults = of.settings.foul_weather.as_ref().map_or(0, |weather| weather.schedule.len());
    parts.extend((0..faults).map(Part::Fault));
    parts
}

/// `of` put together anew without `gone`; `None` if no bank or no event is left.
fn without(of: &Scenario, gone: Part) -> Option<Scenario> {
    let has = |id: BranchId| gone != Part::Branch(id);
    let roster = Roster::new(of.roster.ids().iter().copied().filter(|&id| has(id))).ok()?;
    let mut visits: Vec<Visit> = Vec::new();
    for (at, visit) in of.visits.iter().enumerate() {
        let (mut events, mut after) = (Vec::new(), Vec::new());
        for (place, &event) in visit.events.iter().enumerate() {
            if gone != Part::Event(at, place) && has(event.branch) {
                let pause = visit.after.get(place).copied().flatten();
                events.push(event);
                after.push(pause.filter(|_| gone != Part::Pause(at, place)));
            }
        }
        let stays = gone != Part::Visit(at) && gone != Part::Customer(visit.customer);
        if stays && !events.is_empty() {
            visits.push(Visit { customer: visit.customer, events, after });
        }
    }
    let asks = |(customer, event): (CustomerId, EventId)| {
        let mut own = visits.iter().filter(|visit| visit.customer == customer);
        own.any(|visit| visit.events.iter().any(|one| one.id == event))
    };
    let mut settings = of.settings.clone();
    let mut schedule = Vec::new();
    for (at, fault) in settings.foul_weather.iter().flat_map(|of| &of.schedule).enumerate() {
        let left = match fault {
            ScheduledFault::Partition(partition) => divided(partition, has),
            ScheduledFault::Crash(crash) => has(crash.branch).then(|| fault.clone()),
            ScheduledFault::Slow(slow) => has(slow.branch).then(|| fault.clone()),
            ScheduledFault::Message { name, .. } => {
                let is_there = has(name.link.from) && has(name.link.to);
                (is_there && name.event.is_none_or(asks)).then(|| fault.clone())
            }
        };
        schedule.extend(left.filter(|_| gone != Part::Fault(at)));
    }
    if let Some(weather) = &mut settings.foul_weather {
        weather.schedule = schedule;
    }
    let is_any = !visits.is_empty();
    is_any.then(|| Scenario { roster: roster.into(), visits, settings, ..of.clone() })
}

/// What is left of the partition where some branches are.
fn divided(partition: &Partition, has: impl Fn(BranchId) -> bool) -> Option<ScheduledFault> {
    let side = |side: &Vec<BranchId>| -> Vec<BranchId> {
        side.iter().copied().filter(|&id| has(id)).collect()
    };
    let sides: Vec<_> = partition.sides.iter().map(side).collect();
    let is_first_gone = sides[0].is_empty();
    let sides: Vec<_> = sides.into_iter().filter(|side| !side.is_empty()).collect();
    let divides = sides.len() > 1 && !(partition.one_way && is_first_gone);
    divides.then(|| ScheduledFault::Partition(Partition { sides, ..partition.clone() }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn of_what_is_minimal_no_single_part_can_be_taken_away(
        first in 0_u64..1_000_000,
        (name, weather) in prop::sample::select(WEATHERS.to_vec()),
        guarantee in prop::sample::select(Guarantee::ALL.to_vec()),
    ) {
        let (scenario, target) = breaking(weather, guarantee, first);
        let small = shrunk(&scenario, target);
        prop_assert!(small.is_minimal && small.events <= 10, "{name}: {small:?}");
        prop_assert_eq!(sentence(&small.scenario, target), Some(small.sentence.clone()));
        for gone in parts(&small.scenario) {
            let Some(left) = without(&small.scenario, gone) else { continue };
            let shown = sentence(&left, target);
            prop_assert_eq!(shown, None, "{}, without {:?}: {:?}", name, gone, small);
        }
    }
}
