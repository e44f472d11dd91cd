//! Keeps session guarantees in a store of your own, with a token.
//!
//! Each replica counts, for each replica where writes are accepted, how many of those writes it has:
//! a version vector. A client carries two of them, its token: what it has written and what it has
//! seen. It shows the token with each request. A replica that lacks something of it does not answer
//! with old data: it refuses, or catches up first and then answers.
//!
//!     cargo run --no-default-features --example enforce_with_a_token

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::collections::BTreeMap;
use std::error::Error;

use passbook::Passbook;
use passbook::bank::{Entry, VersionVector};
use passbook::model::{BranchId, BranchIndex, Dot, Guarantees, Roster};

/// A replica of our store: words by their keys.
struct Replica {
    here: BranchId,
    words: BTreeMap<String, String>,
    version: VersionVector,
    /// All that it has, in the order in which it came: where each was accepted, key and word.
    log: Vec<(BranchIndex, String, String)>,
}

impl Replica {
    fn new(here: BranchId, roster: &Roster) -> Self {
        let version = VersionVector::new(roster);
        Self { here, words: BTreeMap::new(), version, log: Vec::new() }
    }

    /// Accepts a write, and returns what the client must enter into its token.
    fn put(&mut self, key: &str, word: &str, roster: &Roster) -> Result<Entry, Box<dyn Error>> {
        let here = roster.index(self.here).ok_or("a replica is in its roster")?;
        self.apply((here, key.to_owned(), word.to_owned()));
        Ok(Entry::Wrote(Dot::first_life(self.here, self.version.get(here))))
    }

    /// The word at `key`, and what the client must enter into its token; or the first write that
    /// is missing here of what the client is owed.
    fn get(&self, key: &str, token: &Passbook, roster: &Roster) -> Result<(String, Entry), Dot> {
        let owed = token.needed_to_read(Guarantees::ALL);
        if let Some(missing) = owed.and_then(|owed| owed.first_missing(&self.version, roster)) {
            return Err(missing);
        }
        let word = self.words.get(key).cloned().unwrap_or_default();
        Ok((word, Entry::Read(self.version.clone())))
    }

    /// Takes what `other` has and this replica lacks: the writes come in the same order everywhere
    /// from one origin, so a count says which they are.
    fn catch_up(&mut self, other: &Self) {
        for (place, write) in other.log.iter().enumerate() {
            let origin = write.0;
            let number = other.log[..=place].iter().filter(|before| before.0 == origin).count();
            if usize::try_from(self.version.get(origin).get()).is_ok_and(|held| number > held) {
                self.apply(write.clone());
            }
        }
    }

    fn apply(&mut self, write: (BranchIndex, String, String)) {
        self.version.advance(write.0);
        self.words.insert(write.1.clone(), write.2.clone());
        self.log.push(write);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (one, two) = (BranchId::new(1)?, BranchId::new(2)?);
    let roster = Roster::new([one, two])?;
    let (mut near, mut far) = (Replica::new(one, &roster), Replica::new(two, &roster));

    let mut token = Passbook::new(&roster);
    let wrote = near.put("greeting", "hello", &roster)?;
    token.enter(&wrote, &roster);
    println!("the client writes 'hello' at replica 1, and enters that into its token");

    let nothing = Passbook::new(&roster);
    let read = far.get("greeting", &nothing, &roster);
    let (word, _) = read.map_err(|_| "who shows nothing is owed nothing")?;
    println!("without the token, replica 2 answers '{word}': its own write is lost to the client");

    match far.get("greeting", &token, &roster) {
        Ok((word, _)) => println!("with the token, replica 2 answers '{word}'"),
        Err(missing) => println!(
            "with the token, replica 2 refuses: it lacks write {} of replica {}",
            missing.sequence, missing.origin
        ),
    }

    far.catch_up(&near);
    println!("replica 2 catches up with replica 1");
    let read = far.get("greeting", &token, &roster);
    let (word, seen) = read.map_err(|_| "it has caught up")?;
    token.enter(&seen, &roster);
    println!("with the token, replica 2 answers '{word}', and the client enters what it has seen");
    Ok(())
}
