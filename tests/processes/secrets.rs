//! The secret of a bank: how it is made, what it seals, and what is said of a file that is none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use passbook::grpc::proto::v1;
use tonic::{Code, Status};

use crate::process::{Process, one, passbook, typed, with_clients};

fn run(args: &[&str]) -> Output {
    let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    passbook(&args).output().expect("the program runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A new secret in a file of `folder`.
fn made(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let output = run(&["secret", path.to_str().expect("text")]);
    assert_eq!((output.status.code(), told(&output).as_str()), (Some(0), ""));
    path
}

/// A whole bank, sealed by the secret in `secret` or by one of its own.
fn bank(secret: Option<&Path>) -> Process {
    let secret = secret.map(|path| format!("--bank-secret={}", path.display()));
    Process::serve(&["--single-port=0".to_owned()].into_iter().chain(secret).collect::<Vec<_>>(), 1)
}

/// A passbook that `bank` gives.
fn token(bank: &Process) -> Vec<u8> {
    with_clients(async {
        let query = v1::QueryRequest { branch_id: 1, customer_id: 1, ..Default::default() };
        typed(bank.channel()).query(query).await.expect("an answer").into_inner().passbook
    })
}

fn shown(bank: &Process, token: &[u8]) -> Result<(), Status> {
    with_clients(async {
        let deposit = v1::DepositRequest { passbook: Some(token.to_vec()), ..one(1, 1, None) };
        typed(bank.channel()).deposit(deposit).await.map(drop)
    })
}

#[test]
fn a_secret_is_made_for_its_owner_alone_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), "bank.secret");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    let line = text.strip_suffix('\n').unwrap();
    assert!(line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
    let again = run(&["secret", path.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2));
    assert!(told(&again).contains("bank.secret exists already, and is left as it is"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let nowhere = run(&["secret", folder.path().join("none/bank.secret").to_str().unwrap()]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(told(&nowhere).contains("none/bank.secret: No such file"), "{}", told(&nowhere));
}

#[test]
fn passbooks_are_good_as_long_as_the_secret_that_sealed_them_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (made(folder.path(), "old"), made(folder.path(), "new"));
    let both = folder.path().join("both");
    let lines = [&new, &old].map(|path| fs::read_to_string(path).unwrap()).concat();
    fs::write(&both, lines).unwrap();
    fs::set_permissions(&both, fs::Permissions::from_mode(0o600)).unwrap();
    let by_old = token(&bank(Some(&old)));
    let changing = bank(Some(&both));
    let by_new = token(&changing);
    shown(&changing, &by_old).unwrap();
    let log = changing.close("TERM").log;
    assert!(log.starts_with("note: the bank is in memory") && log.lines().count() == 1, "{log}");
    let changed = bank(Some(&new));
    shown(&changed, &by_new).unwrap();
    assert_eq!(shown(&changed, &by_old).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn without_a_secret_a_passbook_is_worth_nothing_when_its_bank_starts_again() {
    // The name is known to everybody, and proves nothing.
    let named = || Process::serve(&["--single-port=0", "--bank-name=bank"].map(str::to_owned), 1);
    let (first, second) = (named(), named());
    let kept = token(&first);
    shown(&first, &kept).unwrap();
    let status = shown(&second, &kept).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.message(),
        "passbook: not of this bank, or from before it started again; leave it out"
    );
}

#[test]
fn a_file_that_holds_no_secret_is_named_with_what_is_wrong_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let line = "a".repeat(64);
    for (content, wrong) in [
        (Vec::new(), "it is empty; make one with 'passbook secret FILE'"),
        (b"hunter2\n".to_vec(), "line 1 is not 64 hexadecimal digits"),
        (format!("{line}\nhunter2\n").into(), "line 2 is not 64 hexadecimal digits"),
        (format!("{line}\n{line}\n{line}\n").into(), "it has 3 lines; there are at most two"),
        (vec![0xff; 100_000], "it is not text"),
    ] {
        let path = folder.path().join("bank.secret");
        fs::write(&path, content).unwrap();
        let output = run(&["serve", "--base-port=0", "--bank-secret", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        let told = told(&output);
        assert!(told.contains("bank.secret holds no secret of a bank: "), "{told}");
        assert!(told.contains(wrong), "{told}");
        assert!(!told.contains("hunter2") && !told.contains(&line), "{told}");
    }
    let output = run(&["serve", "--base-port=0", "--bank-secret=nowhere.secret"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told(&output).contains("cannot read the bank's secret in nowhere.secret: No such file")
    );
}

#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), "bank.secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let log = bank(Some(&path)).close("TERM").log;
    assert!(log.contains("others can read the bank's secret: the mode of"), "{log}");
    assert!(log.contains("is 640; chmod 600 it"), "{log}");
}

#[test]
fn with_peers_and_no_secret_it_is_said_that_nothing_is_proved_and_only_loopback_is_served() {
    let peers = ["--branch=1", "--peer=2=http://127.0.0.1:9", "--single-port=0"].map(str::to_owned);
    let log = Process::serve(&peers, 1).close("TERM").log;
    assert!(log.contains("without --bank-secret nothing is proved"), "{log}");
    let serve = ["serve", "--listen=0.0.0.0", "--branch=1", "--peer=2=http://127.0.0.1:9"];
    let output = run(&[&serve[..], &["--single-port=0"]].concat());
    assert_eq!(output.status.code(), Some(2));
    let told = told(&output);
    assert!(told.contains("with peers and without --bank-secret"), "{told}");
    let serve = ["serve", "--branch=1", "--peer=2=http://192.0.2.1:50052", "--single-port=0"];
    let output = run(&serve);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("branch 2 is at http://192.0.2.1:50052, which is beyond this"), "{told}");
}
