//! One process that serves a whole bank.

use std::net::TcpListener;

use passbook::grpc::proto::banking::BranchRequest;
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::run_scenario_response::Item;
use tonic::Code;
use tonic_types::StatusExt;

use crate::process::{Process, channel, classic, free_ports, one, passbook, typed, with_clients};

fn args<const N: usize>(args: [&str; N]) -> Vec<String> {
    args.map(str::to_owned).into()
}

#[test]
fn each_branch_listens_on_its_own_port_and_final_balances_are_told() {
    let base = free_ports(2) - 1;
    let arguments = [args(["--balance=100"]), vec![format!("--base-port={base}")]].concat();
    let process = Process::serve(&arguments, 2);
    let expected = [1, 2].map(|branch| format!("127.0.0.1:{}", base + branch));
    assert_eq!(process.addresses, expected);
    with_clients(async {
        let second = channel(&process.addresses[1]);
        typed(second).deposit(one(1, 1, None)).await.unwrap();
    });
    let closed = process.close("INT");
    assert!(closed.status.success());
    let row = |branch| serde_json::json!({ "branch": branch, "balance": 101 });
    let expected = serde_json::json!({ "balances": [row(1), row(2)], "turned_away": 0 });
    assert_eq!(closed.told(), expected);
}

/// Whoever starts it in the background gives it no standard input, and wants it to stay.
#[test]
fn the_end_of_standard_input_closes_it_only_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let stays =
        Process::serve_with(&args(["--base-port=0"]), 2, std::fs::File::open(&empty).unwrap());
    with_clients(async {
        typed(stays.channel()).deposit(one(1, 1, None)).await.unwrap();
    });
    assert!(stays.close("TERM").status.success());
    let (input, parent) = std::io::pipe().unwrap();
    let asked = Process::serve_with(&args(["--base-port=0", "--until-stdin-ends"]), 2, input);
    with_clients(async {
        typed(asked.channel()).deposit(one(1, 1, None)).await.unwrap();
    });
    drop(parent);
    let closed = asked.wait();
    assert!(closed.status.success());
    let row = |branch| serde_json::json!({ "branch": branch, "balance": 1 });
    assert_eq!(closed.told()["balances"], serde_json::json!([row(1), row(2)]));
}

#[test]
fn a_port_in_use_is_named_before_anything_is_served() {
    let base = free_ports(2) - 1;
    let taken = TcpListener::bind(("127.0.0.1", base + 2)).unwrap();
    let arguments = [args(["serve"]), vec![format!("--base-port={base}")]].concat();
    let output = passbook(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(&taken.local_addr().unwrap().to_string()), "{told}");
    assert!(told.contains("another program uses this port"), "{told}");
}

#[test]
fn an_address_that_others_reach_is_warned_about() {
    let process = Process::serve(&args(["--listen=0.0.0.0", "--single-port=0"]), 1);
    let closed = process.close("TERM");
    assert!(closed.log.contains("there is no authentication yet"), "{}", closed.log);
}

async fn run(address: &str, scenario: &str) -> Result<Vec<Item>, tonic::Status> {
    let request = v1::RunScenarioRequest { scenario: scenario.to_owned(), ..Default::default() };
    let mut stream = typed(channel(address)).run_scenario(request).await?.into_inner();
    let mut items = Vec::new();
    while let Some(response) = stream.message().await? {
        items.push(response.item.expect("an item"));
    }
    Ok(items)
}

#[test]
fn a_scenario_that_is_sent_is_answered_with_its_facts_and_then_the_report() {
    let process = Process::serve(&args(["--base-port=0"]), 2);
    let scenario = std::fs::read_to_string("input/read_your_writes.json").unwrap();
    with_clients(async {
        let mut items = run(&process.addresses[0], &scenario).await.unwrap();
        let Some(Item::Report(report)) = items.pop() else { panic!("no report at the end") };
        let told: serde_json::Value = serde_json::from_str(&report.json).unwrap();
        assert_eq!(told["balances"][0]["balance"], serde_json::json!(400), "{told}");
        assert!(items.len() > 5);
        assert!(items.iter().all(|item| matches!(item, Item::Fact(_))));
        // The bank that serves has nothing to do with it.
        let mut bank = typed(process.channel());
        let listed = bank.list_branches(v1::ListBranchesRequest {}).await.unwrap().into_inner();
        assert!(listed.branches.iter().all(|branch| branch.balance == "0"));
    });
}

