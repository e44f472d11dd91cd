//! Finds values in a text, each with its place, one after the other. Nothing is held of a text, and
//! a value is looked up only when its place is asked for.

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

    /// The values of an array, in a text that is JSON.
    pub(super) fn elements(self) -> Checked<impl Iterator<Item = Self>> {
        self.expect(Kind::Array)?;
        Ok(self.parts())
    }

    /// The members of an object, in a text that is JSON.
    pub(super) fn members(self) -> Checked<impl Iterator<Item = Member<'a>>> {
        self.expect(Kind::Object)?;
        let mut parts = self.parts();
        Ok(std::iter::from_fn(move || Some(Member { key: parts.next()?, value: parts.next()? })))
    }

    /// All values one level down, keys included.
    fn parts(self) -> impl Iterator<Item = Self> {
        let mut done = 1;
        std::iter::from_fn(move || {
            let rest = &self.written.0[done..];
            let next = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
            let part = Self::at(self.written.0, done + rest.len() - next.len());
            done = part.span().end();
            let is_value = !part.written.0.is_empty();
            is_value.then_some(Self { start: self.start + part.start, ..part })
        })
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

    fn holds(self, offset: usize) -> bool {
        (self.start..self.span().end()).contains(&offset)
    }

    /// Where in this value the byte `offset` stands: `[2].events[0].money`. Empty for the value as
    /// a whole, and where it is not JSON.
    pub(super) fn path_to(self, offset: usize) -> String {
        if self.check().is_err() {
            return String::new();
        }
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
