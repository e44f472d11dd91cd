//! `passbook simulate`: many seeds, and what is told of them.

use std::fs;

use serde_json::Value;

use crate::support::program::{command, passbook, stderr, stdout};

const FOUL: [&str; 2] =
    ["--faults=loss=0.05,duplicate=0.05,reorder", "--nemesis=partition,crash,amnesia,slow"];

/// What a simulation with `args` prints as JSON, without what differs from time to time.
fn summary(args: &[&str], code: i32) -> Value {
    let args = [&["simulate", "--format=json", "--output=/dev/null"], args].concat();
    let done = passbook(&args).code(code);
    let mut summary: Value = serde_json::from_str(stdout(&done)).expect("JSON");
    let object = summary.as_object_mut().expect("an object");
    assert!(object.remove("wall_microseconds").is_some());
    assert!(object.remove("jobs").is_some());
    summary
}

#[test]
fn it_comes_to_the_same_on_one_thread_and_on_many() {
    for (args, code) in [
        (&["--seeds=0..300", FOUL[0], FOUL[1]][..], 0),
        (&["--seeds=100..400", "--guarantees=none", FOUL[0], "--keep-going"], 1),
        (&["--seeds=0..4000", "--guarantees=ryw,mw,wfr"], 1),
    ] {
        let on = |jobs: &str| summary(&[args, &["--jobs", jobs]].concat(), code);
        let alone = on("1");
        for jobs in ["2", "7"] {
            assert_eq!(on(jobs), alone, "{args:?}");
        }
    }
}

#[test]
fn the_lowest_seed_is_told_and_none_behind_it_counts() {
    let all = summary(&["--seeds=0..200", "--guarantees=ryw,mw,wfr", "--keep-going"], 1);
    let seeds: Vec<u64> = all["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["seed"].as_u64().expect("a seed"))
        .collect();
    assert!(seeds.is_sorted() && seeds.len() > 1, "{seeds:?}");
    assert_eq!(all["seeds"], 200);
    assert_eq!(all.get("stopped"), None);
    let first = summary(&["--seeds=0..200", "--guarantees=ryw,mw,wfr"], 1);
    assert_eq!(first["findings"].as_array().map(Vec::len), Some(1));
    assert_eq!(first["findings"][0]["seed"], seeds[0]);
    assert_eq!(first["seeds"], seeds[0] + 1);
    assert_eq!(first["stopped"], "violation");
}

#[test]
fn the_command_that_shows_it_again_does() {
    let found = summary(&["--seeds=0..500", "--guarantees=ryw,mw,wfr", FOUL[0]], 1);
    let finding = &found["findings"][0];
    let again = finding["again"].as_str().expect("a command");
    let words: Vec<&str> = again.split(' ').skip(2).collect();
    let shown = summary(&words, 1);
    assert_eq!(shown["findings"][0]["sentence"], finding["sentence"]);
    assert_eq!(shown["seeds"], 1);
}

#[test]
fn each_fault_that_is_asked_for_strikes_and_no_other() {
    let fair = summary(&["--seeds=0..50"], 0);
    let kinds = ["loss", "duplicate", "reorder", "partition", "crash", "amnesia", "slow"];
    for kind in kinds {
        assert_eq!(fair["faults"].get(kind), None, "{kind}");
        let option = match kind {
            "loss" | "duplicate" => format!("--faults={kind}=0.1"),
            "reorder" => "--faults=reorder".to_owned(),
            _ => format!("--nemesis={kind}"),
        };
        let struck = summary(&["--seeds=0..50", &option], 0);
        for other in kinds {
            let times = struck["faults"][other].as_u64().unwrap_or(0);
            assert_eq!(times > 0, other == kind, "{option}: {other}");
            let in_time = struck["seeds_struck_in_time"][other].as_u64().unwrap_or(0);
            assert!(in_time <= 50 && in_time <= times, "{option}: {other}");
            assert_eq!(in_time > 10, other == kind, "{option}: {other}");
        }
    }
}

#[test]
fn a_scenario_is_run_with_each_seed() {
    let scenario = "input/guarantees/monotonic_reads_lag.json";
    let fair = summary(&[scenario, "--seeds=0..20"], 0);
    assert_eq!((&fair["seeds"], &fair["faults"]), (&20.into(), &serde_json::json!({})));
    let broken = summary(&[scenario, "--seeds=0..20", "--guarantees=none"], 1);
    let again = broken["findings"][0]["again"].as_str().expect("a command");
    assert!(again.starts_with("passbook simulate --seed "), "{again}");
    assert!(again.ends_with(scenario), "{again}");
}

#[test]
fn what_was_piped_in_is_told_to_be_the_same_input() {
    let file = fs::read_to_string("input/guarantees/monotonic_reads_lag.json").expect("a file");
    let args = ["simulate", "--seeds=0..20", "--guarantees=none", "--output=/dev/null", "-"];
    let mut program = assert_cmd::Command::from_std(command(&args));
    let done = program.write_stdin(file).assert().code(1);
    assert!(stdout(&done).contains("--guarantees none the-same-input\n"), "{}", stdout(&done));
}

#[test]
fn a_scenario_that_is_run_is_not_overwritten_by_what_is_left_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("simulated-0.json");
    fs::copy("input/guarantees/read_your_writes_lag.json", &place).expect("a copy");
    let before = fs::read_to_string(&place).expect("a file");
    let mut program = command(&["simulate", "--guarantees=none", "simulated-0.json"]);
    program.current_dir(folder.path());
    let done = assert_cmd::Command::from_std(program).assert().code(1);
    assert!(stderr(&done).contains("the shrunk scenario is not kept"), "{}", stderr(&done));
    assert_eq!(fs::read_to_string(&place).expect("a file"), before);
}

