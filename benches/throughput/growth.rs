//! How time and memory grow: per event with more events, per apply with more branches.

use std::env;
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use super::workload::deposits;
use super::{Subject, print, time};

/// The judge is on, for that is how scenarios are run.
const SUBJECT: Subject = Subject::JudgeOn;
const ROUNDS: usize = 5;
const ASK_FOR_MEMORY: &str = "PASSBOOK_BENCH_MEMORY";

/// One size.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    branches: u32,
    events: u32,
    nanoseconds_per_event: f64,
    /// Per write and branch that applied it.
    nanoseconds_per_apply: f64,
    /// Likewise: how much more memory the process needs at most than for one event. Absent where
    /// the system does not tell.
    bytes_per_apply: Option<f64>,
}

/// With ever more events at two branches, and ever more branches with as many applies.
pub(crate) fn measure() -> Vec<Growth> {
    let by_events = [1_000, 10_000, 100_000, 1_000_000].map(|events| (2, events));
    let by_branches = [2, 10, 100, 1_000].map(|branches| (branches, 3_000_000 / branches));
    by_events
        .into_iter()
        .chain(by_branches)
        .map(|(branches, events)| grow(branches, events))
        .collect()
}

fn grow(branches: u32, events: u32) -> Growth {
    let text = deposits(branches, events);
    // Small ones again and again, so that all are measured for about as long.
    let times = usize::try_from(100_000 / (events * branches)).expect("small").max(1);
    let mut took: Vec<Duration> = (0..ROUNDS).map(|_| time(|| SUBJECT.run(&text, times))).collect();
    took.sort_unstable();
    let events_run = f64::from(events) * f64::from(u32::try_from(times).expect("small"));
    let nanoseconds_per_event = took[ROUNDS / 2].as_secs_f64() * 1e9 / events_run;
    let applies = f64::from(events) * f64::from(branches);
    let memory = memory(branches, events).zip(memory(branches, 1));
    Growth {
        branches,
        events,
        nanoseconds_per_event,
        nanoseconds_per_apply: nanoseconds_per_event / f64::from(branches),
        bytes_per_apply: memory.map(|(all, least)| (all - least) / applies),
    }
}

/// How many bytes a process needs at most that runs this once and nothing else.
fn memory(branches: u32, events: u32) -> Option<f64> {
    let size = format!("{branches} {events}");
    let program = env::current_exe().expect("the bench has a file");
    let run = Command::new(program).env(ASK_FOR_MEMORY, size).output().expect("it starts");
    String::from_utf8(run.stdout).ok()?.trim().parse().ok()
}

/// In a process that was asked for it: runs what it was asked for, and says what that needed.
pub(crate) fn asked_for_memory() -> Option<f64> {
    let size = env::var(ASK_FOR_MEMORY).ok()?;
    let (branches, events) = size.split_once(' ')?;
    let text = deposits(branches.parse().ok()?, events.parse().ok()?);
    SUBJECT.run(&text, 1);
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Shows what was measured.
pub(crate) fn print_table(growth: &[Growth]) {
    print(&format!(
        "\n{:>8} {:>10} {:>13} {:>13} {:>16}",
        "branches", "events", "ns per event", "ns per apply", "bytes per apply"
    ));
    for row in growth {
        let bytes = row.bytes_per_apply.map_or("-".to_owned(), |bytes| format!("{bytes:.0}"));
        print(&format!(
            "{:>8} {:>10} {:>13.0} {:>13.0} {bytes:>16}",
            row.branches, row.events, row.nanoseconds_per_event, row.nanoseconds_per_apply
        ));
    }
}
