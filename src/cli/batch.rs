//! Runs a batch from its arguments to its exit code.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::batch_args::{BatchArgs, BatchFormat};
use super::signal::Interrupt;
use crate::batch;
use crate::batch::{BatchError, Next, PartitionKind, Results};
use crate::batch::{Course, JsonLines, Overview, Row, RowWriter, Stopped, append_line, write_text};
use crate::batch::{Earlier, Held, ResumeError};
use crate::batch::{Item, Job, Outcome, RowLines};
use crate::batch::{Progress, Reading, Share, reading};
use crate::batch::{Screen, Standing};
use crate::check::JudgeOptions;
use crate::cli::exit::Exit;
use crate::cli::exports::{Exports, PartialRows};
use crate::cli::terminal::Terminal;
use crate::model::number::count;
use crate::report::shell;
use crate::run::{Recording, RunOptions, Runner};
use crate::source::{FilesError, Inputs, Survey};

/// So long nothing happens before somebody looks whether the batch is to end.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs all scenarios that `args` name.
pub(super) fn run_batch(args: &BatchArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    match prepare(args, terminal) {
        Ok(prepared) => Batch::new(args, terminal, prepared.exports).run(prepared.sources),
        Err(exit) => Ok(exit),
    }
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
    earlier: Option<(Earlier, Held)>,
    interrupt: Interrupt,
}

/// Looks at everything that may be wrong before anything runs or is written.
fn prepare(args: &BatchArgs, terminal: &mut Terminal) -> Result<Prepared, Exit> {
    let look = || -> Result<(Inputs, Survey), FilesError> {
        let inputs = Inputs::find(&args.inputs, args.outputs(), batch::holds_rows)?;
        let survey = inputs.survey()?;
        Ok((inputs, survey))
    };
    let (inputs, survey) = look().map_err(|error| {
        terminal.diagnostic(&error);
        Exit::BadInput
    })?;
    let document_max = args.document.document_max;
    let reading = Reading { inputs, document_max };
    let share = share(args, &reading, survey, terminal)?;
    let open = |path| Earlier::open(path, document_max);
    let earlier = args.resume.as_deref().map(open).transpose();
    let earlier = earlier.map_err(|error| mismatch(&error, terminal))?;
    let interrupt = Interrupt::listen().map_err(|error| {
        terminal.error(&format!("cannot listen for signals: {error}"));
        Exit::Internal
    })?;
    let exports = Exports::create(&args.exports, PartialRows::GoOn, terminal)?;
    Ok(Prepared { sources: Sources { reading, survey, share, earlier, interrupt }, exports })
}

fn share(
    args: &BatchArgs,
    reading: &Reading,
    survey: Survey,
    terminal: &mut Terminal,
) -> Result<Share, Exit> {
    let Some(partition) = args.partition else { return Ok(Share::All) };
    match partition.kind() {
        PartitionKind::Count => Ok(Share::Count(partition)),
        PartitionKind::Hash => Ok(Share::Hash(partition)),
        PartitionKind::Slice if survey.is_repeatable => {
            Ok(Share::Slice(partition.slice(reading::count(reading))))
        }
        PartitionKind::Slice => {
            terminal.error(
                "a slice needs to know how many scenarios there are, and standard input or a pipe \
                 is read only once; use --partition count:… or hash:…, or name a file",
            );
            Err(Exit::BadInput)
        }
    }
}

fn mismatch(error: &ResumeError, terminal: &mut Terminal) -> Exit {
    terminal.error(&error.to_string());
    Exit::BadInput
}

/// A batch that is run, and what it has come to so far.
struct Batch<'a> {
    args: &'a BatchArgs,
    terminal: &'a mut Terminal,
    format: BatchFormat,
    exports: Exports,
    overview: Overview,
    /// Of this batch itself, without an earlier one that it goes on with.
    standing: Standing,
    filtered_out: u64,
}

/// How the rows came to an end.
enum End {
    All,
    Stopped(Stopped),
    Mismatch(ResumeError),
    Broken(BatchError),
}

impl<'a> Batch<'a> {
    fn new(args: &'a BatchArgs, terminal: &'a mut Terminal, exports: Exports) -> Self {
        Self {
            args,
            terminal,
            format: args.format(),
            exports,
            overview: Overview::default(),
            standing: Standing { rows: 0, failures: 0 },
            filtered_out: 0,
        }
    }

