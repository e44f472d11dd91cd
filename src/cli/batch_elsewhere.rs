//! Runs a batch on the workers of a NATS server: cuts it into shares, and takes their rows in order.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use tokio_util::sync::CancellationToken;

use super::batch_args::BatchArgs;
use super::batch_rows::{Batch, End};
use super::crew_view::CrewView;
use super::exit::{Exit, Failure};
use super::share_args::{ShareRunner, options};
use crate::batch::{
    EarlierRows, Generated, Outcome, Progress, ProgressView, Reading, ResumeError, Row, Stopped,
    reading,
};
use crate::cluster::{
    Arrived, ClusterError, Coordination, Cut, Cuts, Digest, Ending, JobName, JobSettings, Next,
    RowsHead, Scenarios, ServerSettings, Share, ShareResult, ShareSizes, Work, compress,
    coordinate,
};
use crate::model::number;
use crate::report::shell;
use crate::source::Survey;

/// So long nothing happens before somebody looks whether the batch is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs `batch` on the workers of `server`.
pub(super) fn run_elsewhere(
    mut batch: Batch<'_>,
    server: ServerSettings,
    (reading, survey, held): (Reading, Survey, EarlierRows),
    interrupt: &CancellationToken,
) -> Result<Exit, Failure> {
    let settings = job(batch.args)?;
    let budget = batch.args.rows.memory.budget();
    let give_up = move |share: &Share, parcel: Option<&[u8]>, reason: &str| {
        ShareRunner::new(budget.clone()).give_up(share, parcel, reason)
    };
    let mut view = ProgressView::open(survey.bytes, batch.args.progress_every);
    let progress = Arc::new(Progress::default());
    let is_generated = reading.generated.is_some();
    let cutter = Cutter {
        job: settings.name.clone(),
        options: options(&batch.args.rows, &batch.args.filter),
        memory_max: batch.args.rows.memory.max().bytes(),
        next: 0,
        sent: 0,
        held,
    };
    let (cuts, mut coordination) = coordinate(server, settings, Arc::new(give_up))?;
    let generate = batch.args.generate.as_ref().map(|of| (of.options.clone(), of.events_most()));
    let cut = cutter.start((reading, generate), Arc::clone(&progress), cuts)?;
    let mut crew = CrewView::default();
    let watched = Watched { progress: &progress, is_generated, cut: &cut };
    let end = take_all(&mut batch, &mut coordination, interrupt, (&mut view, &mut crew, &watched));
    let ending = match &end {
        Ok(End::All | End::Stopped(Stopped::Failures)) => Ending::Done,
        Ok(End::Stopped(Stopped::Interrupted)) | Err(_) => Ending::Kept,
    };
    let ended = coordination.end(ending);
    let end = end.and_then(|end| ended.map(|()| end).map_err(Failure::from));
    batch.wrap_up(end, &progress, view, crew.threads_most())
}

/// The job that `args` ask for.
fn job(args: &BatchArgs) -> Result<JobSettings, Failure> {
    let mut words = vec!["batch".to_owned(), env!("CARGO_PKG_VERSION").to_owned()];
    words.extend(options(&args.rows, &args.filter));
    let mut command = vec!["passbook batch".to_owned()];
    if let Some(generated) = &args.generate {
        words.extend(generated.options.iter().map(|option| format!("generate {option}")));
        command.push(format!("--generate {}", shell::word(generated.options.join(" "))));
    }
    for place in &args.inputs {
        words.push(format!("input {place}"));
        command.push(shell::file(place.to_string()));
    }
    let digest = Digest::of(words.join("\n").as_bytes());
    let name = match &args.nats.job {
        Some(name) => name.parse::<JobName>().map_err(Failure::bad_input)?,
        None => JobName::of(digest),
    };
    let store_max = args.nats.store_max;
    Ok(JobSettings { name, digest, command: command.join(" "), store_max })
}

/// What is watched while rows come.
struct Watched<'a> {
    progress: &'a Progress,
    is_generated: bool,
    /// What cutting came to; closed without a word where it did not come to its end.
    cut: &'a Receiver<Result<(), ResumeError>>,
}

