//! The files that the rows of a batch go to, beside standard output.

use std::fs::{self, File};
use std::io::{self, BufWriter};
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

/// Writes rows to several files.
#[derive(Default)]
pub(super) struct Exports {
    files: Vec<Export>,
}

struct Export {
    path: PathBuf,
    writer: Box<dyn RowWriter>,
}

impl Exports {
    /// Creates the files that `args` name.
    pub(super) fn create(args: &ExportArgs, terminal: &mut Terminal) -> Result<Self, Exit> {
        let ExportArgs { export_jsonl, export_csv, export_junit } = args;
        let mut exports = Self::default();
        if let Some(path) = export_jsonl {
            exports.add(path, terminal, |out| Ok(Box::new(JsonLines::new(out))))?;
        }
        if let Some(path) = export_csv {
            exports.add(path, terminal, |out| Ok(Box::new(Csv::new(out)?)))?;
        }
        if let Some(path) = export_junit {
            exports.add(path, terminal, |out| Ok(Box::new(Junit::new(out)?)))?;
        }
        Ok(exports)
    }

    fn add(
        &mut self,
        path: &Path,
        terminal: &mut Terminal,
        writer: impl FnOnce(BufWriter<File>) -> io::Result<Box<dyn RowWriter>>,
    ) -> Result<(), Exit> {
        let created = File::create(path).map(|file| BufWriter::with_capacity(1 << 16, file));
        match created.and_then(writer) {
            Ok(writer) => {
                self.files.push(Export { path: path.to_owned(), writer });
                Ok(())
            }
            Err(error) => {
                terminal.error(&format!("cannot write {}: {error}", path.display()));
                Err(Exit::BadInput)
            }
        }
    }

    /// Writes one row to every file.
    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        self.each(|writer| writer.write(row))
    }

    /// Ends every file.
    pub(super) fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.each(|writer| writer.finish(summary))
    }

    fn each(&mut self, act: impl Fn(&mut dyn RowWriter) -> io::Result<()>) -> io::Result<()> {
        self.files.iter_mut().try_for_each(|Export { path, writer }| {
            act(&mut **writer).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })
        })
    }
}
