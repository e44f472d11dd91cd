//! The lines of a history file as they are written: `docs/HISTORY.md` shows one of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Fact, Header, Lamport, Terms};
use crate::model::{
    BranchId, CustomerId, Durability, GuaranteePolicy, Guarantees, Money, Overdraft, Propagation,
    Seed, Time, Versions,
};

/// What the key `history` of the first line says.
pub(super) const FORMAT: &str = "passbook";

/// The versions of the format that are read; the newest is written.
pub(super) const VERSIONS: Versions = Versions {
    what: "a history",
    oldest: 1,
    newest: 2,
    otherwise: "use the passbook that recorded it",
};

/// The part of the header that every version has.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Preamble {
    pub(super) history: String,
    pub(super) version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct HeaderLine {
    pub(super) history: String,
    pub(super) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) passbook: Option<String>,
    pub(super) scenario: String,
    pub(super) seed: Seed,
    pub(super) branches: Vec<BranchId>,
    pub(super) opening_balance_minor: Money,
    /// Not in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) promised: Option<PromisedPart>,
    pub(super) config: BTreeMap<String, String>,
}

/// What was promised, as a header says it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct PromisedPart {
    guarantees: Guarantees,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    customers: BTreeMap<CustomerId, Guarantees>,
    propagation: Propagation,
    overdraft: Overdraft,
    /// Left out: `memory`.
    #[serde(default, skip_serializing_if = "is_memory")]
    durability: Durability,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_memory(durability: &Durability) -> bool {
    *durability == Durability::Memory
}

impl HeaderLine {
    pub(super) fn of(header: &Header) -> Self {
        Self {
            history: FORMAT.to_owned(),
            version: VERSIONS.newest,
            passbook: header.passbook.clone(),
            scenario: header.scenario.clone(),
            seed: header.seed,
            branches: header.roster.ids().to_vec(),
            opening_balance_minor: header.opening_balance,
            promised: header.terms.as_ref().map(PromisedPart::of),
            config: header.config.clone(),
        }
    }
}

impl PromisedPart {
    fn of(terms: &Terms) -> Self {
        Self {
            guarantees: terms.guarantees.all,
            customers: terms.guarantees.single.clone(),
            propagation: terms.propagation,
            overdraft: terms.overdraft,
            durability: terms.durability,
        }
    }
}

impl From<PromisedPart> for Terms {
    fn from(part: PromisedPart) -> Self {
        Self {
            guarantees: GuaranteePolicy { all: part.guarantees, single: part.customers },
            propagation: part.propagation,
            overdraft: part.overdraft,
            durability: part.durability,
        }
    }
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
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct End {
    /// How many facts came before.
    pub(super) facts: u64,
}

/// Any line after the first. Which keys are there says which line it is, so that an error can
/// say which key is missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct Line {
    #[serde(default, deserialize_with = "given")]
    pub(super) at_us: Option<Time>,
    #[serde(default, deserialize_with = "given")]
    pub(super) lamport: Option<Lamport>,
    #[serde(default, deserialize_with = "given")]
    pub(super) fact: Option<Fact>,
    #[serde(default, deserialize_with = "given")]
    pub(super) end: Option<End>,
}

/// A value that is there: `null` is a wrong one, and not a missing one.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(source: D) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}
