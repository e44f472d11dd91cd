//! Transports side by side: each runs the same scenario, all agree, and no process is left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use passbook::compare::{
    CompareError, CompareOptions, Comparison, Kind, Load, Measured, Progress, Transport, compare,
};
use passbook::model::{
    CustomerOrder, Guarantees, Money, Operation, Overdraft, Propagation, Roster, Seed,
};
use passbook::scenario::{Scenario, Settings, Source};

use proptest::prelude::*;

use crate::support::parts::{deposit, event, withdraw};
use crate::support::program::{passbook, stderr, stdout};
use crate::support::scenarios::{any_scenario, scenario};

fn read(path: &str) -> Scenario {
    let bytes = fs::read(path).expect("it is there");
    let source = Source::from_bytes(path.to_owned(), bytes).expect("text");
    Scenario::parse(&source).expect("a scenario")
}

/// A few short rounds of `transports`.
fn short(transports: &[Transport]) -> CompareOptions {
    CompareOptions {
        transports: transports.to_vec(),
        rounds: 2,
        round_time: Duration::from_millis(3),
        program: Some(PathBuf::from(env!("CARGO_BIN_EXE_passbook"))),
        ..CompareOptions::default()
    }
}

fn run(scenario: &Scenario, options: &CompareOptions) -> Result<Comparison, CompareError> {
    compare(scenario, options, &mut |_| {})
}

const GRPC: [Transport; 3] = [Transport::GrpcMemory, Transport::GrpcUnix, Transport::GrpcTcp];

fn requests(measured: &Measured) -> u64 {
    measured.rounds.iter().map(|round| round.requests).sum()
}

#[test]
fn every_transport_runs_the_classic_scenario_and_all_agree() {
    let comparison = run(&read("input/monotonic_writes.json"), &short(&Transport::ALL)).unwrap();
    let transports = comparison.measured.iter().map(|measured| measured.transport);
    assert!(transports.eq(Transport::ALL));
    assert_eq!((comparison.subject.branches, comparison.subject.requests), (2, 3));
    assert!(comparison.codec > Duration::ZERO);
    for measured in &comparison.measured {
        let transport = measured.transport;
        // 400 in and 400 out, however often.
        assert_eq!(measured.balance, Money::ZERO, "{transport:?}");
        let (all, third) = (requests(measured), requests(measured) / 3);
        assert!(all > 0 && all == third * 3, "{transport:?}: {all}");
        for kind in [Kind::Deposit, Kind::Withdraw, Kind::Query] {
            assert_eq!(measured.latencies.of(kind).count(), third, "{transport:?} {kind:?}");
        }
        let sees_all = transport != Transport::Processes;
        assert_eq!(measured.latencies.propagation.count() > 0, sees_all, "{transport:?}");
        for round in &measured.rounds {
            // Three requests and answers, two writes sent to the other branch and acknowledged.
            assert_eq!(round.messages, Some(round.requests / 3 * 10), "{transport:?}");
            let counts = GRPC.contains(&transport);
            assert_eq!(round.bytes.is_some_and(|bytes| bytes > 0), counts, "{transport:?}");
            assert!(round.median_ns > 0 && round.mean_ns > 0.0, "{transport:?}");
            if cfg!(target_os = "linux") {
                assert!(round.processor_ns.expect("Linux tells") > 0, "{transport:?}");
            }
        }
    }
}

/// Every request is a call with its headers: no fewer bytes than that, and the same over all.
#[test]
fn the_same_bytes_go_over_every_connection() {
    let comparison = run(&read("input/monotonic_writes.json"), &short(&GRPC)).unwrap();
    let per_request: Vec<u64> = comparison
        .measured
        .iter()
        .map(|measured| {
            let bytes: u64 = measured.rounds.iter().filter_map(|round| round.bytes).sum();
            bytes / requests(measured)
        })
        .collect();
    let (least, most) = (per_request.iter().min().unwrap(), per_request.iter().max().unwrap());
    // Frames that give room back come when they come.
    assert!(*least > 100 && most - least <= most / 5, "{per_request:?}");
}

#[test]
fn both_propagations_agree_with_customers_at_the_same_time() {
    let scenario = read("input/concurrent_customers.json");
    for propagation in [Propagation::Sync, Propagation::Async] {
        for guarantees in [Guarantees::ALL, Guarantees::NONE] {
            let overrides = Settings {
                propagation: Some(propagation),
                guarantees: Some(guarantees),
                ..Settings::default()
            };
            let options = CompareOptions { overrides, copies: 3, ..short(&Transport::ALL) };
            let comparison = run(&scenario, &options).unwrap();
            assert_eq!(comparison.subject.propagation, propagation);
            // Five customers at once, three times.
            assert_eq!(comparison.subject.customers, 15);
            assert_eq!(comparison.measured.len(), 5);
        }
    }
}

