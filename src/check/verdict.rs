//! What the judge says: a verdict per property, and what they come to together.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Witness;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// A read sees the session's own earlier writes.
    ReadYourWrites,
    /// A read sees at least what the session's earlier reads saw.
    MonotonicReads,
    /// Every branch applies a session's writes in their order.
    MonotonicWrites,
    /// Every branch applies a write after all that its session had read.
    WritesFollowReads,
    /// Every balance is the sum of the writes behind it.
    Balances,
    /// In the end all branches hold the same writes and the same balance.
    Convergence,
    /// What was asked for and accepted is applied once everywhere, and nothing else is.
    ExactlyOnce,
}

impl Property {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 7] = [
        Self::ReadYourWrites,
        Self::MonotonicReads,
        Self::MonotonicWrites,
        Self::WritesFollowReads,
        Self::Balances,
        Self::Convergence,
        Self::ExactlyOnce,
    ];

    /// Its key in a JSON report.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ReadYourWrites => "read_your_writes",
            Self::MonotonicReads => "monotonic_reads",
            Self::MonotonicWrites => "monotonic_writes",
            Self::WritesFollowReads => "writes_follow_reads",
            Self::Balances => "balances",
            Self::Convergence => "convergence",
            Self::ExactlyOnce => "exactly_once",
        }
    }

    /// Whether it is owed to a session, and not by the bank as a whole.
    pub const fn is_session_guarantee(self) -> bool {
        match self {
            Self::ReadYourWrites
            | Self::MonotonicReads
            | Self::MonotonicWrites
            | Self::WritesFollowReads => true,
            Self::Balances | Self::Convergence | Self::ExactlyOnce => false,
        }
    }
}

/// In words: `read your writes`.
impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.key().replace('_', " "))
    }
}

/// What the judge says of one property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Every test passed, and there was at least one.
    Holds {
        /// How many tests there were.
        tested: u64,
    },
    /// At least one test failed.
    Violated {
        /// How many tests there were.
        tested: u64,
        /// How many of them failed.
        violations: u64,
        /// The first that failed.
        witness: Box<Witness>,
    },
    /// There was nothing to test.
    Undecided,
}

impl Verdict {
    /// How many tests the history held.
    pub const fn tested(&self) -> u64 {
        match self {
            Self::Holds { tested } | Self::Violated { tested, .. } => *tested,
            Self::Undecided => 0,
        }
    }

    /// The verdict in one word: `holds`, `violated` or `undecided`.
    pub const fn summary(&self) -> Summary {
        match self {
            Self::Holds { .. } => Summary::Holds,
            Self::Violated { .. } => Summary::Violated,
            Self::Undecided => Summary::Undecided,
        }
    }

    /// What shows the violation, if there is one.
    pub fn witness(&self) -> Option<&Witness> {
        match self {
            Self::Violated { witness, .. } => Some(witness),
            Self::Holds { .. } | Self::Undecided => None,
        }
    }
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Summary {
    /// What was tested passed.
    Holds,
    /// Something failed.
    Violated,
    /// There was nothing to test.
    Undecided,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::Undecided => "undecided",
        })
    }
}

/// What the judge says of a history. Serialized with the keys of [`Property::key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// A test is a read after an acknowledged write of its session.
    pub read_your_writes: Verdict,
    /// A test is a read after a read of its session that saw at least one write.
    pub monotonic_reads: Verdict,
    /// A test is a write that is not its session's first, at each branch that has it.
    pub monotonic_writes: Verdict,
    /// A test is a write after a read of its session that saw at least one write, at each branch
    /// that has it.
    pub writes_follow_reads: Verdict,
    /// A test is a balance: after each write that was applied, and in each answer to a query.
    pub balances: Verdict,
    /// A test is a write that some branch applied, in a bank of at least two.
    pub convergence: Verdict,
    /// A test is a write that was acknowledged, refused or applied.
    pub exactly_once: Verdict,
}

/// How much must have been tested for the whole to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Any property.
    Anything,
    /// One of the four guarantees at least.
    AGuarantee,
    /// Every property.
    Everything,
}

impl Verdicts {
    /// The verdict on `property`.
    pub const fn of(&self, property: Property) -> &Verdict {
        match property {
            Property::ReadYourWrites => &self.read_your_writes,
            Property::MonotonicReads => &self.monotonic_reads,
            Property::MonotonicWrites => &self.monotonic_writes,
            Property::WritesFollowReads => &self.writes_follow_reads,
            Property::Balances => &self.balances,
            Property::Convergence => &self.convergence,
            Property::ExactlyOnce => &self.exactly_once,
        }
    }

    /// All properties with their verdicts, in the order of a report.
    pub fn iter(&self) -> impl Iterator<Item = (Property, &Verdict)> {
        Property::ALL.into_iter().map(|property| (property, self.of(property)))
    }

    /// What they come to: violated if any is; undecided if no session guarantee had anything to
    /// test; else they hold.
    pub fn summary(&self) -> Summary {
        self.overall(Demand::AGuarantee)
    }

    /// What they come to: violated if any is; undecided if less than `demand` was tested; else they
    /// hold.
    pub fn overall(&self, demand: Demand) -> Summary {
        let mut tested = self.iter().filter(|(_, verdict)| verdict.tested() > 0);
        let is_met = match demand {
            Demand::Anything => tested.next().is_some(),
            Demand::AGuarantee => tested.any(|(property, _)| property.is_session_guarantee()),
            Demand::Everything => tested.count() == Property::ALL.len(),
        };
        if self.iter().any(|(_, verdict)| verdict.summary() == Summary::Violated) {
            Summary::Violated
        } else if is_met {
            Summary::Holds
        } else {
            Summary::Undecided
        }
    }
}
