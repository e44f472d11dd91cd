//! One scenario of a client cannot take the bank.
//!
//! Four long ones once stopped the service, a client's deadline stopped none of them, one with 0.9
//! MB of branches ended the process, and results that nobody read held 900 MB.

use std::fmt::Write;
use std::time::Duration;

use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::run_scenario_response::Item;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt;

use crate::process::{Process, one, typed, until, with_clients};

/// How long a good client waits at most beside others that are none.
const PATIENCE: Duration = Duration::from_secs(2);

/// A scenario of one customer, who makes so many deposits of 1 at the first of so many branches.
fn scenario(branches: usize, deposits: usize) -> String {
    let deposit = |id| format!(r#"{{"id":{id},"interface":"deposit","money":1,"branch":1}}"#);
    let events: Vec<String> = (1..=deposits).map(deposit).collect();
    let mut text = format!(r#"[{{"id":1,"type":"customer","events":[{}]}}"#, events.join(","));
    for id in 1..=branches {
        write!(text, r#",{{"id":{id},"type":"branch","balance":0}}"#).expect("in memory");
    }
    text.push(']');
    text
}

/// One that takes minutes.
fn long() -> String {
    scenario(1000, 4000)
}

/// Serves two branches, and scenarios as long as they may be.
fn serve(args: &[&str]) -> Process {
    let fixed =
        ["--base-port=0", "--memory-max=16GB", "--log-max=1000", "--scenario-events-max=10000000"];
    let all: Vec<String> = fixed.iter().chain(args).map(|&arg| arg.to_owned()).collect();
    Process::serve(&all, 2)
}

type Results = Result<Streaming<v1::RunScenarioResponse>, Status>;

/// Runs `scenario` for a client that has so much time.
async fn run(channel: Channel, scenario: String, limit: Duration) -> Results {
    let mut request = Request::new(v1::RunScenarioRequest { scenario, ..Default::default() });
    request.set_timeout(limit);
    typed(channel).run_scenario(request).await.map(tonic::Response::into_inner)
}

/// Begins one that takes minutes, in the place of whichever runs yet.
fn start_long(process: &Process) -> JoinHandle<Results> {
    let channel = process.channel();
    tokio::spawn(async move {
        let run = || run(channel.clone(), long(), Duration::from_secs(30));
        until(run, |results| !matches!(results, Err(status) if reason(status) == "OVERLOADED"))
            .await
    })
}

async fn run_small(channel: Channel) -> Results {
    run(channel, scenario(1, 1), Duration::from_secs(30)).await
}

#[track_caller]
fn assert_told(results: Results, code: Code, reason: &str) -> Status {
    let status = results.expect_err("an error");
    assert_eq!((status.code(), self::reason(&status).as_str()), (code, reason), "{status:?}");
    status
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("details").reason
}

/// A whole result.
struct All {
    facts: u32,
    /// In how many parts the report came before its end.
    parts: u32,
    report: serde_json::Value,
}

impl All {
    async fn of(results: &mut Streaming<v1::RunScenarioResponse>) -> Self {
        let (mut facts, mut parts, mut json) = (0, 0, String::new());
        loop {
            let item = results.message().await.expect("an item").expect("a report at the end").item;
            match item.expect("of a kind that is known") {
                Item::Fact(_) => facts += 1,
                Item::ReportJsonPart(part) => {
                    parts += 1;
                    json += &part;
                }
                Item::Report(report) => {
                    assert!(report.json.is_empty() || parts == 0, "whole, and in parts");
                    let report = serde_json::from_str(&(json + &report.json)).expect("JSON");
                    let end = results.message().await.expect("an end");
                    assert!(end.is_none(), "nothing follows");
                    return Self { facts, parts, report };
                }
            }
        }
    }
}

/// Waits until so many scenarios run as may.
async fn until_crowded(process: &Process) {
    let refused = until(|| run_small(process.channel()), Result::is_err).await;
    assert_told(refused, Code::ResourceExhausted, "OVERLOADED");
}

/// Waits until one more may run, but not long: the scenarios that ran would take minutes.
async fn until_free(process: &Process) {
    let free = until(|| run_small(process.channel()), Result::is_ok);
    let free = tokio::time::timeout(Duration::from_secs(10), free).await;
    free.expect("the place becomes free").expect("it runs");
}

#[test]
fn a_scenario_whose_client_has_no_time_left_is_stopped_and_its_place_becomes_free() {
    let process = serve(&["--scenarios-max=1"]);
    with_clients(async {
        let results = run(process.channel(), long(), Duration::from_millis(500)).await;
        // The client and the server look at the same clock; whoever is first says so.
        let code = results.expect_err("it takes minutes").code();
        assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{code:?}");
        until_free(&process).await;
        // A client that goes away leaves none behind either.
        let left = start_long(&process);
        until_crowded(&process).await;
        left.abort();
        until_free(&process).await;
    });
    assert!(process.close("TERM").status.success());
}

#[test]
fn a_scenario_that_takes_too_long_is_stopped_and_told_so() {
    let process = serve(&["--scenarios-max=1", "--scenario-time-max=500ms"]);
    with_clients(async {
        let results = run(process.channel(), long(), Duration::from_secs(30)).await;
        let status = assert_told(results, Code::ResourceExhausted, "TOO_LARGE");
        assert_eq!(
            status.message(),
            "stopped after 500ms; use fewer branches or events, or allow more with \
             --scenario-time-max"
        );
        until_free(&process).await;
    });
}

#[test]
fn more_scenarios_than_may_run_are_refused_at_once_and_the_bank_serves_beside_them() {
    let process = serve(&["--scenarios-max=2"]);
    with_clients(async {
        let long_ones = [(); 2].map(|()| start_long(&process));
        until_crowded(&process).await;
        for event in 1..=20 {
            let served = async {
                let refused = run_small(process.channel()).await;
                let status = assert_told(refused, Code::ResourceExhausted, "OVERLOADED");
                assert_eq!(
                    status.message(),
                    "2 scenarios are run at the same time, and so many are; try again later"
                );
                typed(process.channel()).deposit(one(1, 1, Some(event))).await.unwrap();
            };
            tokio::time::timeout(PATIENCE, served).await.expect("both are answered soon");
        }
        for long_one in long_ones {
            assert!(!long_one.is_finished());
            long_one.abort();
        }
    });
}

#[test]
fn a_bank_that_closes_does_not_wait_for_a_scenario() {
    let process = serve(&["--scenarios-max=1"]);
    with_clients(async {
        let long_one = start_long(&process);
        until_crowded(&process).await;
        let closed = tokio::task::spawn_blocking(move || process.close("TERM"));
        // Two seconds are what a bank takes at most for its calls.
        let closed = tokio::time::timeout(Duration::from_secs(10), closed).await;
        assert!(closed.expect("it ends in time").unwrap().status.success());
        assert_told(long_one.await.unwrap(), Code::Unavailable, "DRAINING");
    });
}

#[test]
fn a_scenario_of_more_events_than_are_run_is_refused() {
    let process =
        Process::serve(&["--base-port=0", "--scenario-events-max=20"].map(str::to_owned), 2);
    with_clients(async {
        let limit = Duration::from_secs(30);
        assert!(run(process.channel(), scenario(4, 5), limit).await.is_ok());
        for (branches, events) in [(3, 7), (21, 0)] {
            let results = run(process.channel(), scenario(branches, events), limit).await;
            let status = assert_told(results, Code::ResourceExhausted, "TOO_LARGE");
            assert_eq!(
                status.message(),
                format!(
                    "{branches} branches times {events} events: 20 are run at most; use fewer \
                     branches or events, or allow more with --scenario-events-max"
                )
            );
        }
    });
}

/// Reads nothing by itself: what it lets the server send before it has read is little.
async fn slow(process: &Process) -> Channel {
    let address = format!("http://{}", process.addresses[0]);
    let endpoint = Endpoint::from_shared(address).expect("an address");
    let endpoint = endpoint.initial_stream_window_size(1024).initial_connection_window_size(65_535);
    endpoint.connect().await.expect("it listens")
}

#[test]
fn a_result_that_nobody_reads_holds_its_share_for_some_time_and_no_more() {
    // 20,000 writes at branches take 22 MiB; the program itself, and reading, has its own, and half of
    // what is left is for the logs of the bank that serves.
    let args = ["--base-port=0", "--memory-max=104MiB", "--scenario-time-max=8s"];
    let process = Process::serve(&args.map(str::to_owned), 2);
    let large = || run(process.channel(), scenario(100, 200), Duration::from_secs(30));
    with_clients(async {
        let request = v1::RunScenarioRequest { scenario: scenario(100, 200), ..Default::default() };
        let unread = typed(slow(&process).await).run_scenario(request).await;
        let mut unread = unread.unwrap().into_inner();
        let status = assert_told(large().await, Code::ResourceExhausted, "TOO_LARGE");
        assert!(status.message().contains(", and others leave "), "{status:?}");
        // Nobody reads, and all of it is given back.
        let read = until(large, Result::is_ok);
        let mut read = tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        let all = All::of(&mut read).await;
        // Each write is applied a hundred times, and sent, taken and acknowledged ninety-nine
        // times.
        assert!(all.facts > 200 * (100 + 3 * 99), "{}", all.facts);
        assert_eq!((&all.report["balances"][0]["balance"], all.parts), (&200.into(), 0));
        // What was kept of the other one is little, and it is told why there is no more.
        let mut items = 0;
        let status = loop {
            match unread.message().await {
                Ok(item) => items += usize::from(item.is_some()),
                Err(status) => break status,
            }
        };
        assert_told(Err(status), Code::DeadlineExceeded, "TIME_OVER");
        assert!(items < 5000, "{items}");
    });
}

/// The estimate lets it run in what it may take, or refuses it; so does the machine.
#[test]
fn nearly_a_megabyte_of_branches_is_served_or_refused_within_the_limit_of_memory() {
    let large = scenario(23_000, 0);
    assert!(large.len() > 900_000);
    for (memory_max, address_space, is_served) in
        [("100MiB", 700_u64, false), ("400MiB", 1000, true)]
    {
        let args = ["--base-port=0".to_owned(), format!("--memory-max={memory_max}")];
        let ulimit = format!("-v {}", address_space << 10);
        let process = Process::serve_within(&ulimit, &args, 2);
        with_clients(async {
            let results = run(process.channel(), large.clone(), Duration::from_secs(30)).await;
            if is_served {
                let all = All::of(&mut results.unwrap()).await;
                assert_eq!((&all.report["counts"]["branches"], all.facts), (&23_000.into(), 0));
            } else {
                assert_told(results, Code::ResourceExhausted, "TOO_LARGE");
            }
            typed(process.channel()).deposit(one(1, 1, Some(1))).await.unwrap();
        });
    }
}

/// Clients accept 4 MiB in a message, if nobody tells them otherwise.
#[test]
fn a_report_that_no_message_holds_comes_in_parts() {
    let process = serve(&["--scenario-time-max=30s"]);
    with_clients(async {
        let results = run(process.channel(), scenario(120, 800), Duration::from_secs(30)).await;
        let all = All::of(&mut results.unwrap()).await;
        assert!(all.parts > 100, "{}", all.parts);
        let branches = all.report["branches"].as_array().unwrap();
        assert_eq!(branches.len(), 120);
        assert!(branches.iter().all(|branch| branch["balance"] == 800));
    });
}
