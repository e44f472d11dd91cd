//! JSON one level at a time, each value with its exact place in the text. Knows no scenario.
//!
//! `serde_json` finds the values as borrowed slices of the text, so that a place is a difference
//! of pointers, and equal keys are seen, which a map would hide.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Checked, Fault};
use super::problem::{Excerpt, Problem, Thing, nearest};
use super::source::Span;
use super::syntax;

/// What sort of JSON value something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// Digits.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`
    Null,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Null => "null",
        })
    }
}

/// A JSON value where it stands: its own text, without the white space around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    raw: &'a str,
    start: usize,
}

/// The keys that a sort of object may have.
#[derive(Debug)]
pub(super) struct Keys<const N: usize> {
    pub(super) of: Thing,
    pub(super) names: [&'static str; N],
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) key: Node<'a>,
    pub(super) value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The value that a whole text is. Its syntax is looked at when the value is taken apart.
    pub(super) fn root(text: &'a str) -> Checked<Self> {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        let content = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start_matches(is_space);
        let start = text.len() - content.len();
        let raw = content.trim_end_matches(is_space);
        if raw.is_empty() {
            return Err(Fault::new(Problem::Empty, Span::new(0, 0)));
        }
        let root = Self { raw, start };
        if !raw.starts_with(['{', '[']) {
            // A lone value is not taken apart, so nobody else would see that it is broken.
            let _: &RawValue = serde_json::from_str(raw).map_err(|e| root.broken(&e))?;
        }
        Ok(root)
    }

    /// The value that the part `span` of `text` is.
    pub(super) fn within(text: &'a str, span: Span) -> Self {
        Self { raw: &text[span.start..span.end()], start: span.start }
    }

    pub(super) fn span(self) -> Span {
        Span::new(self.start, self.raw.len())
    }

