//! What people and programs read of a run: text, JSON and the classic output dialects.
//!
//! Built from a run's result and recorded facts alone. Knows no bank, no actor and no argument.

mod agreement;
mod arrival;
mod assessment;
mod broken;
pub(crate) mod cell;
pub mod dialect;
mod difference;
mod elide;
#[cfg(test)]
pub(crate) mod example;
pub mod json;
pub mod judgement;
mod note;
pub(crate) mod palette;
pub(crate) mod phrase;
pub mod shell;
mod shortfall;
mod story;
pub(crate) mod table;
pub mod text;

pub use agreement::Agreement;
pub use assessment::Assessment;
pub use difference::{Difference, Seen};
pub use note::Note;
pub use shortfall::shortfall;
pub use text::Verbosity;
