//! Options that let things go wrong on purpose.

use std::fs;

use passbook::network::Nemesis;
use passbook::run::{RunConfig, RunError};
use passbook::scenario::{FoulWeather, NemesisSettings, Settings};

use crate::support::program::{passbook, stderr, stdout};

const SCENARIO: &str = "input/ten_branches.json";

#[test]
fn what_goes_wrong_is_in_the_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let history = format!("--history={}", path.display());
    let told = |options: &[&str]| {
        passbook(&[&["run", "-q", &history], options, &[SCENARIO]].concat()).code(0);
        fs::read_to_string(&path).expect("a history")
    };
    let fair = told(&[]);
    assert_eq!(told(&["--faults", "none"]), fair);
    for (options, fact) in [
        (&["--faults=loss=0.5"][..], "\"message_lost\""),
        (&["--faults=duplicate=0.5"], "\"message_duplicated\""),
        (&["--nemesis=crash", "--nemesis-interval=20ms"], "\"branch_stopped\""),
    ] {
        let options = [&["--latency=constant:1ms", "--think=constant:5ms"], options].concat();
        assert!(!fair.contains(fact));
        assert!(told(&options).contains(fact), "{options:?}");
    }
    assert_ne!(told(&["--think=constant:5ms"]), fair);
}

#[test]
fn when_a_nemesis_strikes_is_said_of_one_that_there_is() {
    let no_nemesis = "there is no nemesis to strike at an interval or for a duration; say what it \
                      does with --nemesis partition,crash, or in the scenario";
    for option in ["--nemesis-interval=5ms", "--nemesis-duration=5ms"] {
        let done = passbook(&["run", option, SCENARIO]).code(2).stdout("");
        assert_eq!(stderr(&done), format!("error: ten-branches: {no_nemesis}\n"));
        let done = passbook(&["batch", option, SCENARIO]).code(1);
        assert!(stdout(&done).contains(no_nemesis), "{}", stdout(&done));
        passbook(&["run", "-q", "--nemesis=slow", option, SCENARIO]).code(0);
    }
}

#[test]
fn an_option_changes_what_it_says_of_the_nemesis_of_a_scenario() {
    let says = |nemesis: NemesisSettings| Settings {
        foul_weather: Some(Box::new(FoulWeather { nemesis, ..FoulWeather::default() })),
        ..Settings::default()
    };
    let kinds = |text: &str| Some(text.parse().expect("what a nemesis does"));
    let span = |text: &str| Some(passbook::network::parse_span(text).expect("a span"));
    let own =
        says(NemesisSettings { kinds: kinds("crash"), interval: span("9ms"), duration: None });
    for (nemesis, shown) in [
        (NemesisSettings::default(), "crash every 9ms for 20ms"),
        (
            NemesisSettings { interval: span("3ms"), ..NemesisSettings::default() },
            "crash every 3ms for 20ms",
        ),
        (
            NemesisSettings { duration: span("4ms"), ..NemesisSettings::default() },
            "crash every 9ms for 4ms",
        ),
        (
            NemesisSettings { kinds: kinds("slow,partition"), ..NemesisSettings::default() },
            "slow,partition every 9ms for 20ms",
        ),
    ] {
        let config = RunConfig::checked(&own, &says(nemesis)).expect("there is a nemesis");
        let nemesis = config.faults.and_then(|faults| faults.nemesis);
        assert_eq!(nemesis.as_ref().map(Nemesis::to_string).as_deref(), Some(shown));
    }
    let when = NemesisSettings { interval: span("3ms"), ..NemesisSettings::default() };
    let refused = RunConfig::checked(&Settings::default(), &says(when)).unwrap_err();
    assert!(matches!(refused, RunError::NoNemesis), "{refused}");
}