#[test]
fn its_time_is_bounded() {
    let ended = summary(&["--time=100ms"], 0);
    assert_eq!(ended["stopped"], "time");
    assert_eq!((&ended["first_seed"], &ended["end_seed"]), (&0.into(), &u64::MAX.into()));
    assert!(ended["seeds"].as_u64() > Some(0));
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("taken").display().to_string();
    let (output, json) = (format!("--output={taken}"), format!("--export-json={taken}"));
    for (args, says) in [
        (&["--seeds=5..5"][..], "5..5 holds no seed"),
        (&["--seeds=5"], "write the first seed and the one after the last, such as 0..1000"),
        (&["--seed=18446744073709551615"], "holds no seed"),
        (&["--seed=1", "--seeds=0..9"], "cannot be used with"),
        (&["--seed=1", "--time=1s"], "cannot be used with"),
        (&["--branches=0"], "--branches"),
        (&["--branches=3..2"], "--branches"),
        (&["--branches=2", "input/read_your_writes.json"], "cannot be used with"),
        (&["--jobs=0"], "write a whole number from 1 to 1024"),
        (&["--faults=loss=2"], "loss"),
        (&["--nemesis=meteor"], "meteor"),
        (&["--nemesis-interval=5ms"], "there is no nemesis"),
        (&["--events=40000", "--memory-max=64MiB"], "use fewer branches or events"),
        (&["--events=4000000000"], "--events: up to 8000000000 events"),
        (&["none.json"], "none.json does not exist"),
        (&["--branches=2..70", "--nemesis=amnesia"], "banks of at most 64 branches"),
        (&[&output, &json], "taken"),
    ] {
        let done = passbook(&[&["simulate"], args].concat()).code(2).stdout("");
        assert!(stderr(&done).contains(says), "{args:?}: {}", stderr(&done));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "{args:?}");
    }
}

#[test]
fn its_files_say_what_it_prints() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [json, junit] = ["s.json", "s.xml"].map(path);
    let args = ["simulate", "--seeds=0..200", "--guarantees=mr,mw,wfr", "--output=/dev/null"];
    let files = ["--export-json", &json, "--export-junit", &junit];
    let done = passbook(&[&args[..], &files].concat()).code(1);
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
    let sentence = summary["findings"][0]["sentence"].as_str().expect("a sentence");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(stdout(&done)).contains(sentence), "{}", stdout(&done));
    let xml = fs::read_to_string(junit).expect("a file");
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let failures: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("failure")).collect();
    assert_eq!(failures.len(), 1);
    assert!(failures[0].text().is_some_and(|text| text.contains(sentence)), "{xml}");
    let case = failures[0].parent().expect("a case");
    assert_eq!(case.attribute("name"), Some("read your writes"));
}

