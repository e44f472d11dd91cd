//! Where the results of a batch go: standard output, files, and the summary of it all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::args::{BatchArgs, BatchFormat};
use super::job::RowLines;
use crate::cli::terminal::Terminal;
use crate::report::batch::{Csv, JsonLines, Junit, Overview, Row, RowWriter, Summary, write_text};

const BUFFER_BYTES: usize = 1 << 16;

/// All that a batch writes.
pub(super) struct Outputs<'t> {
    terminal: &'t mut Terminal,
    format: BatchFormat,
    rows: Option<RowsFile>,
    tables: Vec<Table>,
}

/// The file of rows that another batch can go on with.
struct RowsFile {
    path: PathBuf,
    file: BufWriter<File>,
}

/// A file of another format.
struct Table {
    path: PathBuf,
    writer: Box<dyn RowWriter>,
}

/// Results that could not be written.
#[derive(Debug)]
pub(super) struct Lost {
    /// Where to; `None` for standard output.
    pub(super) file: Option<PathBuf>,
    pub(super) reason: io::Error,
}

impl Lost {
    fn to(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |reason| Self { file: Some(path.to_owned()), reason }
    }
}

impl From<io::Error> for Lost {
    fn from(reason: io::Error) -> Self {
        Self { file: None, reason }
    }
}

impl<'t> Outputs<'t> {
    /// Begins the files that `args` name. Rows go to `earlier` where a batch goes on.
    pub(super) fn open(
        args: &BatchArgs,
        format: BatchFormat,
        terminal: &'t mut Terminal,
    ) -> Result<Self, Lost> {
        let mut tables = Vec::new();
        if let Some(path) = &args.export_csv {
            let csv = Csv::new(create(path)?).map_err(Lost::to(path))?;
            tables.push(Table { path: path.clone(), writer: Box::new(csv) });
        }
        if let Some(path) = &args.export_junit {
            let junit = Junit::new(create(path)?);
            tables.push(Table { path: path.clone(), writer: Box::new(junit) });
        }
        let rows = match &args.export_jsonl {
            Some(path) => Some(RowsFile { path: path.clone(), file: create(path)? }),
            None => None,
        };
        Ok(Self { terminal, format, rows, tables })
    }

    /// From now on rows go to `file` at `path` too.
    pub(super) fn go_on_with(&mut self, path: &Path, file: File) {
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        self.rows = Some(RowsFile { path: path.to_owned(), file });
    }

    /// Whether rows are wanted as lines.
    pub(super) fn row_lines(&self) -> RowLines {
        if self.rows.is_some() || self.format == BatchFormat::Json {
            RowLines::Wanted
        } else {
            RowLines::NotWanted
        }
    }

    /// Writes `row`, which is `line` in JSON.
    pub(super) fn write(&mut self, row: &Row, line: &[u8]) -> Result<(), Lost> {
        if self.format == BatchFormat::Json {
            self.terminal.results().write_all(line)?;
        }
        if let Some(RowsFile { path, file }) = &mut self.rows {
            file.write_all(line).map_err(Lost::to(path))?;
        }
        for Table { path, writer } in &mut self.tables {
            writer.write(row).map_err(Lost::to(path))?;
        }
        Ok(())
    }

    /// Hands on what is written so far, for the next row may take a while.
    pub(super) fn flush(&mut self) -> Result<(), Lost> {
        self.terminal.flush()?;
        if let Some(RowsFile { path, file }) = &mut self.rows {
            file.flush().map_err(Lost::to(path))?;
        }
        Ok(())
    }

    /// Writes what comes last. What cannot be written to one does not keep the others from it.
    pub(super) fn finish(
        mut self,
        overview: &Overview,
        summary: &Summary,
        replay_options: &str,
    ) -> Result<(), Lost> {
        let mut outcome = Ok(());
        if let Some(RowsFile { path, file }) = &mut self.rows {
            outcome = outcome.and(JsonLines::new(file).finish(summary).map_err(Lost::to(path)));
        }
        for Table { path, writer } in &mut self.tables {
            outcome = outcome.and(writer.finish(summary).map_err(Lost::to(path)));
        }
        let out = self.terminal.results();
        let shown = match self.format {
            BatchFormat::Json => JsonLines::new(out).finish(summary),
            BatchFormat::Text => write_text(out, overview, summary, replay_options),
        };
        outcome.and(shown.map_err(Lost::from))
    }
}

fn create(path: &Path) -> Result<BufWriter<File>, Lost> {
    let file = File::create(path).map_err(Lost::to(path))?;
    Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
}
