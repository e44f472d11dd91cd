//! Why result files do not fit together.

use std::fmt;

use thiserror::Error;

use super::partition::Partition;
use super::{RowsError, RowsProblem, Stopped};
use crate::report::words::{count, grouped, run};

/// Why result files do not fit together.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A line of one of them cannot be read.
    #[error("{at}: {problem}")]
    Broken {
        /// Which line.
        at: RowPlace,
        /// What is wrong with it.
        #[source]
        problem: RowsProblem,
    },
    /// A file whose last line is no summary.
    #[error(
        "{name} ends after {} without its summary: it was cut off; \
         `passbook batch --resume` goes on with it", count(*rows, "row")
    )]
    NoSummary {
        /// The file.
        name: String,
        /// How many rows it has.
        rows: u64,
    },
    /// A file whose summary counts other rows than there are.
    #[error("{name}: {}", miscounted(*said, *found))]
    Miscounted {
        /// The file.
        name: String,
        /// How many rows the summary counts.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// A batch that ended before its end.
    #[error("{name} is not whole: {}; `passbook batch --resume` goes on with it", why(*stopped))]
    Stopped {
        /// The file.
        name: String,
        /// Why it ended.
        stopped: Stopped,
    },
    /// A batch that did not read its input to the end.
    #[error("{name} does not say how many scenarios its input holds, so that none can be missed")]
    InputsUnknown {
        /// The file.
        name: String,
    },
    /// Files of different inputs.
    #[error(
        "{} is of an input with {}, {} of one with {}: they are not of one batch",
        names[0], count(inputs[0], "scenario"), names[1], count(inputs[1], "scenario")
    )]
    InputsDiffer {
        /// The files.
        names: [String; 2],
        /// How many scenarios their inputs hold.
        inputs: [u64; 2],
    },
    /// Files of batches that were dealt out in different ways.
    #[error(
        "{} is {}, {} is {}: they are not of one batch",
        names[0], share(partitions[0]), names[1], share(partitions[1])
    )]
    PartitionsDiffer {
        /// The files.
        names: [String; 2],
        /// Which share each is.
        partitions: [Option<Partition>; 2],
    },
    /// The same scenario again.
    #[error("scenario {number} is there twice: {} and {}", at[0], at[1])]
    Twice {
        /// Its number in the input.
        number: u64,
        /// Where it is.
        at: [RowPlace; 2],
    },
    /// The same number for different scenarios.
    #[error(
        "scenario {number} is {:?} in {} and {:?} in {}: they are of different inputs",
        places[0], at[0], places[1], at[1]
    )]
    OtherInput {
        /// The number in the input.
        number: u64,
        /// Where it is.
        at: [RowPlace; 2],
        /// Where its scenario stands.
        places: [String; 2],
    },
    /// A number that the input does not have.
    #[error("{at}: there is no scenario {number} in an input of {inputs}")]
    NoSuchInput {
        /// The number.
        number: u64,
        /// Where it is.
        at: RowPlace,
        /// How many scenarios the input holds.
        inputs: u64,
    },
    /// Some scenarios are in no file.
    #[error(
        "{} of {} {} missing: {gaps}{}", grouped(gaps.missing),
        count(*inputs, "scenario"), if gaps.missing == 1 { "is" } else { "are" },
        hint(*absent)
    )]
    Missing {
        /// Which.
        gaps: Gaps,
        /// How many scenarios the input holds.
        inputs: u64,
        /// A share that no file is of.
        absent: Option<Partition>,
    },
    /// Some scenarios are in no file, and a filter hides which.
    #[error(
        "{} and {} filtered out are not the {} of the input{}",
        count(*rows, "row"), grouped(*filtered_out),
        count(*inputs, "scenario"), hint(*absent)
    )]
    Uneven {
        /// How many rows there are.
        rows: u64,
        /// How many scenarios were filtered out.
        filtered_out: u64,
        /// How many scenarios the input holds.
        inputs: u64,
        /// A share that no file is of.
        absent: Option<Partition>,
    },
}

impl JoinError {
    pub(super) fn broken(name: &str, RowsError { line, problem, .. }: RowsError) -> Self {
        Self::Broken { at: RowPlace { name: name.to_owned(), line }, problem }
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlace {
    /// The file.
    pub name: String,
    /// The line, from 1.
    pub line: u64,
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.line)
    }
}

/// Numbers that do not come up among ascending ones. Keeps the first few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// The last number that came up.
    last: u64,
    missing: u64,
    shown: Vec<(u64, u64)>,
    is_cut: bool,
}

impl Gaps {
    const SHOWN_MAX: usize = 6;

    /// Takes the next number that is there.
    pub(super) fn pass(&mut self, number: u64) {
        if let Some(missing) = number.checked_sub(self.last + 1).filter(|missing| *missing > 0) {
            self.missing += missing;
            if self.shown.len() < Self::SHOWN_MAX {
                self.shown.push((self.last + 1, number - 1));
            } else {
                self.is_cut = true;
            }
        }
        self.last = number;
    }

    /// Takes the end, of so many numbers.
    pub(super) fn end(&mut self, of: u64) {
        self.pass(of + 1);
    }
}

/// `4, 7–9`
impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<String> = self.shown.iter().map(|gap| run(gap.0, gap.1)).collect();
        if self.is_cut {
            runs.push("…".to_owned());
        }
        f.write_str(&runs.join(", "))
    }
}

fn miscounted(said: u64, found: u64) -> String {
    if said == found {
        return "the summary does not count the statuses that its rows have: lines were changed"
            .to_owned();
    }
    let said = count(said, "row");
    format!("the summary counts {said}, but there are {found}: lines were added or removed")
}

const fn why(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Interrupted => "the batch was interrupted",
        Stopped::Failures => "the batch stopped because of its failures",
    }
}

fn share(partition: Option<Partition>) -> String {
    partition.map_or("a whole batch".to_owned(), |partition| format!("share {partition}"))
}

fn hint(absent: Option<Partition>) -> String {
    absent.map_or(String::new(), |partition| format!("; no file is of share {partition}"))
}
