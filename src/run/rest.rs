//! Whether a bank comes to rest once it has settled: no branch sends anything any more, waits for
//! anybody, or holds what it cannot apply. One that does not would keep its network busy for ever.

use std::time::Duration;

use super::bank::Seat;
use crate::actors::{BranchActor, TimeSource};
use crate::model::BranchId;

/// Who sends nothing for so long will not do so of its own accord: longer than any branch waits before it
/// sends again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The first of `branches` that is not at rest after `limit`, if there is one.
pub(super) async fn restless(
    branches: &[Seat<BranchActor>],
    clock: &TimeSource,
    limit: Duration,
) -> Option<BranchId> {
    let until = clock.now().after(limit);
    loop {
        let before: Vec<u64> = branches.iter().map(|seat| seat.actor.sent()).collect();
        clock.elapse(LOOK_EVERY).await;
        let stirred = branches.iter().zip(before).find_map(|(seat, before)| {
            let is_calm = seat.actor.is_at_rest() && seat.actor.sent() == before;
            if is_calm { None } else { seat.actor.id() }
        });
        if stirred.is_none() || clock.now() >= until {
            return stirred;
        }
    }
}
