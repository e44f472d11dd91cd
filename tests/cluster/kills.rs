//! A worker, all workers, the server and whoever asked for the job are killed at random moments: the file is
//! that of one machine all the same. `PASSBOOK_KILLS` says how often.

use std::path::Path;
use std::time::Duration;

use passbook::model::{Random, Seed};
use tempfile::TempDir;

use crate::program::{Process, assert_same, done, passbook, pause, timeless_file, worker};
use crate::server::Server;

const KILLS: u64 = 24;
const KILLS_OF_ONE: u64 = 8;
const WORKERS: usize = 2;
/// So long a share goes without a sign of its worker here.
const LEASE: &str = "1s";

/// What was done to all jobs.
#[derive(Debug, Default)]
struct Done {
    jobs: u64,
    workers: u64,
    all_workers: u64,
    servers: u64,
    coordinators: u64,
}

impl Done {
    const fn kills(&self) -> u64 {
        self.workers + self.all_workers + self.servers + self.coordinators
    }
}

fn batch(url: Option<&str>, rows: &Path, seed: u64) -> std::process::Command {
    let generate = format!("--count 4000 --seed {seed} --customers 2 --events 40 --branches 3");
    let resume = format!("--resume={}", rows.display());
    let mut args = vec!["batch", "--generate", &generate, &resume, "--propagation", "async"];
    args.extend(["--guarantees", "mr", "--latency", "uniform:1ms..20ms"]);
    if let Some(url) = url {
        args.extend(["--nats", url, "--nats-lease", LEASE, "--nats-patience", "30s"]);
    }
    passbook(&args)
}

fn kill_one_job(seed: u64, chance: &mut Random, all: &mut Done) {
    let folder = TempDir::new().unwrap();
    let (here, elsewhere) = (folder.path().join("here"), folder.path().join("elsewhere"));
    let code = done(batch(None, &here, seed)).code;
    let mut server = Server::start();
    let url = server.url();
    let mut workers: Vec<Process> = (0..WORKERS).map(|_| worker(&url)).collect();
    let mut coordinator = Process::start(batch(Some(&url), &elsewhere, seed));
    for _ in 0..KILLS_OF_ONE {
        pause(Duration::from_millis(20 + chance.below(400)));
        if coordinator.code().is_some() {
            break;
        }
        match chance.below(8) {
            0..3 => {
                let place = usize::try_from(chance.below(2)).unwrap();
                workers[place].kill();
                workers[place] = worker(&url);
                all.workers += 1;
            }
            3 => {
                workers.iter_mut().for_each(Process::kill);
                pause(Duration::from_millis(chance.below(200)));
                workers = (0..WORKERS).map(|_| worker(&url)).collect();
                all.all_workers += 1;
            }
            4..6 => {
                server.kill();
                pause(Duration::from_millis(chance.below(300)));
                server.restart();
                all.servers += 1;
            }
            _ => {
                coordinator.kill();
                coordinator = Process::start(batch(Some(&url), &elsewhere, seed));
                all.coordinators += 1;
            }
        }
    }
    let ended = coordinator.end();
    assert_eq!(ended.code, code, "seed {seed}: {}", ended.stderr);
    assert_same(&timeless_file(&here), &timeless_file(&elsewhere));
    all.jobs += 1;
}

#[test]
fn kills_change_nothing_but_times() {
    let wanted = std::env::var("PASSBOOK_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut chance = Random::of_part(Seed(20), 0);
    let mut done = Done::default();
    while done.kills() < wanted {
        let seed = done.jobs;
        kill_one_job(seed, &mut chance, &mut done);
        println!("{} kills so far: {done:?}", done.kills());
    }
}
