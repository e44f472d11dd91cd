//! Many scenarios over all cores: a reader that feeds, workers that run, results in order.
//!
//! Knows no file, no format and no argument: what an item is, and what becomes of it, comes in.

mod feed;
mod fingerprint;
mod partition;
mod pipeline;
mod results;
mod worker;

pub use feed::{Feed, FeedClosed};
pub use fingerprint::Fingerprint;
pub use partition::{Partition, PartitionError, PartitionKind};
pub use pipeline::{BatchError, Plan, Work, start};
pub use results::{Next, Order, Results};
