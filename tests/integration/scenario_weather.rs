//! What a scenario says of what is to go wrong: read, refused with its place, and written back.

use std::time::Duration;

use miette::{GraphicalReportHandler, GraphicalTheme};
use passbook::model::{BranchId, CustomerId, EventId, Time};
use passbook::network::{
    Crash, Fate, Keeps, Latency, Link, MessageKind, MessageName, NemesisKind, NemesisKinds,
    Partition, Rate, Rates, ScheduledFault, Slowness,
};
use passbook::run::{Judging, Recording, RunOptions, run};
use passbook::scenario::{FoulWeather, NemesisSettings, Scenario, ScenarioError, Source};
use proptest::prelude::*;

use crate::foul_weather::{explicit, recorded, stormy};

/// Three branches, and customer 1 who deposits (1), queries (2) and withdraws (3).
fn with(members: &str) -> String {
    let branches = (1..=3).map(|id| format!(r#"{{"id": {id}, "type": "branch", "balance": 0}}"#));
    format!(
        r#"{{
  "processes": [
    {},
    {{"id": 1, "type": "customer", "events": [
      {{"interface": "deposit", "dest": 1, "money": 5}},
      {{"interface": "query", "dest": 2, "after": "11ms"}},
      {{"interface": "withdraw", "dest": 3, "money": 5}}
    ]}}
  ],
  {members}
}}"#,
        branches.collect::<Vec<_>>().join(",\n    ")
    )
}

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(&Source::new("storm.json", text))
}

fn foul_weather(members: &str) -> FoulWeather {
    let scenario = parse(&with(members)).expect("a scenario");
    scenario.settings.foul_weather.map(|said| *said).unwrap_or_default()
}

fn branch(id: i64) -> BranchId {
    BranchId::new(id).expect("an id")
}

fn ms(span: u64) -> Time {
    Time::from_us(span * 1_000)
}

