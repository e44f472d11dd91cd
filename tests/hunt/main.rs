//! Whether `simulate` alone notices a fault of the bank. `tests/trust/hunt` makes the faults: it changes
//! `src/bank`, one place at a time, and runs this test with many seeds. Of the bank as it is, it
//! finds nothing.

mod forgetful;
mod found;
mod loads;
mod repeated_ids;

use std::env;

use found::{Hunted, facts_of, hunt};
use loads::loads;

/// How many seeds are run in all, where nothing is said of it.
const SEEDS: u64 = 640;

/// Says how many.
const SEEDS_VARIABLE: &str = "PASSBOOK_HUNT_SEEDS";

/// Says of how many seeds of each load the facts are told apart.
const FACTS_VARIABLE: &str = "PASSBOOK_HUNT_FACTS";

#[test]
#[expect(clippy::print_stdout, reason = "the script reads what it came to")]
fn simulate_finds_nothing_wrong_with_the_bank() {
    let number = |name| env::var(name).ok().map(|text| text.parse().expect("a number"));
    let loads = loads();
    let seeds = number(SEEDS_VARIABLE).unwrap_or(SEEDS);
    match hunt(&loads, seeds) {
        Hunted::Found(found) => panic!("hunt: {found}"),
        Hunted::Nothing { seeds } => println!("hunt: nothing in {seeds} seeds"),
    }
    if let Some(seeds) = number(FACTS_VARIABLE) {
        for load in &loads {
            println!("hunt: facts of {}: {:016x}", load.name, facts_of(load, seeds));
        }
    }
}
