//! Large banks in little memory, as a shell sees them.
//!
//! A scenario of 4 MB once took over 8 GB: each branch had a list of all others, and a count for
//! each. The program runs under a limit of the shell here, so that a test that fails ends soon.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A scenario with so many branches, and so many deposits and queries of one customer, each at
/// another branch.
fn scenario(branches: usize, deposits: usize, queries: usize) -> String {
    let place = |event: usize| event * 7919 % branches + 1;
    let deposit = |id: usize| {
        format!(r#"{{"id":{id},"interface":"deposit","money":1,"branch":{}}}"#, place(id))
    };
    let query = |id: usize| format!(r#"{{"id":{id},"interface":"query","branch":{}}}"#, place(id));
    let end = deposits + queries;
    let events = (1..=deposits).map(deposit).chain((deposits + 1..=end).map(query));
    let events: Vec<String> = events.collect();
    let mut text = format!(r#"[{{"id":1,"type":"customer","events":[{}]}}"#, events.join(","));
    for id in 1..=branches {
        write!(text, r#",{{"id":{id},"type":"branch","balance":0}}"#).expect("in memory");
    }
    text.push(']');
    text
}

/// A history whose bank has so many branches. Each of so many customers makes a deposit, which no
/// branch but its own applies, and asks that one for the balance, twice.
fn history(branches: usize, customers: usize) -> String {
    let mut facts = Vec::new();
    for customer in 1..=customers {
        let branch = customer * 7919 % branches + 1;
        let write = r#"{"kind":"deposit","amount_minor":100}"#;
        for request in 1..=3 {
            let who = format!(r#""customer":{customer},"request":{request},"branch":{branch}"#);
            let (operation, outcome) = match request {
                1 => (format!(r#"{{"write":{write}}}"#), r#""written""#),
                _ => (r#""query""#.to_owned(), r#"{"balance_minor":100}"#),
            };
            facts.push(format!(
                r#"{{"request_sent":{{{who},"event":{request},"operation":{operation}}}}}"#
            ));
            if request == 1 {
                facts.push(format!(
                    r#"{{"write_applied":{{"branch":{branch},"id":{{"customer":{customer},"event":1}},"write":{write},"origin":{branch},"sequence":1,"position":1,"balance_minor":100}}}}"#
                ));
            }
            facts.push(format!(r#"{{"reply_sent":{{{who},"position":1,"outcome":{outcome}}}}}"#));
            facts.push(format!(r#"{{"reply_received":{{{who}}}}}"#));
        }
    }
    told(branches, &facts)
}

/// A history of so many branches, with these facts.
fn told(branches: usize, facts: &[String]) -> String {
    let ids: Vec<String> = (1..=branches).map(|id| id.to_string()).collect();
    let mut text = format!(
        r#"{{"history":"passbook","version":1,"scenario":"large","seed":0,"branches":[{}],"opening_balance_minor":0,"config":{{}}}}"#,
        ids.join(",")
    );
    for (fact, lamport) in facts.iter().zip(1..) {
        write!(text, "\n{{\"at_us\":0,\"lamport\":{lamport},\"fact\":{fact}}}").expect("in memory");
    }
    write!(text, "\n{{\"end\":{{\"facts\":{}}}}}\n", facts.len()).expect("in memory");
    text
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }
}

/// What `passbook COMMAND FILE` does where it may address so many mebibytes.
fn within(mebibytes: u64, command: &str, file: &Path) -> Output {
    let line = format!("ulimit -v {}; exec \"$0\" {command} \"$1\"", mebibytes << 10);
    let mut shell = Command::new("sh");
    shell.env_remove("PASSBOOK_MEMORY_MAX").env_remove("PASSBOOK_FORMAT");
    shell.arg("-c").arg(line).arg(env!("CARGO_BIN_EXE_passbook")).arg(file);
    // It is addresses that the shell limits, and where the allocator's areas lie is up to chance: one
    // run in thirty loses tens of megabytes of them between two areas, however little it needs.
    let mut runs = (0..4).map(|_| shell.output().expect("started"));
    let first = runs.next().expect("there are four");
    if is_over(&first) { first } else { runs.find(is_over).unwrap_or(first) }
}

/// Whether it came to an end of its own.
fn is_over(run: &Output) -> bool {
    run.status.code().is_some()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

#[test]
fn ten_thousand_branches_with_ten_deposits_and_ten_queries_fit_in_500_megabytes() {
    let folder = Folder::new();
    let file = folder.file("large.json", &scenario(10_000, 10, 10));
    for format in ["balances", "text"] {
        let run = within(476, &format!("run --format {format}"), &file);
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        if format == "balances" {
            assert_eq!(stdout(&run), "[{\"id\":1,\"balance\":10}]\n");
        }
    }
}

#[test]
fn a_hundred_thousand_branches_in_four_megabytes_fit_in_one_gigabyte() {
    let folder = Folder::new();
    let file = folder.file("huge.json", &scenario(100_000, 1, 1));
    let run = within(953, "run --format balances", &file);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert_eq!(stdout(&run), "[{\"id\":1,\"balance\":1}]\n");
}

#[test]
fn what_would_take_more_is_refused_before_it_runs() {
    let folder = Folder::new();
    let file = folder.file("huge.json", &scenario(100_000, 10, 10));
    let history = folder.0.path().join("history.jsonl");
    let command = format!("run --memory-max 500MB --history '{}'", history.display());
    let run = within(400, &command, &file);
    assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
    let told = stderr(&run);
    assert!(told.starts_with("error: huge: this takes about "), "{told}");
    let helps = " of memory, and may take 500MB; use fewer branches or events, or allow more with \
                 --memory-max\n";
    assert!(told.ends_with(helps), "{told}");
    assert_eq!(told.lines().count(), 1);
    assert!(!history.exists());

    let small = folder.file("small.json", &scenario(2, 10, 10));
    let command = format!("batch --memory-max 500MB --format json '{}'", small.display());
    let batch = within(400, &command, &file);
    assert_eq!(batch.status.code(), Some(1), "{}", stderr(&batch));
    let rows: Vec<serde_json::Value> = stdout(&batch)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row"))
        .filter(|row: &serde_json::Value| row["kind"] == "scenario")
        .collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let problem = row["problem"].as_str().unwrap_or_default();
        match row["name"].as_str() {
            Some("huge") => assert!(problem.starts_with("this takes about "), "{row}"),
            Some("small") => assert_eq!(row["status"], "holds", "{row}"),
            _ => panic!("{row}"),
        }
    }
}

#[test]
fn a_bank_that_would_take_more_is_not_compared_and_not_served() {
    let folder = Folder::new();
    let file = folder.file("large.json", &scenario(20_000, 10, 10));
    for command in ["compare", "serve --memory-max 100MB", "run --transport grpc"] {
        let refused = within(400, command, &file);
        assert_eq!(refused.status.code(), Some(2), "{command}: {}", stderr(&refused));
        assert!(stderr(&refused).contains("this takes about "), "{}", stderr(&refused));
        assert_eq!(stdout(&refused), "");
    }
}

#[test]
fn a_history_is_judged_in_the_memory_of_what_happened_however_many_branches_it_has() {
    let folder = Folder::new();
    let file = folder.file("history.jsonl", &history(100_000, 1_500));
    let check = within(300, "check --format json", &file);
    // No other branch ever had what was acknowledged.
    assert_eq!(check.status.code(), Some(1), "{}", stderr(&check));
    let told: serde_json::Value = serde_json::from_str(stdout(&check)).expect("JSON");
    let verdicts = &told["verdicts"];
    for (property, verdict, tested) in [
        ("read_your_writes", "holds", 3_000),
        ("monotonic_reads", "holds", 1_500),
        // Each write, and the balance of each branch that gave one after the first.
        ("convergence", "violated", 2_999),
        ("exactly_once", "violated", 1_500),
    ] {
        let found = &verdicts[property];
        assert_eq!((&found["verdict"], &found["tested"]), (&verdict.into(), &tested.into()));
    }
}

#[test]
fn a_history_that_would_take_more_is_refused_before_its_memory_is_taken() {
    let folder = Folder::new();
    let (large, branches) = (history(100_000, 1_500), history(200_000, 0));
    // By what it says of its bank, and about a third on: it comes to some 150 MB beside the
    // program.
    for (text, allowed, lines) in [(branches, "64MiB", 1..=1), (large, "100MB", 4_000..=6_500)] {
        let file = folder.file("history.jsonl", &text);
        let check = within(150, &format!("check --memory-max {allowed}"), &file);
        assert_eq!((check.status.code(), stdout(&check)), (Some(2), ""), "{}", stderr(&check));
        let told = stderr(&check);
        let (name, told) = told.split_once(" is not judged: up to line ").expect("a refusal");
        assert_eq!(name, format!("error: {}", file.display()));
        let (at, told) = told.split_once(", this takes about ").expect("a line");
        let at: u64 = at.parse().expect("a number");
        assert!(lines.contains(&at), "of 15,002 lines: {at}");
        let helps = format!(
            " of memory, and may take {allowed}; use fewer branches or events, or allow more with \
             --memory-max\n"
        );
        assert!(told.ends_with(&helps), "{told}");
    }
}

/// A history of two branches in which so many messages are sent and none comes: of all facts these
/// take most to be drawn.
fn unread(messages: usize) -> String {
    let write = r#"{"kind":"deposit","amount_minor":100}"#;
    let id = r#"{"customer":1,"event":1}"#;
    let mut facts = vec![
        format!(
            r#"{{"request_sent":{{"customer":1,"request":1,"branch":1,"event":1,"operation":{{"write":{write}}}}}}}"#
        ),
        format!(
            r#"{{"write_applied":{{"branch":1,"id":{id},"write":{write},"origin":1,"sequence":1,"position":1,"balance_minor":100}}}}"#
        ),
    ];
    facts.extend((1..=messages).map(|number| {
        let body = format!(r#"{{"propagate":{{"id":{id}}}}}"#);
        format!(r#"{{"message_sent":{{"from":1,"to":2,"number":{number},"body":{body}}}}}"#)
    }));
    told(2, &facts)
}

/// A history of Elle's form with so many bytes of appends, each to a list of its own: of all
/// operations these take most for each byte.
fn lists(bytes: usize) -> String {
    let mut text = r#"{"type":"ok","process":1,"value":[["append",0,1]"#.to_owned();
    for key in 1.. {
        if text.len() >= bytes {
            break;
        }
        write!(text, ",[\"append\",{key},1]").expect("in memory");
    }
    text + "]}"
}

#[test]
fn what_is_kept_as_a_whole_fits_into_what_is_counted_for_it() {
    let folder = Folder::new();
    let page = folder.0.path().join("page.html");
    let draw = format!("draw -o '{}'", page.display());
    // 34 MB are the program's. 100,000 facts take 800 bytes each and 180 more of the judge, and a
    // text of Elle's form 40 times what it is long.
    for (command, text, [refused, done], code) in [
        (draw.as_str(), unread(100_000), [125, 135], 0),
        ("check --from elle", lists(2_000_000), [110, 115], 3),
    ] {
        let file = folder.file("history", &text);
        let too_little = within(refused, &format!("{command} --memory-max {refused}MB"), &file);
        assert_eq!(too_little.status.code(), Some(2), "{}", stderr(&too_little));
        assert!(stderr(&too_little).contains("--memory-max"), "{}", stderr(&too_little));
        let enough = within(done, &format!("{command} --memory-max {done}MB"), &file);
        assert_eq!(enough.status.code(), Some(code), "{command}: {}", stderr(&enough));
    }
}
