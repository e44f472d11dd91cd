//! The number of the life that the branches of a process begin when it starts.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::Life;
use crate::model::number::millis;

/// A number that is higher than those of earlier starts, and that no other process draws.
#[expect(
    clippy::disallowed_methods,
    reason = "by the time, starts are told apart from earlier ones"
)]
pub fn begun_life() -> Life {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut random = [0; 2];
    getrandom::fill(&mut random).expect("the operating system gives random numbers");
    Life::drawn(millis(since_1970), u16::from_le_bytes(random))
}
