//! Where rows go.

use std::io;

use crate::batch::row::Row;
use crate::batch::summary::Summary;

/// Takes the rows of a batch one by one, and the summary when all are in.
pub trait RowWriter {
    /// Writes one row.
    fn write(&mut self, row: &Row) -> io::Result<()>;

    /// Writes what comes after the last row, and flushes.
    fn finish(&mut self, summary: &Summary) -> io::Result<()>;
}
