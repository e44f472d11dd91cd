//! An earlier comparison, read again to be compared with.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::statistics::Sample;
use crate::compare::measure::{Load, Machine, Round, Subject};
use crate::model::{Shown, UnknownVersion, Versions};

/// Raised whenever a reader of the old shape would misread the new one.
pub(crate) const FORMAT: u64 = 1;

/// The formats that are read.
const FORMATS: Versions =
    Versions { what: "a comparison", oldest: 1, newest: FORMAT, otherwise: "measure it again" };

/// An earlier comparison, of whatever it was.
#[derive(Debug, Clone, Deserialize)]
pub struct Earlier {
    subject: Subject,
    load: Load,
    machine: Machine,
    transports: Vec<EarlierTransport>,
}

/// An earlier comparison of the same work under the same load.
#[derive(Debug, Clone)]
pub struct Baseline(Earlier);

#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "a transport")]
struct EarlierTransport {
    name: String,
    rounds: Vec<Round>,
}

/// Why a text is no earlier comparison, or none to compare with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// Not JSON at all.
    #[error("it is not JSON ({0}); a baseline is what `passbook compare --export-json` wrote")]
    NotJson(#[source] serde_json::Error),
    /// JSON of something else.
    #[error(
        "it is JSON, but not what `passbook compare --export-json` wrote: it has no number as its `format`"
    )]
    SomethingElse,
    /// Of another passbook's format.
    #[error("it is {0}")]
    Format(#[from] UnknownVersion),
    /// The right format, and yet not the right contents.
    #[error("it is not what `passbook compare --export-json` wrote: {0}")]
    Damaged(#[source] serde_json::Error),
    /// Of other work, or under another load.
    #[error("it is of something else: {}", .differences.join("; "))]
    OtherWork {
        /// What differs, each with what is there and what is here.
        differences: Vec<String>,
    },
}

impl Earlier {
    /// Reads what [`write_json`](crate::compare::write_json) wrote.
    ///
    /// # Errors
    ///
    /// If it is something else, or of another format.
    pub fn parse(text: &[u8]) -> Result<Self, BaselineError> {
        let value: Value = serde_json::from_slice(text).map_err(BaselineError::NotJson)?;
        let format = value.get("format").and_then(Value::as_u64);
        FORMATS.check(format.ok_or(BaselineError::SomethingElse)?)?;
        // Again from the text, so that an error names the line.
        serde_json::from_slice(text).map_err(BaselineError::Damaged)
    }

    /// It, as something to compare with `subject` under `load`. The seed may differ.
    ///
    /// # Errors
    ///
    /// If it is of other work or under another load: then times differ for other reasons.
    pub fn of_the_same(self, subject: &Subject, load: Load) -> Result<Baseline, BaselineError> {
        let (then, now) = (&self.subject, subject);
        let mut differences = Vec::new();
        let mut differ = |what: &str, then: String, now: String| {
            if then != now {
                differences.push(format!("{what} is {then} there and {now} here"));
            }
        };
        let name = |of: &Subject| format!("`{}`", Shown::new(&of.scenario));
        differ("the scenario", name(then), name(now));
        differ("propagation", then.propagation.to_string(), now.propagation.to_string());
        for (what, then, now) in [
            ("the number of branches", then.branches, now.branches),
            ("the number of customers", then.customers, now.customers),
            ("the number of requests", then.requests, now.requests),
        ] {
            differ(what, then.to_string(), now.to_string());
        }
        differ("the load", told(self.load), told(load));
        if differences.is_empty() {
            return Ok(Baseline(self));
        }
        Err(BaselineError::OtherWork { differences })
    }
}

impl Baseline {
    pub(super) fn machine(&self) -> &Machine {
        &self.0.machine
    }

    /// The rounds of the transport called `name`; `None` where there are none.
    pub(super) fn sample(&self, name: &str) -> Option<Sample> {
        let transport = self.0.transports.iter().find(|transport| transport.name == name)?;
        let sample = Sample::of(transport.rounds.iter().map(|round| (round.place, round.mean_ns)));
        (!sample.is_empty()).then_some(sample)
    }
}

fn told(load: Load) -> String {
    match load {
        Load::Closed => "closed loop".to_owned(),
        Load::Open { rate } => format!("open loop with {rate} requests/s"),
    }
}
