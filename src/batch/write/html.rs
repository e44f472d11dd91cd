//! A batch as a page: what it came to, and what shows each violation.

use std::io::{self, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use crate::batch::replay;
use crate::batch::row::{Row, Status};
use crate::batch::summary::{StatusCounts, Summary};
use crate::model::Shown;
use crate::report::markup::escaped;
use crate::report::page::Sheet;
use crate::report::words::{count, grouped};

/// Sections up to this size are kept in memory, and then in a file that goes away by itself.
const MEMORY_MAX: usize = 4 << 20;

/// A page that grows row by row. What all came to stands above, so it is written last.
pub(crate) struct BatchPage {
    sections: SpooledTempFile,
    /// Failures of which there is no picture, a line each.
    rest: SpooledTempFile,
    pictures: usize,
    others: u64,
}

/// A page has so many pictures.
const PICTURES_MAX: usize = 100;

impl BatchPage {
    pub(crate) fn new() -> Self {
        let spool = || SpooledTempFile::new(MEMORY_MAX);
        Self { sections: spool(), rest: spool(), pictures: 0, others: 0 }
    }

    /// Whether there is room for more pictures.
    pub(crate) const fn takes_pictures(&self) -> bool {
        self.pictures < PICTURES_MAX
    }

    /// Takes note of `row`, with the picture of what is violated, if there is one.
    pub(crate) fn write(&mut self, row: &Row, picture: Option<&str>) -> io::Result<()> {
        if !row.status.is_failure() {
            return Ok(());
        }
        let name = row.name.as_deref().unwrap_or(&row.place);
        let name = escaped(&Shown::name(name).to_string());
        let (status, command) = (row.status, escaped(&replay::command(row)));
        let problem = escaped(row.problem.as_deref().unwrap_or_default());
        let Some(picture) = picture.filter(|_| self.takes_pictures()) else {
            self.others += 1;
            let warnings: String =
                row.warnings.iter().map(|told| format!("<br>{}", escaped(told))).collect();
            return writeln!(
                self.rest,
                "<li><strong>{name}</strong> <span class=\"quiet\">{status}</span><br>{problem}\
                 {warnings}<br><code>{command}</code></li>"
            );
        };
        self.pictures += 1;
        writeln!(
            self.sections,
            "<section class=\"violation\">\n<h2>✗ {name}</h2>\n<p class=\"sentence\">{problem}</p>\n\
             {picture}<pre><code>{command}</code></pre>\n</section>"
        )
    }

    /// Writes the page to `out`.
    pub(crate) fn finish(mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let answer = answer(summary);
        let title = count(summary.rows, "scenario");
        let program = "passbook batch";
        let sheet = Sheet { program, title: &title, answer: &answer, has_pictures: true };
        sheet.begin(out)?;
        tiles(out, &summary.statuses)?;
        copy(&mut self.sections, out)?;
        if self.others > 0 {
            let failures = count(self.others, "failure");
            writeln!(out, "<section>\n<h2>{failures} without a picture</h2>\n<ul class=\"rest\">")?;
            copy(&mut self.rest, out)?;
            writeln!(out, "</ul>\n</section>")?;
        }
        sheet.end(out)
    }
}

fn copy(from: &mut SpooledTempFile, out: &mut dyn Write) -> io::Result<()> {
    from.seek(SeekFrom::Start(0))?;
    io::copy(from, out).map(drop)
}

fn answer(summary: &Summary) -> String {
    let failures: u64 = Status::ALL
        .into_iter()
        .filter(|status| status.is_failure())
        .map(|status| summary.statuses.of(status))
        .sum();
    let ended = match summary.stopped {
        None => "",
        Some(_) => " It was stopped before its end.",
    };
    match failures {
        0 => format!("Nothing failed.{ended}"),
        failures => format!("{} failed.{ended}", grouped(failures)),
    }
}

/// How many there are of each status.
fn tiles(out: &mut dyn Write, statuses: &StatusCounts) -> io::Result<()> {
    writeln!(out, "<ul class=\"tiles verdicts\">")?;
    for status in Status::ALL {
        let number = statuses.of(status);
        let class = match (status, number) {
            (_, 0) => "",
            (Status::Holds, _) => " class=\"holds\"",
            (Status::Violated | Status::Error | Status::Unexpected, _) => " class=\"broken\"",
            (Status::Undecided, _) => "",
        };
        writeln!(
            out,
            "<li{class}><span class=\"transport\">{status}</span><strong>{}</strong></li>",
            grouped(number)
        )?;
    }
    writeln!(out, "</ul>")
}
