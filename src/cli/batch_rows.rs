//! What becomes of the rows of a batch, wherever they are made: they are counted, printed and written, and
//! the end is told.

use std::io;
use std::time::Duration;

use super::batch_args::{BatchArgs, BatchFormat};
use super::exit::{Exit, Failure};
use super::exports::Exports;
use super::terminal::Terminal;
use crate::batch::{
    BatchStats, Earlier, JsonLines, Outcome, Overview, Progress, ProgressView, Row, RowProgress,
    RowWriter, Stopped, append_line, write_text,
};
use crate::report::shell;

/// A batch that is run, and what it has come to so far.
pub(super) struct Batch<'a> {
    pub(super) args: &'a BatchArgs,
    pub(super) terminal: &'a mut Terminal,
    pub(super) exports: Exports,
    format: BatchFormat,
    overview: Overview,
    /// Of this batch itself, without an earlier one that it goes on with.
    pub(super) so_far: RowProgress,
    filtered_out: u64,
}

/// How the rows came to an end.
pub(super) enum End {
    All,
    Stopped(Stopped),
}

impl<'a> Batch<'a> {
    pub(super) fn new(args: &'a BatchArgs, terminal: &'a mut Terminal, exports: Exports) -> Self {
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

    /// Takes over what an earlier batch left, for all but the file that it is in.
    pub(super) fn go_on(&mut self, earlier: Earlier) -> Result<(), Failure> {
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

    /// Takes what came of one scenario. Says so if the batch is to stop with it.
    pub(super) fn take(&mut self, outcome: Outcome) -> Result<Option<End>, Failure> {
        match outcome {
            Outcome::Row { row, line, picture } => {
                self.write(&row, &line, picture.as_deref())?;
                self.so_far.rows += 1;
                self.so_far.failures += u64::from(row.status.is_failure());
                let failures_max = self.args.failures_max();
                let is_enough = failures_max.is_some_and(|most| self.so_far.failures >= most);
                Ok(is_enough.then_some(End::Stopped(Stopped::Failures)))
            }
            Outcome::FilteredOut => {
                self.filtered_out += 1;
                Ok(None)
            }
            Outcome::Mismatch(error) => Err(error.into()),
            Outcome::TooLargeHere(error) => Err(Failure::internal(error)),
        }
    }

    /// Takes many rows at once, whose `lines` are made already and which come to `overview`. Only
    /// where [`Batch::takes_lines`].
    pub(super) fn take_lines(&mut self, lines: &[u8], overview: Overview) -> io::Result<()> {
        self.so_far.rows += overview.statuses().total();
        self.so_far.failures += overview.statuses().failures();
        self.overview.merge(overview);
        if self.format == BatchFormat::Json {
            self.terminal.results().write_all(lines)?;
        }
        self.exports.write_lines(lines)
    }

    /// Whether no row need be looked at by itself.
    pub(super) fn takes_lines(&self) -> bool {
        self.args.failures_max().is_none() && self.exports.are_lines_alone()
    }

    pub(super) const fn filtered_out(&mut self, scenarios: u64) {
        self.filtered_out += scenarios;
    }

    fn write(&mut self, row: &Row, line: &[u8], picture: Option<&str>) -> io::Result<()> {
        self.overview.add(row);
        if self.format == BatchFormat::Json {
            self.terminal.results().write_all(line)?;
        }
        self.exports.write_with_line(row, line, picture)
    }

    /// Hands on what is written so far.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.terminal.flush()?;
        self.exports.flush()
    }

    /// Ends the batch as `end` says, with all that `jobs` at a time have made.
    pub(super) fn wrap_up(
        mut self,
        end: Result<End, Failure>,
        progress: &Progress,
        view: ProgressView,
        jobs: u64,
    ) -> Result<Exit, Failure> {
        let wall = view.close();
        let stopped = match end {
            Ok(End::All) => None,
            Ok(End::Stopped(stopped)) => Some(stopped),
            Err(failure) => {
                if let Failure::Output(_) = failure {
                    let stats = self.stats(progress, Some(Stopped::Interrupted), (wall, jobs));
                    self.save(&stats);
                }
                return Err(failure);
            }
        };
        let stats = self.stats(progress, stopped, (wall, jobs));
        Ok(self.finish(&stats)?)
    }

    fn stats(
        &self,
        progress: &Progress,
        stopped: Option<Stopped>,
        (wall, jobs): (Duration, u64),
    ) -> BatchStats {
        BatchStats {
            inputs: progress.inputs().filter(|_| stopped.is_none()),
            filtered_out: self.filtered_out,
            partition: self.args.partition,
            stopped,
            wall,
            jobs,
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
