//! What is run with each seed: a scenario of its own, or the same one with other chances.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::model::{CustomerOrder, Guarantees, Propagation, Seed};
use crate::network::Latency;
use crate::scenario::generate::{Between, GenerateError, GenerateOptions, Generator};
use crate::scenario::{FoulWeather, Scenario, Settings};

/// Gives the scenario of each seed.
#[derive(Debug, Clone)]
pub struct Load(Source);

#[derive(Debug, Clone)]
enum Source {
    Generated(Box<Generated>),
    Given(Box<Scenario>),
}

/// Scenarios that are made, and how they are run.
#[derive(Debug, Clone)]
struct Generated {
    generator: Generator,
    options: GenerateOptions,
    settings: Settings,
}

/// How much each seed has where scenarios are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadSize {
    /// Branches.
    pub branches: Between<NonZeroU32>,
    /// Customers.
    pub customers: Between<NonZeroU32>,
    /// Events of each customer.
    pub events: Between<NonZeroU32>,
}

impl Default for LoadSize {
    fn default() -> Self {
        let only = |number| Between::only(NonZeroU32::new(number).expect("a default above 0"));
        Self { branches: only(3), customers: only(2), events: only(10) }
    }
}

impl Load {
    /// A scenario for each seed, of a bank and customers of this `size`.
    pub fn generated(size: LoadSize) -> Result<Self, GenerateError> {
        let LoadSize { branches, customers, events } = size;
        let options = GenerateOptions { branches, customers, events, ..GenerateOptions::default() };
        let generator = Generator::new(options)?;
        let generated = Generated { generator, options, settings: settings() };
        Ok(Self(Source::Generated(Box::new(generated))))
    }

    /// The same scenario for each seed.
    pub fn given(scenario: Scenario) -> Self {
        // What comes of it depends on the seed.
        Self(Source::Given(Box::new(Scenario { expected: None, ..scenario })))
    }

    /// What `seed` runs. A seed is one of [`super::Seeds`].
    pub fn scenario(&self, seed: u64) -> Scenario {
        let mut scenario = match &self.0 {
            Source::Generated(made) => {
                let scenario = made.generator.scenario(seed.saturating_add(1));
                Scenario { settings: made.settings.clone(), name: name(seed), ..scenario }
            }
            Source::Given(scenario) => (**scenario).clone(),
        };
        scenario.settings.seed = Some(Seed(seed));
        scenario
    }

    /// One that takes as much memory as any.
    pub fn largest(&self) -> Scenario {
        match &self.0 {
            Source::Generated(made) => {
                let most = |range: Between<NonZeroU32>| Between::only(range.max());
                let GenerateOptions { branches, customers, events, .. } = made.options;
                let options = GenerateOptions {
                    branches: most(branches),
                    customers: most(customers),
                    events: most(events),
                    ..made.options
                };
                let generator = Generator::new(options).expect("it is no larger than the range");
                Scenario { settings: made.settings.clone(), ..generator.scenario(1) }
            }
            Source::Given(scenario) => (**scenario).clone(),
        }
    }
}

fn name(seed: u64) -> String {
    format!("simulated-{seed}")
}

/// Those of a scenario that is generated: the bank answers before it propagates, messages lag, and
/// customers come at once and think between their events.
fn settings() -> Settings {
    let ms = Duration::from_millis;
    let latency = Latency::Uniform { min: ms(1), max: ms(20) };
    let think = Some(Latency::Exponential(ms(10)));
    Settings {
        propagation: Some(Propagation::Async),
        guarantees: Some(Guarantees::ALL),
        customers: Some(CustomerOrder::Concurrent),
        latency: Some(latency),
        foul_weather: Some(Box::new(FoulWeather { think, ..FoulWeather::default() })),
        ..Settings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seed_has_a_scenario_of_its_own_whatever_was_before_it() {
        let load = Load::generated(LoadSize::default()).unwrap();
        assert_eq!(load.scenario(7), load.clone().scenario(7));
        assert_ne!(load.scenario(7).visits, load.scenario(8).visits);
        let Scenario { roster, visits, name, settings, .. } = load.scenario(7);
        assert_eq!((roster.len(), visits.len(), visits[0].events.len()), (3, 2, 10));
        assert_eq!((name.as_str(), settings.seed), ("simulated-7", Some(Seed(7))));
    }

    #[test]
    fn a_given_scenario_differs_in_its_seed_alone() {
        let generated = Load::generated(LoadSize::default()).unwrap().scenario(1);
        let load = Load::given(generated.clone());
        let other = load.scenario(9);
        assert_eq!(other.settings.seed, Some(Seed(9)));
        assert_eq!((other.visits, other.name), (generated.visits, generated.name));
    }

    #[test]
    fn the_largest_has_the_most_of_each_range() {
        let range = |text: &str| text.parse().unwrap();
        let size =
            LoadSize { branches: range("1..4"), customers: range("2..3"), events: range("5..6") };
        let largest = Load::generated(size).unwrap().largest();
        let events = largest.visits.iter().map(|visit| visit.events.len());
        assert_eq!((largest.roster.len(), events.collect::<Vec<_>>()), (4, vec![6, 6, 6]));
    }
}
