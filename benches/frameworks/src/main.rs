//! What the choice of an actor framework costs: the same pure bank in a plain loop, in tasks of
//! tokio, and behind four frameworks, all on one thread. Every result must be the loop's.
//!
//!     cargo run --release --manifest-path benches/frameworks/Cargo.toml
//!
//! With `-- --once` each runs each scenario once, which shows that they agree and measures nothing.

mod actor;
mod bank;
mod shells;
mod statistics;
mod workload;

use std::time::Duration;

use bank::{Closed, Ended};
use cpu_time::ThreadTime;
use passbook::Scenario;
use passbook::model::number::float_len;
use shells::{in_a_loop, on_actix, on_kameo, on_ractor, on_tokio, on_xtra};
use statistics::Estimate;
use workload::Workload;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long each takes in a round, at least.
const ROUND: Duration = Duration::from_millis(40);
const ROUNDS: usize = 41;

/// What runs a bank, so many times.
type Shell = fn(&Scenario, usize) -> Closed;

/// All that are compared, with the one first that others are held against.
const SHELLS: [(&str, Shell); 6] = [
    ("a plain loop", in_a_loop),
    ("tokio, no framework", on_tokio),
    ("actix 0.13", on_actix),
    ("kameo 0.22", on_kameo),
    ("ractor 0.16", on_ractor),
    ("xtra 0.6", on_xtra),
];

fn main() {
    let workloads = Workload::all();
    let ended = workloads.each_ref().map(agreed);
    if std::env::args().any(|argument| argument == "--once") {
        return println!("all agree");
    }
    let mut columns = Vec::new();
    for (workload, ended) in workloads.iter().zip(&ended) {
        columns.push(Column::of(workload, ended));
    }
    println!(
        "Processor time, as a multiple of the loop's, and its 95% interval; of the loop, the time of a run:\n"
    );
    print_table(&columns, |column, row| match row {
        0 => span(Estimate::of(&column.nanoseconds[0]).median),
        _ => column.times_the_loop(row).to_string(),
    });
    println!(
        "\nNanoseconds that a message costs beyond the loop's; of the loop, what it costs there:\n"
    );
    print_table(&columns, |column, row| column.nanoseconds_a_message(row).to_string());
}

/// How the bank of `workload` ends, whatever runs it.
fn agreed(workload: &Workload) -> Ended {
    let expected = in_a_loop(&workload.scenario, 1).ended();
    let branches = workload.scenario.roster.len();
    assert_eq!(expected.balances, vec![Some(workload.balance); branches], "{}", workload.name);
    for (name, shell) in SHELLS {
        assert_ends(name, workload, shell(&workload.scenario, 1), &expected);
    }
    expected
}

fn assert_ends(name: &str, workload: &Workload, closed: Closed, expected: &Ended) {
    assert_eq!(closed.ended(), *expected, "{name} runs {} otherwise", workload.name);
}

/// What was measured of one workload.
struct Column {
    name: &'static str,
    messages: f64,
    /// Of each shell, how long one run took in each round.
    nanoseconds: [Vec<f64>; SHELLS.len()],
}

impl Column {
    /// Measures `workload`. In each round all take their turn, and another one begins, so that what
    /// disturbs the machine disturbs all alike.
    fn of(workload: &Workload, ended: &Ended) -> Self {
        let times = SHELLS.map(|(_, shell)| that_fill_a_round(shell, workload));
        let mut nanoseconds = SHELLS.map(|_| Vec::with_capacity(ROUNDS));
        for round in 0..ROUNDS {
            for turn in 0..SHELLS.len() {
                let at = (round + turn) % SHELLS.len();
                let (name, shell) = SHELLS[at];
                let (took, closed) = time(|| shell(&workload.scenario, times[at]));
                assert_ends(name, workload, closed, ended);
                nanoseconds[at].push(took.as_secs_f64() * 1e9 / float_len(times[at]));
            }
        }
        Self { name: workload.name, messages: float_len(workload.messages), nanoseconds }
    }

    /// A ratio is that of the two runs of one round.
    fn times_the_loop(&self, row: usize) -> Estimate {
        self.of_each_round(row, |took, in_a_loop| took / in_a_loop)
    }

    fn nanoseconds_a_message(&self, row: usize) -> Estimate {
        self.of_each_round(row, |took, in_a_loop| {
            (if row == 0 { took } else { took - in_a_loop }) / self.messages
        })
    }

    fn of_each_round(&self, row: usize, figure: impl Fn(f64, f64) -> f64) -> Estimate {
        let rounds = self.nanoseconds[row].iter().zip(&self.nanoseconds[0]);
        Estimate::of(&rounds.map(|(&took, &in_a_loop)| figure(took, in_a_loop)).collect::<Vec<_>>())
    }
}

/// A row for each shell, in Markdown.
fn print_table(columns: &[Column], cell: impl Fn(&Column, usize) -> String) {
    let line = |first: &str, rest: &dyn Fn(&Column) -> String| {
        let rest: Vec<String> = columns.iter().map(rest).collect();
        println!("| {first} | {} |", rest.join(" | "));
    };
    line("", &|column| column.name.to_owned());
    line("---", &|_| "---".to_owned());
    for (row, (name, _)) in SHELLS.iter().enumerate() {
        line(name, &|column| cell(column, row));
    }
}

fn span(nanoseconds: f64) -> String {
    if nanoseconds < 1e6 {
        format!("{:.1} µs", nanoseconds / 1e3)
    } else {
        format!("{:.1} ms", nanoseconds / 1e6)
    }
}

/// How many runs fill a round.
fn that_fill_a_round(shell: Shell, workload: &Workload) -> usize {
    let mut times = 1;
    while time(|| shell(&workload.scenario, times)).0 < ROUND {
        times *= 2;
    }
    times
}

/// How long this thread, which does all the work, was on a processor.
fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = ThreadTime::now();
    let done = work();
    (start.elapsed(), done)
}
