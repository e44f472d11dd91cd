//! Runs a batch from its arguments to its exit code.

use std::io::IsTerminal;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::document_args::{DocumentArgs, ONE_DOCUMENT};
use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::exports::{ExportArgs, Exports, PartialRows};
use super::memory_args::MemoryArgs;
use super::number::whole;
use super::settings_args::SettingsArgs;
use super::signal::{self, Ending};
use super::terminal::Terminal;
use crate::batch::{
    self, BatchStats, Earlier, EarlierRows, Failed, Filter, Item, Job, JsonLines, Next, Order,
    Outcome, Overview, Partition, PartitionKind, Plan, Progress, ProgressView, Reading, Results,
    Row, RowLines, RowProgress, RowWriter, Share, Stopped, append_line, failed, reading,
    write_text,
};
use crate::check::{JudgeOptions, Strictness};
use crate::model::number::count;
use crate::network::parse_span;
use crate::report::shell;
use crate::run::{Judging, Recording, RunOptions, Runner};
use crate::source::{Inputs, Kind, OtherKind, Outputs, Place, Survey};

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
    #[arg(required_unless_present = "rerun_failed", value_name = "INPUT", help = format!(
        "Folders and globs; scenarios (.json), or a scenario a line (.jsonl, .ndjson, `-`), \
         each {ONE_DOCUMENT}"
    ))]
    pub(super) inputs: Vec<Place>,

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

    /// Where standard error is no terminal, say there so often how far the batch is
    #[arg(long, value_name = "SPAN", default_value = "1min", value_parser = parse_span)]
    pub(super) progress_every: Duration,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) settings: SettingsArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,

    /// Do not judge the runs
    #[arg(long)]
    no_check: bool,

    /// Take a scenario for undecided where any property had nothing to test
    #[arg(long, conflicts_with = "no_check")]
    strict: bool,
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
    pub(super) fn plan(&self) -> Plan {
        // Where the number of cores is not known, one does the work.
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let jobs = self.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into()));
        let order = if self.unordered { Order::AsFinished } else { Order::AsFed };
        Plan { jobs: jobs.unwrap_or_else(cores), order }
    }

    /// How many failures are allowed before the batch stops; `None` for any number.
    pub(super) fn failures_max(&self) -> Option<u64> {
        let first = self.fail_fast.then_some(NonZeroU64::MIN);
        self.max_fail.or(first).map(NonZeroU64::get)
    }

    pub(super) fn demand(&self) -> Strictness {
        if self.strict { Strictness::Everything } else { Strictness::Anything }
    }

    pub(super) fn judging(&self) -> Judging {
        if self.no_check { Judging::Off } else { Judging::On }
    }

    /// The files that this batch writes.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &Path> {
        self.exports.paths().chain(self.resume.as_deref())
    }

    /// What to print: where rows go to a file, they need not be printed too.
    pub(super) fn format(&self) -> BatchFormat {
        let has_rows = self.exports.export_jsonl.is_some() || self.resume.is_some();
        let is_for_people = has_rows || io::stdout().is_terminal();
        let usual = if is_for_people { BatchFormat::Text } else { BatchFormat::Json };
        self.format.unwrap_or(usual)
    }

    /// The options after `passbook run` that run one of the scenarios again as it was.
    pub(super) fn replay_options(&self) -> String {
        let mut options = self.settings.options();
        options.extend(self.document.options());
        options.extend(self.settings.overrides().seed.map(|seed| format!("--seed {seed}")));
        options.extend(self.memory.option());
        options.extend(self.no_check.then(|| "--no-check".to_owned()));
        options.extend(self.strict.then(|| "--strict".to_owned()));
        options.join(" ")
    }
}

/// So long nothing happens before somebody looks whether the batch is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs all scenarios that `args` name.
pub(super) fn run_batch(args: &BatchArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let only = args.rerun_failed.as_deref().map(|rows| {
        Outputs::new(args.outputs())?.refuse(rows)?;
        holds_rows_or_says_what(rows)?;
        Ok::<_, Failure>(Arc::new(failed(rows, args.document.document_max)?))
    });
    let only = only.transpose()?;
    if let (Some(rows), Some(only)) = (&args.rerun_failed, &only)
        && only.is_empty()
    {
        terminal.note(&format!("nothing failed in {}", rows.display()));
        return Ok(Exit::Holds);
    }
    let places = match &only {
        Some(only) if args.inputs.is_empty() => only.files().collect(),
        Some(_) | None => args.inputs.clone(),
    };
    let Prepared { sources, exports } = prepare(args, &places)?;
    for place in &places {
        terminal.before_reading(place, "scenarios");
    }
    Batch { only, ..Batch::new(args, terminal, exports) }.run(sources)
}

