//! Runs a scenario with every branch and customer as an actor, in virtual time: ten seconds of lag
//! take no time. The same seed gives the same run.
//!
//!     cargo run --example run_a_scenario

#![expect(clippy::print_stdout, reason = "an example shows what comes out")]

use std::error::Error;

use passbook::Scenario;
use passbook::model::{Guarantees, Receipt};
use passbook::run::{RunOptions, run};
use passbook::scenario::{Settings, Source};

const SCENARIO: &str = r#"{
    "name": "deposit here, ask there",
    "propagation": "async",
    "latency": "constant:10s",
    "processes": [
        {"id": 1, "type": "branch", "balance": 0},
        {"id": 2, "type": "branch", "balance": 0},
        {"id": 1, "type": "customer", "events": [
            {"interface": "deposit", "money": 400, "dest": 1},
            {"interface": "query", "dest": 2}
        ]}
    ]
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let scenario = Scenario::parse(&Source::new("deposit.json", SCENARIO))?;
    for guarantees in ["none", "ryw"] {
        let promised: Guarantees = guarantees.parse()?;
        // What the command line would override; all else stays as the scenario says.
        let overrides = Settings { guarantees: Some(promised), ..Settings::default() };
        let options = RunOptions { overrides, ..RunOptions::default() };
        let result = run(&scenario, &options)?.result;

        println!("guarantees: {guarantees}");
        for request in result.customers.iter().flat_map(|customer| &customer.requests) {
            match &request.outcome {
                Ok(Receipt::Balance(balance)) => println!("  the customer reads {balance}"),
                Ok(_) => println!("  the customer deposits"),
                Err(error) => println!("  the customer is told: {error}"),
            }
        }
        println!("  all is settled after {}", result.ended);
        let verdicts = result.verdicts.ok_or("every run is judged, unless it is told not to be")?;
        let read_your_writes = &verdicts.by_property.read_your_writes;
        println!("  read your writes: {}", read_your_writes.summary());
        if let Some(witness) = read_your_writes.witness() {
            println!("  {witness}");
        }
    }
    Ok(())
}