#[test]
fn a_scenario_that_is_wrong_is_told_where() {
    let process = Process::serve(&args(["--base-port=0"]), 2);
    with_clients(async {
        let wrong = "[\n  {\"id\": 1, \"type\": \"branch\", \"balance\": 1.234}\n]";
        let status = run(&process.addresses[0], wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with("2:"), "{status:?}");
        let wrong = "[\n  {\"id\": 1, \"typ\": \"branch\", \"balance\": 0}\n]";
        let status = run(&process.addresses[0], wrong).await.unwrap_err();
        assert!(status.message().ends_with("; help: did you mean `type`?"), "{status:?}");
        let told = status.get_error_details();
        let info = told.error_info().unwrap();
        let item = |key: &str| info.metadata[key].as_str();
        assert_eq!([item("field"), item("line"), item("column")], ["scenario", "2", "13"]);
        assert_eq!(item("help"), "did you mean `type`?");
        assert_eq!(told.bad_request().unwrap().field_violations[0].description, status.message());
        let status = run(&process.addresses[0], "").await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    });
}

#[test]
fn a_scenario_that_would_take_the_memory_is_refused_and_the_bank_goes_on() {
    let process = Process::serve(&args(["--base-port=0", "--memory-max=100MB"]), 2);
    let branch = |id| format!(r#"{{"id":{id},"type":"branch","balance":0}}"#);
    let branches: Vec<String> = (1..=20_000).map(branch).collect();
    let scenario = format!("[{}]", branches.join(","));
    with_clients(async {
        let status = run(&process.addresses[0], &scenario).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().starts_with("this takes about "), "{status:?}");
        let small =
            r#"[{"id":1,"type":"branch","balance":5},{"id":1,"type":"customer","events":[]}]"#;
        assert_eq!(run(&process.addresses[0], small).await.unwrap().len(), 1);
    });
    let closed = process.close("TERM");
    let line = "limits were hit: memory for scenarios of clients (--memory-max) once";
    assert!(closed.log.contains(line), "{closed:?}");
}

#[test]
fn why_classic_calls_are_refused_is_in_the_log_once_for_each_reason_and_peer() {
    let process = Process::serve(&args(["--base-port=0"]), 2);
    let deposit = |id, customer_id, money| BranchRequest {
        r#type: "customer".to_owned(),
        interface: "deposit".to_owned(),
        money,
        id,
        event_id: 1,
        customer_id,
        ..BranchRequest::default()
    };
    with_clients(async {
        // At whichever branch, and over whichever connection.
        for address in [&process.addresses[0], &process.addresses[1], &process.addresses[0]] {
            for wrong in [deposit(1, 1, -1.0), deposit(1, 1, 0.0), deposit(1, 3, 1.0)] {
                let reply = classic(channel(address), wrong).await.unwrap();
                assert_eq!((reply.status, reply.write_sets.as_str()), (400, "[]"));
            }
        }
    });
    let log = process.close("TERM").log;
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("with 400")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines[0].contains("branch 1 answers 127.0.0.1 with 400: BAD_FIELD: money: not positive"),
        "{log}"
    );
    assert!(lines[1].contains("id: 1 is not the customer_id 3"), "{log}");
}

#[test]
fn pages_of_the_origins_that_are_named_may_call() {
    use std::io::{Read, Write};
    let origins = ["--cors-origin=https://a.example", "--cors-origin=http://localhost:8080"];
    let process = Process::serve(&[args(["--single-port=0"]), args(origins)].concat(), 1);
    let ask = |origin: &str| {
        let mut wire = std::net::TcpStream::connect(&process.addresses[0]).unwrap();
        let request = format!(
            "OPTIONS /banking.Branch/MsgDelivery HTTP/1.1\r\nhost: bank\r\nconnection: close\r\n\
             origin: {origin}\r\naccess-control-request-method: POST\r\n\r\n"
        );
        wire.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        wire.read_to_string(&mut answer).unwrap();
        answer
    };
    for origin in ["https://a.example", "http://localhost:8080"] {
        let answer = ask(origin);
        let allowed = format!("\r\naccess-control-allow-origin: {origin}\r\n");
        assert!(answer.starts_with("HTTP/1.1 204 ") && answer.contains(&allowed), "{answer}");
    }
    assert!(ask("https://b.example").starts_with("HTTP/1.1 403 "));
    let output = passbook(&args(["serve", "--cors-origin=a.example"])).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("write it as browsers do, such as https://example.org:8443"), "{told}");
}