/// A batch of which nothing has run yet.
struct Prepared {
    sources: Sources,
    exports: Exports,
}

/// Where scenarios come from.
struct Sources {
    reading: Reading,
    survey: Survey,
    share: Share,
    earlier: Option<(Earlier, EarlierRows)>,
    interrupt: CancellationToken,
}

/// Looks at everything that may be wrong before anything runs or is written.
fn prepare(args: &BatchArgs, places: &[Place]) -> Result<Prepared, Failure> {
    let inputs = Inputs::find(places, args.outputs(), batch::holds_rows)?;
    let survey = inputs.survey()?;
    let document_max = args.document.document_max;
    let reading = Reading { inputs, document_max };
    let share = share(args, &reading, survey)?;
    let open = |path: &Path| {
        holds_rows_or_says_what(path)?;
        Ok::<_, Failure>(Earlier::open(path, document_max)?)
    };
    let earlier = args.resume.as_deref().map(open).transpose()?;
    let interrupt = signal::listen(Ending::Open)
        .map_err(|error| Failure::internal(format!("cannot listen for signals: {error}")))?;
    let exports = Exports::create(&args.exports, PartialRows::GoOn)?;
    Ok(Prepared { sources: Sources { reading, survey, share, earlier, interrupt }, exports })
}

/// An error where the file at `path` holds something else than the rows of a batch.
fn holds_rows_or_says_what(path: &Path) -> Result<(), Failure> {
    match OtherKind::at_unpacked(&Place::whole(path), Kind::Rows) {
        Some(other) => Err(other.into()),
        None => Ok(()),
    }
}

fn share(args: &BatchArgs, reading: &Reading, survey: Survey) -> Result<Share, Failure> {
    let Some(partition) = args.partition else { return Ok(Share::All) };
    match partition.kind() {
        PartitionKind::Count => Ok(Share::Count(partition)),
        PartitionKind::Hash => Ok(Share::Hash(partition)),
        PartitionKind::Slice if survey.is_repeatable => {
            Ok(Share::Slice(partition.slice(reading::count(reading))))
        }
        PartitionKind::Slice => Err(Failure::bad_input(
            "a slice needs to know how many scenarios there are, and standard input or a pipe \
             is read only once; use --partition count:… or hash:…, or name a file",
        )),
    }
}

/// A batch that is run, and what it has come to so far.
struct Batch<'a> {
    args: &'a BatchArgs,
    terminal: &'a mut Terminal,
    format: BatchFormat,
    exports: Exports,
    /// Those that are run; `None` for all.
    only: Option<Arc<Failed>>,
    overview: Overview,
    /// Of this batch itself, without an earlier one that it goes on with.
    so_far: RowProgress,
    filtered_out: u64,
}

/// How the rows came to an end.
enum End {
    All,
    Stopped(Stopped),
}

impl<'a> Batch<'a> {
    fn new(args: &'a BatchArgs, terminal: &'a mut Terminal, exports: Exports) -> Self {
        Self {
            args,
            terminal,
            format: args.format(),
            exports,
            only: None,
            overview: Overview::default(),
            so_far: RowProgress { rows: 0, failures: 0 },
            filtered_out: 0,
        }
    }

    fn run(mut self, sources: Sources) -> Result<Exit, Failure> {
        let Sources { reading, survey, share, earlier, interrupt } = sources;
        let held = match earlier {
            Some((earlier, held)) => {
                self.go_on(earlier)?;
                held
            }
            None => EarlierRows::default(),
        };
        let mut view = ProgressView::open(survey.bytes, self.args.progress_every);
        let progress = Arc::new(Progress::default());
        let watched = Arc::clone(&progress);
        let read =
            move |feed: &mut batch::Feed<_>| reading::feed(&reading, &share, held, &watched, feed);
        let job = Arc::new(self.job());
        let same = Arc::clone(&job);
        let run = move |runner: &mut Runner, item: &mut Item| job.run(runner, item);
        let panicked = move |item: Item, message: &str| same.panicked(item, message);
        let mut results = batch::start(self.args.plan(), run, panicked, read)?;
        let end = self.take_all(&mut results, &interrupt, &mut view, &progress);
        drop(results);
        let wall = view.close();
        let stopped = match end {
            Ok(End::All) => None,
            Ok(End::Stopped(stopped)) => Some(stopped),
            Err(failure) => {
                if let Failure::Output(_) = failure {
                    let stats = self.stats(&progress, Some(Stopped::Interrupted), wall);
                    self.save(&stats);
                }
                return Err(failure);
            }
        };
        let stats = self.stats(&progress, stopped, wall);
        Ok(self.finish(&stats)?)
    }

