//! Scenarios that are read here and run on another machine: each with its number, its place and what
//! stands beside it, one after the other in one text of bytes. Knows no network.

use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Packing;
use super::beside::Beside;
use super::job::{Content, Item};
use crate::model::ByteSize;
use crate::source::Place;

/// Why bytes are no scenarios.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ParcelError {
    /// A head is none.
    #[error("the head of a scenario is damaged: {reason}")]
    Head {
        /// What does not fit.
        reason: String,
    },
    /// Less is there than a head says.
    #[error("a scenario is cut off")]
    CutOff,
}

/// What stands before the bytes of a scenario, on a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    number: u64,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    packed: Option<Packing>,
    body: Body,
}

/// What follows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    /// So many bytes of text, and what stands beside it.
    Text { bytes: usize, beside: BesideHead },
    /// Nothing: why it cannot be had.
    Unreadable(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BesideHead {
    Nothing,
    /// So many bytes of a file with this name.
    Text {
        name: String,
        bytes: usize,
    },
    Unreadable(String),
}

impl BesideHead {
    fn of(beside: &Beside) -> Self {
        match beside {
            Beside::Nothing => Self::Nothing,
            Beside::Text(name, text) => Self::Text { name: name.clone(), bytes: text.len() },
            Beside::Unreadable(problem) => Self::Unreadable(problem.clone()),
        }
    }
}

impl Item {
    /// Its number in the whole input, from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// Where it stands.
    pub(crate) fn place(&self) -> String {
        self.place.to_string()
    }

    /// Its text, where it came in a parcel, and its place.
    pub(crate) fn into_text(self) -> Option<(Place, Vec<u8>)> {
        match self.content {
            Content::Parcelled(text, _) | Content::Text(text) => Some((self.place, text)),
            Content::Unread
            | Content::Generated(..)
            | Content::Unreadable(_)
            | Content::Mismatch(_) => None,
        }
    }

    /// Appends it to `parcel`, with all that whoever runs it must know. What is still to be read is
    /// read for that, up to `document_max`.
    pub(crate) fn append_to(self, parcel: &mut Vec<u8>, document_max: ByteSize) {
        let Self { number, place, packed, content } = self;
        let read = match content {
            Content::Text(text) | Content::Parcelled(text, _) => Ok(text),
            Content::Unread => place.read(document_max).map_err(|error| error.to_string()),
            Content::Unreadable(problem) => Err(problem),
            Content::Mismatch(error) => Err(error.to_string()),
            Content::Generated(generator, number) => {
                serde_json::to_vec(&generator.scenario(number)).map_err(|error| error.to_string())
            }
        };
        let beside = match &read {
            Ok(_) => Beside::of(&place, document_max),
            Err(_) => Beside::Nothing,
        };
        let body = match &read {
            Ok(text) => Body::Text { bytes: text.len(), beside: BesideHead::of(&beside) },
            Err(problem) => Body::Unreadable(problem.clone()),
        };
        let (path, line) = (place.path().display().to_string(), place.number_of_line());
        let head = Head { number, path, line, packed, body };
        serde_json::to_writer(&mut *parcel, &head).expect("a head is JSON, and memory takes it");
        parcel.push(b'\n');
        parcel.extend(read.unwrap_or_default());
        if let Beside::Text(_, text) = &beside {
            parcel.extend_from_slice(text);
        }
    }
}

/// A parcel of the one scenario that stands at `place` and says `text`.
pub(crate) fn parcel_of(place: Place, text: Vec<u8>, document_max: ByteSize) -> Vec<u8> {
    let mut parcel = Vec::new();
    let item = Item { number: 1, place, packed: None, content: Content::Text(text) };
    item.append_to(&mut parcel, document_max);
    parcel
}

/// The scenarios in `parcel`, in their order.
pub(crate) fn unpack(mut parcel: &[u8]) -> Result<Vec<Item>, ParcelError> {
    let mut items = Vec::new();
    while !parcel.is_empty() {
        let end = parcel.iter().position(|byte| *byte == b'\n').ok_or(ParcelError::CutOff)?;
        let head: Head = serde_json::from_slice(&parcel[..end])
            .map_err(|error| ParcelError::Head { reason: error.to_string() })?;
        parcel = &parcel[end + 1..];
        let content = match head.body {
            Body::Unreadable(problem) => Content::Unreadable(problem),
            Body::Text { bytes, beside } => {
                let text = take(&mut parcel, bytes)?;
                let beside = match beside {
                    BesideHead::Nothing => Beside::Nothing,
                    BesideHead::Unreadable(problem) => Beside::Unreadable(problem),
                    BesideHead::Text { name, bytes } => {
                        Beside::Text(name, take(&mut parcel, bytes)?)
                    }
                };
                Content::Parcelled(text, beside)
            }
        };
        let path = Path::new(&head.path);
        let place = match head.line {
            Some(line) => Place::line(path, line),
            None => Place::whole(path),
        };
        items.push(Item { number: head.number, place, packed: head.packed, content });
    }
    Ok(items)
}

fn take(parcel: &mut &[u8], bytes: usize) -> Result<Vec<u8>, ParcelError> {
    let (taken, rest) = parcel.split_at_checked(bytes).ok_or(ParcelError::CutOff)?;
    *parcel = rest;
    Ok(taken.to_vec())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::history::DOCUMENT_MAX;

    fn line(number: u64, text: &[u8]) -> Item {
        let place = Place::line(Path::new("many.jsonl"), number);
        Item { number, place, packed: Some(Packing::Zstd), content: Content::Text(text.to_vec()) }
    }

    fn text_of(item: &Item) -> Option<(&[u8], &Beside)> {
        match &item.content {
            Content::Parcelled(text, beside) => Some((text, beside)),
            Content::Text(_)
            | Content::Unread
            | Content::Generated(..)
            | Content::Unreadable(_)
            | Content::Mismatch(_) => None,
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..9)
        ) {
            let mut parcel = Vec::new();
            for (text, number) in texts.iter().zip(1..) {
                line(number, text).append_to(&mut parcel, DOCUMENT_MAX);
            }
            let items = unpack(&parcel).unwrap();
            prop_assert_eq!(items.len(), texts.len());
            for ((item, text), number) in items.iter().zip(&texts).zip(1_u64..) {
                prop_assert_eq!(text_of(item), Some((text.as_slice(), &Beside::Nothing)));
                prop_assert_eq!((item.number, item.place()), (number, format!("many.jsonl:{number}")));
                prop_assert_eq!(item.packed, Some(Packing::Zstd));
            }
        }

        #[test]
        fn what_is_damaged_is_an_error_and_no_panic(
            parcel in proptest::collection::vec(any::<u8>(), 1..200)
        ) {
            prop_assert!(unpack(&parcel).is_err());
        }
    }

    #[test]
    fn a_file_comes_with_what_is_expected_of_it_and_a_missing_one_with_its_problem() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        fs::write(&path, "[]").unwrap();
        fs::write(folder.path().join("a.expected.json"), "[1]").unwrap();
        let whole = |name: &str| {
            let place = Place::whole(folder.path().join(name));
            Item { number: 1, place, packed: None, content: Content::Unread }
        };
        let mut parcel = Vec::new();
        whole("a.json").append_to(&mut parcel, DOCUMENT_MAX);
        whole("b.json").append_to(&mut parcel, DOCUMENT_MAX);
        let items = unpack(&parcel).unwrap();
        let name = folder.path().join("a.expected.json").display().to_string();
        assert_eq!(text_of(&items[0]), Some((&b"[]"[..], &Beside::Text(name, b"[1]".to_vec()))));
        assert!(matches!(&items[1].content, Content::Unreadable(_)));
        parcel.truncate(parcel.len() / 2);
        assert_eq!(unpack(&parcel).unwrap_err(), ParcelError::CutOff);
    }
}
