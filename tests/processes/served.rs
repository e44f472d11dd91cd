//! One process that serves a whole bank.

use std::net::TcpListener;

use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::run_scenario_response::Item;
use tonic::Code;

use crate::process::{Process, channel, free_ports, one, passbook, typed, with_clients};

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
        let status = run(&process.addresses[0], "").await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    });
}
