//! Why a message between branches did not arrive.

use serde::{Deserialize, Serialize};

/// Why a message was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossReason {
    /// The network loses some of its messages.
    Random,
    /// A partition stood between the two branches.
    Partition,
    /// The receiver was down.
    BranchDown,
}
