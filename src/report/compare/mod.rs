//! What a comparison of transports says: how sure each ratio is, where the time goes, and all ways
//! to show it. Measures nothing.

mod baseline;
mod csv;
mod distribution;
mod headline;
mod html;
mod json;
mod ladder;
mod markdown;
mod name;
mod number;
mod row;
mod statistics;
mod student;
mod tables;
mod text;
mod warning;
mod whole;

pub use baseline::{Baseline, BaselineError, Earlier};
pub use csv::write_csv;
pub use html::write_html;
pub use json::write_json;
pub use markdown::write_markdown;
pub use statistics::{Interval, Ratio, Verdict};
pub use text::write_text;
pub use whole::Report;
