//! A run that violates something becomes a small scenario in which nothing is left to chance.

mod explicit;
#[cfg(test)]
mod fixture;
mod parts;
mod shrinker;
mod spans;

pub use explicit::explicit;
pub use shrinker::{LIMIT, ShrinkError, Shrunk, Target, shrink};
