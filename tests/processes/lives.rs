//! Banks whose branches lose their memory: what a client is told that holds a passbook from before.

use std::path::Path;

use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::peers::reason;
use crate::process::{Process, free_ports, one, state, typed, until, with_clients};

/// A secret that outlives processes.
fn secret() -> String {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/secret-1.txt"));
    format!("--bank-secret={}", path.display())
}

/// Where branches are or will be.
struct Ports {
    first: u16,
    branches: u16,
}

impl Ports {
    fn of(branches: u16) -> Self {
        Self { first: free_ports(branches), branches }
    }

    fn serve(&self, branch: u16, more: &[&str]) -> Process {
        let mut args =
            vec![format!("--branch={branch}"), format!("--base-port={}", self.first - 1)];
        for peer in (1..=self.branches).filter(|&peer| peer != branch) {
            let port = self.first + peer - 1;
            args.push(format!("--peer={peer}=http://127.0.0.1:{port}"));
        }
        args.push(secret());
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        Process::serve(&args, 1)
    }

    fn serve_all(&self, more: &[&str]) -> Vec<Process> {
        (1..=self.branches).map(|branch| self.serve(branch, more)).collect()
    }
}

type Bank = BankServiceClient<Channel>;

fn bank(process: &Process) -> Bank {
    typed(process.channel())
}

async fn deposit(
    bank: &mut Bank,
    deposit: v1::DepositRequest,
) -> Result<v1::DepositResponse, Status> {
    Ok(bank.deposit(deposit).await?.into_inner())
}

/// What customer 1 is told that shows this passbook at `branch_id`.
async fn query(
    bank: &mut Bank,
    branch_id: u32,
    passbook: &[u8],
) -> Result<v1::QueryResponse, Status> {
    let passbook = Some(passbook.to_vec());
    let request = v1::QueryRequest { branch_id, customer_id: 1, event_id: None, passbook };
    Ok(bank.query(request).await?.into_inner())
}

/// The passbook that comes with an error.
fn passbook_of(status: &Status) -> Vec<u8> {
    let passbook = status.metadata().get_bin("passbook-bin").expect("a passbook");
    passbook.to_bytes().expect("bytes").to_vec()
}

#[track_caller]
fn assert_lost(status: &Status) {
    assert_eq!((status.code(), reason(status).as_str()), (Code::DataLoss, "WRITES_LOST"));
}

#[test]
fn a_passbook_from_before_a_start_is_told_what_is_lost_and_goes_on() {
    let args = ["--base-port=0".to_owned(), secret()];
    let first = Process::serve(&args, 2);
    let passbook = with_clients(async {
        let mut bank = bank(&first);
        let deposited = deposit(&mut bank, one(1, 1, Some(1))).await.unwrap();
        query(&mut bank, 2, &deposited.passbook).await.unwrap();
        deposited.passbook
    });
    first.kill();
    let second = Process::serve(&args, 2);
    with_clients(async {
        let mut bank = bank(&second);
        let told = query(&mut bank, 2, &passbook).await.unwrap_err();
        assert_lost(&told);
        assert!(told.message().contains("1 write"), "{told:?}");
        // Another write of the same customer has the number that the lost one had, and is no other's.
        deposit(&mut bank, one(1, 1, Some(2))).await.unwrap();
        assert_lost(&query(&mut bank, 2, &passbook).await.unwrap_err());
        let left = passbook_of(&told);
        assert_eq!(query(&mut bank, 2, &left).await.unwrap().balance, "1");
        let request = v1::DepositRequest { passbook: Some(passbook), ..one(1, 1, Some(3)) };
        let told = deposit(&mut bank, request.clone()).await.unwrap_err();
        assert_lost(&told);
        let request = v1::DepositRequest { passbook: Some(passbook_of(&told)), ..request };
        assert_eq!(deposit(&mut bank, request).await.unwrap().balance, "2");
    });
}

#[test]
fn a_passbook_is_good_as_long_as_some_branch_remembers() {
    let ports = Ports::of(3);
    let mut processes = ports.serve_all(&[]);
    with_clients(async {
        let mut passbook = Vec::new();
        // Each is killed in turn: whoever is there has what it held.
        for round in 0..6 {
            let event = Some(round + 1);
            let request = v1::DepositRequest {
                passbook: (round > 0).then(|| passbook.clone()),
                ..one(round % 3 + 1, 1, event)
            };
            let place = usize::try_from(round % 3).unwrap();
            let mut at = bank(&processes[place]);
            passbook = deposit(&mut at, request).await.unwrap().passbook;
            processes.remove(place).kill();
            let branch = u16::try_from(place + 1).unwrap();
            processes.insert(place, ports.serve(branch, &[]));
            let read = query(&mut bank(&processes[place]), u32::from(branch), &passbook).await;
            assert_eq!(read.unwrap().balance, (round + 1).to_string());
        }
    });
}

#[test]
fn when_all_processes_start_anew_what_they_held_is_lost_and_told_so() {
    let ports = Ports::of(3);
    let processes = ports.serve_all(&[]);
    let passbook = with_clients(async {
        let mut passbook = None;
        for (branch, process) in (1..).zip(&processes) {
            let request = v1::DepositRequest { passbook, ..one(branch, 1, Some(branch)) };
            passbook = Some(deposit(&mut bank(process), request).await.unwrap().passbook);
        }
        passbook.unwrap()
    });
    processes.into_iter().for_each(Process::kill);
    let processes = ports.serve_all(&[]);
    with_clients(async {
        let told = query(&mut bank(&processes[1]), 2, &passbook).await.unwrap_err();
        assert_lost(&told);
        let left = passbook_of(&told);
        let request = v1::DepositRequest { passbook: Some(left), ..one(3, 1, Some(9)) };
        let deposited = deposit(&mut bank(&processes[2]), request).await.unwrap();
        let read = query(&mut bank(&processes[0]), 1, &deposited.passbook).await.unwrap();
        assert_eq!(read.balance, "1");
    });
}

