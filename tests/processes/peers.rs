//! Who is believed to be a branch in another process, over sockets.

use std::fs;
use std::path::{Path, PathBuf};

use passbook::grpc::proto::banking::BranchRequest;
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::peer_service_client::PeerServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::process::{Process, classic, free_ports, one, state, typed, until, with_clients};

fn secret(folder: &Path, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    // 64 hexadecimal digits, each time other ones.
    let digit = char::from_digit(u32::try_from(name.len()).expect("short"), 16).expect("a digit");
    fs::write(&path, digit.to_string().repeat(64)).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its owner's alone");
    path
}

/// Branch 1 of two, with the other where `peer` says.
pub(crate) fn alone(secret: &Path, peer: &str) -> Process {
    let args = ["--branch=1", "--single-port=0", "--balance=100", "--confirm-limit=200ms"];
    let more = [format!("--peer=2={peer}"), format!("--bank-secret={}", secret.display())];
    Process::serve(&[args.map(str::to_owned).as_slice(), &more].concat(), 1)
}

/// Branch `branch` of two, which listen one after the other from `port` on.
fn one_of_two(branch: u16, port: u16, secret: &Path, host: &str) -> Process {
    let peer = 3 - branch;
    let args = [
        format!("--branch={branch}"),
        format!("--base-port={}", port - 1),
        format!("--peer={peer}=http://{host}:{}", port + peer - 1),
        format!("--bank-secret={}", secret.display()),
        "--confirm-limit=300ms".to_owned(),
    ];
    Process::serve(&args, 1)
}

/// A deposit of 1 that branch 2 hands on.
fn relayed(event_id: i32) -> BranchRequest {
    BranchRequest {
        r#type: "branch".to_owned(),
        interface: "deposit".to_owned(),
        money: 1.0,
        id: 2,
        event_id,
        customer_id: 1,
        ..BranchRequest::default()
    }
}

/// The write of branch 2 of this number, which may be far in the future.
async fn forged(channel: Channel, sequence: u64) -> Status {
    let logged = v1::LoggedWrite {
        id: Some(v1::WriteId { customer_id: 9, event_id: 1 }),
        write: Some(v1::Write { kind: v1::WriteKind::Deposit.into(), amount: "1".to_owned() }),
        origin_branch_id: 2,
        sequence,
        life: 0,
    };
    let write = Some(v1::PropagatedWrite { logged: Some(logged), dependencies: None });
    let request = v1::PropagateRequest { write, from_branch_id: 2, number: 1, lives: None };
    PeerServiceClient::new(channel).propagate(request).await.expect_err("it is forged")
}

pub(crate) async fn challenged(channel: Channel) -> Result<v1::ChallengeResponse, Status> {
    challenged_in(Some(2), channel).await
}

/// The same in a version of the peer service.
pub(crate) async fn challenged_in(
    version: Option<u32>,
    channel: Channel,
) -> Result<v1::ChallengeResponse, Status> {
    let bank = v1::BankDescription { branch_ids: vec![1, 2], opening_balance: "100".to_owned() };
    let (bank, nonce) = (Some(bank), vec![1; 16]);
    let request = v1::ChallengeRequest { bank, branch_id: 2, start: 1, nonce, version };
    Ok(PeerServiceClient::new(channel).challenge(request).await?.into_inner())
}

async fn deposited(process: &Process, deposit: v1::DepositRequest) -> Result<(), Status> {
    typed(process.channel()).deposit(deposit).await.map(drop)
}

pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[test]
fn a_stranger_on_the_port_of_a_whole_bank_changes_nothing() {
    let process = Process::serve(&["--base-port=0", "--balance=100"].map(str::to_owned), 2);
    with_clients(async {
        for sequence in [1, 2, 60_000] {
            let status = forged(process.channel(), sequence).await;
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unimplemented, "UNKNOWN_SERVICE")
            );
        }
        assert_eq!(classic(process.channel(), relayed(1)).await.unwrap().status, 400);
        for (branch, address) in (1..).zip(&process.addresses) {
            assert_eq!(state(crate::process::channel(address), branch).await.events, []);
        }
    });
}

#[test]
fn a_peer_is_believed_at_an_address_of_its_host_alone() {
    let folder = tempfile::tempdir().unwrap();
    let secret = secret(folder.path(), "a");
    // Of a network that is for documents alone: nobody calls from there.
    let process = alone(&secret, "http://192.0.2.1:50052");
    with_clients(async {
        assert_eq!(classic(process.channel(), relayed(1)).await.unwrap().status, 400);
        let status = challenged(process.channel()).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unauthenticated, "NOT_A_PEER")
        );
        assert!(status.message().contains("the address that the call comes from"), "{status:?}");
        let status = forged(process.channel(), 1).await;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unauthenticated, "NOT_A_PEER")
        );
        assert_eq!(state(process.channel(), 1).await.events, []);
    });
    // Whatever its port is.
    let process = alone(&secret, "http://localhost:9");
    with_clients(async {
        // The name has no address before it was asked for.
        until(|| challenged(process.channel()), Result::is_ok).await.unwrap();
        let told = until(|| classic(process.channel(), relayed(1)), Result::is_ok).await.unwrap();
        assert_eq!((told.status, told.write_sets.as_str()), (200, "[1]"));
    });
}

#[test]
fn branches_that_know_the_same_secret_find_each_other_again_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let secret = secret(folder.path(), "a");
    let port = free_ports(2);
    let serve = |branch| one_of_two(branch, port, &secret, "localhost");
    let (first, second) = (serve(1), serve(2));
    with_clients(async {
        let again = || deposited(&first, one(1, 1, Some(1)));
        until(again, Result::is_ok).await.unwrap();
        assert_eq!(state(second.channel(), 2).await.balance, "1");
    });
    second.kill();
    let second = serve(2);
    with_clients(async {
        until(|| state(second.channel(), 2), |state| state.balance == "1").await;
        let again = || deposited(&second, one(2, 2, Some(1)));
        until(again, Result::is_ok).await.unwrap();
        let again = || deposited(&first, one(1, 1, Some(2)));
        until(again, Result::is_ok).await.unwrap();
        assert_eq!(state(first.channel(), 1).await.balance, "3");
        assert_eq!(state(second.channel(), 2).await.balance, "3");
    });
}

#[test]
fn a_branch_with_another_secret_is_no_peer() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_ports(2);
    let second = one_of_two(2, port, &secret(folder.path(), "another"), "127.0.0.1");
    // It finds the other one there at once.
    let first = one_of_two(1, port, &secret(folder.path(), "a"), "127.0.0.1");
    with_clients(async {
        let status = typed(first.channel()).deposit(one(1, 1, Some(1))).await.unwrap_err();
        assert_eq!(reason(&status), "RETURNING");
        assert_eq!(state(second.channel(), 2).await.events, []);
    });
    let log = first.close("TERM").log;
    assert!(
        log.contains("it does not prove to be branch 2; its secret, or its --bank-name"),
        "{log}"
    );
}
