//! Scenarios from a seed: the same options make the same scenarios on every machine, and each can
//! be made without those before it. Knows no bank.

mod amounts;
mod between;
mod generator;
mod limits;
mod mix;
mod options;
mod skew;

pub use amounts::Amounts;
pub use between::{Between, BetweenError};
pub use generator::Generator;
pub use limits::GenerateError;
pub use mix::{Mix, MixError};
pub use options::GenerateOptions;
pub use skew::{Skew, SkewError};
