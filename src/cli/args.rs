//! The arguments, as clap reads them.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use super::batch_args::BatchArgs;
use super::check_args::CheckArgs;
use super::compare::CompareArgs;
use super::completions::CompletionsArgs;
use super::convert::ConvertArgs;
use super::draw::DrawArgs;
use super::exit_codes::ExitCodes;
use super::generate::GenerateArgs;
use super::health::HealthArgs;
use super::jobs::JobsArgs;
use super::man::ManArgs;
use super::merge::MergeArgs;
use super::run_args::RunArgs;
use super::schema::SchemaArgs;
use super::secret::SecretArgs;
use super::serve_args::ServeArgs;
use super::simulate_args::SimulateArgs;
use super::terminal::Color;
use super::worker::WorkerArgs;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Cyan.on_default().bold())
    .usage(AnsiColor::Cyan.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Green.on_default());

const EXAMPLES: &str = "\
Examples:
  passbook run input/monotonic_writes.json
  passbook run --format balances input/read_your_writes.json
  passbook generate --count 1000 --seed 7 | passbook batch -
  passbook compare input/monotonic_writes.json
  passbook check history.jsonl
  passbook schema > scenario.schema.json";

/// A simulated distributed bank of actors, for client-centric consistency.
#[derive(Debug, Parser)]
#[command(
    version,
    styles = STYLES,
    max_term_width = 100,
    after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::ALL)
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// When to use colour; `auto` heeds the terminal, NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    #[arg(env = "PASSBOOK_COLOR", hide_env_values = true, display_order = 100)]
    pub(super) color: Color,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios and report what happened
    Run(RunArgs),
    /// Run many scenarios at full speed, and keep a row of each
    Batch(Box<BatchArgs>),
    /// Run many seeds in foul weather, and shrink what goes wrong
    Simulate(Box<SimulateArgs>),
    /// Run shares of batches and simulations that others ask for, on this machine
    Worker(WorkerArgs),
    /// List the jobs on a NATS server, or remove one
    Jobs(JobsArgs),
    /// Judge a recorded history
    Check(CheckArgs),
    /// Draw a recorded history as a picture
    Draw(DrawArgs),
    /// Write a recorded history in the format of another tool
    Convert(ConvertArgs),
    /// Join the result files of one batch
    Merge(MergeArgs),
    /// Serve a bank behind gRPC
    Serve(ServeArgs),
    /// Ask a served bank whether it takes requests
    Health(HealthArgs),
    /// Make the secret that the processes of one bank share
    Secret(SecretArgs),
    /// Time a scenario over mailboxes and networks, side by side
    Compare(CompareArgs),
    /// Make scenarios from a seed
    Generate(GenerateArgs),
    /// Print what a shell completes the commands and options with
    Completions(CompletionsArgs),
    /// Write the manual pages, one for each command
    Man(ManArgs),
    /// Print the JSON Schema of scenarios, or of what passbook writes
    Schema(SchemaArgs),
}

impl Command {
    /// What of the arguments cannot be together, of which clap knows nothing.
    pub(super) fn conflict(&self) -> Option<String> {
        match self {
            Self::Run(args) => args.conflict(),
            Self::Serve(args) => args.conflict(),
            Self::Batch(args) => args.conflict(),
            Self::Simulate(args) => args.conflict(),
            Self::Worker(_)
            | Self::Jobs(_)
            | Self::Check(_)
            | Self::Draw(_)
            | Self::Convert(_)
            | Self::Health(_)
            | Self::Secret(_)
            | Self::Compare(_)
            | Self::Generate(_)
            | Self::Merge(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Schema(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;
    use crate::model::Seed;
    use crate::report::Verbosity;
    use crate::scenario::Settings;

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
    const ALL_THAT_MATTERS: [&str; 5] = [
        "--seed 8877 --overdraft reject --settle-before-query --customers concurrent --strict --disk \
         --event-ids as-written --document-max 1GiB",
        "--seed 0 --propagation async --guarantees ryw,wfr --latency uniform:1ms..50ms \
         --wait-limit 2s --no-check",
        "--seed 18446744073709551615 --propagation sync --guarantees none --transport grpc \
         --memory-max 3GiB",
        "--seed 1 --faults loss=0.02,duplicate=0.000001,reorder=0.1 --nemesis slow,crash \
         --nemesis-interval 1ms --nemesis-duration 20us --think exponential:10ms --settle-limit 2h",
        "--connect 1=http://127.0.0.1:50051 --connect 2=http://b.example:7 --call-limit 1500ms \
         --fresh --customers in-order --settle-before-query",
    ];

    /// They say what is shown and kept of a run, and change nothing about it.
    const FOR_THE_EYE: [&str; 10] = [
        "scenarios",
        "format",
        "quiet",
        "verbose",
        "by",
        "diagram",
        "ascii",
        "history",
        "export_html",
        "witnesses",
    ];

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
        assert!(
            matches!(parse(connected).unwrap().command, Command::Run(args) if args.connect.is_given())
        );
        for option in [
            "--propagation sync",
            "--guarantees all",
            "--latency none",
            "--wait-limit 1s",
            "--overdraft allow",
            "--disk",
            "--faults none",
            "--nemesis crash",
            "--nemesis-interval 1ms",
            "--nemesis-duration 1ms",
            "--settle-limit 1s",
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