/// The balance after so many repetitions, and with it the passbooks of several who take turns.
#[test]
fn what_is_paid_in_over_and_over_is_there_in_the_end() {
    let turns = vec![
        (1, vec![event(1, 1, deposit(500)), event(2, 2, withdraw(300))]),
        (2, vec![event(1, 3, Operation::Query), event(2, 3, deposit(1))]),
        (1, vec![event(3, 2, Operation::Query)]),
    ];
    let scenario = scenario(3, 10_000, turns);
    let transports = [Transport::Mailbox, Transport::GrpcUnix];
    let comparison = run(&scenario, &short(&transports)).unwrap();
    assert_eq!((comparison.subject.customers, comparison.subject.requests), (1, 5));
    for measured in &comparison.measured {
        let last = measured.rounds.last().unwrap();
        let repetitions = i64::try_from(last.requests / 5).unwrap();
        // The warm-up adds a twentieth and one.
        let played = repetitions + repetitions / 20 + 1;
        assert_eq!(measured.balance, Money::from_minor(10_000 + 201 * played));
    }
}

#[test]
fn the_same_transport_twice_is_measured_twice() {
    let options = short(&[Transport::GrpcMemory, Transport::GrpcMemory]);
    let comparison = run(&read("input/monotonic_writes.json"), &options).unwrap();
    let [first, second] = comparison.measured.as_slice() else { panic!("two rows") };
    assert_eq!(first.transport, second.transport);
    let mut places: Vec<usize> =
        [first, second].iter().flat_map(|row| row.rounds.iter().map(|r| r.place)).collect();
    places.sort_unstable();
    assert_eq!(places, [0, 1, 2, 3]);
}

#[test]
fn the_order_of_rounds_is_of_the_seed() {
    let order = |seed| {
        let overrides = Settings { seed: Some(Seed(seed)), ..Settings::default() };
        let options = CompareOptions {
            overrides,
            rounds: 6,
            round_time: Duration::ZERO,
            ..short(&[Transport::Mailbox, Transport::GrpcMemory])
        };
        let mut order = Vec::new();
        let mut note = |progress| match progress {
            Progress::WarmingUp(_) => {}
            Progress::Round { transport, number, of } => {
                order.push(transport);
                assert_eq!((number, of), (order.len(), 16));
            }
        };
        compare(&read("input/monotonic_writes.json"), &options, &mut note).unwrap();
        order
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn requests_under_an_open_load_come_at_their_rate() {
    let options = CompareOptions {
        load: Load::Open { rate: 1000.0 },
        round_time: Duration::from_millis(60),
        ..short(&[Transport::Mailbox, Transport::GrpcMemory])
    };
    let comparison = run(&read("input/monotonic_writes.json"), &options).unwrap();
    for round in comparison.measured.iter().flat_map(|measured| &measured.rounds) {
        assert_eq!(round.requests, 60);
        // The last of sixty is due after 59 ms, however fast the bank is.
        assert!(round.elapsed_ns >= 59_000_000, "{round:?}");
        assert_eq!((round.processor_ns, round.context_switches), (None, None));
    }
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_runs() {
    let classic = read("input/monotonic_writes.json");
    let told = |scenario: &Scenario, options: &CompareOptions| {
        run(scenario, options).unwrap_err().to_string()
    };
    let mailbox = short(&[Transport::Mailbox]);
    assert!(told(&classic, &short(&[])).starts_with("no transport is named"));
    let nothing = CompareOptions { rounds: 0, ..mailbox.clone() };
    assert!(told(&classic, &nothing).contains("at least one round"));
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let options = CompareOptions { load: Load::Open { rate }, ..mailbox.clone() };
        assert!(told(&classic, &options).starts_with("a rate is more than 0"), "{rate}");
    }
    let nobody = scenario(1, 0, vec![(1, Vec::new())]);
    assert!(told(&nobody, &mailbox).contains("ask nothing"));
    let processes = CompareOptions { program: None, ..short(&[Transport::Processes]) };
    assert!(told(&classic, &processes).contains("no program is named"));
}

/// Customer 1 reads its own writes wherever it asks, and customer 2 need not.
#[test]
fn single_promises_and_a_bank_of_one_branch_are_the_same_in_every_process() {
    let mut favoured = read("input/concurrent_customers.json");
    let customer = favoured.visits[1].customer;
    favoured.settings.customer_guarantees.insert(customer, Guarantees::NONE);
    favoured.settings.propagation = Some(Propagation::Async);
    let options = CompareOptions { copies: 2, ..short(&[Transport::Processes]) };
    assert_eq!(run(&favoured, &options).unwrap().measured.len(), 1);

    let lone = Scenario {
        roster: std::sync::Arc::new(Roster::new([crate::support::parts::branch(7)]).unwrap()),
        ..scenario(1, 500, vec![(1, vec![event(1, 7, Operation::Query)])])
    };
    let comparison = run(&lone, &short(&Transport::ALL)).unwrap();
    assert!(comparison.measured.iter().all(|row| row.balance == Money::from_minor(500)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Also with writes that are refused, or sent again.
    #[test]
    fn transports_agree_on_any_scenario(scenario in any_scenario()) {
        let overrides = Settings { overdraft: Some(Overdraft::Reject), ..Settings::default() };
        let options = CompareOptions {
            overrides,
            rounds: 1,
            round_time: Duration::from_millis(1),
            ..short(&[Transport::Mailbox, Transport::GrpcMemory])
        };
        match run(&scenario, &options) {
            Ok(comparison) => prop_assert_eq!(comparison.measured.len(), 2),
            Err(error) => prop_assert!(matches!(error, CompareError::NoRequests), "{}", error),
        }
    }
}

/// A program that stands for `passbook`: runs `script`, which has its arguments.
fn stand_in(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("stand-in");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a folder of ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a file of ours");
    path
}

#[test]
fn a_transport_that_gives_another_balance_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    // The bank is a line, after which its standard input stays open.
    let script = format!(
        "read -r bank\n{{ echo \"$bank\" | sed 's/\"balance\":0/\"balance\":0.01/g'; cat; }} | {} \"$@\"",
        env!("CARGO_BIN_EXE_passbook")
    );
    // Nothing is promised, so that no passbook tells that it is another bank.
    let overrides = Settings { guarantees: Some(Guarantees::NONE), ..Settings::default() };
    let options = CompareOptions {
        program: Some(stand_in(folder.path(), &script)),
        overrides,
        ..short(&[Transport::Processes])
    };
    let error = run(&read("input/monotonic_writes.json"), &options).unwrap_err();
    assert!(matches!(error, CompareError::Balance { .. }), "{error}");
    let told = "processes: branch 1 holds 0.01, and must hold 0 after what its customers were told";
    assert_eq!(error.to_string(), told);
}

/// The processes whose parent is `parent`, as Linux lists them.
#[cfg(target_os = "linux")]
fn children_of(parent: u32) -> Vec<u32> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").expect("Linux") {
        let path = entry.expect("Linux").path();
        // One that has ended meanwhile is nobody's.
        let status = fs::read_to_string(path.join("status")).unwrap_or_default();
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().parse::<u32>().ok())
        };
        if value("PPid:") == Some(parent) {
            children.extend(value("Pid:"));
        }
    }
    children
}

