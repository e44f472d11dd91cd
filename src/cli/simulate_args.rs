//! What `passbook simulate` is asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::document_args::ONE_DOCUMENT;
use super::exit_codes::ExitCodes;
use super::load_args::LoadArgs;
use super::nats_args::JobArgs;
use super::number::{jobs, whole};
use crate::network::parse_span;
use crate::report::shell;
use crate::simulate::{AtFinding, Plan, Seeds, SeedsError};
use crate::source::Place;

const EXAMPLES: &str = "\
Examples:
  passbook simulate                                ten thousand banks with lag
  passbook simulate --guarantees mr,mw,wfr         what breaks without read your writes
  passbook simulate input/monotonic_reads.json --seeds 0..1000
                                                   one scenario with many chances
  passbook simulate --faults loss=0.02,duplicate=0.02,reorder --nemesis partition,crash
                                                   the same in foul weather
  passbook simulate --time 1min                    as many seeds as there are in a minute

Without a scenario a bank has async propagation, all guarantees, a latency of uniform:1ms..20ms,
and concurrent customers that think for exponential:10ms before each event.";

/// How many seeds are tried where nothing is said of it.
const SEEDS: u64 = 10_000;

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::SIMULATE))]
pub(super) struct SimulateArgs {
    #[arg(value_name = "SCENARIO", help = format!(
        "A scenario that each seed runs, {ONE_DOCUMENT} [default: each seed makes its own]"
    ))]
    pub(super) scenario: Option<Place>,

    /// Which seeds to run, without the second number [default: 0..10000; with --time, all]
    #[arg(long, value_name = "RANGE", conflicts_with = "seed")]
    seeds: Option<Seeds>,

    /// Stop after so long
    #[arg(long, value_name = "SPAN", value_parser = parse_span, conflicts_with = "seed")]
    pub(super) time: Option<Duration>,

    /// Run all seeds, whatever is found
    #[arg(long)]
    pub(super) keep_going: bool,

    /// How many seeds to run at the same time, up to 1024 [default: one per core]
    #[arg(long, short, value_name = "NUMBER", env = "PASSBOOK_JOBS", hide_env_values = true)]
    #[arg(value_parser = whole::<u16>(1..=1024))]
    jobs: Option<u16>,

    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) format: SimulateFormat,

    /// Write the smallest scenario that shows what was found to this file [default:
    /// simulated-SEED.json]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Write the summary to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) export_json: Option<PathBuf>,

    /// Write a test case for each property to this file, for CI servers
    #[arg(long, value_name = "FILE")]
    pub(super) export_junit: Option<PathBuf>,

    #[command(flatten)]
    pub(super) load: LoadArgs,

    /// Where standard error is no terminal, say there so often how far it is
    #[arg(long, value_name = "SPAN", default_value = "1min", value_parser = parse_span)]
    pub(super) progress_every: Duration,

    #[command(flatten)]
    pub(super) nats: JobArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SimulateFormat {
    /// What it came to, for people
    #[default]
    Text,
    /// The same as one line of JSON
    Json,
}

impl SimulateArgs {
    /// What cannot be together with --nats, and why.
    pub(super) fn conflict(&self) -> Option<String> {
        if !self.nats.server.is_given() {
            return None;
        }
        let with = [
            (self.time.is_some(), "--time", "how many seeds are run would depend on the workers"),
            (self.jobs.is_some(), "--jobs", "workers say how many threads they have"),
        ];
        let (_, option, reason) = with.into_iter().find(|(is_given, ..)| *is_given)?;
        Some(format!("the argument '--nats <URL>' cannot be used with '{option}': {reason}"))
    }

    /// How seeds are searched.
    pub(super) fn plan(&self) -> Result<Plan, SeedsError> {
        let at_finding = if self.keep_going { AtFinding::GoOn } else { AtFinding::Stop };
        Ok(Plan { seeds: self.seeds()?, jobs: jobs(self.jobs), at_finding })
    }

    fn seeds(&self) -> Result<Seeds, SeedsError> {
        match (self.seeds, self.load.overrides().seed, self.time) {
            (Some(seeds), _, _) => Ok(seeds),
            (None, Some(seed), _) => Seeds::only(seed.0),
            (None, None, Some(_)) => Ok(Seeds::ALL),
            (None, None, None) => Seeds::new(0, SEEDS),
        }
    }

    /// The files that are written in any case.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &Path> {
        let Self { output, export_json, export_junit, .. } = self;
        [output, export_json, export_junit].into_iter().filter_map(|file| file.as_deref())
    }

    /// The command that runs `seed` again.
    pub(super) fn replay(&self, seed: u64) -> String {
        let mut words = vec![format!("--seed {seed}")];
        words.extend(self.load.options(self.scenario.is_none()));
        let (command, options) = ("passbook simulate", words.join(" "));
        match &self.scenario {
            Some(place) => shell::again(command, place.argument(), &options),
            None => format!("{command} {}", shell::options(&options)),
        }
    }
}
