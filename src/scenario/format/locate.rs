//! Finds values in a text: each with its place, one level at a time. So nothing is held of a text
//! but the values of one level, and each is looked up only when its place is asked for.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::{Checked, Fault};
use super::problem::{Excerpt, Kind, Problem};
use super::source::{BYTE_ORDER_MARK, Span};
use super::syntax;
use super::written::Written;

/// A JSON value where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) written: Written<'a>,
    pub(super) start: usize,
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) key: Node<'a>,
    pub(super) value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The value that a whole text is. Whether it is one is not looked at.
    pub(super) fn root(text: &'a str) -> Self {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        let content = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let content = content.trim_start_matches(is_space);
        let start = text.len() - content.len();
        Self { written: Written(content.trim_end_matches(is_space)), start }
    }

    /// The same of a text that is JSON.
    pub(super) fn json(text: &'a str) -> Checked<Self> {
        let root = Self::root(text);
        if root.written.0.is_empty() {
            return Err(Fault::new(Problem::Empty).at(Span::new(0, 0)));
        }
        root.check()?;
        Ok(root)
    }

    /// Whether it is JSON.
    pub(super) fn check(self) -> Checked<()> {
        syntax::check(self.written.0).map_err(|fault| fault.shifted(self.start))
    }

    /// The value that begins at the byte `start` of `text`; an empty one if none does.
    pub(super) fn at(text: &'a str, start: usize) -> Self {
        let rest = text.get(start..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let raw = values.next().and_then(Result::ok).map_or("", RawValue::get);
        Self { written: Written(raw), start }
    }

    /// The value that the part `span` of `text` is.
    pub(super) fn within(text: &'a str, span: Span) -> Self {
        Self { written: Written(&text[span.start..span.end()]), start: span.start }
    }

    /// The value `written`, which is a part of this one.
    pub(super) fn part(self, written: Written<'a>) -> Self {
        let distance = written.0.as_ptr().addr() - self.written.0.as_ptr().addr();
        Self { written, start: self.start + distance }
    }

    pub(super) fn span(self) -> Span {
        Span::new(self.start, self.written.0.len())
    }

    /// Where an object or array as a whole is shown: at its opening bracket.
    pub(super) fn bracket(self) -> Span {
        Span::new(self.start, 1)
    }

    /// The values of an array.
    pub(super) fn elements(self) -> Checked<impl Iterator<Item = Self>> {
        self.expect(Kind::Array)?;
        let parts: Vec<&'a RawValue> =
            serde_json::from_str(self.written.0).map_err(|error| self.broken(&error))?;
        Ok(parts.into_iter().map(move |part| self.part(Written(part.get()))))
    }

    /// The members of an object.
    pub(super) fn members(self) -> Checked<impl Iterator<Item = Member<'a>>> {
        self.expect(Kind::Object)?;
        let mut json = serde_json::Deserializer::from_str(self.written.0);
        let members = json.deserialize_map(Members).map_err(|error| self.broken(&error))?;
        let part = move |part: &'a RawValue| self.part(Written(part.get()));
        Ok(members
            .into_iter()
            .map(move |(key, value)| Member { key: part(key), value: part(value) }))
    }

    /// The members under one of `names`, in any case and with spaces around it.
    pub(super) fn members_named(self, names: &[&str]) -> impl Iterator<Item = Member<'a>> {
        let is_named = |member: &Member<'a>| {
            let key = member.key.written.string().unwrap_or_default();
            names.iter().any(|name| name.eq_ignore_ascii_case(key.trim()))
        };
        self.members().into_iter().flatten().filter(is_named)
    }

    fn expect(self, expected: Kind) -> Checked<()> {
        self.written.expect(expected).map_err(|fault| fault.at(self.span()))
    }

    fn broken(self, error: &serde_json::Error) -> Box<Fault> {
        syntax::explain(self.written.0, error).shifted(self.start)
    }

    fn holds(self, offset: usize) -> bool {
        (self.start..self.span().end()).contains(&offset)
    }

    /// Where in this value the byte `offset` stands: `[2].events[0].money`. Empty for the value as
    /// a whole, and where it is not JSON.
    pub(super) fn path_to(self, offset: usize) -> String {
        let (mut path, mut node) = (String::new(), self);
        loop {
            let elements = node.elements().into_iter().flatten();
            let elements = elements.map(|value| Member { key: value, value });
            let mut parts = elements.chain(node.members().into_iter().flatten()).enumerate();
            let is_there = |(_, Member { key, value }): &(usize, Member<'_>)| {
                key.holds(offset) || value.holds(offset)
            };
            let Some((index, Member { key, value })) = parts.find(is_there) else { break };
            path.push_str(&match node.written.kind() {
                Kind::Array => format!("[{index}]"),
                Kind::Object | Kind::String | Kind::Number | Kind::Boolean | Kind::Null => {
                    segment(key)
                }
            });
            if !value.holds(offset) {
                break;
            }
            node = value;
        }
        path.strip_prefix('.').map(str::to_owned).unwrap_or(path)
    }
}

/// What `key` adds to a path.
fn segment(key: Node<'_>) -> String {
    let key = key.written.string().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$');
    match key.trim() {
        key if !key.is_empty() && key.chars().all(plain) => format!(".{key}"),
        key => format!("[\"{}\"]", Excerpt::new(key)),
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(&'de RawValue, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = " [ 1, {\"é\" : [true ,null]} ]";
        let elements: Vec<Node<'_>> = Node::root(text).elements().unwrap().collect();
        assert_eq!(elements[0].span(), Span::new(text.find('1').unwrap(), 1));
        let seen: Vec<(&str, usize)> = elements[1]
            .members()
            .unwrap()
            .flat_map(|Member { key, value }| [key, value])
            .map(|node| (node.written.0, node.start))
            .collect();
        let place = |part: &str| text.find(part).unwrap();
        assert_eq!(seen, [("\"é\"", place("\"é")), ("[true ,null]", place("[true"))]);
        let again = Node::at(text, place("[true"));
        assert_eq!((again.written.0, again.start), ("[true ,null]", place("[true")));
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
            assert_eq!(Node::root(text).path_to(text.find(part).unwrap()), path, "{part}");
        }
    }
}
