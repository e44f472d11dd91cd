//! The reader of a batch: numbers the scenarios, and feeds those of this share to the workers.

use std::fs::File;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Packing;
use super::feed::{Feed, FeedClosed};
use super::fingerprint::Fingerprint;
use super::job::{Content, Item};
use super::partition::Partition;
use super::resume::{EarlierRows, ResumeError};
use crate::model::ByteSize;
use crate::scenario::generate::Generator;
use crate::source::{
    Clash, Decoded, DocumentError, FileKind, FilesError, Input, Inputs, Kind, OtherKind, Place,
    STDIN, ScenarioFile, Text, decoded,
    lines::{self, Line},
};

/// So much work is a scenario that is made: as much as a small one that is read.
const GENERATED_WEIGHT: usize = 512;

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

/// How far the reader has come, for the progress that is shown.
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

    /// All is read: there are so many.
    pub(crate) fn has_read(&self, scenarios: u64) {
        self.scenarios.store(scenarios, Ordering::Relaxed);
        self.is_at_end.store(true, Ordering::Release);
    }

    /// It has come so far.
    pub(crate) fn is_at(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
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
    /// What is made, and read nowhere.
    pub(crate) generated: Option<Generated>,
}

/// Scenarios that are made where they are run, as standard input would bring them.
#[derive(Debug, Clone)]
pub(crate) struct Generated {
    pub(crate) generator: Arc<Generator>,
    /// The number of the first.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) count: u64,
}

impl Generated {
    /// Those from the place `from` of the input, from 1, up to `to`.
    pub(crate) fn items(&self, from: u64, to: u64) -> impl Iterator<Item = Item> {
        (from..=to.min(self.count)).map(|number| {
            let generator = Arc::clone(&self.generator);
            let content = Content::Generated(generator, self.first + (number - 1));
            Item { number, place: Self::place(number), packed: None, content }
        })
    }

    /// Where scenario `number` of the input stands.
    pub(crate) fn place(number: u64) -> Place {
        Place::line(Path::new(STDIN), number)
    }
}

/// Feeds the scenarios of `reading` that are in `share` and not `held` by an earlier batch.
pub(crate) fn feed(
    reading: &Reading,
    share: &Share,
    mut held: EarlierRows,
    progress: &Arc<Progress>,
    feed: &mut Feed<Item>,
) -> Result<(), FeedClosed> {
    let mut number = 0;
    each(reading, progress, |found| {
        let Scanned::Scenario { place, packed, content, bytes } = found else {
            return feed.flush();
        };
        number += 1;
        if !share.has(number, &place) {
            return Ok(());
        }
        if !held.is_empty() {
            match held.holds(number, &place.to_string()) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    feed.push(mismatch(number, place, error), 0)?;
                    // Whoever gets this stops the batch.
                    return feed.flush().and(Err(FeedClosed));
                }
            }
        }
        feed.push(Item { number, place, packed, content }, bytes)
    })?;
    if let Err(error) = held.has_met_all() {
        feed.push(mismatch(number, Place::whole(""), error), 0)?;
    }
    progress.has_read(number);
    Ok(())
}

/// Hands on every scenario of `reading`, in order, with how much work it may be; `None` where the
/// next one may take a while to come.
pub(crate) fn each_item(
    reading: &Reading,
    progress: &Arc<Progress>,
    mut take: impl FnMut(Option<(Item, usize)>) -> Result<(), FeedClosed>,
) -> Result<(), FeedClosed> {
    let mut number = 0;
    each(reading, progress, |found| {
        let Scanned::Scenario { place, packed, content, bytes } = found else {
            return take(None);
        };
        number += 1;
        take(Some((Item { number, place, packed, content }, bytes)))
    })?;
    progress.has_read(number);
    Ok(())
}

/// How many scenarios there are.
pub(crate) fn count(reading: &Reading) -> u64 {
    let mut number = 0;
    let counted = each(reading, &Arc::default(), |found| {
        if let Scanned::Scenario { .. } = found {
            number += 1;
        }
        Ok(())
    });
    debug_assert_eq!(counted, Ok(()));
    number
}

