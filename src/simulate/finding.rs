//! What a search stops at: a violation of a guarantee, or a run that does not go in good order.

use serde::{Deserialize, Serialize};

use crate::check::{Promised, Property, Verdict, Verdicts};

/// What is wrong with the run of a seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Finding {
    /// The judge objects.
    Violated(Violated),
    /// The run did not come to its end, or an answer in it has no reason: a defect of this program.
    Failed {
        /// Why, in words.
        problem: String,
    },
}

/// What the judge objects to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violated {
    /// Which property.
    pub property: Property,
    /// Whether it was promised.
    pub promised: Promised,
    /// What shows it, in a sentence.
    pub sentence: String,
}

impl Finding {
    /// What is wrong, in a sentence.
    pub fn told(&self) -> &str {
        match self {
            Self::Violated(violated) => &violated.sentence,
            Self::Failed { problem } => problem,
        }
    }

    /// The property that is violated, if that is what it is.
    pub const fn property(&self) -> Option<Property> {
        match self {
            Self::Violated(violated) => Some(violated.property),
            Self::Failed { .. } => None,
        }
    }
}

impl Violated {
    /// What of `verdicts` a search stops at: what was promised first, and then what a session was
    /// not promised. What is lost together with a memory is neither.
    pub fn first_of(verdicts: &Verdicts) -> Option<Self> {
        let violated = |wanted: Promised| {
            let is_it = |property: Property, verdict: &Verdict| {
                verdict.promised() == Some(wanted)
                    && (wanted == Promised::Yes || property.is_session_guarantee())
            };
            let (property, verdict) =
                verdicts.iter().find(|&(property, verdict)| is_it(property, verdict))?;
            let sentence = verdict.witness()?.sentence.clone();
            Some(Self { property, promised: wanted, sentence })
        };
        violated(Promised::Yes).or_else(|| violated(Promised::No))
    }
}
