//! How fast scenarios run, as a ratio to a plain loop with no actors, measured in the same run; and
//! how time and memory grow with the number of events and of branches.
//!
//! `cargo bench --bench throughput`; the tables are also in `target/throughput.json`.

#[path = "throughput/growth.rs"]
mod growth;
#[path = "throughput/plain.rs"]
mod plain;
#[path = "throughput/workload.rs"]
mod workload;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use passbook::run::Judging;
use serde::Serialize;

use growth::Growth;
use workload::{Workload, parse};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a round takes, about.
const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: usize = 9;

/// What runs the scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Subject {
    PlainLoop,
    JudgeOff,
    JudgeOn,
}

impl Subject {
    const ALL: [Self; 3] = [Self::PlainLoop, Self::JudgeOff, Self::JudgeOn];

    const fn name(self) -> &'static str {
        match self {
            Self::PlainLoop => "plain loop",
            Self::JudgeOff => "passbook, judge off",
            Self::JudgeOn => "passbook, judge on",
        }
    }

    /// Parses, runs and prints the scenario `times` times, and says how much it printed.
    fn run(self, text: &str, times: usize) -> usize {
        let judging = match self {
            Self::PlainLoop => {
                let mut line = Vec::new();
                let mut printed = 0;
                for _ in 0..times {
                    line.clear();
                    plain::run(&parse(text), &mut line);
                    printed += line.len();
                }
                return printed;
            }
            Self::JudgeOff => Judging::Off,
            Self::JudgeOn => Judging::On,
        };
        workload::run(text, judging, times)
    }
}

/// A row of the first table.
#[derive(Debug, Serialize)]
struct Speed {
    workload: &'static str,
    subject: Subject,
    threads: usize,
    scenarios_per_second: f64,
    events_per_second: f64,
    to_plain_loop: f64,
    to_one_thread: f64,
}

/// Everything that is measured.
#[derive(Debug, Serialize)]
struct Measured {
    speed: Vec<Speed>,
    growth: Vec<Growth>,
}

fn main() {
    if let Some(memory) = growth::asked_for_memory() {
        return print(&memory.to_string());
    }
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut speed = Vec::new();
    for workload in Workload::all() {
        let rows = compare(&workload, threads);
        print_speed(&rows);
        speed.extend(rows);
    }

    let growth = growth::measure();
    growth::print_table(&growth);
    let measured = serde_json::to_vec_pretty(&Measured { speed, growth }).expect("plain data");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/throughput.json");
    fs::write(path, measured).expect("target can be written to");
}

/// One workload by every subject, on one thread and on all. One round of each in turn, so that what
/// disturbs the machine disturbs all alike; the first finds out how much fits a round.
fn compare(workload: &Workload, threads: usize) -> Vec<Speed> {
    let counts = if threads > 1 { vec![1, threads] } else { vec![1] };
    let mut cases: Vec<Case> = counts
        .into_iter()
        .flat_map(|threads| Subject::ALL.map(|subject| Case::new(subject, threads, workload)))
        .collect();
    for _ in 0..ROUNDS {
        for case in &mut cases {
            case.run_a_round(workload);
        }
    }
    let medians: Vec<f64> = cases.iter_mut().map(Case::median).collect();
    let rate = |subject, threads| {
        let same = |case: &Case| case.subject == subject && case.threads == threads;
        medians[cases.iter().position(same).expect("every case is measured")]
    };
    cases
        .iter()
        .zip(&medians)
        .map(|(case, &scenarios_per_second)| Speed {
            workload: workload.name,
            subject: case.subject,
            threads: case.threads,
            scenarios_per_second,
            events_per_second: scenarios_per_second * f64::from(workload.events),
            to_plain_loop: scenarios_per_second / rate(Subject::PlainLoop, case.threads),
            to_one_thread: scenarios_per_second / rate(case.subject, 1),
        })
        .collect()
}

/// One subject on some threads.
#[derive(Debug)]
struct Case {
    subject: Subject,
    threads: usize,
    /// How many scenarios each thread runs in a round.
    times: usize,
    scenarios_per_second: Vec<f64>,
}

impl Case {
    fn new(subject: Subject, threads: usize, workload: &Workload) -> Self {
        let mut times = 1;
        while time(|| subject.run(&workload.text, times)) < ROUND / 2 {
            times *= 2;
        }
        Self { subject, threads, times, scenarios_per_second: Vec::new() }
    }

    fn run_a_round(&mut self, workload: &Workload) {
        let took = time(|| {
            thread::scope(|scope| {
                for _ in 0..self.threads {
                    scope.spawn(|| self.subject.run(&workload.text, self.times));
                }
            });
        });
        let runs = u32::try_from(self.times * self.threads).expect("fewer runs than that");
        self.scenarios_per_second.push(f64::from(runs) / took.as_secs_f64());
    }

    fn median(&mut self) -> f64 {
        self.scenarios_per_second.sort_by(f64::total_cmp);
        self.scenarios_per_second[self.scenarios_per_second.len() / 2]
    }
}

/// How long `work` takes.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}

fn print_speed(speed: &[Speed]) {
    print(&format!(
        "{:<34} {:<20} {:>7} {:>13} {:>12} {:>14} {:>13}",
        "workload", "", "threads", "scenarios/s", "events/s", "to plain loop", "to one thread"
    ));
    for row in speed {
        print(&format!(
            "{:<34} {:<20} {:>7} {:>13.1} {:>12.0} {:>14.2} {:>13.2}",
            row.workload,
            row.subject.name(),
            row.threads,
            row.scenarios_per_second,
            row.events_per_second,
            row.to_plain_loop,
            row.to_one_thread
        ));
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn print(line: &str) {
    println!("{line}");
}
