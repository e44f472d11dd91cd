//! Makes scenarios.
//!
//! Which chances are drawn, and in which order, is part of what users rely on: another order would
//! make other scenarios of the seeds that they have noted. Every customer has chances of its own,
//! and every event takes as many of them whatever it becomes, so that an option changes what it
//! speaks of and nothing else.

use std::sync::Arc;

use super::skew::Popularity;
use super::{GenerateError, GenerateOptions};
use crate::model::{
    BranchId, CustomerId, Dialect, Event, EventId, Money, Operation, OperationKind, Random, Roster,
    Seed, Write,
};
use crate::scenario::{
    BalanceRow, EventOutcome, EventResult, EventsRow, Output, Scenario, Settings, Visit, WrittenIds,
};

/// Makes scenarios that are as its options say. They are numbered; each depends on the options and
/// its number alone.
#[derive(Debug, Clone)]
pub struct Generator {
    options: GenerateOptions,
    popularity: Popularity,
}

/// Seeds of scenarios are below this: short enough to be typed again.
const SCENARIO_SEEDS: u64 = 1 << 32;

impl Generator {
    /// Makes scenarios that are as `options` say.
    pub fn new(options: GenerateOptions) -> Result<Self, GenerateError> {
        options.check()?;
        let branches = options.branches.max().get();
        Ok(Self { options, popularity: Popularity::new(options.skew, branches) })
    }

    /// Scenario `number`, the first being 1. Its name is `generated-SEED-NUMBER`.
    pub fn scenario(&self, number: u64) -> Scenario {
        let GenerateOptions { branches, customers, opening_balance, .. } = self.options;
        let mut chance = Random::of_part(self.options.seed, number);
        let settings = self.settings(Seed(chance.below(SCENARIO_SEEDS)));
        let branches = branches.draw(&mut chance);
        let customers = customers.draw(&mut chance);
        let roster = Roster::new((1..=branches).map(branch_id));
        let roster = Arc::new(roster.expect("ids that differ, and at least one"));
        let visits_seed = Seed(chance.below(u64::MAX));
        let mut draft = Draft { generator: self, visits_seed, branches: roster.ids(), writes: 0 };
        let visits = (1..=customers).map(|customer| draft.visit(customer)).collect();
        let mut scenario = Scenario {
            name: format!("generated-{}-{number}", self.options.seed),
            description: None,
            roster,
            opening_balance,
            visits,
            settings,
            expected: None,
            warnings: Vec::new(),
            written_ids: WrittenIds::default(),
        };
        scenario.expected = self.options.expected.map(|dialect| expected(&scenario, dialect));
        scenario
    }

    fn settings(&self, seed: Seed) -> Settings {
        Settings {
            propagation: self.options.propagation,
            guarantees: self.options.guarantees,
            latency: self.options.latency,
            customers: self.options.customer_order,
            seed: Some(seed),
            ..Settings::default()
        }
    }
}

/// A scenario on its way.
struct Draft<'g> {
    generator: &'g Generator,
    /// What the customers' chances are drawn from.
    visits_seed: Seed,
    branches: &'g [BranchId],
    /// How many writes there are so far.
    writes: u32,
}

