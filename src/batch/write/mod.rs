//! Where rows and their summary go: lines of JSON, CSV, JUnit, a screen.

mod csv;
mod jsonl;
mod junit;
mod text;
mod writer;

pub use csv::Csv;
pub use jsonl::{JsonLines, append_line};
pub use junit::Junit;
pub use text::write_text;
pub use writer::RowWriter;
