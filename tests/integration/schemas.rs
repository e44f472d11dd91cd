//! The JSON Schemas: `docs/schema/` holds what the program prints, and they accept what it reads and
//! writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use passbook::Scenario;
use passbook::batch::Status;
use passbook::check::Property;
use passbook::compare::{Report, Transport, write_json};
use passbook::scenario::Source;
use serde_json::Value;

use crate::support::comparison::whole_ladder;
use crate::support::program::{passbook, stdout};

const FORMATS: [&str; 6] = ["scenario", "row", "report", "history", "comparison", "simulation"];

fn schema(format: &str) -> Value {
    let text = fs::read_to_string(format!("docs/schema/{format}.json")).expect("it is there");
    serde_json::from_str(&text).expect("JSON")
}

/// What texts must be, and says which is not.
struct Format(Validator);

impl Format {
    fn new(format: &str) -> Self {
        Self(jsonschema::validator_for(&schema(format)).expect("a schema"))
    }

    fn accepts(&self, text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|value| self.0.is_valid(&value))
    }

    #[track_caller]
    fn assert_accepts(&self, text: &str) {
        let value = serde_json::from_str(text).expect("JSON");
        if let Err(error) = self.0.validate(&value) {
            panic!("{error}\nat {}\nin {text}", error.instance_path());
        }
    }

    /// The same of each line, of which there is one at least. Another key is refused.
    #[track_caller]
    fn assert_accepts_lines(&self, text: &str) {
        assert!(!text.trim().is_empty(), "nothing was written");
        for line in text.lines() {
            self.assert_accepts(line);
            assert!(!self.accepts(&line.replacen('{', "{\"invented\":1,", 1)), "{line}");
        }
    }
}

/// All that can go wrong does.
const STORMY: [&str; 7] = [
    "--propagation=async",
    "--latency=constant:1ms",
    "--think=uniform:1ms..5ms",
    "--faults=loss=0.1,duplicate=0.1,reorder=0.1",
    "--nemesis=partition,crash,amnesia,slow",
    "--nemesis-interval=20ms",
    "--settle-limit=2min",
];

/// The files of a folder and those below, but for expected results.
fn scenarios_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(scenarios_in(&path));
        } else if !path.to_string_lossy().ends_with(".expected.json") {
            files.push(path);
        }
    }
    files
}

fn input() -> Vec<String> {
    let files = scenarios_in(Path::new("input")).into_iter();
    files.filter_map(|file| Some(file.to_str()?.to_owned())).collect()
}

/// What stands between fences in a page.
fn samples(page: &str) -> Vec<String> {
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| Some(block.split_once('\n')?.1.to_owned())).collect()
}

#[test]
fn what_is_printed_is_what_is_checked_in() {
    for format in FORMATS {
        let checked_in = fs::read_to_string(format!("docs/schema/{format}.json")).expect("a file");
        let printed = passbook(&["schema", format]).code(0);
        assert_eq!(
            stdout(&printed),
            checked_in,
            "passbook schema {format} > docs/schema/{format}.json"
        );
    }
    let files = fs::read_dir("docs/schema").expect("a folder").count();
    assert_eq!(files, FORMATS.len());
    let scenario = passbook(&["schema"]).code(0);
    assert_eq!(stdout(&scenario), stdout(&passbook(&["schema", "scenario"]).code(0)));
}

