//! `passbook compare`: times a scenario over several transports, side by side.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::compare_output::{CompareOutput, Variant};
use super::document_args::{DocumentArgs, ONE_DOCUMENT};
use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::memory_args::MemoryArgs;
use super::number::{rate, whole};
use super::signal::{self, Ending};
use super::terminal::Terminal;
use crate::compare::{
    CompareError, CompareOptions, Comparison, Load, Progress, Transport, compare, compare_bytes,
};
use crate::model::number::count;
use crate::model::{CustomerOrder, Guarantees, Propagation, Seed, Shown};
use crate::network::parse_span;
use crate::scenario::generate::{Between, GenerateOptions, Generator};
use crate::scenario::{Scenario, Settings};
use crate::source::{Place, read_scenario};

const COMPARE_EXAMPLES: &str = "\
Examples:
  passbook compare                                           generated load
  passbook compare input/monotonic_writes.json
  passbook compare --export-html compare.html input/monotonic_writes.json
  passbook compare --baseline before.json a.json            has it changed, beyond noise?
  passbook compare --transports mailbox,grpc-tcp --in-flight 64 a.json
  passbook compare --transports grpc-tcp,grpc-tcp a.json    the same twice: what noise looks like
  passbook compare --branches 3 --customers 20 --events 50   more of it
  passbook compare --rate 2000 --propagation both a.json    2,000 requests a second, answered or not";

#[derive(Debug, Args)]
#[command(after_help = format!("{COMPARE_EXAMPLES}\n\n{}", ExitCodes::COMPARE))]
pub(super) struct CompareArgs {
    #[arg(help = format!(
        "A scenario, in any input dialect, {ONE_DOCUMENT} [default: one from the seed]"
    ))]
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: Option<Place>,

    /// Instead of a scenario: one from the seed, with so many branches [default: 2]
    #[arg(long, value_name = "NUMBER", conflicts_with = "scenario")]
    #[arg(value_parser = whole::<NonZeroU32>(NonZeroU32::MIN..=NonZeroU32::MAX))]
    branches: Option<NonZeroU32>,

    /// The same, with so many customers, who all ask at the same time [default: 1]
    #[arg(long, value_name = "NUMBER", conflicts_with = "scenario")]
    #[arg(value_parser = whole::<NonZeroU32>(NonZeroU32::MIN..=NonZeroU32::MAX))]
    customers: Option<NonZeroU32>,

    /// The same, with so many events for each customer [default: 5]
    #[arg(long, value_name = "NUMBER", conflicts_with = "scenario")]
    #[arg(value_parser = whole::<NonZeroU32>(NonZeroU32::MIN..=NonZeroU32::MAX))]
    events: Option<NonZeroU32>,

    /// What is compared, with commas between; the same twice shows what is noise
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    #[arg(default_values_t = Transport::ALL, hide_default_value = true)]
    transports: Vec<Transport>,

    /// How many rounds of each; they are shuffled
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    #[arg(value_parser = whole::<u16>(1..=10_000))]
    rounds: u16,

    /// About how long a round takes
    #[arg(long, value_name = "SPAN", default_value = "110ms", value_parser = parse_span)]
    round_time: Duration,

    /// How many copies of the scenario's customers ask at the same time, under other customer ids;
    /// customers who take turns make one request at a time, so that it is as many as this
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    #[arg(value_parser = whole::<u16>(1..=10_000))]
    in_flight: u16,

    /// So many requests a second are due, all customers together; a latency then counts from when
    /// its request was due [default: each customer asks again when it has its answer]
    #[arg(long, value_name = "NUMBER")]
    #[arg(value_parser = rate)]
    rate: Option<f64>,

    /// What the order of rounds is drawn from [default: as the scenario says, else 0]
    #[arg(long, value_name = "NUMBER", env = "PASSBOOK_SEED", hide_env_values = true)]
    #[arg(value_parser = whole::<u64>(0..=u64::MAX))]
    seed: Option<u64>,

    /// How a write reaches the other branches [default: as the scenario says, else sync]
    #[arg(long, value_name = "WHEN", value_enum)]
    #[arg(env = "PASSBOOK_PROPAGATION", hide_env_values = true)]
    pub(super) propagation: Option<PropagationsArg>,

    /// What every customer is promised: all, none, or some of ryw,mr,mw,wfr [default: as the
    /// scenario says, else all]
    #[arg(long, value_name = "SET", env = "PASSBOOK_GUARANTEES", hide_env_values = true)]
    guarantees: Option<Guarantees>,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,

    #[command(flatten)]
    pub(super) output: CompareOutput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PropagationsArg {
    /// Before the reply
    Sync,
    /// After it
    Async,
    /// One comparison of each
    Both,
}

impl ValueEnum for Transport {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Mailbox => "Actors in one thread",
            Self::GrpcMemory => "gRPC over connections in memory",
            Self::GrpcUnix => "gRPC over Unix sockets",
            Self::GrpcTcp => "gRPC over loopback TCP",
            Self::Processes => "The same, and each branch a process of its own",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}

