//! Runs a batch from its arguments to its exit code.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::batch_args::{BatchArgs, BatchFormat};
use super::exit::{Exit, Failure};
use super::exports::{Exports, PartialRows};
use super::signal::{self, Ending};
use super::terminal::Terminal;
use crate::batch::{
    self, BatchStats, Earlier, EarlierRows, Failed, HistoryFolder, Item, Job, JsonLines, Next,
    Outcome, Overview, PartitionKind, Progress, ProgressView, Reading, Results, Row, RowLines,
    RowProgress, RowWriter, Share, Status, Stopped, append_line, failed, reading, write_text,
};
use crate::check::JudgeOptions;
use crate::model::number::count;
use crate::report::shell;
use crate::run::{Chances, Recording, Rest, RunOptions, Runner};
use crate::source::{Inputs, Kind, OtherKind, Outputs, Place, Survey};

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
    let lines = args.format() == BatchFormat::Json || args.keeps_lines();
    let lines = if lines { RowLines::Wanted } else { RowLines::NotWanted };
    let job = Arc::new(job(args, only, lines));
    match args.list {
        true => list(args, terminal, job, sources),
        false => Batch::new(args, terminal, exports).run(job, sources),
    }
}

/// What is done with each scenario.
fn job(args: &BatchArgs, only: Option<Arc<Failed>>, lines: RowLines) -> Job {
    Job {
        options: RunOptions {
            overrides: args.settings.overrides(),
            recording: Recording::Off,
            judging: args.judging(),
            judge: JudgeOptions::default(),
            chances: Chances::Forgotten,
            rest: Rest::Taken,
        },
        memory: args.memory.budget(),
        allowed: None,
        demand: args.demand(),
        replay: args.replay_options().into(),
        filters: args.filter.clone(),
        only,
        histories: args.histories(),
        draws: args.export_html.is_some().into(),
        document_max: args.document.document_max,
        lines,
    }
}

/// Says what a batch would run, a line each.
fn list(
    args: &BatchArgs,
    terminal: &mut Terminal,
    job: Arc<Job>,
    sources: Sources,
) -> Result<Exit, Failure> {
    let Sources { reading, share, held, interrupt, .. } = sources;
    let progress = Arc::default();
    let read =
        move |feed: &mut batch::Feed<_>| reading::feed(&reading, &share, held, &progress, feed);
    let look = move |_: &mut Runner, item: &mut Item| job.list(item);
    let panicked = |item: Item, message: &str| Ok(Some(Job::listing_panicked(&item, message)));
    let mut listings = batch::start(args.plan(), look, panicked, read)?;
    let mut worst = Exit::Holds;
    while !interrupt.is_cancelled() {
        match listings.next_within(LOOK_EVERY)? {
            Next::Outcome(Ok(Some(listing))) => {
                if let Some(problem) = &listing.problem {
                    terminal.warning(problem);
                    worst = worst.max(Exit::from(Status::Error));
                }
                match args.format() {
                    BatchFormat::Json => listing.write_json(terminal.results())?,
                    BatchFormat::Text => listing.write_text(terminal.results())?,
                }
            }
            Next::Outcome(Ok(None)) | Next::NotYet => {}
            Next::Outcome(Err(error)) => return Err(error.into()),
            Next::End => break,
        }
    }
    Ok(worst)
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
    /// What an earlier batch has left, and its file, where that is gone on with.
    held: EarlierRows,
    earlier: Option<Earlier>,
    interrupt: CancellationToken,
}