#[test]
fn all_that_can_go_wrong_is_read() {
    let read = foul_weather(
        r#""rates": {"loss": 0.02, "duplicate": 0.000001, "reorder": 1},
  "nemesis": {"kinds": ["partition", "crash"], "interval": "30ms"},
  "think": "exponential:10ms", "settle_limit": "2min",
  "faults": [
    {"kind": "partition", "sides": [[1], [3, 2]], "one_way": true, "at": "10ms", "until": "40ms"},
    {"kind": "crash", "branch": 1, "at": "5ms", "until": "20ms", "keeps": 3},
    {"kind": "crash", "branch": 1, "at": "20ms", "until": "21ms"},
    {"kind": "amnesia", "branch": 2, "at": "0us", "until": "1h"},
    {"kind": "slow", "branch": 2, "at": "1ms", "until": "2ms"},
    {"kind": "slow", "branch": 2, "delay": "3ms", "at": "2ms", "until": "4ms"},
    {"kind": "message", "message": "propagate", "customer": 1, "event": 3, "from": 3, "to": 2,
     "attempt": 2, "fate": "lost"},
    {"kind": "message", "message": "acknowledge", "customer": 1, "event": 1, "from": 2, "to": 1,
     "arrives": "13h"},
    {"kind": "message", "message": "catch-up", "from": 2, "to": 1, "arrives_twice": ["5ms", "9ms"]}
  ]"#,
    );
    let rate = |millionths| Rate::from_millionths(millionths).expect("a rate");
    let rates = Rates { loss: rate(20_000), duplicate: rate(1), reorder: rate(1_000_000) };
    assert_eq!(read.rates, Some(rates));
    let nemesis = NemesisSettings {
        kinds: Some("partition,crash".parse().expect("kinds")),
        interval: Some(Duration::from_millis(30)),
        duration: None,
    };
    assert_eq!(read.nemesis, nemesis);
    assert_eq!(read.think.map(|think| think.to_string()).as_deref(), Some("exponential:10ms"));
    assert_eq!(read.settle_limit, Some(Duration::from_mins(2)));
    let crash = |of, keeps, at, until| {
        ScheduledFault::Crash(Crash { branch: branch(of), keeps, at: ms(at), until: ms(until) })
    };
    let slow = |delay, at, until| {
        let (at, until, delay) = (ms(at), ms(until), Duration::from_millis(delay));
        ScheduledFault::Slow(Slowness { branch: branch(2), delay, at, until })
    };
    let message = |kind, event: Option<i64>, (from, to), attempt, fate| {
        let one = CustomerId::new(1).expect("an id");
        let event = event.map(|event| (one, EventId::new(event).expect("an id")));
        let link = Link { from: branch(from), to: branch(to) };
        ScheduledFault::Message { name: MessageName { kind, event, link, attempt }, fate }
    };
    let [five, nine] = [5, 9].map(Duration::from_millis);
    let partition = Partition {
        sides: vec![vec![branch(1)], vec![branch(3), branch(2)]],
        one_way: true,
        at: ms(10),
        until: ms(40),
    };
    let late = Fate::Arrives(Duration::from_hours(13));
    let expected = [
        ScheduledFault::Partition(partition),
        crash(1, Keeps::First(3), 5, 20),
        crash(1, Keeps::All, 20, 21),
        crash(2, Keeps::First(0), 0, 3_600_000),
        slow(50, 1, 2),
        slow(3, 2, 4),
        message(MessageKind::Propagate, Some(3), (3, 2), 2, Fate::Lost),
        message(MessageKind::Acknowledge, Some(1), (2, 1), 1, late),
        message(MessageKind::CatchUp, None, (2, 1), 1, Fate::ArrivesTwice(five, nine)),
    ];
    assert_eq!(read.schedule, expected);
    assert_eq!(foul_weather(r#""faults": []"#), FoulWeather::default());
    let pauses = parse(&with(r#""seed": 1"#)).expect("a scenario").visits.remove(0).after;
    assert_eq!(pauses, [None, Some(Duration::from_millis(11)), None]);
}

/// The errors of each list of members, under it.
fn errors(cases: &[&str]) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(100);
    let shown = |members: &&str| {
        let error = parse(&with(members)).expect_err(members);
        let mut page = String::new();
        handler.render_report(&mut page, &error).expect("an error can be shown");
        format!("=== {members}\n{page}\n")
    };
    cases.iter().map(shown).collect()
}

#[test]
fn what_chance_cannot_bring() {
    let page = errors(&[
        r#""rates": {"loss": 1.5}"#,
        r#""rates": {"loss": -0.1}"#,
        r#""rates": {"loss": 1e-3}"#,
        r#""rates": {"loss": "0.1"}"#,
        r#""rates": {"lost": 0.1}"#,
        r#""rates": "loss=0.1""#,
        r#""nemesis": {"interval": "5ms"}"#,
        r#""nemesis": {"kinds": []}"#,
        r#""nemesis": {"kinds": ["crash", "slow", "crash"]}"#,
        r#""nemesis": {"kinds": ["crash", "loss"]}"#,
        r#""nemesis": {"kinds": ["crash", 5]}"#,
        r#""nemesis": {"kinds": "crash"}"#,
        r#""nemesis": {"kinds": ["crash"], "interval": "999us"}"#,
        r#""nemesis": {"kinds": ["crash"], "duration": "soon"}"#,
        r#""nemesis": null"#,
        r#""think": "10ms""#,
        r#""settle_limit": "13h""#,
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn what_cannot_happen_to_branches() {
    let page = errors(&[
        r#""faults": [{"at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "earthquake"}]"#,
        r#""faults": {"kind": "crash"}"#,
        r#""faults": [{"kind": "crash", "branch": 4, "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "crash", "branch": 1, "at": "1ms"}]"#,
        r#""faults": [{"kind": "crash", "branch": 1, "at": "2ms", "until": "1ms"}]"#,
        r#""faults": [{"kind": "crash", "branch": 1, "at": "2ms", "until": "61min"}]"#,
        r#""faults": [{"kind": "crash", "branch": 1, "at": "2ms", "until": "1001h"}]"#,
        r#""faults": [{"kind": "crash", "branch": 1, "at": "-2ms", "until": "1ms"}]"#,
        r#""faults": [{"kind": "crash", "branch": 1, "at": "1ms", "until": "2ms", "delay": "1ms"}]"#,
        r#""faults": [{"kind": "amnesia", "branch": 1, "at": "1ms", "until": "2ms", "keeps": 1}]"#,
        r#""faults": [{"kind": "crash", "branch": 1, "at": "1ms", "until": "2ms", "keeps": -1}]"#,
        r#""faults": [
    {"kind": "crash", "branch": 1, "at": "5ms", "until": "9ms"},
    {"kind": "amnesia", "branch": 1, "at": "8ms", "until": "20ms"}
  ]"#,
        r#""faults": [
    {"kind": "slow", "branch": 1, "at": "5ms", "until": "9ms"},
    {"kind": "slow", "branch": 1, "at": "1ms", "until": "6ms"}
  ]"#,
        r#""faults": [{"kind": "partition", "sides": [[1, 2, 3]], "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "partition", "sides": [[1], []], "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "partition", "sides": [[1], [2, 1]], "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "partition", "sides": [[1], [2, 7]], "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "partition", "sides": [[1], ["2"]], "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "partition", "sides": [1, 2], "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "partition", "sides": [[1], [2]], "one_way": 1, "at": "1ms", "until": "2ms"}]"#,
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn what_cannot_become_of_messages() {
    let message = |rest: &str| {
        format!(r#""faults": [{{"kind": "message", "message": "propagate", {rest}}}]"#)
    };
    let one = r#""customer": 1, "event": 1, "from": 1, "to": 2"#;
    let cases = [
        message(one),
        message(&format!(r#"{one}, "fate": "lost", "arrives": "5ms""#)),
        message(&format!(r#"{one}, "fate": "found""#)),
        message(&format!(r#"{one}, "arrives_twice": ["5ms"]"#)),
        message(&format!(r#"{one}, "arrives_twice": ["5ms", "later"]"#)),
        message(&format!(r#"{one}, "attempt": 0, "fate": "lost""#)),
        message(&format!(r#"{one}, "at": "5ms", "fate": "lost""#)),
        message(r#""customer": 1, "event": 1, "from": 2, "to": 2, "fate": "lost""#),
        message(r#""customer": 1, "event": 1, "from": 1, "to": 4, "fate": "lost""#),
        message(r#""customer": 2, "event": 1, "from": 1, "to": 2, "fate": "lost""#),
        message(r#""customer": 1, "event": 4, "from": 1, "to": 2, "fate": "lost""#),
        message(r#""customer": 1, "event": 2, "from": 1, "to": 2, "fate": "lost""#),
        message(r#""from": 1, "to": 2, "fate": "lost""#),
        r#""faults": [{"kind": "message", "message": "missed", "customer": 1, "from": 1, "to": 2, "fate": "lost"}]"#.to_owned(),
        r#""faults": [{"kind": "message", "message": "missing", "from": 1, "to": 2, "fate": "lost"}]"#.to_owned(),
        format!(
            r#""faults": [
    {{"kind": "message", "message": "propagate", {one}, "fate": "lost"}},
    {{"kind": "message", "message": "propagate", {one}, "attempt": 1, "arrives": "5ms"}}
  ]"#
        ),
    ];
    let page = errors(&cases.each_ref().map(String::as_str));
    insta::assert_snapshot!(page);
}

#[test]
fn memory_is_lost_in_banks_of_64_branches_at_most() {
    let bank = |branches: u32, members: &str| {
        let branch = |id| format!(r#"{{"id": {id}, "type": "branch", "balance": 0}}"#);
        let branches: Vec<String> = (1..=branches).map(branch).collect();
        parse(&format!(r#"{{"processes": [{}], {members}}}"#, branches.join(",")))
    };
    let told = "branches lose their memory in banks of at most 64 branches, and there are 65";
    for members in [
        r#""nemesis": {"kinds": ["slow", "amnesia"]}"#,
        r#""faults": [{"kind": "amnesia", "branch": 1, "at": "1ms", "until": "2ms"}]"#,
        r#""faults": [{"kind": "crash", "keeps": 5, "branch": 1, "at": "1ms", "until": "2ms"}]"#,
    ] {
        assert!(bank(64, members).is_ok(), "{members}");
        let refused = bank(65, members).expect_err(members).to_string();
        assert!(refused.contains(told), "{refused}");
    }
    let mut large = bank(65, r#""nemesis": {"kinds": ["slow"]}"#).expect("nothing is lost");
    run(&large, &RunOptions::default()).expect("a run");
    large.settings.foul_weather = None;
    let mut options = RunOptions::default();
    let kinds = NemesisKinds::new(vec![NemesisKind::Amnesia]).expect("kinds");
    let nemesis = NemesisSettings { kinds: Some(kinds), ..NemesisSettings::default() };
    options.overrides.foul_weather =
        Some(Box::new(FoulWeather { nemesis, ..FoulWeather::default() }));
    let refused = run(&large, &options).expect_err("too many branches");
    assert_eq!(refused.to_string(), told);
}

/// Written, and read again.
fn again(scenario: &Scenario) -> Scenario {
    let text = serde_json::to_string(scenario).expect("it can be written");
    let read = parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read.warnings, []);
    read
}

#[test]
fn what_chance_decided_is_written_and_gives_the_same_history() {
    let options =
        RunOptions { recording: Recording::Facts, judging: Judging::Off, ..RunOptions::default() };
    for seed in 0..40 {
        let scenario = stormy(seed);
        assert_eq!(again(&scenario), scenario);
        let by_chance = recorded(&scenario);
        let explicit = explicit(&scenario, &by_chance);
        let read = again(&explicit);
        assert_eq!(read.settings, explicit.settings, "seed {seed}");
        let facts = run(&read, &options).expect("it ends").facts;
        let differs = by_chance.facts.iter().zip(&facts).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(by_chance.facts.len(), facts.len(), "seed {seed}");
    }
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let mut scenario = parse(&with(r#""seed": 1"#)).expect("a scenario");
    let mut is_written = |foul_weather: FoulWeather| {
        scenario.settings.foul_weather = Some(Box::new(foul_weather));
        serde_json::to_string(&scenario).is_ok()
    };
    let kinds = || Some("crash".parse().expect("kinds"));
    let day = Duration::from_hours(24);
    let nemesis = |kinds, interval| FoulWeather {
        nemesis: NemesisSettings { kinds, interval: Some(interval), duration: Some(day) },
        ..FoulWeather::default()
    };
    assert!(is_written(nemesis(kinds(), Duration::from_millis(1))));
    assert!(!is_written(nemesis(kinds(), Duration::from_micros(999))));
    assert!(!is_written(nemesis(None, Duration::from_millis(1))));
    let think = Some(Latency::Exponential(day));
    assert!(!is_written(FoulWeather { think, ..FoulWeather::default() }));
    assert!(!is_written(FoulWeather { settle_limit: Some(day), ..FoulWeather::default() }));
}

/// A moment at which a fault may be over.
fn any_time() -> impl Strategy<Value = Time> {
    prop_oneof![0..100_u64, 0..=3_600_000_000_u64].prop_map(Time::from_us)
}

fn any_span() -> impl Strategy<Value = Duration> {
    prop_oneof![0..100_u64, 0..=3_600_000_000_000_u64].prop_map(Duration::from_micros)
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (0..=1_000_000_u32).prop_map(|millionths| Rate::from_millionths(millionths).expect("a rate"))
}

/// One of each, at different moments, or none.
fn any_schedule() -> impl Strategy<Value = Vec<ScheduledFault>> {
    let keeps = prop_oneof![Just(Keeps::All), (0..9_u64).prop_map(Keeps::First)];
    let crash = (1..=3_i64, keeps, any_time(), any_time()).prop_map(|(of, keeps, at, over)| {
        ScheduledFault::Crash(Crash { branch: branch(of), keeps, at, until: at.max(over) })
    });
    let slow = (1..=3_i64, any_span(), any_time()).prop_map(|(of, delay, at)| {
        ScheduledFault::Slow(Slowness { branch: branch(of), delay, at, until: at })
    });
    let partition = (any::<bool>(), any_time(), any_time()).prop_map(|(one_way, at, over)| {
        let sides = vec![vec![branch(2)], vec![branch(1), branch(3)]];
        ScheduledFault::Partition(Partition { sides, one_way, at, until: at.max(over) })
    });
    let fate = prop_oneof![
        Just(Fate::Lost),
        any_span().prop_map(Fate::Arrives),
        (any_span(), any_span()).prop_map(|(one, other)| Fate::ArrivesTwice(one, other)),
    ];
    let kind = prop::sample::select(&MessageKind::ALL);
    let message = (kind, 1..=u32::MAX, fate).prop_map(|(kind, attempt, fate)| {
        let event = match kind {
            MessageKind::Propagate | MessageKind::Acknowledge => {
                let (one, three) = (CustomerId::new(1), EventId::new(3));
                Some((one.expect("an id"), three.expect("an id")))
            }
            MessageKind::CatchUp | MessageKind::Missed => None,
        };
        let link = Link { from: branch(1), to: branch(3) };
        ScheduledFault::Message { name: MessageName { kind, event, link, attempt }, fate }
    });
    (prop::option::of(crash), prop::option::of(slow), prop::option::of(partition), message)
        .prop_map(|(crash, slow, partition, message)| {
            [crash, slow, partition, Some(message)].into_iter().flatten().collect()
        })
}

proptest! {
    #[test]
    fn what_is_written_of_it_is_read_back(
        rates in prop::option::of((any_rate(), any_rate(), any_rate())),
        kinds in prop::sample::subsequence(&NemesisKind::ALL, 0..=4),
        [interval, duration] in prop::array::uniform2(prop::option::of(1_000..43_200_000_000_u64)),
        schedule in any_schedule(),
        think in prop::option::of(0..43_200_000_000_u64),
        settle_limit in prop::option::of(0..43_200_000_000_u64),
        after in prop::collection::vec(prop::option::of(any_span()), 3),
    ) {
        let mut scenario = parse(&with(r#""seed": 1"#)).expect("a scenario");
        let kinds = NemesisKinds::new(kinds).ok();
        let span = |span: Option<u64>| span.map(Duration::from_micros);
        let has_nemesis = kinds.is_some();
        let nemesis = NemesisSettings { kinds, interval: span(interval), duration: span(duration) };
        scenario.settings.foul_weather = Some(Box::new(FoulWeather {
            rates: rates.map(|(loss, duplicate, reorder)| Rates { loss, duplicate, reorder }),
            nemesis: if has_nemesis { nemesis } else { NemesisSettings::default() },
            schedule,
            think: span(think).map(Latency::Constant),
            settle_limit: span(settle_limit),
        }));
        scenario.visits[0].after =
            if after.iter().any(Option::is_some) { after } else { Vec::new() };
        prop_assert_eq!(again(&scenario), scenario);
    }
}
