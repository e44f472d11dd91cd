//! Banks that outlive their process.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use passbook::grpc::proto::v1;
use tempfile::TempDir;
use tonic::Code;
use tonic_types::StatusExt;

use crate::process::{Closed, Process, free_ports, one, passbook, typed, with_clients};

pub(crate) fn args(folder: &Path, more: &[&str]) -> Vec<String> {
    let mut args = vec!["--base-port=0".to_owned(), format!("--data={}", folder.display())];
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    args
}

/// What `serve` says that does not come to serve.
#[track_caller]
pub(crate) fn refused(args: &[String]) -> String {
    let mut all = vec!["serve".to_owned()];
    all.extend(args.iter().cloned());
    let output = passbook(&all).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(told.lines().filter(|line| line.starts_with("error:")).count(), 1, "{told}");
    told
}

/// All files of a folder.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("a file");
        let name = entry.file_name().into_string().expect("text");
        files.push((name, fs::read(entry.path()).expect("it can be read")));
    }
    files.sort();
    files
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_passbooks_stay_good() {
    let folder = TempDir::new().unwrap();
    let args = args(folder.path(), &["--propagation=async", "--overdraft=reject"]);
    let much = v1::WithdrawRequest {
        branch_id: 1,
        customer_id: 1,
        event_id: Some(5),
        amount: "100".to_owned(),
        passbook: None,
    };
    let first = Process::serve(&args, 2);
    let (passbook, refusal) = with_clients(async {
        let mut bank = typed(first.channel());
        let deposited = bank.deposit(one(1, 1, Some(4))).await.unwrap().into_inner();
        let refusal = bank.withdraw(much.clone()).await.unwrap_err();
        (deposited.passbook, refusal)
    });
    first.kill();
    let second = Process::serve(&args, 2);
    with_clients(async {
        let mut bank = typed(second.channel());
        let query = v1::QueryRequest {
            branch_id: 2,
            customer_id: 1,
            event_id: None,
            passbook: Some(passbook),
        };
        let told = bank.query(query.clone()).await.unwrap().into_inner();
        assert_eq!(told.balance, "1");
        // Who brings nothing is taken to have seen all that the branches held when they started.
        let told = bank.query(v1::QueryRequest { passbook: None, ..query }).await.unwrap();
        assert_eq!(told.into_inner().balance, "1");
        // The same request gets the same answer, and the next id goes on after the highest.
        let again = bank.withdraw(much).await.unwrap_err();
        assert_eq!((again.code(), again.message()), (refusal.code(), refusal.message()));
        assert_eq!(again.code(), Code::FailedPrecondition);
        let next = bank.deposit(one(2, 1, None)).await.unwrap().into_inner();
        assert!(next.event_id > 5, "{next:?}");
    });
    assert!(second.close("TERM").status.success());
}

#[test]
fn a_folder_that_is_not_of_this_bank_is_refused_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let open = args(folder.path(), &["--bank-name=a"]);
    let first = Process::serve(&open, 2);
    let told = refused(&open);
    assert!(told.contains("branch-1.redb: another process has it open"), "{told}");
    assert!(first.close("TERM").status.success());
    let before = files(folder.path());
    for (other, said) in [
        (vec!["--bank-name=b"], "the bank 'b'"),
        (vec!["--bank-name=a", "--branches=3"], "of 1, 2, 3,"),
        (vec!["--bank-name=a", "--balance=7"], "opened with 7"),
    ] {
        let told = refused(&args(folder.path(), &other));
        assert!(told.contains(said) && told.contains("name another folder"), "{told}");
        assert_eq!(files(folder.path()), before, "{other:?}");
    }
}

#[test]
fn a_folder_that_was_not_closed_is_refused_and_left_as_it_is_too() {
    let folder = TempDir::new().unwrap();
    let bank = Process::serve(&args(folder.path(), &[]), 2);
    with_clients(async { typed(bank.channel()).deposit(one(1, 1, Some(1))).await.unwrap() });
    bank.kill();
    let before = files(folder.path());
    refused(&args(folder.path(), &["--bank-name=b"]));
    assert_eq!(files(folder.path()), before);
    // To look at it changes nothing either.
    let check = ["check".to_owned(), format!("--data={}", folder.path().display())];
    assert_eq!(passbook(&check).output().unwrap().status.code(), Some(0));
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_bank_that_cannot_be_reached_makes_no_folder() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("bank");
    let told = refused(&[format!("--single-port={port}"), format!("--data={}", folder.display())]);
    assert!(told.contains(&port.to_string()), "{told}");
    assert!(!folder.exists());
}

