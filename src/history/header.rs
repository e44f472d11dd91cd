//! What a history says of its run before the first fact.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{GuaranteePolicy, Money, Overdraft, Propagation, Roster, Seed};

/// Which run it was, and what was true before anything happened.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What was promised to the customers of a run, and what decides what else they are owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The session guarantees of everyone.
    pub guarantees: GuaranteePolicy,
    /// How a write reached the other branches.
    pub propagation: Propagation,
    /// What became of a withdrawal that the balance did not cover.
    pub overdraft: Overdraft,
}
