//! The same scenario over mailboxes and over the network, timed side by side.

mod analyse;
pub mod measure;
pub mod show;

pub use analyse::{Baseline, BaselineError, Earlier, Interval, Ratio, Report, Verdict};
pub(crate) use measure::compare_bytes;
pub use measure::{
    CompareError, CompareOptions, Comparison, Histogram, Kind, Latencies, Load, Machine, Measured,
    Progress, Round, Subject, Transport, compare,
};
pub use show::{write_csv, write_html, write_json, write_markdown, write_text};
