//! Inputs that differ from good ones at a few places: the same for a seed, on every machine.

use std::io::Write;
use std::{env, io, thread};

use passbook::model::{Random, Seed};

/// How many inputs each target gets, unless the environment says otherwise.
const CASES: u64 = 5000;

/// An input is changed at no more places than this.
const CHANGES_MAX: u64 = 4;

/// No more is taken away, doubled or taken from elsewhere at once; of what is short, less.
const PIECE_MAX: usize = 40;

/// Numbers at which something ends.
const NUMBERS: [&str; 11] = [
    "0",
    "-1",
    "1",
    "0.01",
    "0.001",
    "1e9",
    "2147483647",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "99999999999999999999999",
];

/// An input, and how to see again what it does.
pub(crate) struct Case {
    pub(crate) bytes: Vec<u8>,
    again: String,
}

impl Drop for Case {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self { bytes, again } = self;
            let told =
                writeln!(io::stderr(), "the input: {}\nagain: {again}", bytes.escape_ascii());
            told.expect("standard error");
        }
    }
}

/// The inputs for `target`, a test of `fuzz`: changed from `seeds`, with pieces of `words` in them.
pub(crate) fn cases<'a>(
    target: &'a str,
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
) -> impl Iterator<Item = Case> + 'a {
    let [seed, first, count] = [("FUZZ_SEED", 1), ("FUZZ_FIRST", 0), ("FUZZ_CASES", CASES)]
        .map(|(variable, otherwise)| told(variable).unwrap_or(otherwise));
    (first..first.saturating_add(count)).map(move |number| {
        let again = format!(
            "FUZZ_SEED={seed} FUZZ_FIRST={number} FUZZ_CASES=1 cargo test --test integration fuzz::{target}"
        );
        let mut random = Random::of_part(Seed(seed), number);
        Case { bytes: changed(seeds, words, &mut random), again }
    })
}

fn told(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

fn changed(seeds: &[Vec<u8>], words: &[&str], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[below(random, seeds.len())].clone();
    // Mostly one: what has several faults is refused for the first.
    let changes = 1 + random.below(2) * random.below(CHANGES_MAX);
    for _ in 0..changes {
        let start = below(random, bytes.len() + 1);
        let piece = below(random, PIECE_MAX.min(2 + bytes.len() / 8));
        let end = bytes.len().min(start + piece);
        match random.below(8) {
            0 => {
                if let Some(byte) = bytes.get_mut(start) {
                    *byte ^= 1 << random.below(8);
                }
            }
            1 => drop(bytes.splice(start..end, [any_byte(random)])),
            2 => drop(bytes.splice(start..start, one_of(words, random))),
            3 => drop(bytes.splice(start..end, one_of(words, random))),
            4 => drop(bytes.drain(start..end)),
            5 => {
                let doubled = bytes[start..end].to_vec();
                bytes.splice(end..end, doubled);
            }
            6 => {
                let other = &seeds[below(random, seeds.len())];
                let from = below(random, other.len() + 1);
                let to = other.len().min(from + piece);
                bytes.splice(start..end, other[from..to].iter().copied());
            }
            _ => change_number(&mut bytes, start, random),
        }
    }
    // Mostly whole: what is cut off is soon refused.
    if random.below(10) == 0 {
        bytes.truncate(below(random, bytes.len() + 1));
    }
    bytes
}

/// Puts another number in place of the first one after `start`.
fn change_number(bytes: &mut Vec<u8>, start: usize, random: &mut Random) {
    let Some(ahead) = bytes[start..].iter().position(u8::is_ascii_digit) else { return };
    let start = start + ahead;
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    drop(bytes.splice(start..start + length, one_of(&NUMBERS, random)));
}

fn one_of(words: &[&str], random: &mut Random) -> Vec<u8> {
    match words {
        [] => vec![any_byte(random)],
        words => words[below(random, words.len())].as_bytes().to_vec(),
    }
}

fn any_byte(random: &mut Random) -> u8 {
    u8::try_from(random.below(256)).expect("below 256")
}

fn below(random: &mut Random, end: usize) -> usize {
    let end = u64::try_from(end).expect("an address");
    usize::try_from(random.below(end)).expect("below an address")
}
