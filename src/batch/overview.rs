//! The result of all rows of a batch. Keeps a few of them, however many there are.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::partition::Partition;
use super::row::PASSBOOK;
use super::{Row, Status, StatusCounts, Stopped, Summary, replay};
use crate::check::{Overall, OverallCounts, Property};
use crate::model::number::micros;

/// How many of the slowest scenarios are kept.
const SLOWEST: usize = 10;
/// How many of the failures are kept.
const FAILURES: usize = 20;
/// How many of the versions that made rows are kept.
const VERSIONS: usize = 3;

/// The result of all rows of a batch, gathered one by one in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    statuses: StatusCounts,
    as_expected: u64,
    not_as_expected: u64,
    with_warnings: u64,
    refused_writes: u64,
    /// Of each property that was judged somewhere.
    verdicts: BTreeMap<Property, OverallCounts>,
    /// How many of the rows an earlier batch left.
    earlier: u64,
    /// The slowest first.
    #[serde(with = "pairs")]
    slowest: BTreeMap<(Reverse<u64>, u64), Slow>,
    /// The first of the input, by number.
    #[serde(with = "pairs")]
    failures: BTreeMap<u64, Failure>,
    made_by: BTreeSet<String>,
}

/// What a batch knows of itself when it ends, beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchStats {
    /// How many scenarios the whole input holds; `None` if it was not read to its end.
    pub inputs: Option<u64>,
    /// How many scenarios of this share of the input were filtered out.
    pub filtered_out: u64,
    /// Which share of the input was run; `None` if all of it.
    pub partition: Option<Partition>,
    /// Why it ended before its end; `None` if it did not.
    pub stopped: Option<Stopped>,
    /// How long it took, in real time.
    pub wall: Duration,
    /// How many scenarios ran at the same time.
    pub jobs: u64,
}

/// A scenario that took long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slow {
    pub(super) place: String,
    pub(super) name: Option<String>,
    pub(super) took: Duration,
}

/// A scenario that somebody must look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) place: String,
    pub(super) name: Option<String>,
    pub(super) status: Status,
    pub(super) problem: Option<String>,
    /// A command that runs it again.
    pub(super) again: String,
    /// Whether that has the options of its batch.
    pub(super) has_options: bool,
}

impl Overview {
    /// Takes one more row.
    pub fn add(&mut self, row: &Row) {
        self.statuses.add(row.status);
        match row.expected {
            Some(true) => self.as_expected += 1,
            Some(false) => self.not_as_expected += 1,
            None => {}
        }
        self.with_warnings += u64::from(!row.warnings.is_empty());
        self.refused_writes += row.counts.and_then(|counts| counts.refused_writes).unwrap_or(0);
        for property in Property::ALL {
            let verdict = row.verdicts.as_ref().and_then(|verdicts| verdicts.of(property));
            if let Some(&verdict) = verdict {
                self.verdicts.entry(property).or_default().add(verdict);
            }
        }
        if let Some(version) = row.passbook.as_deref()
            && self.made_by.len() < VERSIONS
            && !self.made_by.contains(version)
        {
            self.made_by.insert(version.to_owned());
        }
        let slow = || Slow {
            place: row.place.clone(),
            name: row.name.clone(),
            took: Duration::from_micros(row.microseconds),
        };
        keep(&mut self.slowest, SLOWEST, (Reverse(row.microseconds), row.number), slow);
        if row.status.is_failure() {
            keep(&mut self.failures, FAILURES, row.number, || Failure {
                place: row.place.clone(),
                name: row.name.clone(),
                status: row.status,
                problem: row.problem.clone(),
                again: replay::command(row),
                has_options: row.options.is_some(),
            });
        }
    }

    /// Takes the rows of `other`, which come after these.
    pub fn merge(&mut self, other: Self) {
        for status in Status::ALL {
            self.statuses.add_many(status, other.statuses.of(status));
        }
        self.as_expected += other.as_expected;
        self.not_as_expected += other.not_as_expected;
        self.with_warnings += other.with_warnings;
        self.refused_writes += other.refused_writes;
        for (property, counts) in other.verdicts {
            let so_far = self.verdicts.entry(property).or_default();
            for verdict in Overall::ALL {
                so_far.add_many(verdict, counts.of(verdict));
            }
        }
        for (key, slow) in other.slowest {
            keep(&mut self.slowest, SLOWEST, key, || slow);
        }
        for (number, failure) in other.failures {
            keep(&mut self.failures, FAILURES, number, || failure);
        }
        for version in other.made_by {
            if self.made_by.len() < VERSIONS {
                self.made_by.insert(version);
            }
        }
    }

