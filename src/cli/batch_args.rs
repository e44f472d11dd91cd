//! What `passbook batch` is asked for.

use std::io;
use std::io::IsTerminal;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::document_args::ONE_DOCUMENT;
use super::exit_codes::ExitCodes;
use super::exports::ExportArgs;
use super::generated_args::{GeneratedArgs, parse_generated};
use super::nats_args::JobArgs;
use super::number::{jobs, whole};
use super::row_args::RowArgs;
use crate::batch::{Filter, HistoryFolder, HistoryOf, Order, Partition, Plan};
use crate::network::parse_span;
use crate::source::Place;

const EXAMPLES: &str = "\
Examples:
  passbook batch cases/                            every scenario below a folder
  passbook batch 'cases/**/*.json' more.jsonl.zst  globs, and files with a scenario a line
  generate-many | passbook batch - > rows.jsonl    a row a scenario, and a summary at the end
  passbook batch cases/ --export-junit junit.xml   for a CI server
  passbook batch many.jsonl --partition count:2/8 --export-jsonl rows-2.jsonl
                                                   the second of eight shares
  passbook batch many.jsonl --resume rows.jsonl    go on where an earlier batch ended
  passbook batch --rerun-failed rows.jsonl         run again what failed";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::BATCH))]
pub(super) struct BatchArgs {
    #[arg(required_unless_present_any = ["rerun_failed", "generate"], value_name = "INPUT", help = format!(
        "Folders and globs; scenarios (.json), or a scenario a line (.jsonl, .ndjson, `-`), \
         each {ONE_DOCUMENT}"
    ))]
    pub(super) inputs: Vec<Place>,

    /// Run the scenarios that `passbook generate` makes of these options, as if they were piped in; they
    /// are made where they are run: '--count 1000 --seed 7'
    #[arg(long, value_name = "OPTIONS", value_parser = parse_generated)]
    #[arg(allow_hyphen_values = true, conflicts_with_all = ["inputs", "rerun_failed"])]
    pub(super) generate: Option<GeneratedArgs>,

    /// How many scenarios to run at the same time, up to 1024 [default: one per core]
    #[arg(long, short, value_name = "NUMBER", env = "PASSBOOK_JOBS", hide_env_values = true)]
    #[arg(value_parser = whole::<u16>(1..=1024))]
    jobs: Option<u16>,

    /// Hand out results as they come, not in the order of the input
    #[arg(long)]
    unordered: bool,

    /// What to print [default: text on a terminal, or where rows go to a file; else json]
    #[arg(long, short, value_enum, env = "PASSBOOK_BATCH_FORMAT", hide_env_values = true)]
    format: Option<BatchFormat>,

    #[command(flatten)]
    pub(super) exports: ExportArgs,

    /// Write a page with pictures of the first 100 violations to this file, and all other failures
    #[arg(long, value_name = "FILE")]
    pub(super) export_html: Option<PathBuf>,

    /// Run only scenarios with this in their name or place; with `*`, `?` or `[` it is a pattern of
    /// the whole name or place. May be given several times: any of them is enough
    #[arg(long, value_name = "PATTERN")]
    pub(super) filter: Vec<Filter>,

    /// Run only one share of the input: count:1/3 (in turns), hash:1/3 (by place) or slice:1/3
    /// (neighbours)
    #[arg(long, value_name = "SHARE", env = "PASSBOOK_PARTITION", hide_env_values = true)]
    pub(super) partition: Option<Partition>,

    /// Stop at the first failure
    #[arg(long, conflicts_with = "max_fail")]
    fail_fast: bool,

    /// Stop at this many failures
    #[arg(long, value_name = "NUMBER")]
    #[arg(value_parser = whole::<NonZeroU64>(NonZeroU64::MIN..=NonZeroU64::MAX))]
    max_fail: Option<NonZeroU64>,

    /// Go on after the last row of this file, which an earlier batch with the same inputs wrote
    /// with
    /// --export-jsonl or --resume; begin it if it does not exist
    #[arg(long, value_name = "FILE", conflicts_with = "export_jsonl")]
    pub(super) resume: Option<PathBuf>,

    /// Run again what failed in an earlier batch, whose rows are in this file; without inputs, from
    /// the files that the rows name
    #[arg(long, value_name = "ROWS", conflicts_with = "resume")]
    pub(super) rerun_failed: Option<PathBuf>,

    /// Write histories to this folder, a file each: `passbook check` reads them
    #[arg(long, value_name = "DIR")]
    pub(super) history: Option<PathBuf>,

    /// Of which scenarios
    #[arg(long, value_enum, value_name = "WHICH", default_value_t, requires = "history")]
    history_of: HistoryOf,

    /// Say what would be run, a line each: where it stands, and its name
    #[arg(long, conflicts_with_all = [
        "fail_fast", "max_fail", "history", "export_jsonl", "export_csv", "export_junit",
        "export_html",
    ])]
    pub(super) list: bool,

    /// Where standard error is no terminal, say there so often how far the batch is
    #[arg(long, value_name = "SPAN", default_value = "1min", value_parser = parse_span)]
    pub(super) progress_every: Duration,

    #[command(flatten)]
    pub(super) rows: RowArgs,

    #[command(flatten)]
    pub(super) nats: JobArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum BatchFormat {
    /// What the batch came to, for people
    Text,
    /// A line of JSON per scenario, and a last one for all
    #[value(alias = "jsonl")]
    Json,
}

impl BatchArgs {
    /// What cannot be together with --nats, and why.
    pub(super) fn conflict(&self) -> Option<String> {
        if !self.nats.server.is_given() {
            return None;
        }
        let with = [
            (self.jobs.is_some(), "--jobs", "workers say how many threads they have"),
            (self.unordered, "--unordered", "rows come in order"),
            (self.partition.is_some(), "--partition", "workers take shares by themselves"),
            (self.list, "--list", "nothing is run"),
            (self.history.is_some(), "--history", "workers keep no files"),
            (self.export_html.is_some(), "--export-html", "workers draw no pictures"),
            (self.rerun_failed.is_some(), "--rerun-failed", "workers do not read its rows"),
        ];
        let (_, option, reason) = with.into_iter().find(|(is_given, ..)| *is_given)?;
        Some(format!("the argument '--nats <URL>' cannot be used with '{option}': {reason}"))
    }

    pub(super) fn plan(&self) -> Plan {
        let order = if self.unordered { Order::AsFinished } else { Order::AsFed };
        Plan { jobs: jobs(self.jobs), order }
    }

    /// How many failures are allowed before the batch stops; `None` for any number.
    pub(super) fn failures_max(&self) -> Option<u64> {
        let first = self.fail_fast.then_some(NonZeroU64::MIN);
        self.max_fail.or(first).map(NonZeroU64::get)
    }

    /// Where histories go, and of which scenarios.
    pub(super) fn histories(&self) -> Option<HistoryFolder> {
        let of = self.history_of;
        self.history.clone().map(|folder| HistoryFolder { folder, of })
    }

    /// The files that this batch writes.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &Path> {
        self.exports.paths().chain(self.export_html.as_deref()).chain(self.resume.as_deref())
    }

    /// Whether rows go to a file of lines.
    pub(super) fn keeps_lines(&self) -> bool {
        self.exports.export_jsonl.is_some() || self.resume.is_some()
    }

    /// What to print: where rows go to a file, they need not be printed too.
    pub(super) fn format(&self) -> BatchFormat {
        let is_for_people = self.keeps_lines() || io::stdout().is_terminal();
        let usual = if is_for_people { BatchFormat::Text } else { BatchFormat::Json };
        self.format.unwrap_or(usual)
    }
}
