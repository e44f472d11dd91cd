//! The judge and the histories, with no feature of the library: histories made by hand, random ones
//! against a slow reference, and damage. What they test is what `tests/trust/mutants` changes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answered;
mod asked_of_judge;
mod by_hand;
mod damage;
mod foul_random;
mod foul_tales;
mod gaps;
mod generate;
mod history;
mod history_builder;
mod lost_memory;
mod random;
mod reference;
mod reference_rules;
mod shown;
mod told_of_loss;
mod weather;