impl CompareArgs {
    /// A propagation for each comparison; `None`: as the scenario says.
    pub(super) fn propagations(&self) -> Vec<Option<Propagation>> {
        match self.propagation {
            None => vec![None],
            Some(PropagationsArg::Sync) => vec![Some(Propagation::Sync)],
            Some(PropagationsArg::Async) => vec![Some(Propagation::Async)],
            Some(PropagationsArg::Both) => {
                vec![Some(Propagation::Sync), Some(Propagation::Async)]
            }
        }
    }

    /// What is compared where no scenario is named.
    pub(super) fn generated(&self) -> GenerateOptions {
        let defaults = GenerateOptions::default();
        let only = |number: Option<NonZeroU32>| number.map(Between::only);
        GenerateOptions {
            seed: self.seed.map_or(defaults.seed, Seed),
            branches: only(self.branches).unwrap_or(defaults.branches),
            customers: only(self.customers).unwrap_or(defaults.customers),
            events: only(self.events).unwrap_or(defaults.events),
            customer_order: Some(CustomerOrder::Concurrent),
            ..defaults
        }
    }

    pub(super) fn options(
        &self,
        propagation: Option<Propagation>,
        program: PathBuf,
        stop: CancellationToken,
    ) -> CompareOptions {
        CompareOptions {
            overrides: Settings {
                propagation,
                guarantees: self.guarantees,
                seed: self.seed.map(Seed),
                ..Settings::default()
            },
            transports: self.transports.clone(),
            rounds: self.rounds.into(),
            round_time: self.round_time,
            copies: self.in_flight.into(),
            load: self.rate.map_or(Load::Closed, |rate| Load::Open { rate }),
            program: Some(program),
            stop,
        }
    }
}

/// Compares, and prints what was measured.
pub(super) fn compare_transports(
    args: &CompareArgs,
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let propagations = args.propagations();
    let variant = |&propagation: &Option<Propagation>| {
        Variant(propagation.filter(|_| propagations.len() > 1))
    };
    let variants: Vec<Variant> = propagations.iter().map(variant).collect();
    args.output.refuse_clashes(args.scenario.as_ref().map(Place::path), &variants)?;
    if let Some(place) = &args.scenario {
        terminal.before_reading(place, "a scenario");
    }
    let scenario = scenario(args)?;
    terminal.remarks(&scenario.warnings);
    if scenario.settings.latency.is_some() || !scenario.settings.links.is_empty() {
        let name = Shown::name(&scenario.name);
        terminal
            .warning(&format!("{name}: lag is not simulated here; messages take what they take"));
    }
    let program = std::env::current_exe()?;
    // A process that died of a signal would leave the processes of its branches behind.
    let stop = signal::listen(Ending::BoundedWithTerminal)?;
    let mut comparisons = Vec::with_capacity(propagations.len());
    for (propagation, variant) in propagations.into_iter().zip(variants) {
        let options = args.options(propagation, program.clone(), stop.clone());
        let checked = args.memory.budget().check(compare_bytes(&scenario, &options));
        let name = Shown::name(&scenario.name);
        checked.map_err(|refused| Failure::bad_input(format!("{name}: {refused}")))?;
        let prepared = args.output.prepare(variant, args.document.document_max)?;
        comparisons.push((options, variant, prepared));
    }
    let mut worst = Exit::Holds;
    for (place, (options, variant, prepared)) in comparisons.into_iter().enumerate() {
        let comparison = run(&scenario, &options)?;
        if place > 0 && args.output.is_text() {
            writeln!(terminal.results())?;
        }
        worst = worst.max(args.output.show(&comparison, prepared, variant, terminal)?);
        terminal.flush()?;
        if stop.is_cancelled() {
            terminal.warning("interrupted; this is of the rounds that were done");
            break;
        }
    }
    Ok(worst)
}

/// What is to be compared.
fn scenario(args: &CompareArgs) -> Result<Scenario, Failure> {
    match &args.scenario {
        Some(path) => Ok(read_scenario(path, args.document.document_max, None)?),
        None => {
            let generator = Generator::new(args.generated()).map_err(Failure::bad_input)?;
            Ok(generator.scenario(1))
        }
    }
}

/// Compares, and shows on a terminal how far it is.
fn run(scenario: &Scenario, options: &CompareOptions) -> Result<Comparison, CompareError> {
    let style =
        ProgressStyle::with_template("{wide_bar}  {msg}").expect("every comparison reads it");
    let bar = ProgressBar::new(1).with_style(style);
    let comparison = compare(scenario, options, &mut |progress| match progress {
        Progress::WarmingUp(transport) => {
            bar.set_message(format!("warming up: {}", transport.word()));
        }
        Progress::Round { transport, number, of } => {
            bar.set_length(count(of));
            bar.set_position(count(number - 1));
            let round = format!("round {number} of {of}: {}", transport.word());
            log::info!("{round}");
            bar.set_message(round);
        }
    });
    bar.finish_and_clear();
    comparison
}
