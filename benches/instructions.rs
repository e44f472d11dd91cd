//! How many instructions the program needs, counted by callgrind: a measure that does not depend on
//! how fast the machine is or on what else it does.
//!
//! `cargo bench --bench instructions` holds the counts against those of
//! `benches/instructions/counts.txt` and fails where one has grown by more than 3%; with `-- --write` it
//! writes them there. Needs valgrind. Counts depend on the compiler, the C library and valgrind, so
//! they are compared only where those are the same.

#[path = "grpc/bank.rs"]
mod bank;
#[path = "instructions/counts.rs"]
mod counts;
#[path = "throughput/workload.rs"]
#[expect(dead_code, reason = "the other bench has a table of them")]
mod scenarios;
#[path = "instructions/workload.rs"]
mod workload;

use std::env;
use std::process::{Command, ExitCode, Stdio};

use counts::{Counts, Machine, grouped};
use workload::{Times, Workload};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// In a process under callgrind: the workload, and how often.
const WORK: &str = "PASSBOOK_BENCH_WORK";

/// More growth than this is no noise: the same program differs by 0.1% from run to run, and one
/// with threads by less than 1%.
const GROWTH_PERMILLE_MAX: u64 = 30;

/// The C library has several variants of its functions and takes what fits the processor; these are
/// switched off, so that processors make no difference.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-BMI1,-BMI2,-LZCNT,-MOVBE,-ERMS,-FSRM,-RTM,-SSE4_1,-SSE4_2,-SSSE3";

fn main() -> ExitCode {
    if let Some((workload, times)) = asked_for() {
        workload.work(times);
        return ExitCode::SUCCESS;
    }
    let is_to_keep = env::args().any(|argument| argument == "--write");
    let machine = Machine::here();
    if is_to_keep {
        let instructions =
            Workload::ALL.map(|workload| (workload.name().to_owned(), count(workload))).into();
        let counts = Counts { machine, instructions };
        for (name, count) in &counts.instructions {
            print(&format!("{name:<28} {:>16}", grouped(*count)));
        }
        counts.keep();
        return ExitCode::SUCCESS;
    }
    let kept = Counts::kept();
    if kept.machine != machine {
        print(&format!(
            "instructions are not compared: the counts that are kept were made elsewhere\n  kept: \
             {}\n  here: {machine}",
            kept.machine
        ));
        return ExitCode::SUCCESS;
    }
    compare(&kept)
}

/// The work that this process is to do, if it is one of those under callgrind.
fn asked_for() -> Option<(Workload, usize)> {
    let work = env::var(WORK).ok()?;
    let (name, times) = work.split_once(' ')?;
    Some((Workload::by_name(name)?, times.parse().ok()?))
}

/// Prints every count beside the one that is kept, and fails where one has grown.
fn compare(kept: &Counts) -> ExitCode {
    let mut grown = Vec::new();
    print(&format!("{:<28} {:>16} {:>16} {:>8}", "instructions", "kept", "now", ""));
    for workload in Workload::ALL {
        let (name, now) = (workload.name(), count(workload));
        let Some(&before) = kept.instructions.get(name) else {
            print(&format!("{name:<28} {:>16} {:>16}", "-", grouped(now)));
            grown.push(name);
            continue;
        };
        let permille = now.saturating_mul(1_000) / before.max(1);
        let (whole, tenths) = (permille / 10, permille % 10);
        let (before, now) = (grouped(before), grouped(now));
        print(&format!("{name:<28} {before:>16} {now:>16} {whole:>5}.{tenths}%"));
        if permille > 1_000 + GROWTH_PERMILLE_MAX {
            grown.push(name);
        }
    }
    if grown.is_empty() {
        return ExitCode::SUCCESS;
    }
    print(&format!(
        "\nmore than 3% above what is kept, or not kept: {}\nmend it, or write the counts anew and say \
         why: cargo bench --bench instructions -- --write",
        grown.join(", ")
    ));
    ExitCode::FAILURE
}

/// How many instructions one piece of `workload` needs.
fn count(workload: Workload) -> u64 {
    let Times { few, many } = workload.times();
    let whole = collected(workload, many).saturating_sub(collected(workload, few));
    let pieces = u64::try_from((many - few) * workload.pieces()).expect("a small number");
    whole / pieces
}

/// How many instructions a process needs that does `workload` so often.
fn collected(workload: Workload, times: usize) -> u64 {
    let program = env::current_exe().expect("the bench has a file");
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .env(WORK, format!("{} {times}", workload.name()))
        .env("GLIBC_TUNABLES", TUNABLES)
        .stdout(Stdio::null())
        .output()
        .expect("valgrind can be started: install the Debian package valgrind");
    let told = String::from_utf8_lossy(&done.stderr);
    let count = told.lines().find_map(|line| line.split_once("Collected : "));
    match count.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if done.status.success() => count,
        Some(_) | None => panic!("callgrind has no count of {}: {told}", workload.name()),
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn print(line: &str) {
    println!("{line}");
}
