//! The arguments, as clap reads them.

use crate::source::is_stdin;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::batch_args::BatchArgs;
use super::check_args::{CheckArgs, WitnessArgs};
use super::compare_args::CompareArgs;
use super::connect_args::ConnectArgs;
use super::document_args::DocumentArgs;
use super::generate_args::GenerateArgs;
use super::memory_args::MemoryArgs;
use super::merge_args::MergeArgs;
use super::secret::SecretArgs;
use super::serve_args::ServeArgs;
use super::settings_args::SettingsArgs;
use crate::check::Demand;
use crate::model::Seed;
use crate::report::Verbosity;
use crate::run::Judging;
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
    /// Make the secret that the processes of one bank share
    Secret(SecretArgs),
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

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    /// Write all that happens to this file, as JSON Lines; `passbook check` judges it
    #[arg(long, value_name = "FILE")]
    pub(super) history: Option<PathBuf>,

    /// Do not judge the run
    #[arg(long)]
    no_check: bool,

    #[command(flatten)]
    pub(super) witnesses: WitnessArgs,

    /// Exit with 3 where any property had nothing to test
    #[arg(long, conflicts_with = "no_check")]
    strict: bool,

    /// What carries messages
    #[arg(long, value_enum, default_value_t)]
    pub(super) transport: Transport,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,

    #[command(flatten)]
    pub(super) connect: ConnectArgs,
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
    /// A row per visit with all its events, as one line of JSON
    Customers,
    /// The same in the oldest form, with `result` on each event and `money` for a balance
    Classic,
    /// The full report, as one line of JSON
    Json,
}

impl Cli {
    /// Parses `args`, with the checks that clap cannot be told of.
    pub(super) fn parse_checked(
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(args)?;
        let conflict = |message: &str| {
            Err(Self::command().error(ErrorKind::ArgumentConflict, message.to_owned()))
        };
        match &cli.command {
            Command::Run(args)
                if args.scenarios.iter().filter(|path| is_stdin(path)).count() > 1 =>
            {
                conflict("standard input (`-`) can be read only once")
            }
            Command::Run(args) if args.history.is_some() && args.scenarios.len() > 1 => {
                conflict("a history (`--history`) is of one scenario")
            }
            Command::Run(args)
                if args.settings.latency.is_some() && args.transport == Transport::Grpc =>
            {
                conflict("lag is simulated between mailboxes only, not over `--transport grpc`")
            }
            Command::Run(args) => match args.connect.named_twice() {
                Some(id) => conflict(&format!("`--connect` names branch {id} twice")),
                None => Ok(cli),
            },
            Command::Batch(_)
            | Command::Check(_)
            | Command::Serve(_)
            | Command::Secret(_)
            | Command::Compare(_)
            | Command::Generate(_)
            | Command::Merge(_)
            | Command::Schema => Ok(cli),
        }
    }
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
        self.transport == Transport::Mailbox && !self.connect.is_given()
    }

    /// Whether a person reads more than the result.
    pub(super) fn tells_all(&self) -> bool {
        self.format == Format::Text && self.verbosity() != Verbosity::Quiet
    }

    /// Whether the report has a place for notes.
    pub(super) fn tells_notes(&self) -> bool {
        self.format == Format::Json || self.tells_all()
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
        let Self { settings, document, no_check, strict, transport, memory, connect, .. } = self;
        let mut options = connect.options();
        if !connect.is_given() {
            options.push(format!("--seed {seed}"));
        }
        options.extend(settings.options());
        options.extend(document.options());
        match transport {
            Transport::Mailbox => {}
            Transport::Grpc => options.push("--transport grpc".to_owned()),
        }
        options.extend(memory.option());
        options.extend(no_check.then(|| "--no-check".to_owned()));
        options.extend(strict.then(|| "--strict".to_owned()));
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

    /// Every way to give each option on which a run depends; a line for those that exclude others.
    const ALL_THAT_MATTERS: [&str; 4] = [
        "--seed 8877 --overdraft reject --settle-before-query --customers concurrent --strict \
         --event-ids as-written --document-max 1GiB",
        "--seed 0 --propagation async --guarantees ryw,wfr --latency uniform:1ms..50ms \
         --wait-limit 2s --no-check",
        "--seed 18446744073709551615 --propagation sync --guarantees none --transport grpc \
         --memory-max 3GiB",
        "--connect 1=http://127.0.0.1:50051 --connect 2=http://b.example:7 --call-limit 1500ms \
         --fresh --customers in-order --settle-before-query",
    ];

    /// They say what is shown and kept of a run, and change nothing about it.
    const FOR_THE_EYE: [&str; 6] =
        ["scenarios", "format", "quiet", "verbose", "history", "witnesses"];

    #[test]
    fn a_replay_repeats_what_was_asked() {
        for options in ALL_THAT_MATTERS {
            let run = |options: &str| match parse(&format!("passbook run {options} a.json")) {
                Ok(Cli { command: Command::Run(args), .. }) => args,
                other => panic!("{options}: {other:?}"),
            };
            let asked = run(options);
            let again =
                run(&asked.replay_options(asked.overrides().seed.unwrap_or_default()).join(" "));
            assert_eq!(format!("{again:?}"), format!("{asked:?}"));
        }
    }

    #[test]
    fn each_option_is_repeated_or_for_the_eye_alone() {
        let command = Cli::command();
        let run = command.find_subcommand("run").unwrap();
        let lines = ALL_THAT_MATTERS.join(" ");
        for arg in run.get_arguments() {
            let name = arg.get_long().map(|long| format!("--{long} "));
            let is_repeated = name.is_some_and(|name| format!("{lines} ").contains(&name));
            let id = arg.get_id().as_str();
            assert_ne!(is_repeated, FOR_THE_EYE.contains(&id), "{id}");
        }
    }

    #[test]
    fn a_connected_run_is_replayed_where_it_ran() {
        let line = "passbook run --connect 1=http://127.0.0.1:50051 a.json";
        let Command::Run(args) = parse(line).unwrap().command else { panic!("run") };
        assert_eq!(
            args.replay_options(Seed(0)),
            ["--connect 1=http://127.0.0.1:50051", "--call-limit 15s"]
        );
    }

    #[test]
    fn what_does_nothing_with_branches_elsewhere_is_refused() {
        let connected = "passbook run --connect 1=http://127.0.0.1:50051 a.json";
        assert!(parse(connected).is_ok());
        for option in [
            "--propagation sync",
            "--guarantees all",
            "--latency none",
            "--wait-limit 1s",
            "--overdraft allow",
            "--seed 1",
            "--transport mailbox",
            "--memory-max 1GB",
            "--history h.jsonl",
            "--no-check",
            "--strict",
            "--connect 1=http://127.0.0.1:50052",
        ] {
            let error = parse(&format!("{connected} {option}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{option}");
        }
        for option in ["--fresh", "--call-limit 1s"] {
            let error = parse(&format!("passbook run {option} a.json")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument, "{option}");
        }
    }
}
