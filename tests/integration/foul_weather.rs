//! Runs in which things go wrong on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use passbook::check::{Overall, Promised, Property, Verdict};
use passbook::history::Fact;
use passbook::model::{
    CustomerOrder, Guarantees, LogEntry, Propagation, RequestNumber, Seed, Time, WriteId,
};
use passbook::network::{
    Crash, FaultCounts, FaultKind, Keeps, NemesisKind, NemesisKinds, Rate, Rates, ScheduledFault,
};
use passbook::run::{
    Chances, Judging, Recording, Run, RunError, RunOptions, Runner, run, run_over_grpc,
};
use passbook::scenario::generate::{GenerateOptions, Generator};
use passbook::scenario::{FoulWeather, NemesisSettings, Scenario, Settings};

/// Asynchronous, with lag, and everything goes wrong.
pub(crate) fn stormy(seed: u64) -> Scenario {
    stormy_for("10", seed)
}

/// The same for so many events of each customer.
fn stormy_for(events: &str, seed: u64) -> Scenario {
    let options = GenerateOptions {
        seed: Seed(seed),
        branches: "3".parse().expect("it is right"),
        customers: "2".parse().expect("it is right"),
        events: events.parse().expect("it is right"),
        ..GenerateOptions::default()
    };
    let mut scenario = Generator::new(options).expect("they go together").scenario(1);
    let rate = |millionths| Rate::from_millionths(millionths).expect("a share of one");
    let [interval, duration] = [50, 20].map(Duration::from_millis);
    let foul_weather = FoulWeather {
        rates: Some(Rates { loss: rate(20_000), duplicate: rate(20_000), reorder: rate(100_000) }),
        nemesis: NemesisSettings {
            kinds: Some(NemesisKinds::new(NemesisKind::ALL.to_vec()).expect("each once")),
            interval: Some(interval),
            duration: Some(duration),
        },
        think: Some("exponential:10ms".parse().expect("it is right")),
        ..FoulWeather::default()
    };
    scenario.settings = Settings {
        propagation: Some(Propagation::Async),
        guarantees: Some(Guarantees::ALL),
        customers: Some(CustomerOrder::Concurrent),
        latency: Some("uniform:1ms..20ms".parse().expect("it is right")),
        foul_weather: Some(Box::new(foul_weather)),
        seed: Some(Seed(seed)),
        ..Settings::default()
    };
    scenario
}

pub(crate) fn recorded(scenario: &Scenario) -> Run {
    let options = RunOptions {
        recording: Recording::Facts,
        judging: Judging::Off,
        chances: Chances::Kept,
        ..RunOptions::default()
    };
    run(scenario, &options).expect("it ends")
}

/// What chance decided is put into the scenario: nothing is left to chance.
pub(crate) fn explicit(scenario: &Scenario, run: &Run) -> Scenario {
    let mut scenario = scenario.clone();
    let decided = run.decided.as_ref().expect("it was kept");
    let schedule = decided.faults.clone();
    let settle_limit = run.result.config.settle_limit;
    let foul_weather = FoulWeather { schedule, settle_limit, ..FoulWeather::default() };
    scenario.settings.foul_weather = Some(Box::new(foul_weather));
    for visit in &mut scenario.visits {
        let paused = decided.paused.get(&visit.customer).cloned().unwrap_or_default();
        visit.after = paused.into_iter().map(Some).collect();
    }
    scenario
}

/// Each life that has taken a write is an entry of every version vector and passbook for ever.
#[test]
fn branches_that_have_forgotten_very_often_forget_no_more() {
    let mut scenario = stormy_for("4000", 1);
    let nemesis = NemesisSettings {
        kinds: Some(NemesisKinds::new(vec![NemesisKind::Amnesia]).expect("one")),
        interval: Some(Duration::from_millis(20)),
        duration: Some(Duration::from_millis(1)),
    };
    let foul_weather = scenario.settings.foul_weather.as_mut().expect("it is stormy");
    (foul_weather.rates, foul_weather.nemesis) = (None, nemesis);
    scenario.settings.latency = Some("constant:1ms".parse().expect("it is right"));
    let options = RunOptions { judging: Judging::Off, ..RunOptions::default() };
    let result = run(&scenario, &options).expect("it ends").result;
    let FaultCounts { crash, amnesia, .. } = result.weather.expect("it was stormy").struck.counts;
    assert!(amnesia > 256 && crash > 100, "{amnesia} forgot all, {crash} would have and did not");
    let log = result.branches[0].log.iter();
    let lives: BTreeSet<_> = log.map(|entry| (entry.dot.origin, entry.dot.life)).collect();
    // Beside the first ones, and each branch may be in another one already when it is too many.
    assert!((256..=256 + 2 * 3).contains(&lives.len()), "{}", lives.len());
}

#[test]
fn what_chance_decided_can_be_said_and_gives_the_same_history() {
    for seed in 0..300 {
        let scenario = stormy(seed);
        let by_chance = recorded(&scenario);
        let again = recorded(&explicit(&scenario, &by_chance));
        let differs = by_chance.facts.iter().zip(&again.facts).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(by_chance.facts.len(), again.facts.len(), "seed {seed}");
    }
}