#[test]
fn one_that_is_alone_after_a_start_reads_and_takes_no_writes_that_must_be_confirmed() {
    let ports = Ports::of(2);
    let processes = ports.serve_all(&["--wait-limit=300ms"]);
    let passbook = with_clients(async {
        let deposited = deposit(&mut bank(&processes[0]), one(1, 1, Some(1))).await.unwrap();
        deposited.passbook
    });
    processes.into_iter().for_each(Process::kill);
    let alone = ports.serve(1, &["--wait-limit=300ms"]);
    with_clients(async {
        let mut at = bank(&alone);
        let refused = |answer: Result<v1::DepositResponse, Status>| {
            let status = answer.unwrap_err();
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unavailable, "RETURNING"),
                "{status:?}"
            );
        };
        // It serves nobody before it has tried to hear from the other one.
        refused(deposit(&mut at, one(1, 1, Some(1))).await);
        // Then it serves, but what asks for more than it has.
        let read = || {
            let mut at = at.clone();
            let request =
                v1::QueryRequest { branch_id: 1, customer_id: 2, event_id: None, passbook: None };
            async move { at.query(request).await }
        };
        assert_eq!(until(read, Result::is_ok).await.unwrap().into_inner().balance, "0");
        refused(deposit(&mut at, one(1, 1, Some(1))).await);
        refused(deposit(&mut at, one(1, 1, None)).await);
        let status = query(&mut at, 1, &passbook).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unavailable, "VERSION_NOT_REACHED")
        );
        assert!(status.message().contains('2'), "who has not been heard: {status:?}");

        // When the other one is there too, all is lost that both forgot.
        let other = ports.serve(2, &["--wait-limit=300ms"]);
        let again = || {
            let mut at = at.clone();
            async move { deposit(&mut at, one(1, 1, None)).await }
        };
        until(again, Result::is_ok).await.unwrap();
        assert_lost(&query(&mut at, 1, &passbook).await.unwrap_err());
        assert_eq!(state(other.channel(), 2).await.balance, "1");
    });
}

/// Nothing is confirmed with async propagation: who is alone takes writes, under numbers of its own.
#[test]
fn numbers_that_are_given_alone_after_a_start_are_no_others() {
    let ports = Ports::of(2);
    let args = ["--propagation=async", "--guarantees=none"];
    let (first, second) = (ports.serve(1, &args), ports.serve(2, &args));
    with_clients(async {
        for event in 1..=5 {
            deposit(&mut bank(&first), one(1, 1, Some(event))).await.unwrap();
        }
        until(|| state(second.channel(), 2), |state| state.events.len() == 5).await;
        // The other one stands still, and hears of nothing.
        second.signal("STOP");
        first.kill();
        let first = ports.serve(1, &args);
        for event in 1..=3 {
            deposit(&mut bank(&first), one(1, 2, Some(event))).await.unwrap();
        }
        second.signal("CONT");
        for (branch, process) in [(1, &first), (2, &second)] {
            let all = until(|| state(process.channel(), branch), |state| state.events.len() == 8);
            assert_eq!(all.await.balance, "8");
        }
    });
}

/// It was told to be a branch that another process is.
#[test]
fn a_twin_ends_and_the_one_at_the_branchs_address_goes_on() {
    let ports = Ports::of(3);
    let processes = ports.serve_all(&[]);
    let twin = with_clients(async {
        deposit(&mut bank(&processes[0]), one(1, 1, Some(1))).await.unwrap();
        let mut args = vec!["--branch=1".to_owned(), "--single-port=0".to_owned(), secret()];
        for peer in [2, 3] {
            args.push(format!("--peer={peer}=http://127.0.0.1:{}", ports.first + peer - 1));
        }
        Process::serve(&args, 1).wait()
    });
    assert_eq!(twin.status.code(), Some(2), "{twin:?}");
    let told: Vec<&str> = twin.log.lines().filter(|line| line.starts_with("error: ")).collect();
    let [told] = told[..] else { panic!("one line: {}", twin.log) };
    assert!(
        told.starts_with("error: branch 1 is another process, the one at the address"),
        "{told}"
    );
    with_clients(async {
        deposit(&mut bank(&processes[0]), one(1, 1, Some(2))).await.unwrap();
        assert_eq!(state(processes[2].channel(), 3).await.balance, "2");
    });
}

#[test]
fn a_branch_in_place_of_another_is_named() {
    let ports = Ports::of(3);
    let processes: Vec<Process> = [2, 3].map(|branch| ports.serve(branch, &[])).into();
    let port = ports.first + 1;
    let args = [
        "--branch=1".to_owned(),
        "--single-port=0".to_owned(),
        format!("--peer=2=http://127.0.0.1:{port}"),
        format!("--peer=3=http://127.0.0.1:{port}"),
        secret(),
    ];
    let log = Process::serve(&args, 1).log_until("branch 1 cannot reach branch 3");
    assert!(log.contains("branch 2 is there, and not branch 3; look at --peer"), "{log}");
    drop(processes);
}
