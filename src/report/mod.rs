//! What people and programs read of a run: text, JSON and the classic output dialects.
//!
//! Built from a run's result and recorded facts alone. Knows no bank, no actor and no argument.

mod agreement;
mod arrival;
mod assessment;
pub mod batch;
mod broken;
mod cell;
pub mod compare;
pub mod dialect;
mod difference;
mod elide;
mod ending;
#[cfg(test)]
mod example;
pub mod json;
pub mod judgement;
mod note;
mod palette;
mod phrase;
pub mod shell;
mod shortfall;
mod story;
mod table;
pub mod text;

pub use agreement::Agreement;
pub use assessment::Assessment;
pub use difference::{Difference, Seen};
pub use note::Note;
pub use shortfall::shortfall;
pub use text::Verbosity;
