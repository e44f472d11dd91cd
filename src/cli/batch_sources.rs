//! Where the scenarios of a batch come from.

use tokio_util::sync::CancellationToken;

use crate::batch::{Earlier, EarlierRows, Reading, Share};
use crate::source::Survey;

/// Where scenarios come from.
pub(super) struct Sources {
    pub(super) reading: Reading,
    pub(super) survey: Survey,
    pub(super) share: Share,
    /// What an earlier batch has left, and its file, where that is gone on with.
    pub(super) held: EarlierRows,
    pub(super) earlier: Option<Earlier>,
    pub(super) interrupt: CancellationToken,
}
