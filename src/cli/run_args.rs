//! What `passbook run` is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connect_args::ConnectArgs;
use super::diagram_args::DiagramArgs;
use super::document_args::{DocumentArgs, ONE_DOCUMENT};
use super::exit_codes::ExitCodes;
use super::memory_args::MemoryArgs;
use super::settings_args::SettingsArgs;
use super::witness_args::WitnessArgs;
use crate::check::Strictness;
use crate::model::Seed;
use crate::report::{EventOrder, Verbosity};
use crate::run::Judging;
use crate::scenario::Settings;
use crate::source::Place;

const RUN_EXAMPLES: &str = "\
Examples:
  passbook run input/monotonic_writes.json         the whole story
  passbook run -q a.json b.json                    the results alone
  passbook run --format balances scenario.json     one line of JSON
  passbook run --propagation async --latency constant:50ms --guarantees none a.json
                                                   what lag does where nothing is promised
  generate-some-scenario | passbook run -          from standard input";

#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_EXAMPLES}\n\n{}", ExitCodes::RUN))]
pub(super) struct RunArgs {
    #[arg(required = true, value_name = "SCENARIO")]
    #[arg(help = format!("Scenarios, in any input dialect, each {ONE_DOCUMENT}"))]
    pub(super) scenarios: Vec<Place>,

    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    #[arg(env = "PASSBOOK_FORMAT", hide_env_values = true)]
    pub(super) format: Format,

    /// Print the result alone (text)
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,

    /// The order in which events are told (text)
    #[arg(long, value_name = "ORDER", value_enum, default_value_t)]
    pub(super) by: By,

    /// Print everything, with every message (text)
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten)]
    pub(super) diagram: DiagramArgs,

    #[command(flatten)]
    pub(super) settings: SettingsArgs,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    /// Write all that happens to this file, as JSON Lines; `passbook check` judges it
    #[arg(long, value_name = "FILE")]
    pub(super) history: Option<PathBuf>,

    /// Write a page with the verdicts, pictures of what is broken, and all that happened
    #[arg(long, value_name = "FILE")]
    pub(super) export_html: Option<PathBuf>,

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
pub(super) enum By {
    /// Concurrent customers one after the other, else as it happened
    #[default]
    Customer,
    /// As it happened, with the time of each
    Time,
}

impl From<By> for EventOrder {
    fn from(by: By) -> Self {
        match by {
            By::Customer => Self::Customer,
            By::Time => Self::Time,
        }
    }
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

impl RunArgs {
    /// What of them cannot be together, of which clap knows nothing.
    pub(super) fn conflict(&self) -> Option<String> {
        if self.scenarios.iter().filter(|place| place.is_stdin()).count() > 1 {
            return Some("standard input (`-`) can be read only once".to_owned());
        }
        if self.history.is_some() && self.scenarios.len() > 1 {
            return Some("a history (`--history`) is of one scenario".to_owned());
        }
        if self.export_html.is_some() && self.scenarios.len() > 1 {
            return Some("a page (`--export-html`) is of one scenario".to_owned());
        }
        if self.export_html.is_some() && self.connect.is_given() {
            let unseen = "a page (`--export-html`) needs what happens between branches, which \
                          those of `--connect` do not tell";
            return Some(unseen.to_owned());
        }
        if self.settings.common.latency.is_some() && self.transport == Transport::Grpc {
            let simulated = "lag is simulated between mailboxes only, not over `--transport grpc`";
            return Some(simulated.to_owned());
        }
        if self.settings.common.weather.faults().are_given() && self.transport == Transport::Grpc {
            let simulated = "faults (`--faults`, `--nemesis`) are simulated between mailboxes \
                             only, not over `--transport grpc`";
            return Some(simulated.to_owned());
        }
        if self.diagram.is_wanted() && self.format != Format::Text {
            return Some("a diagram (`--diagram`) stands below text, not below JSON".to_owned());
        }
        if self.diagram.is_wanted() && self.connect.is_given() {
            let unseen = "a diagram (`--diagram`) needs what happens between branches, which those \
                          of `--connect` do not tell";
            return Some(unseen.to_owned());
        }
        self.connect.named_twice().map(|id| format!("`--connect` names branch {id} twice"))
    }

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

    /// Whether what happened is drawn.
    pub(super) fn needs_facts(&self) -> bool {
        self.diagram.is_wanted() || self.export_html.is_some()
    }

    /// Whether the report has a place for notes.
    pub(super) fn tells_notes(&self) -> bool {
        self.format == Format::Json || self.tells_all()
    }

    /// What overrides the scenarios' own settings.
    pub(super) fn overrides(&self) -> Settings {
        self.settings.overrides()
    }

    pub(super) fn demand(&self) -> Strictness {
        if self.strict { Strictness::Everything } else { Strictness::Anything }
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