#[test]
fn what_is_exported_never_replaces_a_file_of_the_bank() {
    let folder = TempDir::new().unwrap();
    assert!(Process::serve(&args(folder.path(), &[]), 2).close("TERM").status.success());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("branch-1.redb"), &link).unwrap();
    let before = files(folder.path());
    for name in ["branch-1.redb", "bank.secret", "link"] {
        let check = ["check".to_owned(), format!("--data={}", folder.path().display())];
        let export = format!("--export-history={}", folder.path().join(name).display());
        let output = passbook(&[&check[..], &[export]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert_eq!(files(folder.path()), before, "{name}");
    }
}

#[test]
fn files_of_two_banks_in_one_folder_are_refused() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (folder, branches) in [(&folder, 2), (&other, 3)] {
        let open = args(folder.path(), &[&format!("--branches={branches}")]);
        assert!(Process::serve(&open, branches).close("TERM").status.success());
    }
    let own = folder.path().join("branch-1.redb");
    for (from, to, said) in [
        (other.path().join("branch-3.redb"), "branch-3.redb", "of 1, 2, 3,"),
        (own.clone(), "branch-7.redb", "and not of branch 7"),
    ] {
        let to = folder.path().join(to);
        fs::copy(from, &to).unwrap();
        let check = ["check".to_owned(), format!("--data={}", folder.path().display())];
        let output = passbook(&check).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(said), "{told}");
        fs::remove_file(to).unwrap();
    }
}

#[test]
fn branches_that_share_a_folder_start_at_the_same_time() {
    let folder = TempDir::new().unwrap();
    let first = free_ports(3);
    let serve = |branch: u16| {
        let mut open = args(folder.path(), &[]);
        open[0] = format!("--base-port={}", first - 1);
        open.push(format!("--branch={branch}"));
        let peers = (1..=3).filter(|peer| *peer != branch);
        open.extend(
            peers.map(|peer| format!("--peer={peer}=http://127.0.0.1:{}", first + peer - 1)),
        );
        Process::serve(&open, 1)
    };
    for _ in 0..4 {
        let all: Vec<Process> = std::thread::scope(|scope| {
            let started = [1, 2, 3].map(|branch| scope.spawn(move || serve(branch)));
            started.map(|one| one.join().unwrap()).into()
        });
        with_clients(async {
            for event in 1..=100 {
                let asked = typed(all[0].channel()).deposit(one(1, 1, Some(event))).await;
                asked.unwrap();
            }
        });
        all.into_iter().for_each(Process::kill);
    }
}

#[test]
fn a_file_that_is_taken_away_is_a_memory_that_is_lost() {
    let folder = TempDir::new().unwrap();
    let open = args(folder.path(), &["--propagation=sync"]);
    let first = Process::serve(&open, 2);
    with_clients(async { typed(first.channel()).deposit(one(1, 1, Some(1))).await.unwrap() });
    assert!(first.close("TERM").status.success());
    fs::remove_file(folder.path().join("branch-1.redb")).unwrap();
    let second = Process::serve(&open, 2);
    with_clients(async {
        let mut bank = typed(second.channel());
        let request =
            v1::QueryRequest { branch_id: 1, customer_id: 1, event_id: None, passbook: None };
        assert_eq!(bank.query(request).await.unwrap().into_inner().balance, "1");
    });
}

/// A bank to which a file that is too long is an error, and no signal.
fn serve_within(ulimit: &str, args: &[String]) -> Process {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit {ulimit} && exec \"$0\" \"$@\"")]);
    shell.arg(passbook(&[]).get_program()).args(["serve", "--format", "json"]).args(args);
    Process::start(shell, 2, std::process::Stdio::null())
}

