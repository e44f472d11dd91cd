//! What is counted over many seeds. Those of two parts of a search add up to that of both.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::finding::Finding;
use crate::check::{Overall, OverallCounts, Property};
use crate::history::RequestResult;
use crate::model::RequestError;
use crate::model::number::count;
use crate::network::{FaultCounts, FaultKind};
use crate::run::{CustomerResult, Run};

/// What came of some seeds. Serialized as keys of a summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many were run, or given up.
    pub seeds: u64,
    /// What customers asked for, each time they asked.
    pub operations: u64,
    /// Messages that branches sent each other.
    pub messages: u64,
    /// How long the runs took, by their own clocks.
    #[serde(rename = "simulated_seconds", serialize_with = "in_seconds")]
    #[serde(deserialize_with = "of_seconds")]
    pub simulated: Duration,
    /// How often each kind of fault struck.
    pub faults: FaultCounts,
    /// In how many seeds each did before the last request was sent.
    #[serde(rename = "seeds_struck_in_time")]
    pub struck_in_time: FaultCounts,
    /// Seeds in which the judge objects to something that a search stops at.
    pub violated: u64,
    /// Seeds that a search stops at for another reason: they could not be run, their run did not come to its end, or
    /// it gave an answer without a reason.
    pub failed: u64,
    /// Seeds in which nothing could be tested.
    pub undecided: u64,
    /// Acknowledged writes that no branch holds any more, because memories ended.
    pub lost: u64,
    /// Requests that waited up to the wait limit, and in vain.
    pub not_reached: u64,
    /// In how many seeds each property came to which verdict.
    pub verdicts: BTreeMap<Property, OverallCounts>,
    /// The lowest seed in which each property is violated.
    pub first_violated: BTreeMap<Property, u64>,
}

impl Tally {
    /// Counts the run of `seed`.
    pub(super) fn add(&mut self, seed: u64, run: &Run, finding: Option<&Finding>) {
        let result = &run.result;
        self.seeds += 1;
        self.operations += result.customers.iter().map(|of| count(of.requests.len())).sum::<u64>();
        self.messages += run.messages;
        self.not_reached += result.customers.iter().map(not_reached).sum::<u64>();
        self.simulated += Duration::from_micros(result.ended.us());
        if let Some(weather) = result.weather.as_deref() {
            for kind in FaultKind::ALL {
                self.faults.add_many(kind, weather.struck.counts.of(kind));
            }
            for &(kind, at) in &weather.struck.first {
                if at < weather.last_request_at {
                    self.struck_in_time.add(kind);
                }
            }
        }
        match finding {
            Some(Finding::Violated(_)) => self.violated += 1,
            Some(Finding::Failed { .. }) => self.failed += 1,
            None => {}
        }
        let Some(verdicts) = result.verdicts.as_deref() else { return };
        self.lost += verdicts.lost;
        self.undecided += u64::from(verdicts.summary() == Overall::Undecided);
        for (property, verdict) in verdicts.iter() {
            self.verdicts.entry(property).or_default().add(verdict.summary());
            if verdict.summary() == Overall::Violated {
                self.violated_first(property, seed);
            }
        }
    }

    /// Whether any guarantee had something to test in any seed.
    pub fn has_tested(&self) -> bool {
        self.undecided < self.seeds
    }

    /// Counts seeds that could not be run, or not to their end.
    pub(super) const fn add_failed(&mut self, seeds: u64) {
        self.seeds += seeds;
        self.failed += seeds;
    }

    /// Takes over what `other` has counted.
    pub(super) fn merge(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.operations += other.operations;
        self.messages += other.messages;
        self.simulated += other.simulated;
        for kind in FaultKind::ALL {
            self.faults.add_many(kind, other.faults.of(kind));
            self.struck_in_time.add_many(kind, other.struck_in_time.of(kind));
        }
        self.violated += other.violated;
        self.failed += other.failed;
        self.undecided += other.undecided;
        self.lost += other.lost;
        self.not_reached += other.not_reached;
        for (&property, counts) in &other.verdicts {
            let so_far = self.verdicts.entry(property).or_default();
            for verdict in Overall::ALL {
                so_far.add_many(verdict, counts.of(verdict));
            }
        }
        for (&property, &seed) in &other.first_violated {
            self.violated_first(property, seed);
        }
    }

    fn violated_first(&mut self, property: Property, seed: u64) {
        let lowest = self.first_violated.entry(property).or_insert(seed);
        *lowest = seed.min(*lowest);
    }
}

/// How many requests of a customer ended at the wait limit.
fn not_reached(customer: &CustomerResult) -> u64 {
    let is_it = |request: &&RequestResult| {
        matches!(request.outcome, Err(RequestError::VersionNotReached(_)))
    };
    count(customer.requests.iter().filter(is_it).count())
}

fn in_seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

/// Exact for spans of whole microseconds below a hundred years.
fn of_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    let span = Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)?;
    let us = (span.as_nanos() + 500) / 1000;
    u64::try_from(us).map(Duration::from_micros).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_tally_that_is_written_is_read_to_the_microsecond(us in 0_u64..3_000_000_000_000_000) {
            let simulated = Duration::from_micros(us);
            let tally = Tally { seeds: 3, simulated, ..Tally::default() };
            let text = serde_json::to_string(&tally).unwrap();
            prop_assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
        }
    }
}
