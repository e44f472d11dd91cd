//! Branches that stop often, and start again with a part of what they had.

use std::time::Duration;

use passbook::Scenario;
use passbook::model::{Random, Seed, Time};
use passbook::network::{Crash, Keeps, ScheduledFault};
use passbook::scenario::FoulWeather;

/// Branches stop until then: when customers have made most of their requests.
const UNTIL_US: u64 = 250_000;

/// `scenario`, in which every branch stops now and then for a moment, and has kept few writes or many.
pub(crate) fn with_forgetful_branches(mut scenario: Scenario, seed: Seed) -> Scenario {
    let mut schedule = Vec::new();
    for &branch in scenario.roster.ids() {
        let mut chance = Random::of_part(seed, u64::from(branch.get()));
        let mut at_us = 1 + chance.below(60_000);
        while at_us < UNTIL_US {
            let at = Time::from_us(at_us);
            let until = at.after(Duration::from_micros(1 + chance.below(8_000)));
            let keeps = Keeps::First(chance.below(8));
            schedule.push(ScheduledFault::Crash(Crash { branch, keeps, at, until }));
            at_us = until.us() + 1 + chance.below(90_000);
        }
    }
    let weather = scenario.settings.foul_weather.take().map(|weather| *weather);
    let weather = FoulWeather { schedule, ..weather.unwrap_or_default() };
    scenario.settings.foul_weather = Some(Box::new(weather));
    scenario
}
