//! `passbook worker`: runs shares of jobs until it is told to end.

use std::time::Duration;

use clap::Args;

use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::memory_args::MemoryArgs;
use super::nats_args::NatsArgs;
use super::number::{jobs, whole};
use super::share_args::ShareRunner;
use super::signal::{self, Ending};
use super::terminal::Terminal;
use crate::cluster::{RunShare, Share, WorkerNews, WorkerSettings, work};
use crate::network::parse_span;
use crate::report::meter::{Meter, Reading};
use crate::report::words::{grouped, rate};

const EXAMPLES: &str = "\
Examples:
  passbook worker --nats nats://10.0.0.1:4222      runs shares on all cores
  PASSBOOK_NATS_URL=nats://10.0.0.1:4222 passbook worker --threads 2";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::WORKER))]
pub(super) struct WorkerArgs {
    /// How many shares to run at the same time, up to 1024 [default: one per core]
    #[arg(long, value_name = "NUMBER", env = "PASSBOOK_JOBS", hide_env_values = true)]
    #[arg(value_parser = whole::<u16>(1..=1024))]
    threads: Option<u16>,

    #[command(flatten)]
    memory: MemoryArgs,

    /// Where standard error is no terminal, say there so often how far it is
    #[arg(long, value_name = "SPAN", default_value = "1min", value_parser = parse_span)]
    progress_every: Duration,

    #[command(flatten)]
    nats: NatsArgs,
}

/// Works as `args` say.
pub(super) fn run_worker(args: &WorkerArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let server = args.nats.needed()?;
    let stop = signal::listen(Ending::Bounded)
        .map_err(|error| Failure::internal(format!("cannot listen for signals: {error}")))?;
    let memory = args.memory.budget();
    let make = move || -> RunShare {
        let mut runner = ShareRunner::new(memory.clone());
        Box::new(move |share: &Share, parcel: Option<&[u8]>| runner.run(share, parcel))
    };
    let mut meter = Meter::open(None, args.progress_every);
    let mut before = (0, Duration::ZERO);
    let mut tell = |news: WorkerNews| match news {
        WorkerNews::Warning(text) => terminal.warning(&text),
        WorkerNews::Done { shares, count } => {
            let read = |took: Duration| {
                let (count_before, took_before) = std::mem::replace(&mut before, (count, took));
                let since = (count.saturating_sub(count_before), took.saturating_sub(took_before));
                Reading { position: shares, told: told((shares, count), since), done: "done" }
            };
            if let Some(told) = meter.look(read) {
                terminal.note(&told);
            }
        }
    };
    let settings = WorkerSettings { threads: jobs(args.threads) };
    let worked = work(&server, settings, make, &stop, &mut tell);
    meter.close();
    worked?;
    Ok(Exit::Holds)
}

/// `12 shares, 12,000 scenarios and seeds, 8,900 a second`: the rate is of what was done `since` it was told last.
fn told((shares, count): (u64, u64), (done, span): (u64, Duration)) -> String {
    let rate = rate(done, span).unwrap_or(0);
    let [shares, count, rate] = [shares, count, rate].map(grouped);
    format!("{shares} shares, {count} scenarios and seeds, {rate} a second")
}