/// Sends SIGTERM, and waits for the end; one that does not come in time is made.
fn close_in_time(bank: Process) -> Closed {
    let (ended, end) = mpsc::channel::<()>();
    let id = bank.id().to_string();
    let watchdog = std::thread::spawn(move || {
        if end.recv_timeout(Duration::from_secs(30)) == Err(mpsc::RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-9", &id]).status().expect("kill runs");
        }
    });
    let closed = bank.close("TERM");
    drop(ended);
    watchdog.join().expect("no panic");
    closed
}

#[test]
fn a_disk_that_fails_while_the_bank_closes_ends_the_process() {
    let folder = TempDir::new().unwrap();
    // Branch 2 hears of it when the bank is closing.
    let more = ["--propagation=async", "--latency=constant:1s"];
    let bank = serve_within("-f unlimited", &args(folder.path(), &more));
    with_clients(async { typed(bank.channel()).deposit(one(1, 1, Some(1))).await.unwrap() });
    let mut limit = Command::new("prlimit");
    let limited = limit.args(["--fsize=1024:1024", "--pid", &bank.id().to_string()]).status();
    assert!(limited.expect("prlimit runs").success());
    let closed = close_in_time(bank);
    assert_eq!(closed.status.code(), Some(2), "{}", closed.log);
    assert!(closed.log.contains("the disk of branch 2 fails"), "{}", closed.log);
}

#[test]
fn writes_that_the_disk_of_another_branch_has_not_kept_are_bounded() {
    let folder = TempDir::new().unwrap();
    let more = ["--propagation=async", "--latency=constant:600s", "--kept-max=2"];
    let bank = Process::serve(&args(folder.path(), &more), 2);
    with_clients(async {
        let mut client = typed(bank.channel());
        for event in [1, 2] {
            client.deposit(one(1, 1, Some(event))).await.unwrap();
        }
        let refused = client.deposit(one(1, 1, Some(3))).await.unwrap_err();
        let reason = refused.get_details_error_info().expect("details").reason;
        assert_eq!((refused.code(), reason.as_str()), (Code::ResourceExhausted, "CONGESTED"));
    });
    bank.kill();
}

#[test]
fn a_disk_that_takes_no_more_ends_the_process() {
    let folder = TempDir::new().unwrap();
    // Files of 200 blocks of 512 bytes at most.
    let bank = serve_within("-f 200", &args(folder.path(), &["--propagation=async"]));
    let acknowledged = with_clients(async {
        let mut client = typed(bank.channel());
        let mut acknowledged = 0;
        for event in 1..100_000 {
            match client.deposit(one(1, 1, Some(event))).await {
                Ok(_) => acknowledged += 1,
                Err(_) => break,
            }
        }
        acknowledged
    });
    let closed = bank.wait();
    assert_eq!(closed.status.code(), Some(2), "{}", closed.log);
    assert!(closed.log.contains("the disk of branch"), "{}", closed.log);
    // On a disk that takes more again, all of it is there.
    let again = Process::serve(&args(folder.path(), &["--propagation=async"]), 2);
    with_clients(async {
        let mut client = typed(again.channel());
        let request =
            v1::QueryRequest { branch_id: 1, customer_id: 1, event_id: None, passbook: None };
        let told = client.query(request).await.unwrap().into_inner();
        assert!(told.position >= acknowledged, "{told:?} after {acknowledged}");
    });
}

#[test]
fn a_bank_in_memory_says_so() {
    let closed = Process::serve(&["--base-port=0".to_owned()], 2).close("TERM");
    assert!(closed.log.contains("in memory") && closed.log.contains("--data"), "{}", closed.log);
}

