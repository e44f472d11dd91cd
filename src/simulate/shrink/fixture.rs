//! A small scenario in which much goes wrong, for tests.

use std::time::Duration;

use crate::model::{
    BranchId, CustomerId, Event, EventId, Guarantees, Money, Operation, Roster, Seed, Time, Write,
};
use crate::network::{
    Crash, Fate, Keeps, Link, MessageKind, MessageName, Partition, ScheduledFault, Slowness,
};
use crate::scenario::{FoulWeather, Scenario, Settings, Visit, WrittenIds};

pub(super) fn branch(id: i64) -> BranchId {
    BranchId::new(id).unwrap()
}

pub(super) fn customer(id: i64) -> CustomerId {
    CustomerId::new(id).unwrap()
}

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// From so many milliseconds after the start until so many.
fn moments(from: u64, until: u64) -> [Time; 2] {
    [from, until].map(|at| Time::START.after(ms(at)))
}

pub(super) fn crash(id: i64, from: u64, until: u64) -> ScheduledFault {
    let [at, until] = moments(from, until);
    ScheduledFault::Crash(Crash { branch: branch(id), keeps: Keeps::All, at, until })
}

pub(super) fn slow(id: i64, delay: Duration, from: u64, until: u64) -> ScheduledFault {
    let [at, until] = moments(from, until);
    ScheduledFault::Slow(Slowness { branch: branch(id), delay, at, until })
}

pub(super) fn partition(sides: &[&[i64]], one_way: bool) -> ScheduledFault {
    let [at, until] = moments(2, 12);
    let side = |side: &&[i64]| side.iter().map(|&id| branch(id)).collect();
    let sides = sides.iter().map(side).collect();
    ScheduledFault::Partition(Partition { sides, one_way, at, until })
}

fn message(
    kind: MessageKind,
    event: Option<(i64, i64)>,
    (from, to): (i64, i64),
    attempt: u32,
) -> MessageName {
    let event = event.map(|(of, event)| (customer(of), EventId::new(event).unwrap()));
    MessageName { kind, event, link: Link { from: branch(from), to: branch(to) }, attempt }
}

/// What becomes of a question from branch 1 to branch 2.
pub(super) fn asked(attempt: u32, fate: Fate) -> ScheduledFault {
    let name = message(MessageKind::CatchUp, None, (1, 2), attempt);
    ScheduledFault::Message { name, fate }
}

/// That the write of this customer and event is lost on its way.
pub(super) fn lost(write: (i64, i64), link: (i64, i64)) -> ScheduledFault {
    let name = message(MessageKind::Propagate, Some(write), link, 1);
    ScheduledFault::Message { name, fate: Fate::Lost }
}

fn deposit(id: i64, at: i64) -> Event {
    let operation = Operation::Write(Write::deposit("5".parse().unwrap()));
    Event { id: EventId::new(id).unwrap(), branch: branch(at), operation }
}

fn query(id: i64, at: i64) -> Event {
    Event { operation: Operation::Query, ..deposit(id, at) }
}

/// Customer 1 makes the first and the last of three visits.
pub(super) fn visits() -> Vec<Visit> {
    let visit = |of, events: &[Event], after: &[Option<Duration>]| Visit {
        customer: customer(of),
        events: events.to_vec(),
        after: after.to_vec(),
    };
    vec![
        visit(1, &[deposit(1, 1), query(2, 2)], &[Some(ms(4)), None]),
        visit(2, &[deposit(1, 3)], &[Some(ms(5))]),
        visit(1, &[query(3, 3)], &[Some(ms(6))]),
    ]
}

/// Three branches, the [`visits`], and what is to go wrong.
pub(super) fn scenario(schedule: Vec<ScheduledFault>) -> Scenario {
    let foul_weather = FoulWeather { schedule, ..FoulWeather::default() };
    Scenario {
        name: "weather".to_owned(),
        description: None,
        roster: Roster::new([1, 2, 3].map(branch)).unwrap().into(),
        opening_balance: Money::ZERO,
        visits: visits(),
        settings: Settings {
            latency: Some("constant:3ms".parse().unwrap()),
            customer_guarantees: [1, 2].map(|id| (customer(id), Guarantees::NONE)).into(),
            foul_weather: Some(Box::new(foul_weather)),
            seed: Some(Seed(7)),
            ..Settings::default()
        },
        expected: None,
        warnings: Vec::new(),
        written_ids: WrittenIds::default(),
    }
}

/// What is to go wrong in `scenario`, in its order.
pub(super) fn schedule(scenario: &Scenario) -> Vec<ScheduledFault> {
    scenario.settings.foul_weather.as_ref().map_or(Vec::new(), |of| of.schedule.clone())
}
