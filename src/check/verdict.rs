//! What the judge says: a verdict per property, and the verdict on the whole.

use std::borrow::Cow;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::property::{ByProperty, Property};
use super::{Promised, Witness};
use crate::history::Extent;
use crate::model::{BranchId, CustomerId, RequestNumber, counts, words};

/// A step that failed a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedStep {
    /// What it broke.
    pub property: Property,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which of the customer's requests.
    pub request: RequestNumber,
    /// Where it shows: of a read, the branch that answered it; of a write, a branch that has it too
    /// early.
    pub branch: BranchId,
    /// Whether that was promised.
    pub promised: Promised,
}

counts! {
    /// A number of tests, by whether what they test was promised.
    #[derive(Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct Split of Promised {
        /// What they test was promised.
        #[serde(skip_serializing_if = "is_none")]
        promised: Yes,
        /// It was not.
        #[serde(skip_serializing_if = "is_none")]
        not_promised: No,
        /// The history does not say.
        #[serde(skip_serializing_if = "is_none")]
        unknown: Unknown,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What the judge says of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every test passed, and there was at least one.
    Holds {
        /// How many tests there were.
        tests: Split,
    },
    /// At least one test failed.
    Violated(Box<Violation>),
    /// There was nothing to test.
    Undecided(Undecided),
}

/// Tests that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// How many tests there were.
    pub tests: Split,
    /// How many of them failed.
    pub failed: Split,
    /// The first that failed: as many as the judge was asked for, and at least one.
    pub witnesses: Vec<Witness>,
}

/// Why nothing could be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Undecided {
    /// The history holds nothing to test.
    NothingToTest,
    /// It needs the end of the history, which was cut off.
    CutOff,
    /// It needs all branches at the end, and one was down.
    BranchDown,
}

impl Verdict {
    /// How many tests the history held.
    pub const fn tested(&self) -> u64 {
        self.tests().total()
    }

    /// The tests that the history held, by what was promised.
    pub const fn tests(&self) -> Split {
        match self {
            Self::Holds { tests } => *tests,
            Self::Violated(violation) => violation.tests,
            Self::Undecided(_) => Split { promised: 0, not_promised: 0, unknown: 0 },
        }
    }

    /// The tests that failed, by what was promised.
    pub fn violations(&self) -> Split {
        match self {
            Self::Violated(violation) => violation.failed,
            Self::Holds { .. } | Self::Undecided(_) => Split::default(),
        }
    }

    /// The verdict in one word: `holds`, `violated` or `undecided`.
    pub const fn summary(&self) -> Overall {
        match self {
            Self::Holds { .. } => Overall::Holds,
            Self::Violated { .. } => Overall::Violated,
            Self::Undecided(_) => Overall::Undecided,
        }
    }

    /// Whether what is broken was promised: to anyone who did not get it. `None` where nothing is
    /// broken.
    pub fn promised(&self) -> Option<Promised> {
        match self.violations() {
            Split { promised: 0, not_promised: 0, unknown: 0 } => None,
            Split { promised: 1.., .. } => Some(Promised::Yes),
            Split { unknown: 1.., .. } => Some(Promised::Unknown),
            Split { .. } => Some(Promised::No),
        }
    }

    /// The first that shows the violation, if there is one.
    pub fn witness(&self) -> Option<&Witness> {
        self.witnesses().first()
    }

    /// All that were kept to show the violation; none where there is none.
    pub fn witnesses(&self) -> &[Witness] {
        match self {
            Self::Violated(violation) => &violation.witnesses,
            Self::Holds { .. } | Self::Undecided(_) => &[],
        }
    }
}