impl Draft<'_> {
    fn visit(&mut self, customer: u32) -> Visit {
        let options = &self.generator.options;
        let mut chance = Random::of_part(self.visits_seed, u64::from(customer));
        let count = options.events.draw(&mut chance);
        let mut here = None;
        let mut events = Vec::new();
        for number in 1..=count {
            let at = self.next_branch(here, &mut chance);
            here = Some(at);
            let operation = self.operation(&mut chance);
            events.push(Event { id: event_id(number), branch: self.branches[at], operation });
        }
        if options.final_query {
            let at = self.next_branch(here, &mut chance);
            let (id, branch) = (event_id(count + 1), self.branches[at]);
            events.push(Event { id, branch, operation: Operation::Query });
        }
        let customer = CustomerId::new(i64::from(customer)).expect("options are checked");
        Visit { customer, events, after: Vec::new() }
    }

    /// Where the customer goes from `here`, its last branch.
    fn next_branch(&self, here: Option<usize>, chance: &mut Random) -> usize {
        let Generator { options, popularity } = self.generator;
        let hops = chance.below(100) < u64::from(options.hop_percent);
        let Some(here) = here else {
            return popularity.draw(chance, self.branches.len());
        };
        let other = popularity.draw_other(chance, self.branches.len(), here);
        if hops { other } else { here }
    }

    fn operation(&mut self, chance: &mut Random) -> Operation {
        let options = &self.generator.options;
        let interface = options.mix.draw(chance);
        let amount = options.amounts.draw(chance, self.writes);
        let write = match interface {
            OperationKind::Deposit => Write::deposit(amount),
            OperationKind::Withdraw => Write::withdraw(amount),
            OperationKind::Query => return Operation::Query,
        };
        self.writes += 1;
        Operation::Write(write)
    }
}

fn branch_id(number: u32) -> BranchId {
    BranchId::new(i64::from(number)).expect("options are checked")
}

fn event_id(number: u32) -> EventId {
    EventId::new(i64::from(number)).expect("options are checked")
}

/// What the customers of `scenario` must see. No sum of its writes may be out of range.
fn expected(scenario: &Scenario, dialect: Dialect) -> Output {
    let mut balance = scenario.opening_balance;
    match dialect {
        Dialect::Balances => Output::Balances(
            scenario.visits.iter().map(|visit| balance_row(visit, &mut balance)).collect(),
        ),
        Dialect::Events => Output::Events(
            scenario.visits.iter().flat_map(|visit| event_rows(visit, &mut balance)).collect(),
        ),
        Dialect::Customers => Output::Customers(visit_rows(scenario, &mut balance)),
        Dialect::Classic => Output::Classic(visit_rows(scenario, &mut balance)),
    }
}

fn balance_row(visit: &Visit, balance: &mut Money) -> BalanceRow {
    for event in &visit.events {
        tell(event, balance);
    }
    BalanceRow { id: visit.customer, balance: visit.events.last().map(|_| *balance) }
}

fn event_rows(visit: &Visit, balance: &mut Money) -> Vec<EventsRow> {
    let row = |event: &Event| {
        let result = EventResult { branch: Some(event.branch), ..tell(event, balance) };
        EventsRow { id: visit.customer, recv: vec![result] }
    };
    visit.events.iter().map(row).collect()
}

fn visit_rows(scenario: &Scenario, balance: &mut Money) -> Vec<EventsRow> {
    let row = |visit: &Visit| {
        let recv = visit.events.iter().map(|event| tell(event, balance)).collect();
        EventsRow { id: visit.customer, recv }
    };
    scenario.visits.iter().map(row).collect()
}

