//! Judges what another store did. Any replicated store will do that can say three things: what each
//! client asked and was told, and in which order each replica applied the writes.
//!
//!     cargo run --no-default-features --example judge_your_history
//!
//! The store here counts visitors. Its two replicas are branches to the judge, its clients are
//! customers, and "1 more visitor" is a deposit of 1.

#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

use std::error::Error;

use passbook::model::{BranchId, CustomerId, Roster, Write};
use passbook::{
    Case, Header, HistoryBuilder, JudgeOptions, Money, Overall, Verdicts, judge, judge_cut_off,
};

/// What our store has logged, in the order in which it happened.
const LOG: &str = "\
client 1 adds 1 at replica 1
client 1 reads 0 at replica 2
replica 2 applies write 1 of client 1
client 1 reads 1 at replica 2
client 2 reads 1 at replica 2
client 2 adds 1 at replica 2
client 2 reads 1 at replica 1
replica 1 applies write 1 of client 2";

fn main() -> Result<(), Box<dyn Error>> {
    let roster = Roster::new([BranchId::new(1)?, BranchId::new(2)?])?;
    let store = Header::new("visitors", roster, Money::ZERO);
    let mut history = HistoryBuilder::new(&store);
    let mut writes = Vec::new();
    for line in LOG.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["client", client, "adds", count, "at", "replica", replica] => {
                let write = Write::deposit(count.parse()?);
                writes.push((history.writes(customer(client)?, branch(replica)?, write), write));
            }
            ["client", client, "reads", count, "at", "replica", replica] => {
                history.reads(customer(client)?, branch(replica)?, visitors(count)?);
            }
            // Each client writes once here; else the number would say which write it is.
            ["replica", replica, "applies", "write", _, "of", "client", client] => {
                let client = customer(client)?;
                let write = writes.iter().find(|(id, _)| id.customer == client);
                let &(id, write) = write.ok_or("a replica has a write that nobody made")?;
                history.applies(branch(replica)?, id, write);
            }
            _ => return Err(format!("what is '{line}'?").into()),
        }
    }

    println!("The whole history:");
    let options = JudgeOptions::default();
    show(&judge(Case::of(&store), options, history.facts())?);

    // Before the last line, replica 1 lacked a write. That is no fault while it may still come, so
    // a history that is not at its end is judged as one that was cut off.
    let all_but_last = history.facts().split_last().map_or(&[][..], |(_, before)| before);
    println!("\nWithout the last line, as if that were the end:");
    show(&judge(Case::of(&store), options, all_but_last)?);
    println!("\nWithout the last line, cut off:");
    show(&judge_cut_off(Case::of(&store), options, all_but_last)?);
    Ok(())
}

fn show(verdicts: &Verdicts) {
    for (property, verdict) in verdicts.iter() {
        println!("  {property:<20} {}", verdict.summary());
        if let Some(witness) = verdict.witness() {
            println!("    {witness}");
        }
    }
    let end = match verdicts.summary() {
        Overall::Holds => "all that was tested holds",
        Overall::Violated => "something is violated",
        Overall::Undecided => "too little was tested",
    };
    println!("  in one word: {end}");
}

fn customer(word: &str) -> Result<CustomerId, Box<dyn Error>> {
    Ok(CustomerId::new(word.parse()?)?)
}

fn branch(word: &str) -> Result<BranchId, Box<dyn Error>> {
    Ok(BranchId::new(word.parse()?)?)
}

/// A visitor is a unit of money, which is a hundred cents.
fn visitors(word: &str) -> Result<Money, Box<dyn Error>> {
    Ok(Money::from_minor(100 * word.parse::<i64>()?))
}
