//! Where rows and their summary go: lines of JSON, CSV, JUnit, a screen.

mod csv;
mod html;
mod jsonl;
mod junit;
mod line;
mod text;
mod writer;

pub use csv::Csv;
pub(crate) use html::BatchPage;
pub use jsonl::{JsonLines, append_line};
pub use junit::Junit;
pub use text::write_text;
pub use writer::RowWriter;