    /// The rows so far are those of an earlier batch.
    pub fn go_on(&mut self) {
        self.earlier = self.statuses.total();
    }

    /// How many rows an earlier batch left.
    pub(super) const fn earlier(&self) -> u64 {
        self.earlier
    }

    /// The verdicts on each property that was judged somewhere.
    pub fn verdicts(&self) -> impl ExactSizeIterator<Item = (Property, OverallCounts)> {
        self.verdicts.iter().map(|(&property, &counts)| (property, counts))
    }

    /// How many rows of each status there are so far.
    pub fn statuses(&self) -> &StatusCounts {
        &self.statuses
    }

    /// The summary of a batch that ended as `course` says.
    pub fn summary(&self, stats: &BatchStats) -> Summary {
        Summary {
            inputs: stats.inputs,
            rows: self.statuses.total(),
            statuses: self.statuses,
            as_expected: self.as_expected,
            not_as_expected: self.not_as_expected,
            filtered_out: stats.filtered_out,
            with_warnings: self.with_warnings,
            refused_writes: self.refused_writes,
            partition: stats.partition,
            stopped: stats.stopped,
            wall_microseconds: micros(stats.wall),
            jobs: stats.jobs,
            passbook: Some(Cow::Borrowed(PASSBOOK)),
        }
    }

    pub(super) fn slowest(&self) -> impl ExactSizeIterator<Item = &Slow> {
        self.slowest.values()
    }

    /// The versions of passbook that made the rows, as far as they tell; a few of them.
    pub(super) fn made_by(&self) -> impl Iterator<Item = &str> {
        self.made_by.iter().map(String::as_str)
    }

    pub(super) fn failures(&self) -> impl ExactSizeIterator<Item = &Failure> {
        self.failures.values()
    }
}

/// Keeps what `make` makes if its `key` is among the `most` least.
fn keep<K: Ord, V>(kept: &mut BTreeMap<K, V>, most: usize, key: K, make: impl FnOnce() -> V) {
    let has_room = kept.len() < most;
    if has_room || kept.last_key_value().is_some_and(|(last, _)| key < *last) {
        kept.insert(key, make());
        if kept.len() > most {
            kept.pop_last();
        }
    }
}

/// A map whose keys are no texts, as a list of its pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{error, gathered, holds, violated};
    use super::*;

    #[test]
    fn parts_that_came_as_text_add_up_to_the_whole() {
        let taking = |number: u64| Row { microseconds: number * 7 % 100, ..holds(number) };
        let mut rows: Vec<_> = (1..=100).map(taking).collect();
        rows.extend((101..=130).map(violated));
        rows.extend((131..=140).map(error));
        let mut merged = Overview::default();
        for part in rows.chunks(17) {
            let text = serde_json::to_string(&gathered(part)).unwrap();
            merged.merge(serde_json::from_str(&text).unwrap());
        }
        assert_eq!(merged, gathered(&rows));
    }

    #[test]
    fn however_many_rows_there_are_only_a_few_are_kept() {
        let taking = |number: u64| Row { microseconds: number % 100, ..holds(number) };
        let mut rows: Vec<_> = (1..=1000).map(taking).collect();
        rows.extend((1001..=1100).map(error));
        let overview = gathered(&rows);
        let slowest: Vec<_> = overview.slowest().map(|slow| slow.place.as_str()).collect();
        assert_eq!(slowest[..2], ["many.jsonl:99", "many.jsonl:199"]);
        assert_eq!((slowest.len(), overview.failures().len()), (SLOWEST, FAILURES));
        rows.reverse();
        let backwards = gathered(&rows);
        assert!(overview.slowest().eq(backwards.slowest()));
        assert!(overview.failures().eq(backwards.failures()));
        let summary = overview.summary(&BatchStats::default());
        assert_eq!((summary.rows, summary.statuses.error), (1100, 100));
        assert_eq!((summary.as_expected, summary.not_as_expected), (1000, 0));
    }
}