    pub(super) fn kind(self) -> Kind {
        match self.raw.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            Some(_) | None => Kind::Number,
        }
    }

    /// A fault that is about this value.
    pub(super) fn fault(self, problem: Problem) -> Box<Fault> {
        Fault::new(problem, self.span())
    }

    /// A fault that is about an object or array as a whole: shown at its opening bracket.
    pub(super) fn fault_at_start(self, problem: Problem) -> Box<Fault> {
        Fault::new(problem, Span::new(self.start, 1))
    }

    /// The values of an array.
    pub(super) fn elements(self) -> Checked<Vec<Self>> {
        self.expect(Kind::Array)?;
        let parts: Vec<&'a RawValue> =
            serde_json::from_str(self.raw).map_err(|e| self.broken(&e))?;
        Ok(parts.into_iter().map(|part| self.part(part)).collect())
    }

    /// The members of an object by known key, in the order of `keys`.
    pub(super) fn members<const N: usize>(
        self,
        keys: &Keys<N>,
    ) -> Checked<[Option<Member<'a>>; N]> {
        self.members_by(keys, |key, _| keys.names.iter().position(|name| *name == key))
    }

    /// The same, whatever the case of the keys; `odd` is told of those in another.
    pub(super) fn members_in_any_case<const N: usize>(
        self,
        keys: &Keys<N>,
        mut odd: impl FnMut(Span),
    ) -> Checked<[Option<Member<'a>>; N]> {
        self.members_by(keys, |key, at| {
            let slot = keys.names.iter().position(|name| name.eq_ignore_ascii_case(key))?;
            if keys.names[slot] != key {
                odd(at);
            }
            Some(slot)
        })
    }

    fn members_by<const N: usize>(
        self,
        keys: &Keys<N>,
        mut slot_of: impl FnMut(&str, Span) -> Option<usize>,
    ) -> Checked<[Option<Member<'a>>; N]> {
        let mut found = [None; N];
        self.each_member(|member| {
            let key = member.key.string()?;
            let key = key.trim();
            let Some(slot) = slot_of(key, member.key.span()) else {
                return Err(member.key.fault(Problem::UnknownKey {
                    key: Excerpt::new(key),
                    of: keys.of,
                    known: keys.names.to_vec(),
                    nearest: nearest(key, keys.names),
                }));
            };
            match found[slot] {
                None => found[slot] = Some(member),
                Some(Member { key: first, .. }) => {
                    let problem = Problem::DuplicateKey { key: keys.names[slot] };
                    return Err(member.key.fault(problem).and(first.span()));
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Hands the members of an object to `take`, in the order of the text.
    pub(super) fn each_member(
        self,
        mut take: impl FnMut(Member<'a>) -> Checked<()>,
    ) -> Checked<()> {
        self.expect(Kind::Object)?;
        let mut verdict = Ok(());
        let members = EachMember(|key, value| {
            // The rest is still read, so that a syntax error further on comes first: what else
            // is wrong may only follow from it.
            if verdict.is_ok() {
                verdict = take(Member { key: self.part(key), value: self.part(value) });
            }
        });
        let mut json = serde_json::Deserializer::from_str(self.raw);
        json.deserialize_map(members).and_then(|()| json.end()).map_err(|e| self.broken(&e))?;
        verdict
    }

    /// What a string says.
    pub(super) fn string(self) -> Checked<Cow<'a, str>> {
        self.expect(Kind::String)?;
        let inner = self.raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inner {
            Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
            Some(_) | None => {
                serde_json::from_str(self.raw).map(Cow::Owned).map_err(|e| self.broken(&e))
            }
        }
    }

    /// What a boolean says.
    pub(super) fn boolean(self) -> Checked<bool> {
        self.expect(Kind::Boolean)?;
        Ok(self.raw == "true")
    }

    /// The digits of a number as written.
    pub(super) fn number(self) -> Checked<&'a str> {
        self.expect(Kind::Number)?;
        Ok(self.raw)
    }

    fn expect(self, expected: Kind) -> Checked<()> {
        let found = self.kind();
        if found == expected {
            return Ok(());
        }
        Err(self.fault(Problem::WrongType { expected, found }))
    }

    fn part(self, part: &'a RawValue) -> Self {
        let raw = part.get();
        let start = self.start + (raw.as_ptr().addr() - self.raw.as_ptr().addr());
        Self { raw, start }
    }

    fn broken(self, error: &serde_json::Error) -> Box<Fault> {
        syntax::explain(self.raw, error).shifted(self.start)
    }
}

/// Where in the document the byte `offset` stands: `[2].events[0].money`. Empty for the document
/// as a whole, and for a text that is not JSON.
pub(super) fn path_to(text: &str, offset: usize) -> String {
    Node::root(text).map_or_else(|_| String::new(), |root| path_in(root, offset))
}

/// The same in the document `root`.
pub(super) fn path_in(root: Node<'_>, offset: usize) -> String {
    let mut path = String::new();
    let mut next = Some(root);
    while let Some(node) = next {
        next = match node.kind() {
            Kind::Array => step_into_array(node, offset, &mut path),
            Kind::Object => step_into_object(node, offset, &mut path),
            Kind::String | Kind::Number | Kind::Boolean | Kind::Null => None,
        };
    }
    path
}

fn holds(node: Node<'_>, offset: usize) -> bool {
    let span = node.span();
    (span.start..span.end()).contains(&offset)
}

fn step_into_array<'a>(array: Node<'a>, offset: usize, path: &mut String) -> Option<Node<'a>> {
    let elements = array.elements().ok()?;
    let index = elements.iter().position(|element| holds(*element, offset))?;
    path.push_str(&format!("[{index}]"));
    Some(elements[index])
}

fn step_into_object<'a>(object: Node<'a>, offset: usize, path: &mut String) -> Option<Node<'a>> {
    let mut found = None;
    let whole = object.each_member(|member| {
        if holds(member.key, offset) || holds(member.value, offset) {
            found = Some(member);
        }
        Ok(())
    });
    let member = found.filter(|_| whole.is_ok())?;
    let key = member.key.string().ok()?;
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$');
    if !key.is_empty() && key.chars().all(plain) {
        path.push_str(if path.is_empty() { "" } else { "." });
        path.push_str(key);
    } else {
        path.push_str(&format!("[\"{}\"]", Excerpt::new(key)));
    }
    Some(member.value).filter(|value| holds(*value, offset))
}

struct EachMember<F>(F);

impl<'de, F: FnMut(&'de RawValue, &'de RawValue)> Visitor<'de> for EachMember<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<&'de RawValue>()? {
            let value = map.next_value::<&'de RawValue>()?;
            (self.0)(key, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = " [ 1, {\"é\" : [true ,null]} ]";
        let elements = Node::root(text).unwrap().elements().unwrap();
        assert_eq!(elements[0].span(), Span::new(text.find('1').unwrap(), 1));
        let mut seen = Vec::new();
        elements[1]
            .each_member(|member| {
                seen.push((member.key.raw, member.key.span().start));
                seen.push((member.value.raw, member.value.span().start));
                Ok(())
            })
            .unwrap();
        let place = |part: &str| text.find(part).unwrap();
        assert_eq!(seen, [("\"é\"", place("\"é")), ("[true ,null]", place("[true"))]);
    }

    #[test]
    fn paths_lead_to_values_and_keys() {
        let text = r#"{"processes": [{"id": 1}, {" a b ": [5, 6]}]}"#;
        for (part, path) in [
            ("1}", "processes[0].id"),
            ("\"id", "processes[0].id"),
            ("6", "processes[1][\"a b\"][1]"),
            ("{\"id", "processes[0]"),
            ("{\"pro", ""),
        ] {
            assert_eq!(path_to(text, text.find(part).unwrap()), path, "{part}");
        }
    }
}