    fn job(&self) -> Job {
        let is_wanted = self.exports.has_lines() || self.format == BatchFormat::Json;
        Job {
            options: RunOptions {
                overrides: self.args.settings.overrides(),
                recording: Recording::Off,
                judging: self.args.judging(),
                judge: JudgeOptions::default(),
            },
            memory: self.args.memory.budget(),
            demand: self.args.demand(),
            replay: self.args.replay_options().into(),
            filters: self.args.filter.clone(),
            only: self.only.clone(),
            document_max: self.args.document.document_max,
            lines: if is_wanted { RowLines::Wanted } else { RowLines::NotWanted },
        }
    }

    /// Takes over what an earlier batch left, for all but the file that it is in.
    fn go_on(&mut self, earlier: Earlier) -> Result<(), Failure> {
        let mut line = Vec::new();
        earlier.replay(|row| -> Result<(), Failure> {
            line.clear();
            append_line(&mut line, &row)?;
            Ok(self.write(&row, &line)?)
        })?;
        let path = earlier.path().to_owned();
        self.exports.go_on_with(&path, earlier.into_file()?);
        self.overview.go_on();
        Ok(())
    }

    /// Takes results until there are no more, or the batch is to stop.
    fn take_all(
        &mut self,
        results: &mut Results<Outcome>,
        interrupt: &CancellationToken,
        view: &mut ProgressView,
        progress: &Progress,
    ) -> Result<End, Failure> {
        let failures_max = self.args.failures_max();
        let mut wait = Duration::ZERO;
        while !interrupt.is_cancelled() {
            let next = results.next_within(wait);
            wait = Duration::ZERO;
            match next {
                Ok(Next::Outcome(Outcome::Row { row, line })) => {
                    self.write(&row, &line)?;
                    self.so_far.rows += 1;
                    self.so_far.failures += u64::from(row.status.is_failure());
                    if let Some(told) = view.row(self.so_far, progress) {
                        self.terminal.note(&told);
                    }
                    if failures_max.is_some_and(|most| self.so_far.failures >= most) {
                        return Ok(End::Stopped(Stopped::Failures));
                    }
                }
                Ok(Next::Outcome(Outcome::FilteredOut)) => self.filtered_out += 1,
                Ok(Next::Outcome(Outcome::Mismatch(error))) => return Err(error.into()),
                Ok(Next::NotYet) => {
                    self.terminal.flush()?;
                    self.exports.flush()?;
                    if let Some(told) = view.look(self.so_far, progress) {
                        self.terminal.note(&told);
                    }
                    wait = LOOK_EVERY;
                }
                Ok(Next::End) => return Ok(End::All),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(End::Stopped(Stopped::Interrupted))
    }

    fn write(&mut self, row: &Row, line: &[u8]) -> io::Result<()> {
        self.overview.add(row);
        if self.format == BatchFormat::Json {
            self.terminal.results().write_all(line)?;
        }
        self.exports.write_with_line(row, line)
    }

    fn stats(&self, progress: &Progress, stopped: Option<Stopped>, wall: Duration) -> BatchStats {
        BatchStats {
            inputs: progress.inputs().filter(|_| stopped.is_none()),
            filtered_out: self.filtered_out,
            partition: self.args.partition,
            stopped,
            wall,
            jobs: count(self.args.plan().jobs.get()),
        }
    }

    /// Ends the files in good order, though not all results could be written.
    fn save(&mut self, stats: &BatchStats) {
        let summary = self.overview.summary(stats);
        if let Err(error) = std::mem::take(&mut self.exports).finish(&summary) {
            log::debug!("{error}");
        }
    }

    /// Writes the summary to everything, and says how the program ends.
    fn finish(mut self, stats: &BatchStats) -> io::Result<Exit> {
        let summary = self.overview.summary(stats);
        let exported = std::mem::take(&mut self.exports).finish(&summary);
        let out = self.terminal.results();
        match self.format {
            BatchFormat::Json => JsonLines::new(out).finish(&summary)?,
            BatchFormat::Text => write_text(out, &self.overview, &summary)?,
        }
        let kept = exported?;
        let worst = summary.statuses.worst().map(Exit::from);
        if stats.stopped == Some(Stopped::Interrupted) {
            self.terminal.warning(&match kept {
                None => "interrupted; --resume goes on with a file of rows".to_owned(),
                Some(path) => format!("interrupted; --resume {} goes on", shell::file(path)),
            });
            return Ok(worst.unwrap_or_default());
        }
        Ok(worst.unwrap_or_else(|| self.without_rows()))
    }

    /// A share of a small batch may be empty; a batch without a scenario has tested nothing.
    fn without_rows(&mut self) -> Exit {
        if self.args.partition.is_some() {
            return Exit::Holds;
        }
        self.terminal.warning("no scenario was run");
        Exit::Undecided
    }
}