#[cfg(target_os = "linux")]
fn is_there(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_leaves_no_process_behind() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let script = format!(
        "case \"$*\" in *--branch=2*) echo broken >&2; exit 1;; esac\necho $$ >> {}\nexec {} \"$@\"",
        started.display(),
        env!("CARGO_BIN_EXE_passbook")
    );
    let program = Some(stand_in(folder.path(), &script));
    let options = CompareOptions { program, ..short(&[Transport::Processes]) };
    // It stands in the arguments of every process.
    let name = "a bank that leaves nothing behind";
    let scenario = Scenario { name: name.to_owned(), ..read("input/monotonic_writes.json") };
    let error = run(&scenario, &options).unwrap_err();
    let told = "the process of branch 2 does not serve: it ended and said: broken";
    assert_eq!(error.to_string(), told);
    // The shell of the other branch may have been killed before it came to say who it is.
    let started = fs::read_to_string(started).unwrap_or_default();
    assert!(started.lines().all(|id| !is_there(id.parse().unwrap())), "{started}");
    let all = fs::read_dir("/proc").unwrap();
    let arguments = all.map(|entry| fs::read(entry.unwrap().path().join("cmdline")));
    let is_of_ours = |arguments: &[u8]| String::from_utf8_lossy(arguments).contains(name);
    assert!(!arguments.flatten().any(|arguments| is_of_ours(&arguments)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_the_comparison_and_all_of_its_processes() {
    for signal in ["INT", "TERM"] {
        let args = ["compare", "--transports=processes", "--round-time=100s"];
        let mut command = crate::support::program::command(&args);
        command.arg("input/monotonic_writes.json");
        let comparison = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let id = comparison.id();
        let children = loop {
            let children = children_of(id);
            if children.len() == 2 {
                break children;
            }
            std::thread::yield_now();
        };
        let sent = Command::new("kill").args(["-s", signal, &id.to_string()]).status().unwrap();
        assert!(sent.success());
        let output = comparison.wait_with_output().unwrap();
        let code = match signal {
            "HUP" => 129,
            "INT" => 130,
            _ => 143,
        };
        assert_eq!(output.status.code(), Some(code));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("stopped before all rounds were run"), "{told}");
        assert!(children.iter().all(|&child| !is_there(child)), "{children:?}");
    }
}

/// Signals that end it before it can do anything: the processes of its branches end by themselves.
#[cfg(target_os = "linux")]
#[test]
fn a_comparison_that_is_killed_takes_its_processes_with_it() {
    for signal in ["KILL", "QUIT"] {
        let args = ["compare", "--transports=processes", "--round-time=100s"];
        let mut command = crate::support::program::command(&args);
        command.arg("input/monotonic_writes.json").stdout(Stdio::null()).stderr(Stdio::null());
        let mut comparison = command.spawn().unwrap();
        let id = comparison.id();
        let children = loop {
            let children = children_of(id);
            if children.len() == 2 {
                break children;
            }
            std::thread::yield_now();
        };
        let sent = Command::new("kill").args(["-s", signal, &id.to_string()]).status().unwrap();
        assert!(sent.success());
        let mut pauses = 0;
        while comparison.try_wait().unwrap().is_none() {
            assert!(pauses < 600, "{signal} does not end it; does who runs this test ignore it?");
            pauses += 1;
            pause();
        }
        let mut pauses = 0;
        while children.iter().any(|&child| is_running(child)) {
            assert!(pauses < 600, "{signal}: {children:?} are still there");
            pauses += 1;
            pause();
        }
    }
}

#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "nobody is told when an orphan ends")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

/// Whether it is there and has not ended: where nobody waits for orphans, they stay as zombies.
#[cfg(target_os = "linux")]
fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[test]
fn the_command_measures_what_is_asked_for() {
    let assert = passbook(&[
        "compare",
        "--transports=mailbox,grpc-unix",
        "--rounds=2",
        "--round-time=2ms",
        "--propagation=both",
        "--in-flight=4",
        "input/read_your_writes.json",
    ])
    .success();
    let told = stdout(&assert);
    for part in ["mailbox", "grpc-unix", "sync", "async"] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    assert_eq!(stderr(&assert), "");
}

#[test]
fn the_command_makes_its_own_load() {
    let line = "compare --transports mailbox,processes --rounds 1 --round-time 2ms --branches 3 \
                --customers 4 --events 6";
    let assert = passbook(&line.split_whitespace().collect::<Vec<_>>()).success();
    assert!(stdout(&assert).contains("3 branches, 4 customers"), "{}", stdout(&assert));
    passbook(&["compare", "--events=3", "input/monotonic_writes.json"]).code(2);
}

#[test]
fn the_command_tells_bad_input_from_a_defect() {
    let assert = passbook(&["compare", "--rate=0", "input/monotonic_writes.json"]).code(2);
    assert!(stderr(&assert).contains("a rate is more than 0"));
    passbook(&["compare", "--transports=pigeon", "input/monotonic_writes.json"]).code(2);
    passbook(&["compare", "input/not_there.json"]).code(2);
}

#[test]
fn customers_at_the_same_time_may_be_asked_of_any_scenario() {
    let overrides = Settings { customers: Some(CustomerOrder::Concurrent), ..Settings::default() };
    let options = CompareOptions { overrides, ..short(&[Transport::Mailbox]) };
    let turns = vec![(1, vec![event(1, 1, deposit(500))]), (2, vec![event(1, 1, deposit(1))])];
    let comparison = run(&scenario(2, 0, turns), &options).unwrap();
    assert_eq!(comparison.subject.customers, 2);
}

/// Against a baseline whose rounds took a thousandth of the time, everything is slower.
#[test]
fn a_comparison_that_is_too_slow_against_its_baseline_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let (same, fast) = (folder.path().join("same.json"), folder.path().join("fast.json"));
    let compare = |args: &[&str]| {
        let usual = ["compare", "--transports=mailbox", "--rounds=5", "--round-time=5ms"];
        let mut command = crate::support::program::command(&usual);
        command.args(args).arg("input/monotonic_writes.json").output().unwrap()
    };
    assert_eq!(compare(&["--export-json", same.to_str().unwrap()]).status.code(), Some(0));
    let mut earlier: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&same).unwrap()).unwrap();
    for round in earlier["transports"][0]["rounds"].as_array_mut().unwrap() {
        round["mean_ns"] = (round["mean_ns"].as_f64().unwrap() / 1000.0).into();
    }
    fs::write(&fast, earlier.to_string()).unwrap();
    let slower = compare(&["--baseline", fast.to_str().unwrap(), "--fail-above=10%"]);
    assert_eq!(slower.status.code(), Some(1));
    let told = String::from_utf8(slower.stdout).unwrap();
    assert!(told.contains("more than 10% slower"), "{told}");
    let allowed = compare(&["--baseline", fast.to_str().unwrap(), "--fail-above=100000000%"]);
    assert_eq!(allowed.status.code(), Some(0));
}
