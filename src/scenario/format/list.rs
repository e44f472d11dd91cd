//! An array of a file, each entry of which is read alone.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// The entries of an array that could be read. Each has the byte of the text where it begins; it is
/// 0 where places are not known.
#[derive(Debug, JsonSchema)]
#[schemars(transparent)]
pub(super) struct List<T>(#[schemars(with = "Vec<T>")] pub(super) Vec<(usize, T)>);

/// An entry by itself: where it begins, and what it is unless it could not be read.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) start: usize,
    pub(super) value: Option<T>,
}

impl Entry<()> {
    /// By this name a reader is asked for where a value begins, and for the value.
    pub(super) const NAME: &'static str = "passbook::Entry";
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Entry { start, value }) = seq.next_element()? {
            list.extend(value.map(|value| (start, value)));
        }
        Ok(List(list))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Entry::NAME, EntryVisitor(PhantomData))
    }
}

struct EntryVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntryVisitor<T> {
    type Value = Entry<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// The quick way, which knows nothing of the name.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        T::deserialize(json).map(Entry::from)
    }

    /// The way of the reader that knows places.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let start = seq.next_element()?.unwrap_or_default();
        Ok(Entry { start, value: seq.next_element()? })
    }
}

impl<T> From<T> for Entry<T> {
    fn from(value: T) -> Self {
        Self { start: 0, value: Some(value) }
    }
}

impl<T: Serialize> Serialize for Entry<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(_, value)| value))
    }
}
