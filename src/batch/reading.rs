//! The reader of a batch: numbers the scenarios, and feeds those of this share to the workers.

use std::fs::File;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::feed::{Feed, FeedClosed};
use super::fingerprint::Fingerprint;
use super::job::{Content, Item, Place};
use super::partition::Partition;
use super::resume::Held;
use crate::model::ByteSize;
use crate::source::{
    Clash, Decoded, DocumentError, FileKind, FilesError, Input, Inputs, STDIN, ScenarioFile, Text,
    decoded, lines,
};

/// Which scenarios of the input are to be run here.
#[derive(Debug, Clone)]
pub(crate) enum Share {
    All,
    Count(Partition),
    Hash(Partition),
    Slice(RangeInclusive<u64>),
}

impl Share {
    fn has(&self, number: u64, place: &Place) -> bool {
        match self {
            Self::All => true,
            Self::Count(partition) => partition.has_number(number),
            Self::Hash(partition) => partition.has_place(Fingerprint::of(&place.to_string())),
            Self::Slice(numbers) => numbers.contains(&number),
        }
    }
}

/// How far the reader has come, for whoever watches.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    bytes: AtomicU64,
    scenarios: AtomicU64,
    is_at_end: AtomicBool,
}

impl Progress {
    /// How many bytes have been read, as they are stored.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many scenarios the whole input has; `None` until all is read.
    pub(crate) fn inputs(&self) -> Option<u64> {
        let is_at_end = self.is_at_end.load(Ordering::Acquire);
        is_at_end.then(|| self.scenarios.load(Ordering::Relaxed))
    }
}

/// What is read, and how much of each.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) inputs: Inputs,
    pub(crate) document_max: ByteSize,
}

/// Feeds the scenarios of `reading` that are in `share` and not `held` by an earlier batch.
pub(crate) fn feed(
    reading: &Reading,
    share: &Share,
    mut held: Held,
    progress: &Arc<Progress>,
    feed: &mut Feed<Item>,
) -> Result<(), FeedClosed> {
    let mut number = 0;
    each(reading, progress, |found| {
        let Found::Scenario { place, content, bytes } = found else { return feed.flush() };
        number += 1;
        if !share.has(number, &place) {
            return Ok(());
        }
        if !held.is_empty() {
            match held.holds(number, &place.to_string()) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    feed.push(Item { number, place, content: Content::Mismatch(error) }, 0)?;
                    // Whoever gets this stops the batch.
                    return feed.flush().and(Err(FeedClosed));
                }
            }
        }
        feed.push(Item { number, place, content }, bytes)
    })?;
    if let Err(error) = held.has_met_all() {
        let place = Place::File("".into());
        feed.push(Item { number, place, content: Content::Mismatch(error) }, 0)?;
    }
    progress.scenarios.store(number, Ordering::Relaxed);
    progress.is_at_end.store(true, Ordering::Release);
    Ok(())
}

/// How many scenarios there are.
pub(crate) fn count(reading: &Reading) -> u64 {
    let mut number = 0;
    let counted = each(reading, &Arc::default(), |found| {
        if let Found::Scenario { .. } = found {
            number += 1;
        }
        Ok(())
    });
    debug_assert_eq!(counted, Ok(()));
    number
}

/// What the reader comes across.
enum Found {
    Scenario {
        place: Place,
        content: Content,
        /// How much work it may be.
        bytes: usize,
    },
    /// Nothing for the moment.
    Pause,
}

/// Hands on every scenario, in order. What cannot be read is handed on as such, once.
fn each(
    reading: &Reading,
    progress: &Arc<Progress>,
    mut take: impl FnMut(Found) -> Result<(), FeedClosed>,
) -> Result<(), FeedClosed> {
    let Reading { inputs, document_max } = reading;
    for input in inputs.walk() {
        match input {
            Ok(Input::StandardInput) => {
                each_line(STDIN, *document_max, || decoded(io::stdin()), &mut take)?;
            }
            Ok(Input::File(ScenarioFile { path, kind: FileKind::Lines, .. })) => {
                let open =
                    || decoded(Counted { source: File::open(&path)?, progress: progress.clone() });
                each_line(&shown(&path), *document_max, open, &mut take)?;
            }
            Ok(Input::File(ScenarioFile { path, kind: FileKind::Document, bytes })) => {
                let place = Place::File(shown(&path).into());
                let weight = usize::try_from(bytes).unwrap_or(usize::MAX);
                take(Found::Scenario { place, content: Content::File(path), bytes: weight })?;
                progress.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            // It was there a moment ago.
            Err(error) => take(unreadable(Place::File(named(&error).into()), error.to_string()))?,
        }
    }
    Ok(())
}

fn each_line(
    file: &str,
    document_max: ByteSize,
    open: impl FnOnce() -> io::Result<Decoded>,
    take: &mut impl FnMut(Found) -> Result<(), FeedClosed>,
) -> Result<(), FeedClosed> {
    let file: Arc<str> = file.into();
    let opened = open().map_err(DocumentError::from).and_then(|Decoded { packed, text }| {
        let text = lines::open(text, document_max)?;
        Ok((packed, text))
    });
    let (packed, mut lines) = match opened {
        Ok((packed, Text::Lines(lines))) => (packed, lines),
        Ok((_, Text::Document(text))) => {
            let bytes = text.len();
            let place = Place::File(file);
            return take(Found::Scenario { place, content: Content::Text(text), bytes });
        }
        Err(error) => return take(unreadable(Place::File(file), cannot_read(&error))),
    };
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) => {
                let place = Place::Line { file, line: lines.number(), packed };
                return take(unreadable(place, cannot_read(&error)));
            }
        };
        let place = Place::Line { file: Arc::clone(&file), line: line.number, packed };
        take(match line.text {
            Some(text) => {
                let bytes = text.len();
                Found::Scenario { place, content: Content::Text(text), bytes }
            }
            None => unreadable(place, too_long(document_max)),
        })?;
        if lines.may_wait() {
            take(Found::Pause)?;
        }
    }
}

fn unreadable(place: Place, problem: String) -> Found {
    Found::Scenario { place, content: Content::Unreadable(problem), bytes: 0 }
}

fn too_long(limit: ByteSize) -> String {
    DocumentError::TooLong { limit }.to_string()
}

fn cannot_read(error: &DocumentError) -> String {
    match error {
        DocumentError::TooLong { .. } => error.to_string(),
        DocumentError::Unreadable(_) | DocumentError::Blank { .. } => {
            format!("cannot read on from here: {error}")
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn named(error: &FilesError) -> String {
    match error {
        FilesError::Missing { path }
        | FilesError::Unreadable { path, .. }
        | FilesError::NoScenario { path }
        | FilesError::Clash(Clash::InputIsOutput { path } | Clash::OutputTwice { path }) => {
            path.clone()
        }
        FilesError::NoMatch { pattern } | FilesError::BadPattern { pattern, .. } => pattern.clone(),
        FilesError::StandardInputTwice => STDIN.to_owned(),
    }
}

/// A file that tells how far it has been read.
struct Counted {
    source: File,
    progress: Arc<Progress>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.progress.bytes.fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        Ok(read)
    }
}