/// The keys that `schema` describes, at any depth.
fn keys(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|part| keys(part, found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| keys(part, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_key_of_a_result_is_described() {
    let page = fs::read_to_string("docs/RESULTS.md").expect("a page");
    for format in ["row", "report", "comparison"] {
        let mut found = BTreeSet::new();
        keys(&schema(format), &mut found);
        assert!(found.len() >= 50, "{format}: {}", found.len());
        let is_there = |key: &&String| {
            page.contains(&format!("`{key}`")) || page.contains(&format!("\"{key}\""))
        };
        let missing: Vec<_> = found.iter().filter(|key| !is_there(key)).collect();
        assert_eq!(missing, [""; 0], "{format}");
    }
}

#[test]
fn every_key_of_a_simulation_is_described() {
    let page = fs::read_to_string("docs/SIMULATION.md").expect("a page");
    let mut found = BTreeSet::new();
    keys(&schema("simulation"), &mut found);
    assert!(found.len() >= 30, "{}", found.len());
    let missing: Vec<_> = found.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn what_a_simulation_prints_is_described() {
    let simulations = Format::new("simulation");
    for (args, code) in [
        (&["--seeds=0..50", "--faults=loss=0.1,duplicate=0.1,reorder", "--nemesis=crash"][..], 0),
        (&["--seeds=0..50", "--guarantees=none", "--output=/dev/null"], 1),
        (&["--seeds=0..50", "--guarantees=none", "--keep-going", "--output=/dev/null"], 1),
    ] {
        let args = [&["simulate", "--format=json"], args].concat();
        simulations.assert_accepts_lines(stdout(&passbook(&args).code(code)));
    }
}

#[test]
fn every_scenario_that_the_program_accepts_is_one() {
    let format = Format::new("scenario");
    let pages = ["docs/SCENARIOS.md", "docs/GUARANTEES.md", "docs/BATCH.md"];
    let pages = pages.iter().flat_map(|page| samples(&fs::read_to_string(page).expect("a page")));
    let files = input().into_iter().map(|file| fs::read_to_string(file).expect("a file"));
    let (from_pages, from_files): (Vec<_>, Vec<_>) = (pages.collect(), files.collect());
    for texts in [from_pages, from_files] {
        let accepted: Vec<_> = texts
            .iter()
            .filter(|text| Scenario::parse(&Source::new("a", text.as_str())).is_ok())
            .collect();
        assert!(!accepted.is_empty());
        accepted.iter().for_each(|text| format.assert_accepts(text));
    }
}

#[test]
fn what_is_no_scenario_is_none() {
    let format = Format::new("scenario");
    let branch = r#"{"id": 1, "type": "branch", "balance": 0}"#;
    assert!(format.accepts(&format!("[{branch}]")));
    for text in [
        "[]",
        r#"[{"id": 1, "type": "bransh", "balance": 0}]"#,
        r#"[{"id": 1, "type": "branch"}]"#,
        r#"[{"id": 1, "type": "branch", "balance": 0, "ballance": 0}]"#,
        r#"[{"id": 1, "type": "customer", "events": [{"interface": "deposit"}]}]"#,
        r#"{"processes": []}"#,
        r#"{"proceses": []}"#,
        &format!(r#"{{"processes": [{branch}], "rates": {{"loss": 2}}}}"#),
        &format!(r#"{{"processes": [{branch}], "nemesis": {{"kinds": ["crash", "crash"]}}}}"#),
        &format!(r#"{{"processes": [{branch}], "faults": [{{"kind": "crash", "branch": 1}}]}}"#),
        &format!(
            r#"{{"processes": [{branch}], "faults": [
                {{"kind": "slow", "branch": 1, "at": "1ms", "until": "2ms", "keeps": 1}}]}}"#
        ),
    ] {
        assert!(Scenario::parse(&Source::new("a", text)).is_err(), "{text}");
        assert!(!format.accepts(text), "{text}");
    }
}

#[test]
fn every_line_that_a_run_and_the_judge_write_is_described() {
    let (reports, histories) = (Format::new("report"), Format::new("history"));
    let folder = tempfile::tempdir().expect("a folder");
    let history = folder.path().join("history.jsonl").display().to_string();
    let record = format!("--history={history}");
    let lagging =
        ["--guarantees=none", "--propagation=async", "--latency=constant:20ms", "--witnesses=3"];
    for file in input() {
        for options in [&[][..], &lagging, &STORMY] {
            let args = [&["run", "--format=json", &record], options, &[&file]].concat();
            reports.assert_accepts_lines(stdout(&passbook(&args)));
            let recorded = fs::read_to_string(&history).expect("a history");
            histories.assert_accepts_lines(&recorded);
            let cut = recorded.rsplit_once("{\"end\"").expect("an end").0;
            for text in [recorded.as_str(), cut] {
                fs::write(&history, text).expect("written");
                let judged = passbook(&["check", "--format=json", "--witnesses=3", &history]);
                reports.assert_accepts_lines(stdout(&judged));
            }
            fs::remove_file(&history).expect("removed");
        }
    }
}

/// `docs/HISTORY.md` has a line of every kind.
#[test]
fn every_line_of_the_page_on_histories_is_described() {
    let format = Format::new("history");
    let page = fs::read_to_string("docs/HISTORY.md").expect("a page");
    let lines: Vec<_> = page.lines().filter(|line| line.starts_with("{\"")).collect();
    assert!(lines.len() > 20, "{lines:?}");
    format.assert_accepts_lines(&lines.join("\n"));
}

#[test]
fn every_row_of_a_batch_is_described() {
    let rows = Format::new("row");
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = folder.path().join("wrong.json");
    fs::write(&wrong, "[{\"id\": 1}]").expect("written");
    let wrong = wrong.display().to_string();
    for options in [
        &["--guarantees=none", "--propagation=async", "--latency=constant:20ms"][..],
        &["--partition=count:1/2", "--max-fail=1"],
        &["--no-check"],
        &STORMY,
        &["--strict"],
    ] {
        let args = [&["batch", "--format=jsonl", "input", &wrong], options].concat();
        rows.assert_accepts_lines(stdout(&passbook(&args)));
    }
}

#[test]
fn a_comparison_is_described() {
    let format = Format::new("comparison");
    let mut export = Vec::new();
    write_json(&mut export, &Report::of(&whole_ladder(), "passbook compare", None))
        .expect("memory");
    format.assert_accepts_lines(&String::from_utf8(export).expect("text"));
    let args = [
        "compare",
        "--transports=mailbox,grpc-memory",
        "--rounds=2",
        "--round-time=1ms",
        "--rate=1000",
        "--format=json",
        "input/monotonic_writes.json",
    ];
    format.assert_accepts_lines(stdout(&passbook(&args).code(0)));
}

#[test]
fn every_word_of_a_list_is_in_its_schema() {
    let words = |list: &Value| -> Vec<String> {
        let list = list.as_array().expect("a list");
        list.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let mut statuses = words(&schema("row")["$defs"]["row"]["properties"]["status"]["enum"]);
    statuses.sort();
    let mut all = Status::ALL.map(Status::word);
    all.sort_unstable();
    assert_eq!(statuses, all);
    let transports = words(&schema("comparison")["$defs"]["transport"]["enum"]);
    assert_eq!(transports, Transport::ALL.map(Transport::word));
    for (format, place) in [("row", "verdicts"), ("report", "verdicts")] {
        let properties = &schema(format)["$defs"][place]["properties"];
        let properties = properties.as_object().expect("properties");
        assert_eq!(properties.len(), Property::ALL.len());
        assert!(Property::ALL.iter().all(|property| properties.contains_key(property.word())));
    }
}

/// Samples of this version and of earlier ones.
#[test]
fn every_sample_that_is_kept_is_still_described() {
    let kept = fs::read_dir("tests/golden").expect("a folder");
    let mut described = 0;
    for file in kept {
        let path = file.expect("a file").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let Some(format) = FORMATS.into_iter().find(|format| name.starts_with(format)) else {
            assert_eq!(name, "secret-1.txt");
            continue;
        };
        if name.ends_with(".gz") || name.ends_with(".zst") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a text");
        let texts: Vec<&str> =
            if name.ends_with(".jsonl") { text.lines().collect() } else { vec![&text] };
        texts.iter().for_each(|text| Format::new(format).assert_accepts(text));
        described += 1;
    }
    assert_eq!(described, 9);
}
