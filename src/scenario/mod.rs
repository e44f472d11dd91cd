//! Input files, in every dialect, to a validated [`Scenario`]. Knows no bank and no actor.

mod model;
mod output;

pub use crate::model::Event;
pub use model::{Scenario, Settings, Visit, Warning};
pub use output::{BalanceRow, EventResult, EventsRow, Output, Told};
