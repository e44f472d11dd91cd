//! Many scenarios at full speed: a reader that feeds, workers that run, a row of each.

mod failed;
mod feed;
mod filter;
mod fingerprint;
#[cfg(test)]
mod fixture;
mod histories;
mod job;
mod join;
mod join_error;
mod listing;
mod overview;
mod partition;
mod pipeline;
mod progress;
mod reader;
pub(crate) mod reading;
pub(crate) mod replay;
mod results;
mod resume;
mod row;
mod summary;
mod write;

pub use crate::source::Packing;
pub(crate) use failed::{Failed, FailedError, failed};
pub use feed::{Feed, FeedClosed};
pub(crate) use filter::Filter;
pub use fingerprint::Fingerprint;
pub(crate) use histories::{HistoryFolder, HistoryOf};
pub(crate) use job::{Item, Job, Outcome, RowLines};
pub use join::{Joined, Part, join};
pub use join_error::{Gaps, JoinError, RowPlace};
pub use overview::{BatchStats, Overview};
pub use partition::{Partition, PartitionError, PartitionKind};
pub use pipeline::{Plan, start};
pub(crate) use progress::{ProgressView, RowProgress};
pub use reader::{Entry, Reader, Record, RowsError, RowsProblem, holds_rows};
pub(crate) use reading::{Progress, Reading, Share};
pub use results::{BatchError, Next, Order, Results};
pub(crate) use resume::{Earlier, EarlierRows, ResumeError};
pub use row::{Counts, Row, RowHead, RowKind, Status};
pub use summary::{StatusCounts, Stopped, Summary};
pub(crate) use write::BatchPage;
pub use write::{Csv, JsonLines, Junit, RowWriter, append_line, write_text};
