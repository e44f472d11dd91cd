//! What people and programs read of a run: text, JSON and the classic output dialects.
//!
//! Built from a run's result and recorded facts alone. Knows no bank, no actor and no argument.

mod agreement;
mod arrival;
mod assessment;
#[cfg(feature = "cli")]
pub(crate) mod audit;
mod broken;
pub(crate) mod cell;
#[cfg(feature = "cli")]
pub mod convert;
#[cfg(feature = "cli")]
pub(crate) mod diagram;
pub mod dialect;
mod difference;
mod elide;
#[cfg(test)]
pub(crate) mod fixture;
mod fold;
#[cfg(feature = "cli")]
pub(crate) mod foreign;
pub mod json;
pub mod judged;
#[cfg(feature = "cli")]
pub(crate) mod junit;
#[cfg(feature = "cli")]
pub(crate) mod markup;
#[cfg(feature = "cli")]
pub(crate) mod meter;
mod note;
#[cfg(feature = "cli")]
pub(crate) mod page;
pub(crate) mod palette;
pub mod shell;
mod shortfall;
pub(crate) mod table;
pub mod text;
mod trace;
#[cfg(feature = "cli")]
pub(crate) mod verdict_counts;
pub(crate) mod weather;
pub(crate) mod words;

pub use agreement::Agreement;
pub use assessment::Assessment;
pub use difference::{Difference, Seen};
pub use fold::Width;
pub use note::Note;
pub use shortfall::shortfall;
pub use text::{EventOrder, Verbosity};
