//! Joins the result files of one batch to one, in the order of the input, and checks that nothing
//! is missing and nothing doubled.
//!
//! Reads every file twice: first to see whether they fit together, then to hand out the rows.
//! Memory grows with the rows of a file only where they are not in order: 24 bytes each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{BufRead, Seek};
use std::vec;

use super::join_error::{Gaps, JoinError, RowPlace};
use super::partition::Partition;
use super::{BatchStats, Entry, Reader, Record, Row, RowsError, StatusCounts, Summary};
use crate::model::ByteSize;

/// A result file that is to be joined with others.
#[derive(Debug)]
pub struct Part<R> {
    /// What it is called in errors.
    pub name: String,
    /// What it holds.
    pub input: R,
}

/// The rows of result files that fit together, in the order of the input. Ends after the first
/// error.
#[derive(Debug)]
pub struct Joined<R> {
    sources: Vec<Source<R>>,
    /// Whose row is next.
    heads: BinaryHeap<Reverse<Head>>,
    before: Option<Before>,
    stats: BatchStats,
}

/// A part that was read once.
#[derive(Debug)]
struct Source<R> {
    name: String,
    reader: Reader<R>,
    /// Where the rows are, by number; `None` where they are in that order.
    spots: Option<vec::IntoIter<Spot>>,
    summary: Summary,
    /// The row that it will hand out next.
    next: Option<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    number: u64,
    source: usize,
}

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    number: u64,
    line: u64,
    offset: u64,
}

/// The row that was handed out last.
#[derive(Debug)]
struct Before {
    number: u64,
    place: String,
    at: RowPlace,
}

/// Reads all of `parts` and checks that they fit together. They are read from their start.
/// No line of them may be longer than `line_max`.
pub fn join<R: BufRead + Seek>(
    parts: Vec<Part<R>>,
    line_max: ByteSize,
) -> Result<Joined<R>, JoinError> {
    let survey = |part| Source::survey(part, line_max);
    let sources = parts.into_iter().map(survey).collect::<Result<Vec<_>, _>>()?;
    let stats = stats(&sources)?;
    let told: u64 = sources.iter().map(|of| of.summary.rows).sum();
    let inputs = stats.inputs.unwrap_or_default();
    let fits = told + stats.filtered_out == inputs;
    let mut joined = Joined::new(sources, stats)?;
    if fits {
        return Ok(joined);
    }
    // Something is doubled or missing: find out what.
    let mut gaps = Gaps::default();
    for row in &mut joined {
        gaps.pass(row?.number);
    }
    gaps.end(inputs);
    Err(joined.misfit(told, inputs, gaps))
}

/// What the summaries say of the whole batch.
fn stats<R>(sources: &[Source<R>]) -> Result<BatchStats, JoinError> {
    let mut stats = BatchStats::default();
    let Some(first) = sources.first() else { return Ok(stats) };
    let dealt = |partition: Partition| (partition.kind(), partition.of());
    for source in sources {
        let Source { name, summary, .. } = source;
        if let Some(stopped) = summary.stopped {
            return Err(JoinError::Stopped { name: name.clone(), stopped });
        }
        let Some(inputs) = summary.inputs else {
            return Err(JoinError::InputsUnknown { name: name.clone() });
        };
        let names = || [first.name.clone(), name.clone()];
        match first.summary.inputs {
            Some(first) if first != inputs => {
                return Err(JoinError::InputsDiffer { names: names(), inputs: [first, inputs] });
            }
            Some(_) | None => stats.inputs = Some(inputs),
        }
        let partitions = [first.summary.partition, summary.partition];
        if partitions[0].map(dealt) != partitions[1].map(dealt) {
            return Err(JoinError::PartitionsDiffer { names: names(), partitions });
        }
        stats.filtered_out += summary.filtered_out;
        stats.wall = stats.wall.max(summary.wall());
        stats.jobs += summary.jobs;
    }
    Ok(stats)
}

impl<R: BufRead + Seek> Joined<R> {
    fn new(sources: Vec<Source<R>>, stats: BatchStats) -> Result<Self, JoinError> {
        let heads = BinaryHeap::with_capacity(sources.len());
        let mut joined = Self { sources, heads, before: None, stats };
        for source in 0..joined.sources.len() {
            joined.advance(source)?;
        }
        Ok(joined)
    }

    /// What the files say of the whole batch: how long the longest took, and all their jobs.
    pub fn stats(&self) -> &BatchStats {
        &self.stats
    }

