//! What `passbook simulate` is asked for.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::document_args::{DocumentArgs, ONE_DOCUMENT};
use super::exit_codes::ExitCodes;
use super::memory_args::MemoryArgs;
use super::number::{jobs, whole};
use super::settings_args::CommonSettingsArgs;
use super::words::one_of;
use crate::model::CustomerOrder;
use crate::network::parse_span;
use crate::report::shell;
use crate::scenario::Settings;
use crate::scenario::generate::Between;
use crate::simulate::{AtFinding, LoadSize, Plan, Seeds, SeedsError};
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
    keep_going: bool,

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

    /// How many branches a bank has
    #[arg(long, value_name = "RANGE", default_value_t = LoadSize::default().branches)]
    #[arg(conflicts_with = "scenario")]
    branches: Between<NonZeroU32>,

    /// How many customers it has
    #[arg(long, value_name = "RANGE", default_value_t = LoadSize::default().customers)]
    #[arg(conflicts_with = "scenario")]
    customers: Between<NonZeroU32>,

    /// How many events each customer has
    #[arg(long, value_name = "RANGE", default_value_t = LoadSize::default().events)]
    #[arg(conflicts_with = "scenario")]
    events: Between<NonZeroU32>,

    /// When customers make their visits [default: as the scenario says, else concurrent]
    #[arg(long, value_name = "ORDER", value_parser = one_of::<CustomerOrder>())]
    customer_order: Option<CustomerOrder>,

    #[command(flatten)]
    settings: CommonSettingsArgs,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,

    /// Where standard error is no terminal, say there so often how far it is
    #[arg(long, value_name = "SPAN", default_value = "1min", value_parser = parse_span)]
    pub(super) progress_every: Duration,
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
    /// How seeds are searched.
    pub(super) fn plan(&self) -> Result<Plan, SeedsError> {
        let at_finding = if self.keep_going { AtFinding::GoOn } else { AtFinding::Stop };
        Ok(Plan { seeds: self.seeds()?, jobs: jobs(self.jobs), at_finding })
    }

    fn seeds(&self) -> Result<Seeds, SeedsError> {
        match (self.seeds, self.settings.overrides().seed, self.time) {
            (Some(seeds), _, _) => Ok(seeds),
            (None, Some(seed), _) => Seeds::only(seed.0),
            (None, None, Some(_)) => Ok(Seeds::ALL),
            (None, None, None) => Seeds::new(0, SEEDS),
        }
    }

    /// How much each seed has where it makes its own scenario.
    pub(super) fn size(&self) -> LoadSize {
        let &Self { branches, customers, events, .. } = self;
        LoadSize { branches, customers, events }
    }

    /// What overrides the settings of scenarios.
    pub(super) fn overrides(&self) -> Settings {
        Settings { customers: self.customer_order, ..self.settings.overrides() }
    }

    /// The files that are written in any case.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &Path> {
        let Self { output, export_json, export_junit, .. } = self;
        [output, export_json, export_junit].into_iter().filter_map(|file| file.as_deref())
    }

    /// The command that runs `seed` again.
    pub(super) fn replay(&self, seed: u64) -> String {
        let mut words = vec![format!("--seed {seed}")];
        if self.scenario.is_none() {
            let (size, usual) = (self.size(), LoadSize::default());
            let changed = |name: &str, range: Between<NonZeroU32>, usual: Between<NonZeroU32>| {
                (range != usual).then(|| format!("--{name} {range}"))
            };
            words.extend(changed("branches", size.branches, usual.branches));
            words.extend(changed("customers", size.customers, usual.customers));
            words.extend(changed("events", size.events, usual.events));
        }
        words.extend(self.customer_order.map(|order| format!("--customer-order {order}")));
        words.extend(self.settings.options());
        words.extend(self.document.options());
        words.extend(self.memory.option());
        let (command, options) = ("passbook simulate", words.join(" "));
        match &self.scenario {
            Some(place) => shell::again(command, place.argument(), &options),
            None => format!("{command} {}", shell::options(&options)),
        }
    }
}
