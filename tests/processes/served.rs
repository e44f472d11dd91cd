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
}