#[test]
fn over_sockets_nothing_goes_wrong_on_purpose() {
    let grpc = ["run", "--transport=grpc"];
    for option in ["--faults=loss=0.1", "--nemesis=crash", "--nemesis-interval=5ms"] {
        let done = passbook(&[&grpc[..], &[option, SCENARIO]].concat()).code(2).stdout("");
        assert!(stderr(&done).contains("not over `--transport grpc`"), "{}", stderr(&done));
        let connect = ["run", "--connect=1=http://127.0.0.1:9", option, SCENARIO];
        let done = passbook(&connect).code(2).stdout("");
        assert!(stderr(&done).contains("cannot be used with"), "{}", stderr(&done));
    }
    let read_your_writes = "input/read_your_writes.json";
    let done = passbook(&[&grpc[..], &["-q", "--think=constant:1ms", read_your_writes]].concat());
    done.code(0);
}

#[test]
fn a_served_bank_has_no_faults_that_it_cannot_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("chance.json").display().to_string();
    let branch = |id| format!(r#"{{"id": {id}, "type": "branch", "balance": 0}}"#);
    let text =
        format!(r#"{{"rates": {{"loss": 0.1}}, "processes": [{}, {}]}}"#, branch(1), branch(2));
    fs::write(&place, text).expect("a file");
    let one = ["--branch=1", "--peer=2=http://127.0.0.1:9"];
    let one = |option| [&one[..], &[option]].concat();
    for (options, says) in [
        (vec!["--faults=loss=2"], "'2' is no rate; write a number from 0 to 1"),
        (vec!["--faults=lose=0.1"], "'lose' happens to no message"),
        (vec!["--nemesis=flood"], "'flood' is nothing that a nemesis does"),
        (vec!["--nemesis=crash", "--nemesis-interval=1us"], "'1us' is too often"),
        (vec!["--nemesis-interval=5ms"], "there is no nemesis to strike"),
        (vec!["--nemesis-duration=5ms"], "there is no nemesis to strike"),
        (vec!["--branches=65", "--nemesis=amnesia"], "at most 64 branches, and there are 65"),
        (one("--faults=loss=0.1"), "between the branches of one process only, not with `--peer`"),
        (one("--nemesis=crash"), "between the branches of one process only, not with `--peer`"),
        (one(&place), "simulated in one process only; leave `rates`"),
        (vec!["input/faults/lost_write.json"], "a served bank has no such moments"),
    ] {
        let done = passbook(&[&["serve", "--base-port=0"], &options[..]].concat()).code(2);
        let done = done.stdout("");
        let told = stderr(&done);
        assert!(told.contains(says), "{options:?}: {told}");
        assert_eq!(told.matches("error: ").count(), 1, "{told}");
    }
}

/// However long customers wait, and whatever is to go wrong meanwhile: that is over after an hour.
#[test]
fn a_run_ends_however_far_its_moments_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("far.json").display().to_string();
    let with = |until: &str, after: &str| {
        let text = format!(
            r#"{{"propagation": "async", "latency": "constant:1ms", "settle_limit": "1min", "faults": [
            {{"kind": "partition", "sides": [[1], [2]], "at": "0us", "until": "{until}"}}],
            "processes": [{{"id": 1, "type": "branch", "balance": 0}},
            {{"id": 2, "type": "branch", "balance": 0}},
            {{"id": 1, "type": "customer", "events": [
            {{"id": 1, "interface": "deposit", "money": 1, "dest": 1}},
            {{"id": 2, "interface": "query", "dest": 1, "after": "{after}"}}]}}]}}"#
        );
        fs::write(&place, text).expect("a file");
    };
    with("1h", "1000h");
    passbook(&["run", "-q", "--no-check", &place]).code(0);
    for (until, after, says) in [
        ("2h", "1s", "all faults are over 1h after the start, and this one is not"),
        ("1h", "18446744073709551615us", "`18446744073709551615us` is no span of time"),
    ] {
        with(until, after);
        let done = passbook(&["run", "-q", &place]).code(2);
        assert!(stderr(&done).contains(says), "{}", stderr(&done));
    }
}