/// What the reader comes across.
enum Scanned {
    Scenario {
        place: Place,
        packed: Option<Packing>,
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
    mut take: impl FnMut(Scanned) -> Result<(), FeedClosed>,
) -> Result<(), FeedClosed> {
    let Reading { inputs, document_max, generated } = reading;
    for Item { place, content, .. } in generated.iter().flat_map(|of| of.items(1, of.count)) {
        take(Scanned::Scenario { place, packed: None, content, bytes: GENERATED_WEIGHT })?;
        progress.bytes.fetch_add(1, Ordering::Relaxed);
    }
    for input in inputs.walk() {
        match input {
            Ok(Input::Stdin) => {
                each_line(Path::new(STDIN), *document_max, || decoded(io::stdin()), &mut take)?;
            }
            Ok(Input::File(ScenarioFile { path, kind: FileKind::Lines, .. })) => {
                let open =
                    || decoded(Counted { source: File::open(&path)?, progress: progress.clone() });
                each_line(&path, *document_max, open, &mut take)?;
            }
            Ok(Input::File(ScenarioFile { path, kind: FileKind::Document, bytes })) => {
                let place = Place::whole(path);
                let weight = usize::try_from(bytes).unwrap_or(usize::MAX);
                let content = Content::Unread;
                take(Scanned::Scenario { place, packed: None, content, bytes: weight })?;
                progress.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Ok(Input::Line(place)) => take(one_line(place, *document_max))?,
            // It was there a moment ago.
            Err(error) => take(unreadable(Place::whole(named(&error)), error.to_string()))?,
        }
    }
    Ok(())
}

/// The one line that `place` is.
fn one_line(place: Place, document_max: ByteSize) -> Scanned {
    let read = place
        .open()
        .map_err(DocumentError::from)
        .and_then(|Decoded { packed, text }| Ok((packed, place.read_from(text, document_max)?)));
    match read {
        Ok((packed, text)) => {
            let bytes = text.len();
            Scanned::Scenario { place, packed, content: Content::Text(text), bytes }
        }
        Err(error) => unreadable(place, error.to_string()),
    }
}

fn each_line(
    file: &Path,
    document_max: ByteSize,
    open: impl FnOnce() -> io::Result<Decoded>,
    take: &mut impl FnMut(Scanned) -> Result<(), FeedClosed>,
) -> Result<(), FeedClosed> {
    let file: Arc<Path> = file.into();
    let opened = open().map_err(DocumentError::from).and_then(|Decoded { packed, text }| {
        let text = lines::open(text, document_max)?;
        Ok((packed, text))
    });
    let (packed, mut lines) = match opened {
        Ok((packed, Text::Lines(lines))) => (packed, lines),
        Ok((_, Text::Document(text))) => {
            let bytes = text.len();
            let (place, content) = (Place::whole(file), Content::Text(text));
            return take(Scanned::Scenario { place, packed: None, content, bytes });
        }
        Err(error) => return take(unreadable(Place::whole(file), cannot_read(&error))),
    };
    let mut is_first = true;
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) => {
                let place = Place::line(file, lines.number());
                return take(unreadable(place, cannot_read(&error)).packed(packed));
            }
        };
        if let Some(other) = other_kind(&file, &line, &mut is_first) {
            return take(unreadable(Place::whole(file), other.summary()));
        }
        let place = Place::line(Arc::clone(&file), line.number);
        take(match line.text {
            Some(text) => {
                let bytes = text.len();
                Scanned::Scenario { place, packed, content: Content::Text(text), bytes }
            }
            None => unreadable(place, too_long(document_max)).packed(packed),
        })?;
        if lines.may_wait() {
            take(Scanned::Pause)?;
        }
    }
}

/// What else than scenarios the `file` holds that begins with `line`.
fn other_kind(file: &Path, line: &Line, is_first: &mut bool) -> Option<OtherKind> {
    if !std::mem::take(is_first) {
        return None;
    }
    OtherKind::of(&Place::whole(file), line.text.as_deref()?, Kind::Scenario)
}

fn unreadable(place: Place, problem: String) -> Scanned {
    Scanned::Scenario { place, packed: None, content: Content::Unreadable(problem), bytes: 0 }
}

fn mismatch(number: u64, place: Place, error: ResumeError) -> Item {
    Item { number, place, packed: None, content: Content::Mismatch(error) }
}

impl Scanned {
    /// The same, of a file that is `packed` like that.
    fn packed(mut self, packed: Option<Packing>) -> Self {
        if let Self::Scenario { packed: of_file, .. } = &mut self {
            *of_file = packed;
        }
        self
    }
}

fn too_long(limit: ByteSize) -> String {
    DocumentError::TooLong { limit }.to_string()
}

fn cannot_read(error: &DocumentError) -> String {
    match error {
        DocumentError::TooLong { .. }
        | DocumentError::LineZero
        | DocumentError::BlankLine
        | DocumentError::PastEnd { .. } => error.to_string(),
        DocumentError::Unreadable(_) | DocumentError::Blank { .. } => {
            format!("cannot read on from here: {error}")
        }
    }
}

fn named(error: &FilesError) -> String {
    match error {
        FilesError::Missing { path }
        | FilesError::Unreadable { path, .. }
        | FilesError::NoScenario { path }
        | FilesError::Clash(
            Clash::InputIsOutput { path }
            | Clash::FolderIsRead { path }
            | Clash::FileInFolder { path, .. }
            | Clash::OutputTwice { path },
        ) => path.clone(),
        FilesError::NoMatch { pattern } | FilesError::BadPattern { pattern, .. } => pattern.clone(),
        FilesError::StandardInputTwice => STDIN.to_owned(),
    }
}

/// A file that counts how far it has been read.
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
