//! A scenario in which nothing is left to chance: what chance decided in a run is said in it. Its run
//! has the same history, but for the numbers of partitions where something was scheduled that never
//! began.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Durability, Seed};
use crate::network::{Fate, Latency, ScheduledFault};
use crate::run::{Decided, Pauses, RunConfig};
use crate::scenario::{FoulWeather, Scenario, Settings, Visit, WrittenIds};

/// `scenario` with what was `decided` in its run. What overrode its settings must stand in them. The
/// latency becomes the delay that most messages had, and these are not named. Every choice is
/// said, so that the scenario stays what it is where defaults change.
pub fn explicit(scenario: &Scenario, decided: &Decided) -> Scenario {
    let config = RunConfig::new(&scenario.settings, &Settings::default());
    let (fates, lasting): (Vec<_>, Vec<_>) = decided.faults.iter().cloned().partition(is_fate);
    let delay = most_frequent(&fates);
    let mut schedule = lasting;
    schedule.extend(fates.into_iter().filter(|fate| delay_of(fate) != delay));
    let settle_limit = config.settle_limit;
    let foul_weather = FoulWeather { schedule, settle_limit, ..FoulWeather::default() };
    let settings = Settings {
        propagation: Some(config.propagation),
        guarantees: Some(config.guarantees.all),
        customer_guarantees: config.guarantees.single,
        overdraft: Some(config.overdraft),
        durability: Some(config.durability),
        customers: Some(config.customers),
        queries: Some(config.queries),
        latency: Some(delay.map_or(Latency::None, Latency::Constant)),
        links: BTreeMap::new(),
        foul_weather: said_of(foul_weather),
        wait_limit: Some(config.wait_limit),
        event_ids: Some(config.event_ids),
        // What a power failure does to a disk is drawn from it.
        seed: Some(match config.durability {
            Durability::Memory => Seed::default(),
            Durability::Disk => config.seed,
        }),
    };
    Scenario {
        settings,
        visits: paused(&scenario.visits, &decided.paused),
        // Its events are those of the run, and so are their ids.
        written_ids: WrittenIds::default(),
        expected: None,
        warnings: Vec::new(),
        ..scenario.clone()
    }
}

/// The foul weather, if there is anything to say of it.
pub(super) fn said_of(foul_weather: FoulWeather) -> Option<Box<FoulWeather>> {
    (foul_weather != FoulWeather::default()).then(|| Box::new(foul_weather))
}

/// Whether it says what becomes of one message.
pub(super) const fn is_fate(fault: &ScheduledFault) -> bool {
    match fault {
        ScheduledFault::Message { .. } => true,
        ScheduledFault::Partition(_) | ScheduledFault::Crash(_) | ScheduledFault::Slow(_) => false,
    }
}

/// How long the message takes, if it arrives and arrives once.
const fn delay_of(fate: &ScheduledFault) -> Option<Duration> {
    match fate {
        ScheduledFault::Message { fate: Fate::Arrives(delay), .. } => Some(*delay),
        ScheduledFault::Message { fate: Fate::Lost | Fate::ArrivesTwice(..), .. }
        | ScheduledFault::Partition(_)
        | ScheduledFault::Crash(_)
        | ScheduledFault::Slow(_) => None,
    }
}

/// The delay that most of them have; of several that as many have, the one in the middle.
fn most_frequent(fates: &[ScheduledFault]) -> Option<Duration> {
    let mut times: BTreeMap<Duration, u64> = BTreeMap::new();
    for delay in fates.iter().filter_map(delay_of) {
        *times.entry(delay).or_default() += 1;
    }
    let most = *times.values().max()?;
    let frequent: Vec<_> = times.iter().filter(|of| *of.1 == most).map(|of| *of.0).collect();
    frequent.get(frequent.len() / 2).copied()
}

/// The visits, with how long their customers paused before each event.
fn paused(visits: &[Visit], pauses: &Pauses) -> Vec<Visit> {
    let mut left: BTreeMap<_, _> =
        pauses.iter().map(|(&customer, pauses)| (customer, pauses.iter())).collect();
    let paused = |visit: &Visit| {
        let Some(left) = left.get_mut(&visit.customer) else { return visit.clone() };
        let pauses = left.by_ref().take(visit.events.len());
        let after = pauses.map(|&pause| Some(pause).filter(|pause| !pause.is_zero())).collect();
        Visit { after, ..visit.clone() }
    };
    visits.iter().map(paused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Guarantees;
    use crate::simulate::shrink::fixture::{asked, crash, customer, ms, scenario, visits};

    fn takes(attempt: u32, delay: u64) -> ScheduledFault {
        asked(attempt, Fate::Arrives(ms(delay)))
    }

    #[test]
    fn the_latency_is_the_most_frequent_delay_and_those_that_have_it_are_not_named() {
        let (lost, twice) = (asked(4, Fate::Lost), asked(5, Fate::ArrivesTwice(ms(0), ms(0))));
        let [scheduled, drawn] = [crash(1, 3, 4), crash(1, 9, 10)];
        let [one, two, three] = [takes(1, 3), takes(2, 8), takes(3, 3)];
        let faults = vec![
            scheduled.clone(),
            drawn.clone(),
            one,
            two.clone(),
            three,
            lost.clone(),
            twice.clone(),
        ];
        let mut scenario = scenario(vec![takes(1, 9), scheduled.clone(), crash(1, 3, 5)]);
        scenario.settings.latency = Some("uniform:1ms..9ms".parse().unwrap());
        let said = explicit(&scenario, &Decided { faults, ..Decided::default() });
        assert_eq!(said.settings.latency, Some("constant:3ms".parse().unwrap()));
        let weather = said.settings.foul_weather.unwrap();
        assert_eq!(weather.schedule, [scheduled, drawn, two, lost, twice]);
        assert_eq!(weather.settle_limit, Some(Duration::from_mins(1)));
    }

    #[test]
    fn of_delays_that_are_as_frequent_the_one_in_the_middle_is_the_latency() {
        assert_eq!(most_frequent(&[takes(1, 9), takes(2, 1), takes(3, 4)]), Some(ms(4)));
        assert_eq!(most_frequent(&[asked(1, Fate::Lost)]), None);
    }

    #[test]
    fn pauses_come_to_the_visits_in_their_order_and_none_is_left_to_chance() {
        let mut scenario = scenario(Vec::new());
        let think = Some("exponential:10ms".parse().unwrap());
        scenario.settings.foul_weather =
            Some(Box::new(FoulWeather { think, ..FoulWeather::default() }));
        let paused =
            Pauses::from([(customer(1), vec![ms(1), ms(0), ms(2)]), (customer(2), vec![ms(3)])]);
        let said = explicit(&scenario, &Decided { paused, ..Decided::default() });
        let after: Vec<_> = said.visits.into_iter().map(|visit| visit.after).collect();
        assert_eq!(after, [vec![Some(ms(1)), None], vec![Some(ms(3))], vec![Some(ms(2))]]);
        assert_eq!(said.settings.foul_weather, None);
    }

    #[test]
    fn choices_are_said_and_pauses_that_were_not_drawn_stay() {
        let said = explicit(&scenario(Vec::new()), &Decided::default());
        assert_eq!(said.settings.seed, Some(Seed(0)));
        assert_eq!(said.settings.guarantees, Some(Guarantees::ALL));
        assert_eq!(said.settings.latency, Some(Latency::None));
        assert_eq!(said.settings.customer_guarantees[&customer(2)], Guarantees::NONE);
        assert_eq!(said.visits, visits());
    }
}
