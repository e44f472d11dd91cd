//! The arguments, as clap reads them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::check_args::CheckArgs;
use super::compare_args::CompareArgs;
use super::generate_args::GenerateArgs;
use super::merge_args::MergeArgs;
use super::serve_args::{PeerArg, ServeArgs};
use crate::check::Demand;
use crate::fault::{Latency, parse_span, show_span};
use crate::model::{CustomerOrder, Guarantees, Overdraft, Propagation, QueryTiming, Seed};
use crate::report::Verbosity;
use crate::runner::Judging;
use crate::scenario::Settings;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Cyan.on_default().bold())
    .usage(AnsiColor::Cyan.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Green.on_default());

pub(super) const EXIT_CODES: &str = "\
Exit codes:
   0  everything holds
   1  a guarantee is violated, or the result is not the expected one
   2  the arguments or a scenario are wrong
   3  undecided: nothing could be tested (check: no guarantee; --strict: not every property)
  70  a defect of passbook, or results that could not be written";

const EXAMPLES: &str = "\
Examples:
  passbook run input/monotonic_writes.json
  passbook run --format balances input/read_your_writes.json
  passbook check history.jsonl
  passbook schema > scenario.schema.json";

const RUN_EXAMPLES: &str = "\
Examples:
  passbook run input/monotonic_writes.json         the whole story
  passbook run -q a.json b.json                    the results alone
  passbook run --format balances scenario.json     one line of JSON
  passbook run --propagation async --latency constant:50ms --guarantees none a.json
                                                   what lag does where nothing is promised
  generate-some-scenario | passbook run -          from standard input";

/// A simulated distributed bank of actors, for client-centric consistency.
#[derive(Debug, Parser)]
#[command(
    version,
    styles = STYLES,
    max_term_width = 100,
    after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"),
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// When to use colour; `auto` heeds the terminal and NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    #[arg(env = "PASSBOOK_COLOR", hide_env_values = true, display_order = 100)]
    pub(super) color: Color,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios and report what happened
    Run(RunArgs),
    /// Judge a recorded history
    Check(CheckArgs),
    /// Join the result files of one batch
    Merge(MergeArgs),
    /// Serve a bank behind gRPC
    Serve(ServeArgs),
    /// Time a scenario over mailboxes and networks, side by side
    Compare(CompareArgs),
    /// Make scenarios from a seed
    Generate(GenerateArgs),
    /// Print the JSON Schema of scenario files
    Schema,
}