#[test]
fn a_folder_is_looked_at_while_nobody_serves_it() {
    let folder = TempDir::new().unwrap();
    let bank = Process::serve(&args(folder.path(), &["--propagation=sync"]), 2);
    with_clients(async {
        let mut client = typed(bank.channel());
        for event in 1..=3 {
            client.deposit(one(1, 1, Some(event))).await.unwrap();
        }
    });
    let check = |more: &[&str]| {
        let mut all = vec!["check".to_owned(), format!("--data={}", folder.path().display())];
        all.extend(more.iter().map(|&arg| arg.to_owned()));
        let output = passbook(&all).output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, _, told) = check(&[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("another process has it open"), "{told}");
    assert!(bank.close("TERM").status.success());
    let (code, told, _) = check(&["--format=json"]);
    assert_eq!(code, Some(0), "{told}");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["flaws"], serde_json::json!([]));
    for branch in told["branches"].as_array().unwrap() {
        assert_eq!((&branch["writes"], &branch["balance"]), (&3.into(), &3.into()), "{told}");
        assert_eq!(branch["lacks"], serde_json::json!([]));
    }
    let history = folder.path().join("history.jsonl");
    let (code, told, _) = check(&[&format!("--export-history={}", history.display())]);
    assert_eq!(code, Some(0));
    assert!(told.contains("every log is in order"), "{told}");
    let judged = passbook(&["check".to_owned(), history.display().to_string()]).output().unwrap();
    let told = String::from_utf8(judged.stdout).unwrap();
    assert!(told.contains("✓ convergence"), "{told}");
    // Where a file is missing, nothing is said of the end.
    fs::remove_file(folder.path().join("branch-2.redb")).unwrap();
    check(&[&format!("--export-history={}", history.display())]);
    let judged = passbook(&["check".to_owned(), history.display().to_string()]).output().unwrap();
    let told = String::from_utf8(judged.stdout).unwrap();
    assert!(told.contains("cut off") && !told.contains("violated"), "{told}");
    let empty = TempDir::new().unwrap();
    let all = ["check".to_owned(), format!("--data={}", empty.path().display())];
    let output = passbook(&all).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_folder_with_more_writes_than_there_is_memory_for_is_refused() {
    const WRITES: u32 = 12;
    // What the program takes, two branches, and a write at both of them.
    let memory = |writes: u32| format!("--memory-max={}", (32 << 20) + 10_000 + writes * 532);
    let folder = TempDir::new().unwrap();
    let bank = Process::serve(&args(folder.path(), &["--propagation=sync"]), 2);
    with_clients(async {
        for event in 1..=WRITES {
            typed(bank.channel()).deposit(one(1, 1, Some(event))).await.unwrap();
        }
    });
    assert!(bank.close("TERM").status.success());
    let before = files(folder.path());
    let told = refused(&args(folder.path(), &[&memory(WRITES - 4)]));
    let why = "it holds 12 writes, and there is memory for 8; allow more with --memory-max";
    assert!(told.contains(why), "{told}");
    let check = ["check", "--memory-max=32MiB", &format!("--data={}", folder.path().display())];
    let output = passbook(&check.map(str::to_owned)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("it holds 12 writes"), "{told}");
    assert_eq!(files(folder.path()), before);
    // Where it can be read, but takes more than half of what there is, it is full.
    let bank = Process::serve(&args(folder.path(), &[&memory(WRITES + 4)]), 2);
    with_clients(async {
        let full = typed(bank.channel()).deposit(one(1, 1, Some(100))).await.unwrap_err();
        assert_eq!(full.code(), Code::ResourceExhausted, "{full}");
    });
    assert!(bank.close("TERM").status.success());
}

#[test]
fn of_two_processes_that_make_a_folder_at_the_same_time_one_serves() {
    for _ in 0..5 {
        let folder = TempDir::new().unwrap();
        let mut all = vec!["serve".to_owned(), "--format=json".to_owned()];
        all.extend(args(folder.path(), &["--until-stdin-ends", "--branches=1"]));
        let start = || {
            let mut command = passbook(&all);
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped()).spawn().expect("the program runs")
        };
        let both = [start(), start()];
        // Who serves is closed; one that came too late has ended by itself. Nothing is unusable.
        let codes = both.map(|one| one.wait_with_output().expect("it ends").status.code());
        assert!(codes.contains(&Some(0)), "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 2))), "{codes:?}");
        let names: Vec<String> = files(folder.path()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["bank.secret", "branch-1.redb"]);
        let again = Process::serve(&args(folder.path(), &["--branches=1"]), 1);
        assert!(again.close("TERM").status.success());
    }
}
