//! Kills processes that serve a durable bank, for real, and asks whether anything was lost: what typed
//! clients saw is joined with what the folders hold, and the judge decides.
//!
//! `PASSBOOK_KILLS=10000 cargo test --release --test kills -- --nocapture` kills so often, and prints
//! what it did.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "it says what was done")]

mod client;
mod joined;
#[path = "../processes/process.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod process;

use std::cell::Cell;
use std::env;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use passbook::Case;
use passbook::check::{JudgeOptions, Overall, Property, judge};
use passbook::model::{Propagation, Random, Seed};
use tempfile::TempDir;
use tokio::task::LocalSet;
use tokio::time::sleep;

use client::{Client, Session};
use joined::{Folder, joined};
use process::{Process, free_ports, typed};

/// Enough for a minute: each bank is killed so often.
const KILLS: u32 = 60;
const KILLS_OF_ONE: u32 = 20;

const BRANCHES: u16 = 3;
const CUSTOMERS: u32 = 8;

/// Where the branches of one bank are, and where they keep what they hold.
struct Place {
    first_port: u16,
    folders: TempDir,
    propagation: Propagation,
}

/// What was done to all banks.
#[derive(Debug, Default)]
struct Done {
    kills: u32,
    all_at_once: u32,
    asked: usize,
    answered: usize,
    given_up: usize,
    refused: usize,
    writes: usize,
}

impl Place {
    fn new(propagation: Propagation) -> Self {
        Self { first_port: free_ports(BRANCHES), folders: TempDir::new().unwrap(), propagation }
    }

    fn port(&self, branch: u16) -> u16 {
        self.first_port + branch - 1
    }

    fn folder(&self, branch: u16) -> std::path::PathBuf {
        self.folders.path().join(format!("of-{branch}"))
    }

    fn serve(&self, branch: u16) -> Process {
        let secret = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/secret-1.txt"));
        let mut args = vec![
            format!("--branch={branch}"),
            format!("--base-port={}", self.first_port - 1),
            format!("--bank-secret={}", secret.display()),
            format!("--data={}", self.folder(branch).display()),
            format!("--propagation={}", self.propagation),
            "--overdraft=reject".to_owned(),
            "--confirm-limit=2s".to_owned(),
            "--wait-limit=2s".to_owned(),
        ];
        for peer in (1..=BRANCHES).filter(|&peer| peer != branch) {
            args.push(format!("--peer={peer}=http://127.0.0.1:{}", self.port(peer)));
        }
        Process::serve(&args, 1)
    }

    /// Asks until all branches hold the same, as they do when nobody asks any more.
    async fn settled(&self) {
        let mut banks = Vec::new();
        for branch in 1..=BRANCHES {
            banks.push(typed(process::channel(&format!("127.0.0.1:{}", self.port(branch)))));
        }
        for _ in 0..600 {
            let mut held = Vec::new();
            for bank in &mut banks {
                let listed = bank.list_branches(passbook::grpc::proto::v1::ListBranchesRequest {});
                let Ok(listed) = listed.await else { continue };
                held.extend(listed.into_inner().branches.into_iter().map(|one| one.version));
            }
            if held.len() == usize::from(BRANCHES) && held.windows(2).all(|pair| pair[0] == pair[1])
            {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the branches do not come to hold the same");
    }
}

/// Kills one bank so often, and judges it.
fn bank_that_is_killed(seed: u64, kills: u32, propagation: Propagation, done: &mut Done) {
    let place = Place::new(propagation);
    let mut chance = Random::of_part(Seed(seed), 0);
    let mut processes: Vec<Process> = (1..=BRANCHES).map(|branch| place.serve(branch)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sessions: Vec<Session> = LocalSet::new().block_on(&runtime, async {
        let is_over = Rc::new(Cell::new(false));
        let mut clients = Vec::new();
        for customer in 1..=CUSTOMERS {
            let ports = (1..=BRANCHES).map(|branch| place.port(branch)).collect();
            let client = Client::new(customer, ports, Random::of_part(Seed(seed), customer.into()));
            clients.push(tokio::task::spawn_local(client.ask_until(Rc::clone(&is_over))));
        }
        for _ in 0..kills {
            sleep(Duration::from_millis(100 + chance.below(300))).await;
            let first = u16::try_from(chance.below(BRANCHES.into())).unwrap();
            let is_all = chance.below(5) == 0;
            let killed: Vec<u16> = if is_all { (0..BRANCHES).collect() } else { vec![first] };
            done.kills += 1;
            done.all_at_once += u32::from(is_all);
            for &at in killed.iter().rev() {
                processes.remove(at.into()).kill();
            }
            for &at in &killed {
                processes.insert(at.into(), place.serve(at + 1));
            }
        }
        is_over.set(true);
        let mut sessions = Vec::new();
        for client in clients {
            sessions.push(client.await.unwrap());
        }
        place.settled().await;
        sessions
    });
    for process in processes {
        let closed = process.close("TERM");
        assert!(closed.status.success(), "{}", closed.log);
    }
    let folders: Vec<Folder> =
        (1..=BRANCHES).map(|branch| Folder::read(&place.folder(branch), branch)).collect();
    judged(seed, &sessions, &folders, propagation, done);
}

fn judged(
    seed: u64,
    sessions: &[Session],
    folders: &[Folder],
    propagation: Propagation,
    done: &mut Done,
) {
    for session in sessions {
        done.asked += session.asked.len();
        done.answered += session.answered();
        done.given_up += session.given_up();
        done.refused += session.refused.len();
        for refused in &session.refused {
            let is_there = |folder: &Folder| folder.came.iter().any(|entry| entry.id == *refused);
            assert!(
                !folders.iter().any(is_there),
                "seed {seed}: {refused} was refused, and is there"
            );
        }
    }
    done.writes += folders[0].came.len();
    let header = joined::header(propagation);
    let facts =
        joined(&header, sessions, folders).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    let verdicts = judge(Case::of(&header), JudgeOptions::default(), &facts);
    let verdicts = verdicts.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    for (property, verdict) in verdicts.iter() {
        if property == Property::Settles {
            continue;
        }
        let sentence = verdict.witness().map_or("", |witness| &*witness.sentence);
        assert_eq!(verdict.summary(), Overall::Holds, "seed {seed}: {property:?}: {sentence}");
    }
    assert_eq!(verdicts.lost, 0, "seed {seed}");
}

#[test]
fn whatever_is_killed_nothing_acknowledged_is_lost() {
    let asked = env::var("PASSBOOK_KILLS").ok().map(|text| text.parse::<u32>().unwrap());
    let mut left = asked.unwrap_or(KILLS);
    let (mut done, mut seed) = (Done::default(), 0);
    while left > 0 {
        let kills = left.min(KILLS_OF_ONE);
        let propagation = if seed % 2 == 0 { Propagation::Async } else { Propagation::Sync };
        bank_that_is_killed(seed, kills, propagation, &mut done);
        left -= kills;
        seed += 1;
        if asked.is_some() && seed % 50 == 0 {
            println!("{done:?}");
        }
    }
    println!("{done:?}");
    assert!(done.answered > 100 && done.given_up > 0, "{done:?}");
}