/// A verdict in JSON: with what follows from its numbers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a> {
    verdict: Overall,
    #[serde(skip_serializing_if = "Option::is_none")]
    promised: Option<Promised>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Undecided>,
    tested: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tested_by: Option<Split>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violations_by: Option<Split>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<Cow<'a, Witness>>,
    #[serde(default, skip_serializing_if = "<[Witness]>::is_empty")]
    further_witnesses: Cow<'a, [Witness]>,
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let failed = self.violations();
        let is_broken = failed.total() > 0;
        let reason = match self {
            Self::Undecided(reason) => Some(*reason),
            Self::Holds { .. } | Self::Violated(_) => None,
        };
        let form = Form {
            verdict: self.summary(),
            promised: self.promised(),
            reason,
            tested: self.tested(),
            tested_by: reason.is_none().then(|| self.tests()),
            violations: is_broken.then(|| failed.total()),
            violations_by: is_broken.then_some(failed),
            witness: self.witness().map(Cow::Borrowed),
            further_witnesses: self.witnesses().get(1..).unwrap_or_default().into(),
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Form { verdict, reason, tested_by, violations_by, witness, further_witnesses, .. } =
            Form::deserialize(deserializer)?;
        let tests = tested_by.ok_or_else(|| D::Error::missing_field("tested_by"));
        Ok(match verdict {
            Overall::Holds => Self::Holds { tests: tests? },
            Overall::Violated => {
                let first = witness.ok_or_else(|| D::Error::missing_field("witness"))?;
                let mut witnesses = further_witnesses.into_owned();
                witnesses.insert(0, first.into_owned());
                let failed = violations_by;
                let failed = failed.ok_or_else(|| D::Error::missing_field("violations_by"))?;
                Self::Violated(Box::new(Violation { tests: tests?, failed, witnesses }))
            }
            Overall::Undecided => {
                Self::Undecided(reason.ok_or_else(|| D::Error::missing_field("reason"))?)
            }
        })
    }
}

words! {
    /// A verdict in one word.
    pub enum Overall {
        /// What was tested passed.
        Holds = "holds",
        /// Something failed.
        Violated = "violated",
        /// There was nothing to test.
        Undecided = "undecided",
    }
}

counts! {
    /// How many there are of each verdict.
    #[derive(Serialize, Deserialize)]
    pub struct OverallCounts of Overall {
        /// What was tested passed.
        holds: Holds,
        /// Something failed.
        violated: Violated,
        /// There was nothing to test.
        undecided: Undecided,
    }
}

/// What the judge says of a history. Serialized as its verdicts alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct Verdicts {
    /// Its verdict on each property.
    pub by_property: ByProperty<Verdict>,
    /// Every step that failed a test of a session guarantee, if the judge was asked to keep them;
    /// in the order of the answers.
    #[serde(skip)]
    pub failed_steps: Vec<FailedStep>,
    /// Whether the history was cut off.
    #[serde(skip)]
    pub extent: Extent,
    /// How many acknowledged writes no branch holds at the end: each of them violates *exactly
    /// once*, promised or not. None where the end is not known.
    #[serde(skip)]
    pub lost: u64,
}

/// How much must have been tested for the whole to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Any property.
    Anything,
    /// One of the four guarantees at least.
    AGuarantee,
    /// Every property that is judged.
    Everything,
}

impl Verdicts {
    /// The verdict on `property`; `None` where it is not judged.
    pub const fn of(&self, property: Property) -> Option<&Verdict> {
        self.by_property.of(property)
    }

    /// All properties that are judged, with their verdicts, in the order of a report.
    pub fn iter(&self) -> impl Iterator<Item = (Property, &Verdict)> {
        Property::ALL.into_iter().filter_map(|property| Some((property, self.of(property)?)))
    }

    /// The verdict on the whole: violated if any is; undecided if no session guarantee had anything
    /// to test; else they hold.
    pub fn summary(&self) -> Overall {
        self.overall(Strictness::AGuarantee)
    }

    /// The verdict on the whole: violated if any is; undecided if less than `demand` was tested, or
    /// if the history was cut off; else they hold.
    pub fn overall(&self, demand: Strictness) -> Overall {
        let mut tested = self.iter().filter(|(_, verdict)| verdict.tested() > 0);
        let is_met = match demand {
            Strictness::Anything => tested.next().is_some(),
            Strictness::AGuarantee => tested.any(|(property, _)| property.is_session_guarantee()),
            Strictness::Everything => tested.count() == self.iter().count(),
        };
        if self.iter().any(|(_, verdict)| verdict.summary() == Overall::Violated) {
            Overall::Violated
        } else if is_met && self.extent == Extent::Whole {
            Overall::Holds
        } else {
            Overall::Undecided
        }
    }
}
