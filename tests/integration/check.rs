//! `passbook run` with lag and `passbook check`, as a shell sees them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const READ_YOUR_WRITES: &str = "input/read_your_writes.json";
const LAG: [&str; 4] = ["--propagation", "async", "--latency", "constant:50ms"];

/// How a command ended.
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn passbook(args: &[&str], input: &[u8]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passbook"));
    let names = std::env::vars().map(|(name, _)| name);
    names.filter(|name| name.starts_with("PASSBOOK_")).for_each(|name| {
        command.env_remove(name);
    });
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    // A program that refuses its arguments reads nothing.
    let fed = child.stdin.take().expect("a pipe").write_all(input);
    assert!(fed.is_ok() || !input.is_empty());
    let output = child.wait_with_output().expect("ended");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Done { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn run(args: &[&str]) -> Done {
    passbook(&[&["run"], &LAG[..], args].concat(), b"")
}

fn json_of(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).expect("JSON")
}

fn versionless(text: &str) -> String {
    text.replace(concat!("passbook ", env!("CARGO_PKG_VERSION")), "passbook (version)")
}

#[test]
fn without_a_promise_a_lagging_branch_is_found_out_and_told_in_a_sentence() {
    let done = run(&[READ_YOUR_WRITES, "--guarantees", "none"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(versionless(&done.stdout));
}

#[test]
fn with_the_promise_the_query_waits_and_says_how_long() {
    let done = run(&[READ_YOUR_WRITES, "--guarantees", "ryw"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    insta::assert_snapshot!(versionless(&done.stdout));
}

#[test]
fn quiet_tells_what_is_violated_and_nothing_of_what_holds() {
    let done = run(&["-q", READ_YOUR_WRITES, "--guarantees", "mr,mw,wfr"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(done.stdout);
}

#[test]
fn the_full_report_has_verdicts_and_waits() {
    let done = run(&["--format", "json", READ_YOUR_WRITES]);
    assert_eq!(done.code, Some(0));
    let report = json_of(&done);
    let summaries: Vec<(&str, &Value)> = report["verdicts"]
        .as_object()
        .expect("verdicts")
        .iter()
        .map(|(key, verdict)| (key.as_str(), &verdict["verdict"]))
        .collect();
    assert_eq!(
        summaries,
        [
            ("balances", &json!("holds")),
            ("convergence", &json!("holds")),
            ("exactly_once", &json!("holds")),
            ("monotonic_reads", &json!("undecided")),
            ("monotonic_writes", &json!("undecided")),
            ("read_your_writes", &json!("holds")),
            ("writes_follow_reads", &json!("undecided")),
        ]
    );
    let query = &report["customers"][0]["events"][1];
    assert_eq!(query["waited_us"], 50_000);
    assert_eq!(query["took_us"], 50_000);
    assert_eq!(query["waited_for"], json!([{"origin": 1, "needed": 1, "here": 0}]));
    assert_eq!(query["balance"], 400);
    assert_eq!(report["ended_us"], 100_000);
    assert_eq!(report["config"]["latency"], "constant:50ms");
}

#[test]
fn a_violation_comes_with_its_witness() {
    let report = json_of(&run(&["--format", "json", "--guarantees", "none", READ_YOUR_WRITES]));
    let verdict = &report["verdicts"]["read_your_writes"];
    assert_eq!(verdict["verdict"], "violated");
    let witness = &verdict["witness"];
    assert_eq!((&witness["customer"], &witness["branch"]), (&json!(1), &json!(2)));
    assert_eq!(witness["write"], json!({"customer": 1, "event": 1}));
    assert_eq!(witness["earlier"]["event"], 1);
    assert_eq!(witness["later"]["event"], 2);
}

#[test]
fn nobody_is_judged_who_does_not_want_to_be() {
    // From standard input, where no expected result stands beside it.
    let args = ["run", "--format", "json", "--no-check", "--propagation", "async", "--latency"];
    let args = [&args[..], &["constant:50ms", "--guarantees", "none", "-"]].concat();
    let done = passbook(&args, &fs::read(READ_YOUR_WRITES).expect("the scenario"));
    assert_eq!(done.code, Some(0));
    assert_eq!(json_of(&done)["verdicts"], Value::Null);
}

#[test]
fn what_had_nothing_to_test_counts_only_when_strict() {
    assert_eq!(run(&[READ_YOUR_WRITES]).code, Some(0));
    assert_eq!(run(&["--strict", READ_YOUR_WRITES]).code, Some(3));
    let nothing = br#"[{"type": "branch", "id": 1, "balance": 0}]"#;
    assert_eq!(passbook(&["run", "-"], nothing).code, Some(3), "nothing at all was tested");
    let deposit = br#"[{"type": "branch", "id": 1, "balance": 0},
        {"type": "customer", "id": 1, "events": [{"interface": "deposit", "money": 1}]}]"#;
    assert_eq!(passbook(&["run", "-"], deposit).code, Some(0), "balances were");
    assert_eq!(run(&["--strict", "--guarantees", "none", READ_YOUR_WRITES]).code, Some(1));
}

/// A folder with a history of the classic scenario under lag.
struct Recorded {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Recorded {
    fn with(guarantees: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.jsonl");
        let file = path.to_str().expect("text");
        run(&["-q", READ_YOUR_WRITES, "--guarantees", guarantees, "--history", file]);
        Self { _folder: folder, path }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).expect("a history")
    }

    fn path(&self) -> &str {
        self.path.to_str().expect("text")
    }
}

#[test]
fn a_history_is_judged_as_its_run_was() {
    for (guarantees, code) in [("none", 1), ("all", 0)] {
        let history = Recorded::with(guarantees);
        let done = passbook(&["check", history.path()], b"");
        assert_eq!(done.code, Some(code), "{}", done.stderr);
        let piped = passbook(&["check", "-"], history.text().as_bytes());
        assert_eq!((piped.code, piped.stdout), (done.code, done.stdout));
        let strict = passbook(&["check", "--strict", history.path()], b"");
        assert_eq!(strict.code, Some(if code == 0 { 3 } else { code }));
    }
    let violated = Recorded::with("none");
    insta::assert_snapshot!(passbook(&["check", violated.path()], b"").stdout);
    let line = json_of(&passbook(&["check", "--format", "json", violated.path()], b""));
    assert_eq!(line["verdict"], "violated");
    assert_eq!(line["verdicts"]["read_your_writes"]["violations"], 1);
}

#[test]
fn a_history_that_needed_no_guarantee_is_undecided() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let deposit = br#"[{"type": "branch", "id": 1, "balance": 0},
        {"type": "customer", "id": 1, "events": [{"interface": "deposit", "money": 1}]}]"#;
    let file = path.to_str().expect("text");
    assert_eq!(passbook(&["run", "-q", "--history", file, "-"], deposit).code, Some(0));
    assert_eq!(passbook(&["check", file], b"").code, Some(3));
}

#[test]
fn a_damaged_history_is_refused_with_its_line() {
    let whole = Recorded::with("all").text();
    let lines: Vec<&str> = whole.lines().collect();
    let without = |skipped: usize| {
        let kept = lines.iter().enumerate().filter(|(place, _)| *place != skipped);
        kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let edited = whole.replacen("\"position\":1", "\"position\":2", 1);
    for (damaged, says) in [
        (String::new(), "line 1: the history is empty"),
        ("not a history".to_owned(), "line 1: not JSON"),
        (without(2), "request 1 of customer 1 was answered, and nobody had received it"),
        (edited, "applies a write at position 2 where 1 is next"),
        (
            whole.replacen("\"request\":2", "\"request\":3", 1),
            "sends request 3 where request 2 is next",
        ),
    ] {
        let done = passbook(&["check", "-"], damaged.as_bytes());
        assert_eq!(done.code, Some(2), "{says}: {}", done.stdout);
        assert!(done.stderr.contains(says), "{says}: {}", done.stderr);
        assert!(done.stderr.contains("standard input"), "{}", done.stderr);
        assert_eq!(done.stdout, "");
    }
}

#[test]
fn each_verdict_says_whether_it_was_promised_and_leads_to_its_place() {
    for (guarantees, label, word) in
        [("none", "not promised, and broken", "no"), ("mr", "not promised, and broken", "no")]
    {
        let history = Recorded::with(guarantees);
        let text = passbook(&["check", history.path()], b"").stdout;
        let line = format!("✗ read your writes     violated in 1 of 1 test: {label}");
        assert!(text.contains(&line), "{text}");
        assert!(text.contains("event 1 at line 2, 0.000 ms; event 2 at line "), "{text}");
        let report = json_of(&passbook(&["check", "--format", "json", history.path()], b""));
        let verdict = &report["verdicts"]["read_your_writes"];
        assert_eq!((&verdict["promised"], &verdict["tested"]), (&json!(word), &json!(1)));
        assert_eq!(verdict["violations_by"], json!({"not_promised": 1}));
        assert_eq!(verdict["witness"]["earlier"]["sent"], json!({"line": 2, "at_us": 0}));
        let line = verdict["witness"]["later"]["answered"]["line"].as_u64().expect("a line");
        let lines: Vec<String> = history.text().lines().map(str::to_owned).collect();
        assert!(lines[usize::try_from(line).expect("small") - 1].contains("reply_sent"));
        assert_eq!(report["passbook"], env!("CARGO_PKG_VERSION"));
        assert_eq!(report["recorded_by"], env!("CARGO_PKG_VERSION"));
        assert_eq!(report["cut_off"], false);
    }
}

#[test]
fn a_promise_that_the_history_gives_and_does_not_keep_is_the_banks_fault() {
    let broken = Recorded::with("none").text().replacen(
        r#""promised":{"guarantees":"none""#,
        r#""promised":{"guarantees":"ryw""#,
        1,
    );
    let done = passbook(&["check", "-"], broken.as_bytes());
    assert_eq!(done.code, Some(1));
    assert!(
        done.stdout.contains("violated in 1 of 1 test: PROMISED and broken"),
        "{}",
        done.stdout
    );
    let held = passbook(&["check", Recorded::with("ryw").path()], b"").stdout;
    assert!(held.contains("✓ read your writes     holds in 1 test, promised"), "{held}");
}

#[test]
fn a_history_of_version_1_does_not_say_what_was_promised() {
    let old = "tests/golden/history-1.jsonl";
    let done = passbook(&["check", old], b"");
    assert_eq!(done.code, Some(1));
    let says = "violated in 1 of 2 tests: broken, and nobody says whether it was promised";
    assert!(done.stdout.contains(says), "{}", done.stdout);
    let report = json_of(&passbook(&["check", "--format", "json", old], b""));
    assert_eq!(report["verdicts"]["monotonic_writes"]["promised"], "unknown");
    assert_eq!(report["verdicts"]["no_overdraft"], Value::Null, "its policy is not known");
    assert_eq!(report["recorded_by"], Value::Null);
}

#[test]
fn as_many_witnesses_are_shown_as_are_asked_for() {
    let reads = br#"[{"type": "branch", "id": 1, "balance": 0},
        {"type": "branch", "id": 2, "balance": 0},
        {"type": "customer", "id": 1, "events": [
            {"interface": "deposit", "money": 1, "dest": 1}, {"interface": "query", "dest": 2},
            {"interface": "query", "dest": 2}, {"interface": "query", "dest": 2}]}]"#;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let file = path.to_str().expect("text");
    let lagging = [&["run"], &LAG[..], &["--guarantees", "none"]].concat();
    passbook(&[&lagging[..], &["-q", "--history", file, "-"]].concat(), reads);
    for (asked, shown) in [(None, 1), (Some("2"), 2), (Some("10"), 3)] {
        let asked: Vec<&str> = asked.map_or(vec![], |number| vec!["--witnesses", number]);
        let text = passbook(&[&["check", file], &asked[..]].concat(), b"").stdout;
        assert_eq!(text.matches("it was owed at least its own deposit").count(), shown, "{text}");
        assert!(text.contains("violated in 3 of 3 tests"), "{text}");
        let json =
            json_of(&passbook(&[&["check", "--format", "json", file], &asked[..]].concat(), b""));
        let further = json["verdicts"]["read_your_writes"]["further_witnesses"].as_array();
        assert_eq!(further.map_or(0, Vec::len) + 1, shown);
        let run = passbook(&[&lagging[..], &["-"], &asked[..]].concat(), reads).stdout;
        assert_eq!(run.matches("it was owed at least its own deposit").count(), shown, "{run}");
    }
    assert_eq!(passbook(&["check", "--witnesses", "0", file], b"").code, Some(2));
}

#[test]
fn a_history_that_was_cut_off_is_judged_as_far_as_it_goes() {
    let holds = Recorded::with("all").text();
    let violated = Recorded::with("none").text();
    let cut = |text: &str| {
        let end = text.find("{\"end\"").expect("an end marker");
        text[..end - 20].to_owned()
    };
    let done = passbook(&["check", "-"], cut(&holds).as_bytes());
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stdout.contains("– convergence          undecided: the history was cut off"));
    assert!(
        done.stdout.contains("the history was cut off: it is judged up to its last whole line")
    );
    assert!(done.stdout.contains("✓ read your writes"), "{}", done.stdout);
    let done = passbook(&["check", "--format", "json", "-"], cut(&violated).as_bytes());
    assert_eq!(done.code, Some(1));
    let report = json_of(&done);
    assert_eq!(report["cut_off"], true);
    assert_eq!(report["verdicts"]["convergence"]["reason"], "cut_off");
}

#[test]
fn a_byte_order_mark_and_blank_lines_at_the_end_are_harmless() {
    let text = format!("\u{feff}{}\n\n", Recorded::with("all").text());
    let done = passbook(&["check", "-"], text.as_bytes());
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}

#[test]
fn a_scenario_is_no_history_and_is_told_so() {
    let scenario = fs::read(READ_YOUR_WRITES).expect("a file");
    for (done, name) in [
        (passbook(&["check", READ_YOUR_WRITES], b""), READ_YOUR_WRITES),
        (passbook(&["check", "-"], &scenario), "standard input"),
        (passbook(&["check", "input/dialects/own_format.json"], b""), "own_format.json"),
    ] {
        assert_eq!(done.code, Some(2));
        assert!(done.stderr.contains(name), "{}", done.stderr);
        let says = "holds a scenario, and not a history";
        assert!(done.stderr.contains(says), "{}", done.stderr);
    }
}

#[test]
fn a_wrong_line_is_told_in_words_for_people() {
    let whole = Recorded::with("all").text();
    for (from, to, says) in [
        (r#""lamport":2"#, r#""lamport":null"#, "invalid type: null, expected a whole number"),
        (r#""position":1"#, r#""position":"1""#, "expected a whole number"),
        (r#""outcome":"written""#, r#""outcome":{}"#, "expected a word, or an object with one key"),
        (r#""branches":[1,2]"#, r#""branches":{}"#, "invalid type: object, expected an array"),
    ] {
        let wrong = whole.replacen(from, to, 1);
        assert_ne!(wrong, whole, "{from}");
        let done = passbook(&["check", "-"], wrong.as_bytes());
        assert_eq!(done.code, Some(2));
        assert!(done.stderr.contains(says), "{says}: {}", done.stderr);
        for word in ["not JSON", "struct", "missing", "variant", "Fact::", "u64", "map"] {
            assert!(!done.stderr.contains(word), "{word}: {}", done.stderr);
        }
    }
}

#[test]
fn two_branches_that_each_decide_alone_overdraw_and_the_report_says_how() {
    let overdraft = "input/guarantees/overdraft_at_two_branches.json";
    let late = ["--propagation", "async", overdraft];
    let with = |first: &[&'static str]| [first, &late[..]].concat();
    let done = passbook(&with(&["run"]), b"");
    assert_eq!(done.code, Some(1));
    let says = "✗ no overdraft         violated in 2 of 4 tests: not promised, and broken";
    assert!(done.stdout.contains(says), "{}", done.stdout);
    assert!(done.stdout.contains("-60"), "{}", done.stdout);
    let report = json_of(&passbook(&with(&["run", "--format", "json"]), b""));
    let verdict = &report["verdicts"]["no_overdraft"];
    assert_eq!(verdict["witness"]["kind"], "below_zero");
    assert_eq!(verdict["tested_by"], json!({"promised": 2, "not_promised": 2}));
    let allowed = passbook(&with(&["run", "--format", "json", "--overdraft", "allow"]), b"");
    assert_eq!(allowed.code, Some(0));
    assert_eq!(json_of(&allowed)["verdicts"]["no_overdraft"], Value::Null);
    let rows = passbook(&with(&["batch", "--format", "json"]), b"").stdout;
    assert!(rows.contains(r#""no_overdraft":"violated""#), "{rows}");
}

#[test]
fn a_history_that_cannot_be_read_or_written_is_told() {
    for path in ["input", "input/none.jsonl"] {
        let done = passbook(&["check", path], b"");
        assert_eq!(done.code, Some(2));
        assert!(done.stderr.contains(&format!("cannot read {path}")), "{}", done.stderr);
    }
    let done = run(&["-q", READ_YOUR_WRITES, "--history", "/none/history.jsonl"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("/none/history.jsonl"), "{}", done.stderr);
    if Path::new("/dev/full").exists() {
        let done = run(&["-q", READ_YOUR_WRITES, "--history", "/dev/full"]);
        assert_eq!(done.code, Some(70));
        assert!(done.stderr.contains("cannot write the history"), "{}", done.stderr);
    }
    let two = ["-q", READ_YOUR_WRITES, READ_YOUR_WRITES, "--history", "/dev/null"];
    assert_eq!(run(&two).code, Some(2), "a history is of one scenario");
}

#[test]
fn what_lag_cannot_be_is_refused_as_an_argument() {
    for args in [
        ["--latency", "50ms"],
        ["--latency", "uniform:5ms..1ms"],
        ["--guarantees", "ryw,raw"],
        ["--wait-limit", "soon"],
        ["--propagation", "later"],
    ] {
        let done = passbook(&["run", args[0], args[1], READ_YOUR_WRITES], b"");
        assert_eq!(done.code, Some(2), "{args:?}");
        assert!(done.stderr.contains(args[1]), "{}", done.stderr);
    }
}