/// Looks at everything that may be wrong before anything runs or is written.
fn prepare(args: &BatchArgs, places: &[Place]) -> Result<Prepared, Failure> {
    let inputs = Inputs::find(places, args.outputs(), batch::holds_rows)?;
    if let Some(folder) = &args.history {
        let others = args.outputs().chain(args.rerun_failed.as_deref());
        inputs.refuse_folder(folder, others.filter(|path| HistoryFolder::may_hold(path)))?;
    }
    let survey = inputs.survey()?;
    let document_max = args.document.document_max;
    let reading = Reading { inputs, document_max, generated: None };
    let share = share(args, &reading, survey)?;
    let (held, earlier) = earlier(args)?;
    let interrupt = signal::listen(Ending::Open)
        .map_err(|error| Failure::internal(format!("cannot listen for signals: {error}")))?;
    if let Some(folder) = &args.history {
        HistoryFolder::create(folder).map_err(|error| {
            Failure::bad_input(format!("cannot write to {}: {error}", folder.display()))
        })?;
    }
    let mut exports = Exports::create(&args.exports, PartialRows::GoOn)?;
    if let Some(path) = &args.export_html {
        exports.add_page(path)?;
    }
    let sources = Sources { reading, survey, share, held, earlier, interrupt };
    Ok(Prepared { sources, exports })
}

/// What an earlier batch has left. A list changes nothing of its file.
fn earlier(args: &BatchArgs) -> Result<(EarlierRows, Option<Earlier>), Failure> {
    let Some(path) = &args.resume else { return Ok((EarlierRows::default(), None)) };
    holds_rows_or_says_what(path)?;
    let line_max = args.document.document_max;
    if args.list {
        return Ok((EarlierRows::read(path, line_max)?, None));
    }
    let (earlier, held) = Earlier::open(path, line_max)?;
    Ok((held, Some(earlier)))
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
            overview: Overview::default(),
            so_far: RowProgress { rows: 0, failures: 0 },
            filtered_out: 0,
        }
    }

    fn run(mut self, job: Arc<Job>, sources: Sources) -> Result<Exit, Failure> {
        let Sources { reading, survey, share, held, earlier, interrupt } = sources;
        if let Some(earlier) = earlier {
            self.go_on(earlier)?;
        }
        let mut view = ProgressView::open(survey.bytes, self.args.progress_every);
        let progress = Arc::new(Progress::default());
        let watched = Arc::clone(&progress);
        let read =
            move |feed: &mut batch::Feed<_>| reading::feed(&reading, &share, held, &watched, feed);
        let (same, drawing) = (Arc::clone(&job), Arc::clone(&job));
        let run = move |runner: &mut Runner, item: &mut Item| job.run(runner, item);
        let panicked = move |item: Item, message: &str| same.panicked(item, message);
        let mut results = batch::start(self.args.plan(), run, panicked, read)?;
        let end = self.take_all(&mut results, &drawing, &interrupt, (&mut view, &progress));
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

    /// Takes over what an earlier batch left, for all but the file that it is in.
    fn go_on(&mut self, earlier: Earlier) -> Result<(), Failure> {
        let mut line = Vec::new();
        earlier.replay(|row| -> Result<(), Failure> {
            line.clear();
            append_line(&mut line, &row);
            Ok(self.write(&row, &line, None)?)
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
        job: &Job,
        interrupt: &CancellationToken,
        (view, progress): (&mut ProgressView, &Progress),
    ) -> Result<End, Failure> {
        let failures_max = self.args.failures_max();
        let mut wait = Duration::ZERO;
        while !interrupt.is_cancelled() {
            let next = results.next_within(wait);
            wait = Duration::ZERO;
            match next {
                Ok(Next::Outcome(Outcome::Row { row, line, picture })) => {
                    self.write(&row, &line, picture.as_deref())?;
                    job.draws.store(self.exports.takes_pictures(), Ordering::Relaxed);
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
                Ok(Next::Outcome(Outcome::TooLargeHere(error))) => {
                    return Err(Failure::internal(error));
                }
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

    fn write(&mut self, row: &Row, line: &[u8], picture: Option<&str>) -> io::Result<()> {
        self.overview.add(row);
        if self.format == BatchFormat::Json {
            self.terminal.results().write_all(line)?;
        }
        self.exports.write_with_line(row, line, picture)
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
