//! Rows as lines of JSON: the form that can be read back, joined and gone on with.

use std::io;

use super::RowWriter;
use super::line::append_row;
use crate::batch::row::Row;
use crate::batch::summary::Summary;

/// Writes rows as JSON Lines to `W`; give it something buffered.
#[derive(Debug)]
pub struct JsonLines<W: io::Write> {
    out: W,
    line: Vec<u8>,
}

impl<W: io::Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, line: Vec::new() }
    }
}

impl<W: io::Write> RowWriter for JsonLines<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        self.line.clear();
        append_line(&mut self.line, row);
        self.out.write_all(&self.line)
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, summary)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        self.out.flush()
    }
}

/// Appends the line of `row` to `buffer`, with its newline: for lines that are made on one thread
/// and writes them on another.
pub fn append_line(buffer: &mut Vec<u8>, row: &Row) {
    append_row(buffer, row);
    buffer.push(b'\n');
}
