//! `passbook serve` where things go wrong on purpose.

use std::io::Write;
use std::time::Duration;

use tonic::{Code, Status};

use crate::process::{Closed, Process, channel, one, typed, with_clients};

const DEPOSITS: u32 = 50;

/// How long the customer waits before each request, so that something goes wrong meanwhile.
const PAUSE: Duration = Duration::from_millis(15);

/// The program's branches in weather of this kind.
fn serve(faults: &[&str]) -> Process {
    let bank = ["--branches=3", "--base-port=0", "--latency=uniform:1ms..10ms"];
    let limits = ["--wait-limit=200ms", "--confirm-limit=200ms"];
    let args = [&bank[..], &limits, faults].concat();
    Process::serve(&args.into_iter().map(str::to_owned).collect::<Vec<_>>(), 3)
}

/// Whether a client sends the same again, as docs/SERVE.md says.
fn is_tried_again(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted)
}

/// One customer deposits 1 again and again, each time at the next branch, and sends a deposit again, at the
/// one after that, until it is done.
async fn deposit_all(process: &Process) {
    let banks = (1..).zip(&process.addresses);
    let mut banks: Vec<_> = banks.map(|(branch, at)| (branch, typed(channel(at)))).collect();
    for event in 1..=DEPOSITS {
        loop {
            tokio::time::sleep(PAUSE).await;
            banks.rotate_left(1);
            let (branch, bank) = &mut banks[0];
            match bank.deposit(one(*branch, 1, Some(event))).await {
                Ok(_) => break,
                Err(status) => assert!(is_tried_again(&status), "{status:?}"),
            }
        }
    }
}

/// What each branch held when the process was told to close, which it must do in order and in time.
async fn closed(process: Process) -> (Vec<i64>, Closed) {
    let closed = tokio::task::spawn_blocking(move || process.close("TERM"));
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    let closed = closed.expect("it ends in time").expect("no panic");
    assert!(closed.status.success(), "{closed:?}");
    let rows = closed.told()["balances"].as_array().expect("rows").clone();
    (rows.iter().map(|row| row["balance"].as_i64().expect("whole")).collect(), closed)
}

#[test]
fn whatever_goes_wrong_each_deposit_counts_once_and_the_bank_closes_in_order() {
    with_clients(async {
        let process = serve(&[
            "--propagation=async",
            "--faults=loss=0.3,duplicate=0.2,reorder",
            "--nemesis=partition,crash,slow",
        ]);
        deposit_all(&process).await;
        let (balances, closed) = closed(process).await;
        assert_eq!(balances, [i64::from(DEPOSITS); 3], "{closed:?}");
        let struck = &closed.told()["faults"];
        for kind in ["loss", "duplicate", "reorder", "partition", "crash"] {
            assert!(struck[kind].as_u64() > Some(0), "{kind}: {struck}");
        }
        let says = "things go wrong between the branches on purpose, as long as the bank is open: \
                    loss=0.3,duplicate=0.2,reorder=0.1; partition,crash,slow every 50ms for 20ms";
        assert!(closed.log.contains(says), "{}", closed.log);
    });
}

/// In memory, what one branch alone held is lost when it forgets; what is left is the same everywhere.
#[test]
fn branches_that_forget_all_again_and_again_agree_in_the_end() {
    with_clients(async {
        for propagation in ["--propagation=async", "--propagation=sync"] {
            let often = "--nemesis-interval=150ms";
            let nemesis = [propagation, "--faults=loss=0.02", "--nemesis=amnesia,partition", often];
            let process = serve(&nemesis);
            deposit_all(&process).await;
            let (balances, closed) = closed(process).await;
            assert_eq!(balances, [balances[0]; 3], "{closed:?}");
            assert!(balances[0] <= i64::from(DEPOSITS), "{closed:?}");
            assert!(closed.told()["faults"]["amnesia"].as_u64() > Some(0), "{closed:?}");
        }
    });
}

/// A partition that lasts for hours, and nothing arrives but by luck.
#[test]
fn in_the_worst_weather_the_bank_closes_in_order_too() {
    with_clients(async {
        let process = serve(&[
            "--faults=loss=0.9,duplicate=0.9,reorder=0.9",
            "--nemesis=partition,crash,amnesia,slow",
            "--nemesis-interval=1ms",
            "--nemesis-duration=1h",
        ]);
        let mut bank = typed(process.channel());
        let answer = bank.deposit(one(1, 1, Some(1))).await;
        assert!(answer.as_ref().err().is_none_or(is_tried_again), "{answer:?}");
        let (balances, closed) = closed(process).await;
        assert_eq!(balances, [balances[0]; 3], "{closed:?}");
    });
}

#[test]
fn what_a_scenario_says_of_chance_is_obeyed() {
    let mut scenario = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    let branches =
        r#"{"id": 1, "type": "branch", "balance": 0}, {"id": 2, "type": "branch", "balance": 0}"#;
    let text =
        format!(r#"{{"rates": {{"loss": 1}}, "propagation": "async", "processes": [{branches}]}}"#);
    scenario.write_all(text.as_bytes()).unwrap();
    let path = scenario.path().display().to_string();
    with_clients(async {
        for (options, lost) in [(&[][..], true), (&["--faults=none"], false)] {
            let args = [&["--base-port=0", &path], options].concat();
            let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
            let process = Process::serve(&args, 2);
            typed(process.channel()).deposit(one(1, 1, None)).await.unwrap();
            let (balances, closed) = closed(process).await;
            // When it closes nothing goes wrong any more.
            assert_eq!(balances, [1, 1], "{closed:?}");
            assert_eq!(closed.told()["faults"]["loss"].as_u64() > Some(0), lost, "{closed:?}");
        }
    });
}
