//! Runs a batch from its arguments to its exit code.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::batch_args::{BatchArgs, BatchFormat};
use super::batch_elsewhere::run_elsewhere;
use super::batch_rows::{Batch, End};
use super::batch_sources::Sources;
use super::exit::{Exit, Failure};
use super::exports::{Exports, PartialRows};
use super::generate::refused;
use super::signal::{self, Ending};
use super::terminal::Terminal;
use crate::batch::{
    self, Earlier, EarlierRows, Failed, Generated, HistoryFolder, Item, Job, Next, Outcome,
    PartitionKind, Progress, ProgressView, Reading, Results, RowLines, Share, Status, Stopped,
    failed, reading,
};
use crate::model::number::count;
use crate::run::Runner;
use crate::source::{Inputs, Kind, OtherKind, Outputs, Place, Survey};

/// So long nothing happens before somebody looks whether the batch is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs all scenarios that `args` name.
pub(super) fn run_batch(args: &BatchArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let only = args.rerun_failed.as_deref().map(|rows| {
        Outputs::new(args.outputs())?.refuse(rows)?;
        holds_rows_or_says_what(rows)?;
        Ok::<_, Failure>(Arc::new(failed(rows, args.rows.document.document_max)?))
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
    if args.nats.server.is_given() {
        args.rows.document.check_for_job()?;
    }
    let Prepared { sources, exports } = prepare(args, &places)?;
    for place in &places {
        terminal.before_reading(place, "scenarios");
    }
    let lines = args.format() == BatchFormat::Json || args.keeps_lines();
    let lines = if lines { RowLines::Wanted } else { RowLines::NotWanted };
    let job = Arc::new(job(args, only, lines));
    if args.list {
        return list(args, terminal, job, sources);
    }
    let mut batch = Batch::new(args, terminal, exports);
    let Sources { reading, survey, share, held, earlier, interrupt } = sources;
    if let Some(earlier) = earlier {
        batch.go_on(earlier)?;
    }
    match args.nats.server.settings()? {
        Some(server) => run_elsewhere(batch, server, (reading, survey, held), &interrupt),
        None => run_here(batch, job, (reading, survey, share, held), &interrupt),
    }
}

/// What is done with each scenario.
fn job(args: &BatchArgs, only: Option<Arc<Failed>>, lines: RowLines) -> Job {
    Job {
        only,
        histories: args.histories(),
        draws: args.export_html.is_some().into(),
        ..args.rows.job(args.filter.clone(), args.rows.memory.budget(), lines)
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

/// Looks at everything that may be wrong before anything runs or is written.
fn prepare(args: &BatchArgs, places: &[Place]) -> Result<Prepared, Failure> {
    let inputs = Inputs::find(places, args.outputs(), batch::holds_rows)?;
    if let Some(folder) = &args.history {
        let others = args.outputs().chain(args.rerun_failed.as_deref());
        inputs.refuse_folder(folder, others.filter(|path| HistoryFolder::may_hold(path)))?;
    }
    let generated = generated(args)?;
    let survey = match &generated {
        Some(Generated { count, .. }) => Survey { bytes: Some(*count), is_repeatable: true },
        None => inputs.survey()?,
    };
    let document_max = args.rows.document.document_max;
    let reading = Reading { inputs, document_max, generated };
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

/// The scenarios that are made, if that is asked for.
fn generated(args: &BatchArgs) -> Result<Option<Generated>, Failure> {
    let Some(wanted) = &args.generate else { return Ok(None) };
    let generator = wanted.generator().map_err(|error| refused(&error))?;
    let (first, count) = (wanted.args.first, wanted.args.count);
    Ok(Some(Generated { generator: Arc::new(generator), first, count }))
}

/// What an earlier batch has left. A list changes nothing of its file.
fn earlier(args: &BatchArgs) -> Result<(EarlierRows, Option<Earlier>), Failure> {
    let Some(path) = &args.resume else { return Ok((EarlierRows::default(), None)) };
    holds_rows_or_says_what(path)?;
    let line_max = args.rows.document.document_max;
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

/// Runs the batch on the threads of this process.
fn run_here(
    mut batch: Batch<'_>,
    job: Arc<Job>,
    (reading, survey, share, held): (Reading, Survey, Share, EarlierRows),
    interrupt: &CancellationToken,
) -> Result<Exit, Failure> {
    let mut view = ProgressView::open(survey.bytes, batch.args.progress_every);
    let progress = Arc::new(Progress::default());
    let watched = Arc::clone(&progress);
    let read =
        move |feed: &mut batch::Feed<_>| reading::feed(&reading, &share, held, &watched, feed);
    let (same, drawing) = (Arc::clone(&job), Arc::clone(&job));
    let run = move |runner: &mut Runner, item: &mut Item| job.run(runner, item);
    let panicked = move |item: Item, message: &str| same.panicked(item, message);
    let plan = batch.args.plan();
    let mut results = batch::start(plan, run, panicked, read)?;
    let end = take_all(&mut batch, &mut results, &drawing, (&mut view, &progress, interrupt));
    drop(results);
    batch.wrap_up(end, &progress, view, count(plan.jobs.get()))
}

/// Takes results until there are no more, or the batch is to stop.
fn take_all(
    batch: &mut Batch<'_>,
    results: &mut Results<Outcome>,
    job: &Job,
    (view, progress, interrupt): (&mut ProgressView, &Progress, &CancellationToken),
) -> Result<End, Failure> {
    let mut wait = Duration::ZERO;
    while !interrupt.is_cancelled() {
        let next = results.next_within(wait)?;
        wait = Duration::ZERO;
        match next {
            Next::Outcome(outcome) => {
                if let Some(end) = batch.take(outcome)? {
                    return Ok(end);
                }
                job.draws.store(batch.exports.takes_pictures(), Ordering::Relaxed);
                if let Some(told) = view.row(batch.so_far, progress) {
                    batch.terminal.note(&told);
                }
            }
            Next::NotYet => {
                batch.flush()?;
                if let Some(told) = view.look(batch.so_far, progress) {
                    batch.terminal.note(&told);
                }
                wait = LOOK_EVERY;
            }
            Next::End => return Ok(End::All),
        }
    }
    Ok(End::Stopped(Stopped::Interrupted))
}
