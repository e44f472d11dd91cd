//! What a batch leaves: a row per scenario, in lines of JSON, as CSV, as JUnit, and a summary.

mod row;

pub use row::{Counts, Row, RowVerdicts, Status};