#[test]
fn what_is_left_of_the_lowest_seed_is_a_file_that_shows_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("small.json").display().to_string();
    let output = format!("--output={file}");
    for set in ["mr,mw,wfr", "ryw,mw,wfr", "ryw,mr,wfr", "ryw,mr,mw"] {
        for faults in [&[][..], &FOUL] {
            let guarantees = format!("--guarantees={set}");
            let args = ["simulate", "--format=json", &guarantees, &output];
            let done = passbook(&[&args[..], faults].concat()).code(1);
            let found: Value = serde_json::from_str(stdout(&done)).expect("JSON");
            let (finding, shrunk) = (&found["findings"][0], &found["shrunk"]);
            assert_eq!(shrunk["property"], finding["property"], "{set}");
            assert_eq!(shrunk["promised"], "no", "{set}");
            assert_eq!(shrunk["file"].as_str(), Some(file.as_str()));
            let events = shrunk["events"].as_u64().expect("a number");
            assert!((2..=10).contains(&events), "{set}: {events}");
            let ran = passbook(&["run", "--format=json", &file]).code(1);
            let report: Value = serde_json::from_str(stdout(&ran)).expect("JSON");
            let property = shrunk["property"].as_str().expect("a word");
            let verdict = &report["verdicts"][property];
            assert_eq!(verdict["witness"]["sentence"], shrunk["sentence"], "{set}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_runs() {
    let args = ["simulate", "--guarantees=none", "--output=none/of/this.json"];
    let done = passbook(&args).code(2).stdout("");
    assert!(stderr(&done).contains("cannot write none/of/this.json"), "{}", stderr(&done));
}

/// What only one memory held is lost with it, where the bank answers before it propagates.
#[test]
fn an_acknowledged_write_is_lost_with_the_memory_that_held_it_and_only_counted() {
    let lesson = "input/faults/lost_write.json";
    passbook(&["run", "-q", lesson]).code(0);
    let async_ = "--propagation=async";
    let report = passbook(&["run", "--format=json", async_, lesson]).code(1);
    let report: Value = serde_json::from_str(stdout(&report)).expect("JSON");
    let verdict = &report["verdicts"]["exactly_once"];
    assert_eq!((&verdict["verdict"], &verdict["promised"]), (&"violated".into(), &"no".into()));
    let sentence = verdict["witness"]["sentence"].as_str().expect("a sentence");
    let told = "no branch holds it any more, for branch 1 lost its memory at 20.000 ms";
    assert!(sentence.contains(told), "{sentence}");
    let counted = summary(&[lesson, "--seeds=0..10", async_], 0);
    assert_eq!((&counted["lost"], &counted["violated"]), (&10.into(), &0.into()));
    // In a whole bank memories end too, and no promise is broken.
    let many = summary(&["--seeds=0..300", "--nemesis=amnesia", FOUL[0]], 0);
    assert!(many["lost"].as_u64() > Some(10), "{}", many["lost"]);
}

/// FNV-1a, which is the same on every machine.
fn digest(bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Of the histories of twenty seeds in foul weather, in every build: who changes it changes what users
/// have noted seeds of, and says so in CHANGELOG.md.
const HISTORIES: u64 = 426_783_320_780_233_284;

#[test]
fn a_seed_gives_the_history_that_it_has_always_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [scenario, history] = ["s.json", "h.jsonl"].map(path);
    let bank = ["--branches=3", "--customers=2", "--events=10", "--seed=7", "--output"];
    passbook(&[&["generate"], &bank[..], &[&scenario]].concat()).code(0);
    let lag = ["--propagation=async", "--customers=concurrent", "--latency=uniform:1ms..20ms"];
    let weather = [&lag[..], &["--think=exponential:10ms"], &FOUL].concat();
    let mut facts = Vec::new();
    for seed in 0..20 {
        let seed = format!("--seed={seed}");
        let args = ["run", "-q", "--no-check", &seed, "--history", &history, &scenario];
        passbook(&[&args[..], &weather].concat()).code(0);
        let text = fs::read_to_string(&history).expect("a history");
        // The first line says which passbook wrote it.
        let (_, lines) = text.split_once('\n').expect("lines");
        facts.extend_from_slice(lines.as_bytes());
    }
    assert!(facts.len() > 100_000, "{}", facts.len());
    assert_eq!(digest(&facts), HISTORIES);
}