    fn run(mut self, sources: Sources) -> io::Result<Exit> {
        let Sources { reading, survey, share, earlier, interrupt } = sources;
        let held = match earlier {
            Some((earlier, held)) => match self.go_on(earlier)? {
                Ok(()) => held,
                Err(error) => return Ok(mismatch(&error, self.terminal)),
            },
            None => Held::default(),
        };
        let mut screen = Screen::open(survey.bytes, self.args.progress_every);
        let progress = Arc::new(Progress::default());
        let watched = Arc::clone(&progress);
        let read =
            move |feed: &mut batch::Feed<_>| reading::feed(&reading, &share, held, &watched, feed);
        let job = Arc::new(self.job());
        let same = Arc::clone(&job);
        let run = move |runner: &mut Runner, item: &mut Item| job.run(runner, item);
        let panicked = move |item: Item, message: &str| same.panicked(item, message);
        let mut results = match batch::start(self.args.plan(), run, panicked, read) {
            Ok(results) => results,
            Err(error) => return Ok(self.broken(&error)),
        };
        let end = self.take_all(&mut results, &interrupt, &mut screen, &progress);
        drop(results);
        let wall = screen.close();
        let stopped = match end {
            Ok(End::All) => None,
            Ok(End::Stopped(stopped)) => Some(stopped),
            Ok(End::Mismatch(error)) => return Ok(mismatch(&error, self.terminal)),
            Ok(End::Broken(error)) => return Ok(self.broken(&error)),
            Err(lost) => {
                let course = self.course(&progress, Some(Stopped::Interrupted), wall);
                self.save(&course);
                return Err(lost);
            }
        };
        let course = self.course(&progress, stopped, wall);
        self.finish(&course)
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
            document_max: self.args.document.document_max,
            lines: if is_wanted { RowLines::Wanted } else { RowLines::NotWanted },
        }
    }

    /// Takes over what an earlier batch left, for all but the file that it is in.
    fn go_on(&mut self, earlier: Earlier) -> io::Result<Result<(), ResumeError>> {
        let mut line = Vec::new();
        let taken = earlier.replay(|row| -> Result<(), Halt> {
            line.clear();
            append_line(&mut line, &row)?;
            Ok(self.write(&row, &line)?)
        });
        match taken {
            Ok(()) => {}
            Err(Halt::Mismatch(error)) => return Ok(Err(error)),
            Err(Halt::Lost(error)) => return Err(error),
        }
        let path = earlier.path().to_owned();
        self.exports.go_on_with(&path, earlier.into_file()?);
        Ok(Ok(()))
    }

    /// Takes results until there are no more, or the batch is to stop.
    fn take_all(
        &mut self,
        results: &mut Results<Outcome>,
        interrupt: &Interrupt,
        screen: &mut Screen,
        progress: &Progress,
    ) -> io::Result<End> {
        let failures_max = self.args.failures_max();
        let mut patience = Duration::ZERO;
        while !interrupt.is_wanted() {
            let next = results.next_within(patience);
            patience = Duration::ZERO;
            match next {
                Ok(Next::Outcome(Outcome::Row { row, line })) => {
                    self.write(&row, &line)?;
                    self.standing.rows += 1;
                    self.standing.failures += u64::from(row.status.is_failure());
                    if let Some(told) = screen.row(self.standing, progress) {
                        self.terminal.note(&told);
                    }
                    if failures_max.is_some_and(|most| self.standing.failures >= most) {
                        return Ok(End::Stopped(Stopped::Failures));
                    }
                }
                Ok(Next::Outcome(Outcome::FilteredOut)) => self.filtered_out += 1,
                Ok(Next::Outcome(Outcome::Mismatch(error))) => return Ok(End::Mismatch(error)),
                Ok(Next::NotYet) => {
                    self.terminal.flush()?;
                    self.exports.flush()?;
                    if let Some(told) = screen.look(self.standing, progress) {
                        self.terminal.note(&told);
                    }
                    patience = PATIENCE;
                }
                Ok(Next::End) => return Ok(End::All),
                Err(error) => return Ok(End::Broken(error)),
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

    fn course(&self, progress: &Progress, stopped: Option<Stopped>, wall: Duration) -> Course {
        Course {
            inputs: progress.inputs().filter(|_| stopped.is_none()),
            filtered_out: self.filtered_out,
            partition: self.args.partition,
            stopped,
            wall,
            jobs: count(self.args.plan().jobs.get()),
        }
    }

    /// Ends the files in good order, though not all results could be written.
    fn save(&mut self, course: &Course) {
        let summary = self.overview.summary(course);
        if let Err(error) = std::mem::take(&mut self.exports).finish(&summary) {
            log::debug!("{error}");
        }
    }

    /// Writes the summary to everything, and says how the program ends.
    fn finish(mut self, course: &Course) -> io::Result<Exit> {
        let summary = self.overview.summary(course);
        let exported = std::mem::take(&mut self.exports).finish(&summary);
        let out = self.terminal.results();
        match self.format {
            BatchFormat::Json => JsonLines::new(out).finish(&summary)?,
            BatchFormat::Text => write_text(out, &self.overview, &summary)?,
        }
        let kept = exported?;
        let worst = summary.statuses.worst().map(Exit::from);
        if course.stopped == Some(Stopped::Interrupted) {
            self.terminal.warning(&match kept {
                None => "interrupted; --resume goes on with a file of rows".to_owned(),
                Some(path) => format!("interrupted; --resume {} goes on", shell::file(path)),
            });
            return Ok(worst.filter(|exit| *exit != Exit::Holds).unwrap_or(Exit::Violated));
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

    fn broken(&mut self, error: &BatchError) -> Exit {
        self.terminal.error(&error.to_string());
        Exit::Internal
    }
}

/// Why taking over rows ended early.
enum Halt {
    Mismatch(ResumeError),
    Lost(io::Error),
}

impl From<ResumeError> for Halt {
    fn from(error: ResumeError) -> Self {
        Self::Mismatch(error)
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}
