//! The judge: histories made by hand, random histories against a slow reference, and damage.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod by_hand;
mod damage;
mod gaps;
mod generate;
mod history_builder;
mod random;
mod reference;
mod weather;
