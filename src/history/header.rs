//! What a history says of its run before the first fact.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Durability, GuaranteePolicy, Money, Overdraft, Propagation, Roster, Seed};

/// Which run it was, and what was true before anything happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The scenario's name.
    pub scenario: String,
    /// What chances were drawn from.
    pub seed: Seed,
    /// The branches.
    pub roster: Arc<Roster>,
    /// What each branch held at the start.
    pub opening_balance: Money,
    /// The version of passbook that recorded it; `None` where another program did, or an old one.
    pub passbook: Option<String>,
    /// What was promised; `None` where the history does not say.
    pub terms: Option<Terms>,
    /// The choices that were in force, by name, in words: for people. The judge does not read it.
    pub config: BTreeMap<String, String>,
}

impl Header {
    /// The header of a run of which no more is known than this.
    pub fn new(scenario: impl Into<String>, roster: Roster, opening_balance: Money) -> Self {
        Self {
            scenario: scenario.into(),
            seed: Seed::default(),
            roster: roster.into(),
            opening_balance,
            passbook: None,
            terms: None,
            config: BTreeMap::new(),
        }
    }
}

/// What was promised to the customers of a run, and what decides what else they are owed. The
/// default is a scenario's that says nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// The session guarantees of everyone.
    pub guarantees: GuaranteePolicy,
    /// How a write reached the other branches.
    pub propagation: Propagation,
    /// What became of a withdrawal that the balance did not cover.
    pub overdraft: Overdraft,
    /// Whether branches had a disk.
    pub durability: Durability,
}

impl Terms {
    /// These terms.
    pub const fn new(
        guarantees: GuaranteePolicy,
        propagation: Propagation,
        overdraft: Overdraft,
    ) -> Self {
        Self { guarantees, propagation, overdraft, durability: Durability::Memory }
    }

    /// The same, of branches that have this durability.
    #[must_use]
    pub fn kept(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }
}