#[test]
fn the_bank_settles_when_nothing_goes_wrong_any_more() {
    let mut struck = FaultCounts::default();
    for seed in 0..300 {
        let run = recorded(&stormy(seed));
        let weather = run.result.weather.unwrap();
        assert!(weather.has_settled, "seed {seed}");
        assert_eq!(run.facts.last().unwrap().fact, Fact::Settled {}, "seed {seed}");
        let logs: Vec<_> = run.result.branches.iter().map(|branch| held(&branch.log)).collect();
        assert!(logs.iter().all(|log| *log == logs[0]), "seed {seed}: {logs:?}");
        for kind in FaultKind::ALL {
            if weather.struck.counts.of(kind) > 0 {
                struck.add(kind);
            }
        }
    }
    // Each kind of fault has been there, or nothing of this was tried. There are no disks.
    let of_disks = |kind: &FaultKind| matches!(kind, FaultKind::Torn | FaultKind::Unsynced);
    let mut others = FaultKind::ALL.into_iter().filter(|kind| !of_disks(kind));
    assert!(others.all(|kind| struck.of(kind) > 50), "{struck:?}");
}

/// Which writes a log holds.
fn held(log: &[LogEntry]) -> BTreeSet<WriteId> {
    log.iter().map(|entry| entry.id).collect()
}

/// What ends with a memory is lost, which is no broken promise; all else is kept.
#[test]
fn nothing_that_was_promised_is_broken_whatever_goes_wrong() {
    let mut lost = 0;
    for seed in 0..600 {
        let run = run(&stormy(seed), &RunOptions::default()).expect("it ends");
        let verdicts = run.result.verdicts.expect("it is judged");
        for (property, verdict) in verdicts.iter() {
            assert_ne!(
                verdict.promised(),
                Some(Promised::Yes),
                "seed {seed}, {property}: {verdict:?}"
            );
        }
        assert_eq!(verdicts.of(Property::Settles).map(Verdict::summary), Some(Overall::Holds));
        lost += verdicts.lost;
    }
    assert!(lost > 20, "{lost}");
}

#[test]
fn one_scenario_after_the_other_gives_what_each_gives_alone() {
    let options =
        RunOptions { recording: Recording::Facts, judging: Judging::Off, ..RunOptions::default() };
    let mut runner = Runner::default();
    for seed in 0..50 {
        let scenario = stormy(seed);
        let after_others = runner.run(&scenario, &options, None).unwrap();
        assert_eq!(after_others.facts, run(&scenario, &options).unwrap().facts, "seed {seed}");
        assert_eq!(after_others.decided, None);
    }
}

#[test]
fn customers_whose_branch_stops_ask_the_same_again_elsewhere() {
    let mut given_up = 0;
    for seed in 0..50 {
        let facts = recorded(&stormy(seed)).facts;
        for (place, recorded) in facts.iter().enumerate() {
            let &Fact::RequestGivenUp { customer, request, branch } = &recorded.fact else {
                continue;
            };
            let sent = |number: RequestNumber| {
                facts.iter().find_map(|recorded| {
                    let Fact::RequestSent { customer: who, request, branch, event, operation } =
                        recorded.fact
                    else {
                        return None;
                    };
                    let is_it = (who, request) == (customer, number);
                    is_it.then_some((branch, event, operation))
                })
            };
            let (first, again) = (sent(request).unwrap(), sent(request.next()).unwrap());
            assert_eq!(first.0, branch);
            assert_eq!((first.1, first.2), (again.1, again.2), "seed {seed}, fact {place}");
            assert_ne!(again.0, branch);
            given_up += 1;
        }
    }
    assert!(given_up > 10, "{given_up}");
}

#[test]
fn faults_over_sockets_are_refused_and_not_left_out_in_silence() {
    let refused = run_over_grpc(&stormy(1), &RunOptions::default(), None).unwrap_err();
    assert!(matches!(refused, RunError::FaultsOverSockets), "{refused}");
}

/// Where one crash of a branch ends, the next begins: it stops as often as it starts.
#[test]
fn a_branch_that_stops_at_the_moment_at_which_it_starts_is_down_until_it_starts_again() {
    let mut scenario = stormy(1);
    let branch = scenario.roster.ids()[0];
    let crash = |at, until| {
        let [at, until] = [at, until].map(Time::from_us);
        ScheduledFault::Crash(Crash { branch, keeps: Keeps::All, at, until })
    };
    let schedule = vec![crash(5_000, 9_000), crash(9_000, 14_000)];
    let foul_weather = FoulWeather { schedule, ..FoulWeather::default() };
    scenario.settings.foul_weather = Some(Box::new(foul_weather));
    let facts = recorded(&scenario).facts;
    let told: Vec<(u64, bool)> = facts
        .iter()
        .filter_map(|recorded| {
            let is_start = matches!(recorded.fact, Fact::BranchStarted { .. });
            let is_told = is_start || matches!(recorded.fact, Fact::BranchStopped { .. });
            is_told.then(|| (recorded.at.us(), is_start))
        })
        .collect();
    assert_eq!(told, [(5_000, false), (9_000, true), (9_000, false), (14_000, true)]);
}
