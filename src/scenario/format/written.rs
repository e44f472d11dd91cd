//! A JSON value as it is written, and a text that is to be. Knows no place and no scenario.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use super::fault::{Checked, Fault};
use super::problem::{Kind, Problem, SyntaxProblem};
use crate::model::quick_json;

/// The text of a JSON value, without the white space around it. So numbers are exact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a>(pub(super) &'a str);

impl<'a> Written<'a> {
    pub(super) fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            Some(_) | None => Kind::Number,
        }
    }

    /// What a string says.
    pub(super) fn string(self) -> Checked<Cow<'a, str>> {
        self.expect(Kind::String)?;
        let inner = self.0.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inner {
            Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
            Some(_) | None => serde_json::from_str(self.0)
                .map(Cow::Owned)
                .map_err(|_| Fault::new(SyntaxProblem::BadEscape)),
        }
    }

    /// The digits of a number.
    pub(super) fn number(self) -> Checked<&'a str> {
        self.expect(Kind::Number)?;
        Ok(self.0)
    }

    pub(super) fn expect(self, expected: Kind) -> Checked<()> {
        let found = self.kind();
        if found == expected {
            return Ok(());
        }
        Err(Fault::new(Problem::WrongType { expected, found }))
    }
}

impl Written<'_> {
    /// By this name a reader is asked for the text of a value.
    pub(super) const NAME: &'static str = quick_json::WRITTEN;
}

impl<'de: 'a, 'a> Deserialize<'de> for Written<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Self::NAME, WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Written(text))
    }
}

/// A text that is written only where it can be read.
pub(super) struct Readable(pub(super) String, pub(super) bool);

impl Serialize for Readable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(text, is_readable) = self;
        if !is_readable {
            return Err(S::Error::custom(format!("'{text}' is out of range")));
        }
        serializer.serialize_str(text)
    }
}
