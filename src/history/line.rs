//! The lines of a history file as they are written: `docs/HISTORY.md` shows one of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fact, Lamport};
use crate::model::{BranchId, Money, Seed, Time};

/// What the key `history` of the first line says.
pub(super) const FORMAT: &str = "passbook";

/// The version of the format that is written, and the only one that is read.
pub(super) const VERSION: u64 = 1;

/// The part of the header that every version has.
#[derive(Deserialize)]
pub(super) struct Preamble {
    pub(super) history: String,
    pub(super) version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine {
    pub(super) history: String,
    pub(super) version: u64,
    pub(super) scenario: String,
    pub(super) seed: Seed,
    pub(super) branches: Vec<BranchId>,
    pub(super) opening_balance_minor: Money,
    pub(super) config: BTreeMap<String, String>,
}

#[derive(Serialize)]
pub(super) struct FactLine<'a> {
    pub(super) at_us: Time,
    pub(super) lamport: Lamport,
    pub(super) fact: &'a Fact,
}

#[derive(Serialize)]
pub(super) struct EndLine {
    pub(super) end: End,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// How many facts came before.
    pub(super) facts: u64,
}

/// Any line after the first. Which keys are there tells which line it is, so that an error can
/// say which key is missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) at_us: Option<Time>,
    pub(super) lamport: Option<Lamport>,
    pub(super) fact: Option<Fact>,
    pub(super) end: Option<End>,
}