#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct RunArgs {
    /// Scenario files, in any input dialect; `-` is standard input
    #[arg(required = true, value_name = "SCENARIO")]
    pub(super) scenarios: Vec<PathBuf>,

    /// What to print
    #[arg(
        long,
        short,
        value_enum,
        default_value_t,
        env = "PASSBOOK_FORMAT",
        hide_env_values = true
    )]
    pub(super) format: Format,

    /// Print the result alone (text)
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,

    /// Print everything, with every message (text)
    #[arg(long, short)]
    verbose: bool,

    /// How a write reaches the other branches [default: as the scenario says, else sync]
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        env = "PASSBOOK_PROPAGATION",
        hide_env_values = true
    )]
    propagation: Option<PropagationArg>,

    /// What every customer is promised: all, none, or some of ryw,mr,mw,wfr [default: as the scenario
    /// says, else all]
    #[arg(long, value_name = "SET", env = "PASSBOOK_GUARANTEES", hide_env_values = true)]
    guarantees: Option<Guarantees>,

    /// How long messages between branches take, on every link: none, constant:20ms, uniform:1ms..50ms
    /// or exponential:10ms [default: as the scenario says, else none]
    #[arg(long, conflicts_with = "connect")]
    #[arg(value_name = "LATENCY", env = "PASSBOOK_LATENCY", hide_env_values = true)]
    latency: Option<Latency>,

    /// How long a request waits for what its customer is promised, before it fails [default: as the
    /// scenario says, else 10s]
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    #[arg(env = "PASSBOOK_WAIT_LIMIT", hide_env_values = true)]
    wait_limit: Option<Duration>,

    /// When customers make their visits [default: as the scenario says, else in-order]
    #[arg(
        long,
        value_name = "ORDER",
        value_enum,
        env = "PASSBOOK_CUSTOMERS",
        hide_env_values = true
    )]
    customers: Option<CustomersArg>,

    /// What to do with a withdrawal that the balance does not cover [default: as the scenario says,
    /// else allow]
    #[arg(
        long,
        value_name = "POLICY",
        value_enum,
        env = "PASSBOOK_OVERDRAFT",
        hide_env_values = true
    )]
    overdraft: Option<OverdraftArg>,

    /// Send each query only when all propagation has settled
    #[arg(long)]
    settle_before_query: bool,

    /// What the run draws its chances from
    #[arg(long, value_name = "NUMBER", env = "PASSBOOK_SEED", hide_env_values = true)]
    seed: Option<u64>,

    /// Write all that happens to this file, as JSON Lines; `passbook check` judges it
    #[arg(long, value_name = "FILE", conflicts_with = "connect")]
    pub(super) history: Option<PathBuf>,

    /// Do not judge the run
    #[arg(long)]
    no_check: bool,

    /// Exit with 3 where any property had nothing to test
    #[arg(long, conflicts_with = "no_check")]
    strict: bool,

    /// What carries messages
    #[arg(long, value_enum, default_value_t, conflicts_with = "connect")]
    pub(super) transport: Transport,

    /// Where a branch runs already; once for each branch of the scenario
    #[arg(long, value_name = "ID=URL")]
    pub(super) connect: Vec<PeerArg>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Transport {
    /// The actors' mailboxes, in virtual time
    #[default]
    Mailbox,
    /// Loopback sockets: customers and branches all speak gRPC to each other
    Grpc,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// What a person likes to read
    #[default]
    Text,
    /// A row per customer with its balance, as one line of JSON
    Balances,
    /// A row per event, as one line of JSON
    Events,
    /// A row per customer with all its events, as one line of JSON
    Customers,
    /// The full report, as one line of JSON
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CustomersArg {
    /// One visit after the other, in the order of the file
    InOrder,
    /// All customers at once
    Concurrent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OverdraftArg {
    /// Apply it: the balance goes below zero
    Allow,
    /// Refuse it
    Reject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PropagationArg {
    /// Before the reply
    Sync,
    /// After it
    Async,
}

impl Cli {
    /// Parses `args`, with the checks that clap cannot be told of.
    pub(super) fn parse_checked(
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(args)?;
        match &cli.command {
            Command::Run(args)
                if args.scenarios.iter().filter(|path| is_stdin(path)).count() > 1 =>
            {
                let message = "standard input (`-`) can be read only once";
                Err(Self::command().error(ErrorKind::ArgumentConflict, message))
            }
            Command::Run(args) if args.history.is_some() && args.scenarios.len() > 1 => {
                let message = "a history (`--history`) is of one scenario";
                Err(Self::command().error(ErrorKind::ArgumentConflict, message))
            }
            Command::Run(args) if args.latency.is_some() && args.transport == Transport::Grpc => {
                let message =
                    "lag is simulated between mailboxes only, not over `--transport grpc`";
                Err(Self::command().error(ErrorKind::ArgumentConflict, message))
            }
            Command::Run(_)
            | Command::Check(_)
            | Command::Serve(_)
            | Command::Compare(_)
            | Command::Generate(_)
            | Command::Merge(_)
            | Command::Schema => Ok(cli),
        }
    }
}

/// Whether `path` stands for standard input.
pub(super) fn is_stdin(path: &std::path::Path) -> bool {
    path.as_os_str() == "-"
}

impl RunArgs {
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }

    /// Whether messages go through the simulated network.
    pub(super) fn is_simulated(&self) -> bool {
        self.transport == Transport::Mailbox && self.connect.is_empty()
    }

    /// Whether a person reads more than the result.
    pub(super) fn tells_all(&self) -> bool {
        self.format == Format::Text && self.verbosity() != Verbosity::Quiet
    }

    /// What overrides the scenarios' own settings.
    pub(super) fn overrides(&self) -> Settings {
        Settings {
            propagation: self.propagation.map(Propagation::from),
            guarantees: self.guarantees,
            latency: self.latency,
            wait_limit: self.wait_limit,
            overdraft: self.overdraft.map(Overdraft::from),
            customers: self.customers.map(CustomerOrder::from),
            queries: self.settle_before_query.then_some(QueryTiming::AfterSettling),
            seed: self.seed.map(Seed),
            ..Settings::default()
        }
    }

    pub(super) fn demand(&self) -> Demand {
        if self.strict { Demand::Everything } else { Demand::Anything }
    }

    pub(super) fn judging(&self) -> Judging {
        if self.no_check { Judging::Off } else { Judging::On }
    }

    /// The options of a command line that does the same again.
    pub(super) fn replay_options(&self, seed: Seed) -> Vec<String> {
        let Settings { propagation, guarantees, latency, wait_limit, .. } = self.overrides();
        let Settings { overdraft, customers, queries, .. } = self.overrides();
        let mut options = vec![format!("--seed {seed}")];
        options.extend(propagation.map(|propagation| format!("--propagation {propagation}")));
        options.extend(guarantees.map(|guarantees| format!("--guarantees {guarantees}")));
        options.extend(latency.map(|latency| format!("--latency {latency}")));
        options.extend(wait_limit.map(|limit| format!("--wait-limit {}", show_span(limit))));
        options.extend(customers.map(|customers| format!("--customers {customers}")));
        options.extend(overdraft.map(|overdraft| format!("--overdraft {overdraft}")));
        options.extend(queries.map(|_| "--settle-before-query".to_owned()));
        if self.transport == Transport::Grpc {
            options.push("--transport grpc".to_owned());
        }
        options
    }
}

impl From<CustomersArg> for CustomerOrder {
    fn from(arg: CustomersArg) -> Self {
        match arg {
            CustomersArg::InOrder => Self::InOrder,
            CustomersArg::Concurrent => Self::Concurrent,
        }
    }
}

impl From<PropagationArg> for Propagation {
    fn from(arg: PropagationArg) -> Self {
        match arg {
            PropagationArg::Sync => Self::Sync,
            PropagationArg::Async => Self::Async,
        }
    }
}

impl From<OverdraftArg> for Overdraft {
    fn from(arg: OverdraftArg) -> Self {
        match arg {
            OverdraftArg::Allow => Self::Allow,
            OverdraftArg::Reject => Self::Reject,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::parse_checked(line.split_whitespace().map(OsString::from))
    }

    fn help(line: &str) -> String {
        // As wide as the widest, whatever terminal the tests run in.
        let command = Cli::command().term_width(100);
        command.try_get_matches_from(line.split_whitespace()).unwrap_err().to_string()
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_the_program() {
        insta::assert_snapshot!(help("passbook --help"));
    }

    #[test]
    fn the_help_of_run() {
        insta::assert_snapshot!(help("passbook run -h"));
    }

    #[test]
    fn standard_input_is_read_once() {
        assert!(parse("passbook run - a.json").is_ok());
        let error = parse("passbook run - a.json -").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn quiet_and_verbose_exclude_each_other() {
        assert_eq!(parse("passbook run -q -v a").unwrap_err().kind(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn what_is_not_given_overrides_nothing() {
        let Command::Run(args) = parse("passbook run a.json").unwrap().command else {
            panic!("run");
        };
        assert_eq!(args.overrides(), Settings::default());
        assert_eq!(args.verbosity(), Verbosity::Normal);
    }

    #[test]
    fn a_replay_repeats_what_was_asked() {
        let line = "passbook run --overdraft reject --settle-before-query a.json";
        let Command::Run(args) = parse(line).unwrap().command else { panic!("run") };
        assert_eq!(
            args.replay_options(Seed(8877)),
            ["--seed 8877", "--overdraft reject", "--settle-before-query"]
        );
        let line = "passbook run --propagation async --guarantees wfr,ryw --wait-limit 2000ms \
                    --latency uniform:1ms..50ms a.json";
        let Command::Run(args) = parse(line).unwrap().command else { panic!("run") };
        assert_eq!(
            args.replay_options(Seed(0)).join(" "),
            "--seed 0 --propagation async --guarantees ryw,wfr --latency uniform:1ms..50ms \
             --wait-limit 2s"
        );
    }
}
