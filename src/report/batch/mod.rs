//! What a batch leaves: a row per scenario, in lines of JSON, as CSV, as JUnit, and a summary.

mod again;
mod csv;
mod join;
mod join_error;
mod jsonl;
mod junit;
mod overview;
mod problem;
mod reader;
mod row;
#[cfg(test)]
mod sample;
mod screen;
mod summary;
mod writer;

pub use crate::runner::batch::{Partition, PartitionError, PartitionKind};
pub use csv::Csv;
pub use join::{Joined, Part, join};
pub use join_error::{Gaps, JoinError, Place};
pub use jsonl::{JsonLines, append_line};
pub use junit::Junit;
pub use overview::{Course, Overview};
pub use reader::{Entry, Reader, Record, RowsError, RowsProblem};
pub use row::{Counts, Packing, Row, RowHead, RowVerdicts, Status};
pub use screen::write_text;
pub use summary::{StatusCounts, Stopped, Summary};
pub use writer::RowWriter;