    /// Reads the next row of a source.
    fn advance(&mut self, source: usize) -> Result<(), JoinError> {
        let of = &mut self.sources[source];
        of.next = of.read()?;
        if let Some(Entry { record: Record::Scenario(row), .. }) = &of.next {
            self.heads.push(Reverse(Head { number: row.number, source }));
        }
        Ok(())
    }

    fn row(&mut self) -> Result<Option<Row>, JoinError> {
        let Some(Reverse(Head { number, source })) = self.heads.pop() else { return Ok(None) };
        let of = &mut self.sources[source];
        let Some(Entry { line, record: Record::Scenario(row), .. }) = of.next.take() else {
            return Ok(None);
        };
        let at = RowPlace { name: of.name.clone(), line };
        let inputs = self.stats.inputs.unwrap_or_default();
        if !(1..=inputs).contains(&number) {
            return Err(JoinError::NoSuchInput { number, at, inputs });
        }
        match self.before.take() {
            Some(before) if before.number == number => {
                let at = [before.at, at];
                return Err(if before.place == row.place {
                    JoinError::Twice { number, at }
                } else {
                    JoinError::OtherInput { number, at, places: [before.place, row.place] }
                });
            }
            Some(_) | None => {}
        }
        self.before = Some(Before { number, place: row.place.clone(), at });
        self.advance(source)?;
        Ok(Some(row))
    }

    /// Why so many rows as were `told` of do not fit so many `inputs`.
    fn misfit(&self, told: u64, inputs: u64, gaps: Gaps) -> JoinError {
        let filtered_out = self.stats.filtered_out;
        let given = |share: u64| {
            self.sources.iter().any(|of| of.summary.partition.is_some_and(|is| is.share() == share))
        };
        let partition = self.sources.first().and_then(|of| of.summary.partition);
        let absent = partition.and_then(|partition| {
            let absent = (1..=partition.of()).find(|share| !given(*share))?;
            Partition::new(partition.kind(), absent, partition.of()).ok()
        });
        match filtered_out {
            0 => JoinError::Missing { gaps, inputs, absent },
            _ => JoinError::Uneven { rows: told, filtered_out, inputs, absent },
        }
    }
}

impl<R: BufRead + Seek> Iterator for Joined<R> {
    type Item = Result<Row, JoinError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.row();
        if row.is_err() {
            self.heads.clear();
        }
        row.transpose()
    }
}

impl<R: BufRead + Seek> Source<R> {
    /// Reads a part to its end, and goes back to its start.
    fn survey(part: Part<R>, line_max: ByteSize) -> Result<Self, JoinError> {
        let Part { name, input } = part;
        let mut reader = Reader::with_line_max(input, line_max);
        let broken = |error| JoinError::broken(&name, error);
        let mut rows = StatusCounts::default();
        let (mut last, mut in_order, mut summary) = (None, true, None);
        for entry in &mut reader {
            match entry.map_err(broken)?.record {
                Record::Scenario(row) => {
                    rows.add(row.status);
                    // The same number twice is for the join to find.
                    in_order &= last.is_none_or(|last| last <= row.number);
                    last = Some(row.number);
                }
                Record::Summary(found) => summary = Some(found),
            }
        }
        let Some(summary) = summary else {
            return Err(JoinError::NoSummary { name, rows: rows.total() });
        };
        if (summary.rows, summary.statuses) != (rows.total(), rows) {
            let (said, found) = (summary.rows, rows.total());
            return Err(JoinError::Miscounted { name, said, found });
        }
        let spots = if in_order { None } else { Some(spots(&mut reader).map_err(broken)?) };
        reader.go_to(0, 1).map_err(broken)?;
        Ok(Self { name, reader, spots, summary, next: None })
    }

    /// The next row; `None` after the last.
    fn read(&mut self) -> Result<Option<Entry>, JoinError> {
        let broken = |error| JoinError::broken(&self.name, error);
        if let Some(spots) = &mut self.spots {
            let Some(Spot { line, offset, .. }) = spots.next() else { return Ok(None) };
            self.reader.go_to(offset, line).map_err(broken)?;
        }
        self.reader.next().transpose().map_err(broken)
    }
}

/// Where all rows are, by number.
fn spots<R: BufRead + Seek>(reader: &mut Reader<R>) -> Result<vec::IntoIter<Spot>, RowsError> {
    reader.go_to(0, 1)?;
    let mut spots = Vec::new();
    for entry in reader {
        let Entry { line, offset, record } = entry?;
        if let Record::Scenario(Row { number, .. }) = record {
            spots.push(Spot { number, line, offset });
        }
    }
    spots.sort_unstable();
    Ok(spots.into_iter())
}
