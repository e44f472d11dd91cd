//! The arguments, as clap reads them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::batch::BatchArgs;
use super::check_args::CheckArgs;
use super::compare_args::CompareArgs;
use super::generate_args::GenerateArgs;
use super::memory_args::MemoryArgs;
use super::merge_args::MergeArgs;
use super::serve_args::{PeerArg, ServeArgs};
use super::settings_args::SettingsArgs;
use crate::check::Demand;
use crate::model::Seed;
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
   1  a guarantee is violated, or the result is not the expected one (batch: or a scenario failed)
   2  the arguments or a scenario are wrong
   3  undecided: nothing could be tested (check: no guarantee; --strict: not every property)
  70  a defect of passbook, or results that could not be written";

const EXAMPLES: &str = "\
Examples:
  passbook run input/monotonic_writes.json
  passbook run --format balances input/read_your_writes.json
  passbook generate --count 1000 --seed 7 | passbook batch -
  passbook compare input/monotonic_writes.json
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
    /// Run many scenarios at full speed, and keep a row of each
    Batch(BatchArgs),
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

    #[command(flatten)]
    settings: SettingsArgs,

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

    #[command(flatten)]
    pub(super) memory: MemoryArgs,

    /// Where a branch runs already; once for each branch of the scenario
    #[arg(long, value_name = "ID=URL", conflicts_with = "latency")]
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
            Command::Run(args)
                if args.settings.latency.is_some() && args.transport == Transport::Grpc =>
            {
                let message =
                    "lag is simulated between mailboxes only, not over `--transport grpc`";
                Err(Self::command().error(ErrorKind::ArgumentConflict, message))
            }
            Command::Run(_)
            | Command::Batch(_)
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
        self.settings.overrides()
    }

    pub(super) fn demand(&self) -> Demand {
        if self.strict { Demand::Everything } else { Demand::Anything }
    }

    pub(super) fn judging(&self) -> Judging {
        if self.no_check { Judging::Off } else { Judging::On }
    }

    /// The options of a command line that does the same again.
    pub(super) fn replay_options(&self, seed: Seed) -> Vec<String> {
        let mut options = vec![format!("--seed {seed}")];
        options.extend(self.settings.options());
        if self.transport == Transport::Grpc {
            options.push("--transport grpc".to_owned());
        }
        options
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
    fn the_help_of_batch() {
        insta::assert_snapshot!(help("passbook batch -h"));
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
