//! The files that the rows of a batch go to, beside standard output.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::terminal::Terminal;
use crate::report::batch::{Csv, JsonLines, Junit, Row, RowWriter, Summary};

#[derive(Debug, Clone, Default, Args)]
pub(super) struct ExportArgs {
    /// Write a line of JSON per scenario and a last one for all to this file; `passbook merge` joins
    /// such files
    #[arg(long, value_name = "FILE")]
    pub(super) export_jsonl: Option<PathBuf>,

    /// Write a line per scenario to this file, for spreadsheets
    #[arg(long, value_name = "FILE")]
    pub(super) export_csv: Option<PathBuf>,

    /// Write a test case per scenario to this file, for CI servers
    #[arg(long, value_name = "FILE")]
    pub(super) export_junit: Option<PathBuf>,
}

impl ExportArgs {
    /// Whether one of the files is the file at `path`.
    pub(super) fn overwrites(&self, path: &Path) -> bool {
        let Ok(path) = fs::canonicalize(path) else { return false };
        let files = [&self.export_jsonl, &self.export_csv, &self.export_junit];
        // A file that is not there yet is no input.
        files.into_iter().flatten().any(|file| fs::canonicalize(file).is_ok_and(|it| it == path))
    }
}

const BUFFER_BYTES: usize = 1 << 16;

/// Writes rows to several files.
#[derive(Default)]
pub(super) struct Exports {
    lines: Option<Lines>,
    tables: Vec<Table>,
}

/// A file of rows as lines, which another batch can go on with.
struct Lines {
    path: PathBuf,
    out: BufWriter<File>,
}

/// A file of another format.
struct Table {
    path: PathBuf,
    writer: Box<dyn RowWriter>,
}

impl Exports {
    /// Creates the files that `args` name.
    pub(super) fn create(args: &ExportArgs, terminal: &mut Terminal) -> Result<Self, Exit> {
        let ExportArgs { export_jsonl, export_csv, export_junit } = args;
        let mut exports = Self::default();
        if let Some(path) = export_jsonl {
            let out = begin(path, terminal, Ok)?;
            exports.lines = Some(Lines { path: path.clone(), out });
        }
        if let Some(path) = export_csv {
            let writer = Box::new(begin(path, terminal, Csv::new)?);
            exports.tables.push(Table { path: path.clone(), writer });
        }
        if let Some(path) = export_junit {
            let writer = Box::new(begin(path, terminal, Junit::new)?);
            exports.tables.push(Table { path: path.clone(), writer });
        }
        Ok(exports)
    }

    /// From now on lines go to `file` at `path`, after what it holds.
    pub(super) fn go_on_with(&mut self, path: &Path, file: File) {
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        self.lines = Some(Lines { path: path.to_owned(), out });
    }

    /// Whether rows go to a file of lines.
    pub(super) fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// Writes one row to every file.
    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        if let Some(Lines { path, out }) = &mut self.lines {
            JsonLines::new(out).write(row).map_err(|error| lost(path, &error))?;
        }
        self.write_to_tables(row)
    }

    /// Writes one row to every file; its `line` is made already.
    pub(super) fn write_with_line(&mut self, row: &Row, line: &[u8]) -> io::Result<()> {
        if let Some(Lines { path, out }) = &mut self.lines {
            out.write_all(line).map_err(|error| lost(path, &error))?;
        }
        self.write_to_tables(row)
    }

    fn write_to_tables(&mut self, row: &Row) -> io::Result<()> {
        self.tables.iter_mut().try_for_each(|Table { path, writer }| {
            writer.write(row).map_err(|error| lost(path, &error))
        })
    }

    /// Hands on the lines so far, for whoever goes on with them if the program is killed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(Lines { path, out }) = &mut self.lines else { return Ok(()) };
        out.flush().map_err(|error| lost(path, &error))
    }

    /// Ends every file. What is wrong with one does not keep the others from their end.
    pub(super) fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let mut ended = Ok(());
        if let Some(Lines { path, out }) = &mut self.lines {
            let finished = JsonLines::new(out).finish(summary);
            ended = ended.and(finished.map_err(|error| lost(path, &error)));
        }
        for Table { path, writer } in &mut self.tables {
            let finished = writer.finish(summary);
            ended = ended.and(finished.map_err(|error| lost(path, &error)));
        }
        ended
    }
}

/// Creates the file at `path`, with what comes before the rows.
fn begin<W>(
    path: &Path,
    terminal: &mut Terminal,
    writer: impl FnOnce(BufWriter<File>) -> io::Result<W>,
) -> Result<W, Exit> {
    let created = File::create(path).map(|file| BufWriter::with_capacity(BUFFER_BYTES, file));
    created.and_then(writer).map_err(|error| {
        terminal.error(&format!("cannot write {}: {error}", path.display()));
        Exit::BadInput
    })
}

fn lost(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
