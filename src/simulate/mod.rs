//! Many seeds in foul weather: each is run and judged, and what is wrong with the lowest of them is
//! shown with as little as it needs. Knows no argument and no terminal.

mod answers;
mod finding;
mod load;
mod progress;
mod search;
mod seeds;
mod show;
mod shrink;
mod summary;
mod tally;
mod trial;

pub use finding::{Finding, Violated};
pub use load::{Load, LoadSize};
pub(crate) use progress::ProgressView;
pub use search::{AtFinding, FINDINGS_KEPT, Found, Plan, search};
pub use seeds::{Seeds, SeedsError};
pub use show::{write_json, write_junit, write_text};
pub use shrink::{LIMIT, ShrinkError, Shrunk, Target, explicit, shrink};
pub use summary::{Course, FindingRow, ShrunkRow, Stopped, Summary};
pub use tally::Tally;
pub use trial::Trial;
