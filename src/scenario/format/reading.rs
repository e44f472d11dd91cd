//! Reads the types of a file: quickly, as they stand; or slowly, from values that know their
//! places. Then what is wrong is told with its place, and what can be read beside it is read all
//! the same.

use std::cell::{Cell, RefCell};

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::fault::{Checked, Fault, Faults};
use super::leniency::{Leniencies, Leniency};
use super::list::Entry;
use super::locate::Node;
use super::object::Object;
use super::problem::{Excerpt, Kind, Problem};
use super::source::Span;
use super::value::{Field, Quotable, Value};
use super::written::Written;
use crate::model::quick_json;

/// What is found while an input is read.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    /// The text to find places in; nothing while it is read quickly.
    text: Option<&'a str>,
    faults: RefCell<Faults>,
    leniencies: RefCell<Leniencies>,
    /// Whether keys may be in any case, and an object in the place of an array of one.
    is_lenient: Cell<bool>,
}

impl<'a> Reading<'a> {
    /// Without places: that anything is wrong is told, and not more.
    pub(super) fn quick() -> Self {
        Self::new(None, Leniencies::default())
    }

    /// With places in `text`.
    pub(super) fn slow(text: &'a str, leniencies: Leniencies) -> Self {
        Self::new(Some(text), leniencies)
    }

    fn new(text: Option<&'a str>, leniencies: Leniencies) -> Self {
        let leniencies = RefCell::new(leniencies);
        Self { text, faults: RefCell::default(), leniencies, is_lenient: Cell::new(false) }
    }

    /// What `node` is, as a `T`.
    pub(super) fn read<'n, T: Deserialize<'n>>(&self, node: Node<'n>) -> Option<T> {
        self.take(match self.text {
            Some(_) => T::deserialize(NodeReader { node, reading: self }),
            None => quick_json::read(node.written.0).map_err(Box::custom),
        })
    }

    /// The same, with keys in any case, and objects in the place of arrays of one.
    pub(super) fn read_leniently<'n, T: Deserialize<'n>>(&self, node: Node<'n>) -> Option<T> {
        self.is_lenient.set(true);
        let read = self.read(node);
        self.is_lenient.set(false);
        read
    }

    /// What was read; nothing, and one more fault, if that failed.
    pub(super) fn take<T>(&self, read: Checked<T>) -> Option<T> {
        read.map_err(|fault| self.faults.borrow_mut().add(fault)).ok()
    }

    /// What `field` of `object` is, which has the key `name`, if it is there.
    pub(super) fn field<T: Value>(
        &self,
        object: Object<'_>,
        name: &'static str,
        field: Field<T>,
    ) -> Option<T> {
        self.take(object.optional(name, field)).flatten()
    }

    /// The number that is the value of the key `name` of `object`; that it is in quotes is noted.
    pub(super) fn plain<T>(
        &self,
        object: Object<'_>,
        name: &str,
        number: Quotable<T>,
        quoted: Leniency,
    ) -> T {
        if number.is_quoted {
            self.note(quoted, object.value(&[name]).span());
        }
        number.value
    }

    /// An object that begins at the byte `start` and stands for `of`.
    pub(super) fn object(&self, start: usize, of: &'static str) -> Object<'a> {
        Object { text: self.text.unwrap_or_default(), start, of }
    }

    pub(super) fn note(&self, leniency: Leniency, at: Span) {
        self.leniencies.borrow_mut().add(leniency, at);
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.faults.borrow().is_empty()
    }

    /// What `read` is, and what was taken otherwise than it stands, if nothing is wrong.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<(T, Leniencies), Faults> {
        match read {
            Some(read) if !self.has_faults() => Ok((read, self.leniencies.into_inner())),
            Some(_) | None => Err(self.faults.into_inner()),
        }
    }

    /// What `key` says but for the spaces around it, and for its case if that is allowed.
    fn name(&self, key: Node<'_>) -> String {
        let name = key.written.string().unwrap_or_default();
        let name = name.trim();
        if self.is_lenient.get() && name.contains(|c: char| c.is_ascii_uppercase()) {
            self.note(Leniency::LetterCase, key.span());
            return name.to_ascii_lowercase();
        }
        name.to_owned()
    }

    /// The same `fault`, with its place if it is about a key of `object` itself.
    fn about_keys(&self, object: Node<'_>, mut fault: Box<Fault>) -> Box<Fault> {
        if fault.at.is_some() {
            return fault;
        }
        let mut keys = object.members().into_iter().flatten().map(|member| member.key);
        if let Problem::DuplicateKey { key } = fault.problem {
            let mut twice = keys.filter(|node| self.name(*node) == key);
            if let (Some(first), Some(again)) = (twice.next(), twice.next()) {
                return fault.at(again.span()).and(first.span());
            }
        } else if let Problem::UnknownKey { key, known, .. } = &mut fault.problem
            && let Some(node) = keys.find(|node| !known.contains(&&*self.name(*node)))
        {
            match node.written.string() {
                Ok(written) => *key = Excerpt::new(written.trim()),
                Err(no_text) => fault = no_text,
            }
            return fault.at(node.span());
        }
        fault
    }
}

#[derive(Clone, Copy)]
struct NodeReader<'n, 'r> {
    node: Node<'n>,
    reading: &'r Reading<'r>,
}

impl<'de> Deserializer<'de> for NodeReader<'de, '_> {
    type Error = Box<Fault>;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Checked<V::Value> {
        visitor.visit_borrowed_str(self.node.written.0)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _keys: &'static [&'static str],
        visitor: V,
    ) -> Checked<V::Value> {
        let Self { node, reading } = self;
        let members = node.members()?;
        let members =
            members.map(|member| (reading.name(member.key), Self { node: member.value, reading }));
        let read = visitor.visit_map(MapDeserializer::new(members));
        read.map_err(|fault| reading.about_keys(node, fault).at(node.bracket()).in_object(name))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Checked<V::Value> {
        let Self { node, reading } = self;
        if reading.is_lenient.get() && node.written.kind() == Kind::Object {
            reading.note(Leniency::OneObject, node.bracket());
            return visitor.visit_seq(SeqDeserializer::new(std::iter::once(self)));
        }
        let elements = node.elements()?.map(|node| Self { node, reading });
        visitor.visit_seq(SeqDeserializer::new(elements))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Checked<V::Value> {
        if name == Written::NAME || name == Field::NAME {
            visitor.visit_borrowed_str(self.node.written.0)
        } else if name == Entry::NAME {
            visitor.visit_seq(EntryParts { reader: self, start: Some(self.node.start) })
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Box<Fault>> for NodeReader<'de, '_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// An entry of an array in two parts: where it begins, and what it is unless that is wrong.
struct EntryParts<'n, 'r> {
    reader: NodeReader<'n, 'r>,
    start: Option<usize>,
}

impl<'de> SeqAccess<'de> for EntryParts<'de, '_> {
    type Error = Box<Fault>;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Checked<Option<T::Value>> {
        if let Some(start) = self.start.take() {
            return seed.deserialize(start.into_deserializer()).map(Some);
        }
        Ok(self.reader.reading.take(seed.deserialize(self.reader)))
    }
}