/// What the customer is told, and what `balance` is afterwards.
fn tell(event: &Event, balance: &mut Money) -> EventResult {
    let told = match event.operation {
        Operation::Query => EventOutcome::Balance(*balance),
        Operation::Write(write) => {
            *balance = balance.checked_add(write.delta()).expect("no sum is out of range");
            EventOutcome::Success
        }
    };
    EventResult { interface: event.operation.interface(), branch: None, told }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::Hasher;

    use fnv::FnvHasher;

    use super::*;
    use crate::model::Dialect;
    use crate::model::{CustomerOrder, Money, Propagation};
    use crate::scenario::generate::{Amounts, Mix};

    fn generator(options: GenerateOptions) -> Generator {
        Generator::new(options).unwrap()
    }

    fn range<T>(text: &str) -> T
    where
        T: std::str::FromStr<Err: std::fmt::Debug>,
    {
        text.parse().unwrap()
    }

    fn many() -> GenerateOptions {
        GenerateOptions {
            seed: Seed(7),
            branches: range("2..5"),
            customers: range("1..4"),
            events: range("1..10"),
            skew: range("0.8"),
            amounts: Amounts::Drawn(range("0.01..25")),
            ..GenerateOptions::default()
        }
    }

    fn text(scenario: &Scenario) -> String {
        serde_json::to_string(scenario).unwrap()
    }

    fn events(scenario: &Scenario) -> impl Iterator<Item = &Event> {
        scenario.visits.iter().flat_map(|visit| &visit.events)
    }

    #[test]
    fn scenarios_are_the_same_for_ever() {
        // Bytes of the first release: a change of any breaks every seed that people have noted.
        let small = generator(GenerateOptions { events: range("3"), ..GenerateOptions::default() });
        assert_eq!(
            text(&small.scenario(1)),
            concat!(
                r#"{"name":"generated-0-1","seed":987989943,"processes":["#,
                r#"{"id":1,"type":"branch","balance":1000},{"id":2,"type":"branch","balance":1000},"#,
                r#"{"id":1,"type":"customer","events":[{"id":1,"interface":"query","dest":2},"#,
                r#"{"id":2,"interface":"deposit","dest":1,"money":99},"#,
                r#"{"id":3,"interface":"withdraw","dest":1,"money":81}]}]}"#
            )
        );
        let decodable = generator(GenerateOptions {
            customers: range("2"),
            events: range("1..3"),
            amounts: Amounts::Decodable,
            final_query: true,
            propagation: Some(Propagation::Sync),
            guarantees: Some(range("ryw,mw")),
            latency: Some(range("uniform:1ms..50ms")),
            customer_order: Some(CustomerOrder::InOrder),
            expected: Some(Dialect::Balances),
            ..many()
        });
        assert_eq!(
            text(&decodable.scenario(12)),
            concat!(
                r#"{"name":"generated-7-12","seed":2824313940,"propagation":"sync","#,
                r#""guarantees":"ryw,mw","latency":"uniform:1ms..50ms","customers":"in-order","#,
                r#""processes":[{"id":1,"type":"branch","balance":1000},"#,
                r#"{"id":2,"type":"branch","balance":1000},{"id":3,"type":"branch","balance":1000},"#,
                r#"{"id":1,"type":"customer","events":["#,
                r#"{"id":1,"interface":"deposit","dest":3,"money":1},"#,
                r#"{"id":2,"interface":"query","dest":1}]},"#,
                r#"{"id":2,"type":"customer","events":[{"id":1,"interface":"query","dest":1},"#,
                r#"{"id":2,"interface":"deposit","dest":2,"money":2},"#,
                r#"{"id":3,"interface":"query","dest":2}]}],"#,
                r#""expected":[{"id":1,"balance":1001},{"id":2,"balance":1003}]}"#
            )
        );
    }

    #[test]
    fn ten_thousand_scenarios_are_the_same_for_ever() {
        let generator = generator(many());
        // FNV-1a, which anyone can work out again.
        let mut hasher = FnvHasher::default();
        (1..=10_000).for_each(|n| hasher.write(text(&generator.scenario(n)).as_bytes()));
        assert_eq!(format!("{:016x}", hasher.finish()), "f1d0ddae2f7e2e02");
    }

    #[test]
    fn every_number_and_every_seed_makes_another_scenario() {
        let seeds = (0..100).map(|seed| generator(GenerateOptions { seed: Seed(seed), ..many() }));
        let made: BTreeSet<String> = seeds
            .flat_map(|generator| (0..100).map(move |number| generator.scenario(number)))
            .map(|scenario| text(&Scenario { name: String::new(), ..scenario }))
            .collect();
        assert_eq!(made.len(), 10_000);
    }

    /// What the customers do and where, without amounts.
    fn shapes(scenario: &Scenario) -> Vec<Vec<(EventId, BranchId, OperationKind)>> {
        let shape = |event: &Event| (event.id, event.branch, event.operation.interface());
        scenario.visits.iter().map(|visit| visit.events.iter().map(shape).collect()).collect()
    }

    #[test]
    fn other_amounts_change_amounts_alone() {
        let options = GenerateOptions { customers: range("4"), ..many() };
        let plain = generator(options);
        let decodable = generator(GenerateOptions { amounts: Amounts::Decodable, ..options });
        for number in 1..=100 {
            let (plain, decodable) = (plain.scenario(number), decodable.scenario(number));
            assert_eq!(plain.roster, decodable.roster);
            assert_eq!(shapes(&plain), shapes(&decodable));
        }
    }

    #[test]
    fn more_events_and_more_customers_come_after_the_others() {
        let few = GenerateOptions { customers: range("2"), events: range("3"), ..many() };
        let customers = range("4");
        let more = generator(GenerateOptions { customers, events: range("5"), ..few });
        let queried = generator(GenerateOptions { final_query: true, ..few });
        let few = generator(few);
        for number in 1..=100 {
            let few = few.scenario(number);
            let more = more.scenario(number);
            for (few, more) in few.visits.iter().zip(&more.visits) {
                assert_eq!(few.events[..], more.events[..3]);
            }
            let mut queried = queried.scenario(number);
            for visit in &mut queried.visits {
                assert_eq!(visit.events.pop().map(|last| last.operation), Some(Operation::Query));
            }
            assert_eq!(queried, few);
        }
    }

    #[test]
    fn counts_stay_within_their_ranges_and_reach_both_ends() {
        let generator = generator(many());
        let scenarios: Vec<_> = (1..=500).map(|number| generator.scenario(number)).collect();
        let counts = |of: fn(&Scenario) -> usize| scenarios.iter().map(of).collect::<BTreeSet<_>>();
        assert_eq!(counts(|scenario| scenario.roster.len()), (2..=5).collect());
        assert_eq!(counts(|scenario| scenario.visits.len()), (1..=4).collect());
        assert_eq!(counts(|scenario| scenario.visits[0].events.len()), (1..=10).collect());
    }

    #[test]
    fn customers_hop_as_often_as_they_are_told() {
        for (hop_percent, ideal) in [(0, 0_usize), (25, 25_000), (100, 100_000)] {
            let options = GenerateOptions {
                branches: range("4"),
                events: range("100001"),
                hop_percent,
                ..GenerateOptions::default()
            };
            let scenario = generator(options).scenario(1);
            let events = &scenario.visits[0].events;
            let hops = events.windows(2).filter(|pair| pair[0].branch != pair[1].branch).count();
            assert!(
                ideal.abs_diff(hops) <= ideal.min(100_000 - ideal) / 50,
                "{hop_percent}: {hops}"
            );
        }
    }

    #[test]
    fn skewed_customers_begin_at_low_branches() {
        let options = GenerateOptions {
            branches: range("3"),
            customers: range("11000"),
            events: range("1"),
            skew: range("1"),
            ..GenerateOptions::default()
        };
        let scenario = generator(options).scenario(1);
        let at = |id| events(&scenario).filter(|event| event.branch.get() == id).count();
        // 1 + 1/2 + 1/3 is 11/6.
        for (id, ideal) in [(1, 6_000_usize), (2, 3_000), (3, 2_000)] {
            assert!(ideal.abs_diff(at(id)) < 150, "branch {id}: {}", at(id));
        }
    }

    #[test]
    fn decodable_writes_move_different_powers_of_two() {
        let options = GenerateOptions {
            customers: range("7"),
            events: range("8"),
            mix: Mix::new(1, 1, 0).unwrap(),
            amounts: Amounts::Decodable,
            opening_balance: Money::ZERO,
            ..GenerateOptions::default()
        };
        let scenario = generator(options).scenario(3);
        let moved: Vec<i64> = events(&scenario)
            .filter_map(|event| match event.operation {
                Operation::Write(write) => Some(write.amount.money().minor()),
                Operation::Query => None,
            })
            .collect();
        assert_eq!(moved, (0..56).map(|n| 100_i64 << n).collect::<Vec<_>>());
    }
}