/// Takes shares until there are no more, or the batch is to stop.
fn take_all(
    batch: &mut Batch<'_>,
    coordination: &mut Coordination,
    interrupt: &CancellationToken,
    (view, crew, watched): (&mut ProgressView, &mut CrewView, &Watched<'_>),
) -> Result<End, Failure> {
    let mut wait = Duration::ZERO;
    while !interrupt.is_cancelled() {
        let next = coordination.next_within(wait)?;
        wait = Duration::ZERO;
        match next {
            Next::Share(arrived) => {
                crew.did(&arrived);
                if let Some(end) = take(batch, *arrived)? {
                    return Ok(end);
                }
                if watched.is_generated {
                    watched.progress.is_at(batch.so_far.rows);
                }
            }
            Next::Warning(text) => batch.terminal.warning(&text),
            Next::NotYet => {
                batch.flush()?;
                wait = LOOK_EVERY;
            }
            Next::End => {
                // Else shares are missing that nobody knows of.
                let cut = watched.cut.recv().map_err(|_| ClusterError::Panicked)?;
                return cut.map(|()| End::All).map_err(Failure::from);
            }
        }
        if let Some(told) = view.look(batch.so_far, watched.progress) {
            batch.terminal.note(&format!("{told}; {}", crew.told()));
        }
    }
    Ok(End::Stopped(Stopped::Interrupted))
}

/// Takes the rows of a share. Says so if the batch is to stop with them.
fn take(batch: &mut Batch<'_>, arrived: Arrived) -> Result<Option<End>, Failure> {
    let Arrived { share, held, result, .. } = arrived;
    let damaged = |problem: &dyn std::fmt::Display| {
        let number = share.number;
        Failure::internal(format!("the result of share {number} is damaged: {problem}"))
    };
    let result = ShareResult::from_bytes(&result).map_err(|error| damaged(&error))?;
    let ShareResult::Rows { about: RowsHead { overview, filtered_out }, lines } = result else {
        return Err(damaged(&"it is of seeds"));
    };
    batch.filtered_out(filtered_out);
    if held.is_empty() && batch.takes_lines() {
        batch.take_lines(&lines, overview)?;
        return Ok(None);
    }
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let row: Row = serde_json::from_slice(line).map_err(|error| damaged(&error))?;
        if held.binary_search(&row.number).is_ok() {
            continue;
        }
        let outcome = Outcome::Row { row, line: line.to_vec(), picture: None };
        if let Some(end) = batch.take(outcome)? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// Cuts a batch into shares.
struct Cutter {
    job: JobName,
    options: Vec<String>,
    memory_max: u64,
    /// The number of the next share.
    next: u64,
    /// So many bytes of text are in those before it.
    sent: u64,
    held: EarlierRows,
}

/// Why no more shares are cut.
enum CutEnd {
    /// Nobody takes them.
    Closed,
    /// The rows of an earlier batch are of other inputs.
    Mismatch(ResumeError),
}

impl Cutter {
    /// Starts a thread that cuts. What that comes to is told when all is cut.
    fn start(
        mut self,
        (reading, generate): (Reading, Option<(Vec<String>, u64)>),
        progress: Arc<Progress>,
        cuts: Cuts,
    ) -> Result<Receiver<Result<(), ResumeError>>, Failure> {
        let (tell, told) = bounded(1);
        let main = move || {
            let cut = match (&reading.generated, generate) {
                (Some(made), Some((options, events))) => {
                    self.cut_generated(made, (options, events), &progress, &cuts)
                }
                (Some(_), None) | (None, _) => self.cut_read(&reading, &progress, &cuts),
            };
            let cut = match cut.and_then(|()| self.held.has_met_all().map_err(CutEnd::Mismatch)) {
                Ok(()) => Ok(()),
                Err(CutEnd::Mismatch(error)) => Err(error),
                Err(CutEnd::Closed) => return log::debug!("the batch was stopped before its end"),
            };
            if tell.send(cut).is_err() {
                log::debug!("nobody asks what cutting came to");
            }
        };
        let spawned = thread::Builder::new().name("batch-cutter".to_owned()).spawn(main);
        spawned.map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
        Ok(told)
    }

    fn cut_generated(
        &mut self,
        made: &Generated,
        (options, events): (Vec<String>, u64),
        progress: &Progress,
        cuts: &Cuts,
    ) -> Result<(), CutEnd> {
        let sizes = ShareSizes::of_scenarios(events);
        progress.has_read(made.count);
        let mut first = 1;
        while first <= made.count {
            let count = sizes.after(first - 1).min(made.count - first + 1);
            let mut held = Vec::new();
            for number in first..first + count {
                if self.holds(number, || Generated::place(number).to_string())? {
                    held.push(number);
                }
            }
            let scenarios = Scenarios::Generated { options: options.clone(), first, count };
            self.cut((scenarios, count), None, held, cuts)?;
            first += count;
        }
        Ok(())
    }

    fn cut_read(
        &mut self,
        reading: &Reading,
        progress: &Arc<Progress>,
        cuts: &Cuts,
    ) -> Result<(), CutEnd> {
        let (texts, most) = (ShareSizes::of_text(), ShareSizes::of_scenarios(0).most());
        let mut parcel = Parcel::default();
        let mut ended = None;
        let read = reading::each_item(reading, progress, |found| {
            let take = || {
                let Some((item, bytes)) = found else { return self.send(&mut parcel, cuts) };
                let (number, place) = (item.number(), item.place());
                if !texts.has_room(self.sent, parcel.bytes.len(), bytes) {
                    self.send(&mut parcel, cuts)?;
                }
                if self.holds(number, || place)? {
                    parcel.held.push(number);
                }
                parcel.first.get_or_insert(number);
                parcel.count += 1;
                item.append_to(&mut parcel.bytes, reading.document_max);
                if parcel.count == most {
                    self.send(&mut parcel, cuts)?;
                }
                Ok(())
            };
            take().map_err(|end| {
                ended = Some(end);
                crate::batch::FeedClosed
            })
        });
        match (read, ended) {
            (Ok(()), _) => self.send(&mut parcel, cuts),
            (Err(_), Some(end)) => Err(end),
            (Err(_), None) => Err(CutEnd::Closed),
        }
    }

    fn holds(&mut self, number: u64, place: impl FnOnce() -> String) -> Result<bool, CutEnd> {
        if self.held.is_empty() {
            return Ok(false);
        }
        self.held.holds(number, &place()).map_err(CutEnd::Mismatch)
    }

    fn send(&mut self, parcel: &mut Parcel, cuts: &Cuts) -> Result<(), CutEnd> {
        let Parcel { bytes, first, count, held } = std::mem::take(parcel);
        let Some(first) = first else { return Ok(()) };
        self.sent += number::count(bytes.len());
        let parcel = compress(&bytes);
        let scenarios = Scenarios::Parcel { digest: Digest::of(&parcel), first, count };
        self.cut((scenarios, count), Some(parcel), held, cuts)
    }

    /// Sends a share, unless an earlier batch has all its rows. Its number is the same whatever that has.
    fn cut(
        &mut self,
        (scenarios, of): (Scenarios, u64),
        parcel: Option<Vec<u8>>,
        held: Vec<u64>,
        cuts: &Cuts,
    ) -> Result<(), CutEnd> {
        let number = self.next;
        self.next += 1;
        if number::count(held.len()) == of {
            return Ok(());
        }
        let (options, memory_max) = (self.options.clone(), self.memory_max);
        let work = Work::Batch { options, memory_max, scenarios };
        let share = Share::new(self.job.clone(), number, work);
        cuts.send(Cut { share, parcel, held }).map_err(|_| CutEnd::Closed)
    }
}

/// Scenarios that are gathered for a share.
#[derive(Default)]
struct Parcel {
    bytes: Vec<u8>,
    first: Option<u64>,
    count: u64,
    held: Vec<u64>,
}
