//! The files that the rows of a batch go to, beside standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Failure;
use super::new_file::{BUFFER_BYTES, NewFile, lost, unwritable};
use crate::batch::{BatchPage, Csv, JsonLines, Junit, Row, RowWriter, Stopped, Summary};

#[derive(Debug, Clone, Default, Args)]
pub(super) struct ExportArgs {
    /// Write a line of JSON per scenario and a last one for all to this file; `passbook merge`
    /// joins such files
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
    /// The files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let Self { export_jsonl, export_csv, export_junit } = self;
        [export_jsonl, export_csv, export_junit].into_iter().filter_map(|file| file.as_deref())
    }
}

/// What a file of rows as lines is good for before it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartialRows {
    /// Another batch goes on with them.
    GoOn,
    /// Nothing.
    Useless,
}

/// Writes rows to several files.
#[derive(Default)]
pub(super) struct Exports {
    lines: Option<Lines>,
    tables: Vec<Table>,
    page: Option<Page>,
}

/// A file of rows as lines, which another batch can go on with.
struct Lines {
    path: PathBuf,
    new: NewFile,
    out: BufWriter<File>,
}

/// A page.
struct Page {
    path: PathBuf,
    new: NewFile,
    out: BufWriter<File>,
    page: BatchPage,
}

/// A file of another format.
struct Table {
    path: PathBuf,
    new: NewFile,
    writer: Box<dyn RowWriter>,
}

impl Exports {
    /// Creates the files that `args` name.
    pub(super) fn create(args: &ExportArgs, partial: PartialRows) -> Result<Self, Failure> {
        let ExportArgs { export_jsonl, export_csv, export_junit } = args;
        let mut exports = Self::default();
        if let Some(path) = export_jsonl {
            let create = match partial {
                PartialRows::GoOn => NewFile::create_to_go_on_with,
                PartialRows::Useless => NewFile::create,
            };
            let (new, out) = begin(path, create, Ok)?;
            exports.lines = Some(Lines { path: path.clone(), new, out });
        }
        if let Some(path) = export_csv {
            let (new, writer) = begin(path, NewFile::create, Csv::new)?;
            exports.tables.push(Table { path: path.clone(), new, writer: Box::new(writer) });
        }
        if let Some(path) = export_junit {
            let (new, writer) = begin(path, NewFile::create, Junit::new)?;
            exports.tables.push(Table { path: path.clone(), new, writer: Box::new(writer) });
        }
        Ok(exports)
    }

    /// A page goes to `path`, too.
    pub(super) fn add_page(&mut self, path: &Path) -> Result<(), Failure> {
        let (new, out) = begin(path, NewFile::create, Ok)?;
        self.page = Some(Page { path: path.to_owned(), new, out, page: BatchPage::new() });
        Ok(())
    }

    /// Whether there is a page with room for more pictures.
    pub(super) fn takes_pictures(&self) -> bool {
        self.page.as_ref().is_some_and(|of| of.page.takes_pictures())
    }

    /// From now on lines go to `file` at `path`, after what it holds.
    pub(super) fn go_on_with(&mut self, path: &Path, file: File) {
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        self.lines = Some(Lines { path: path.to_owned(), new: NewFile::InPlace, out });
    }

    /// Writes one row to every file.
    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        if let Some(Lines { path, out, .. }) = &mut self.lines {
            JsonLines::new(out).write(row).map_err(|error| lost(path, &error))?;
        }
        self.write_to_tables(row)
    }

    /// Writes one row to every file; its `line` is made already, and so is its `picture`.
    pub(super) fn write_with_line(
        &mut self,
        row: &Row,
        line: &[u8],
        picture: Option<&str>,
    ) -> io::Result<()> {
        if let Some(Page { path, page, .. }) = &mut self.page {
            page.write(row, picture).map_err(|error| lost(path, &error))?;
        }
        if let Some(Lines { path, out, .. }) = &mut self.lines {
            out.write_all(line).map_err(|error| lost(path, &error))?;
        }
        self.write_to_tables(row)
    }

    /// Whether no file but one of lines is written.
    pub(super) fn are_lines_alone(&self) -> bool {
        self.tables.is_empty() && self.page.is_none()
    }

    /// Writes rows whose `lines` are made already, where [`Exports::are_lines_alone`].
    pub(super) fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(Lines { path, out, .. }) = &mut self.lines else { return Ok(()) };
        out.write_all(lines).map_err(|error| lost(path, &error))
    }

    fn write_to_tables(&mut self, row: &Row) -> io::Result<()> {
        self.tables.iter_mut().try_for_each(|Table { path, writer, .. }| {
            writer.write(row).map_err(|error| lost(path, &error))
        })
    }

    /// Hands on the lines so far, for whoever goes on with them if the program is killed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(Lines { path, out, .. }) = &mut self.lines else { return Ok(()) };
        out.flush().map_err(|error| lost(path, &error))
    }

    /// Ends every file, and puts it in its place. What is wrong with one does not keep the others
    /// from their end. After an interrupt, what was there before stays; the path is that of the
    /// lines so far, where they are beside such a file.
    pub(super) fn finish(self, summary: &Summary) -> io::Result<Option<PathBuf>> {
        let is_early = summary.stopped == Some(Stopped::Interrupted);
        let mut ended = Ok(None);
        if let Some(Lines { path, new, mut out }) = self.lines {
            let finished = JsonLines::new(&mut out).finish(summary).and_then(|()| match is_early {
                true => new.finish_early_or_keep(),
                false => new.finish().map(|()| None),
            });
            ended = finished.map_err(|error| lost(&path, &error));
        }
        if let Some(Page { path, new, mut out, page }) = self.page {
            let finished = page.finish(&mut out, summary).and_then(|()| out.flush());
            let finished = finished.and_then(|()| match is_early {
                true => new.finish_early(),
                false => new.finish(),
            });
            let finished = finished.map_err(|error| lost(&path, &error));
            ended = ended.and_then(|kept| finished.map(|()| kept));
        }
        for Table { path, new, mut writer } in self.tables {
            let finished = writer.finish(summary).and_then(|()| match is_early {
                true => new.finish_early(),
                false => new.finish(),
            });
            let finished = finished.map_err(|error| lost(&path, &error));
            ended = ended.and_then(|kept| finished.map(|()| kept));
        }
        ended
    }
}

/// Creates the file at `path`, with what comes before the rows.
fn begin<W>(
    path: &Path,
    create: fn(&Path) -> io::Result<(NewFile, File)>,
    writer: impl FnOnce(BufWriter<File>) -> io::Result<W>,
) -> Result<(NewFile, W), Failure> {
    let begun = create(path)
        .and_then(|(new, file)| Ok((new, writer(BufWriter::with_capacity(BUFFER_BYTES, file))?)));
    begun.map_err(|error| unwritable(path, &error))
}
