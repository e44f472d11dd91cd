//! What kind of text something is, as far as its beginning shows, and which command takes it.

use std::fmt;
use std::io::Read;

use miette::Diagnostic;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use thiserror::Error;

use super::decoding::{Decoded, Packing};
use super::discovery::FileKind;
use super::place::Place;
use crate::report::shell;

/// No more of a file is looked at.
const BEGINNING_BYTES: u64 = 1 << 20;

/// What a text is that one of the commands writes or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One scenario.
    Scenario,
    /// A scenario a line.
    Scenarios {
        /// On which line the second stands.
        second: u64,
    },
    /// What `run --history` writes, or a line of it.
    History,
    /// A history as Plume reads it.
    Plume,
    /// A history of lists as Elle reads it.
    Elle,
    /// What `batch --export-jsonl` writes, or a line of it.
    Rows,
    /// What `compare --export-json` writes.
    Comparison,
    /// What `run` and `check` print with `--format json`.
    Report,
    /// What `passbook schema` prints.
    Schema,
    /// Rows that say what customers must see.
    ExpectedResult,
    /// What `--export-csv` and `convert --to csv` write.
    Table,
    /// What `batch --export-junit` writes.
    JUnit,
    /// What `compare --export-html` writes.
    Page,
}

/// Why a command does not take a text that another one takes.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum OtherKind {
    #[error("{name} holds {}, and not {}", .found.told(), .wanted.told_beside(*.found))]
    #[diagnostic(help("{help}"))]
    Misfit { name: String, found: Kind, wanted: Kind, help: String },
    #[error("{name} is packed by {}, and is read at several places", told_packing(*.packing))]
    #[diagnostic(help("unpack it first: {} -dk {file}", told_packing(*.packing)))]
    Packed { name: String, packing: Packing, file: String },
}

impl OtherKind {
    /// What is wrong with `text`, or the beginning of it, which stands at `place`, where `wanted`
    /// is taken; `None` if it is that, or nothing that is known.
    pub(crate) fn of(place: &Place, text: &[u8], wanted: Kind) -> Option<Self> {
        let found = Kind::of(text)?;
        if found.is_like(wanted) {
            return None;
        }
        let (name, help) = (place.name(), found.help(place));
        Some(Self::Misfit { name, found, wanted, help })
    }

    /// The same of the file at `place`, of which only the beginning is read, and which is not taken
    /// packed either. What cannot be read is told when all of it is.
    pub(crate) fn at_unpacked(place: &Place, wanted: Kind) -> Option<Self> {
        let (text, packed) = beginning(place)?;
        Self::of(place, &text, wanted).or_else(|| {
            let (name, file) = (place.name(), shell::file(place.path()));
            Some(Self::Packed { name, packing: packed?, file })
        })
    }

    /// It, and what to do, on one line.
    pub(crate) fn summary(&self) -> String {
        let help = self.help().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{self}{help}")
    }
}

fn beginning(place: &Place) -> Option<(Vec<u8>, Option<Packing>)> {
    if place.is_stdin() || !place.path().is_file() {
        return None;
    }
    let Decoded { packed, text } = place.open().ok()?;
    let mut beginning = Vec::new();
    // What is damaged further on shows by its beginning what it was.
    let read = text.take(BEGINNING_BYTES).read_to_end(&mut beginning);
    (read.is_ok() || !beginning.is_empty()).then_some((beginning, packed))
}

const fn told_packing(packing: Packing) -> &'static str {
    match packing {
        Packing::Gzip => "gzip",
        Packing::Zstd => "zstd",
    }
}

impl Kind {
    /// What `text` is, if it is any of this, or the beginning of one.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut lines = (1_u64..).zip(text.split(|byte| *byte == b'\n'));
        let mut filled = lines.by_ref().filter(|(_, line)| !line.trim_ascii().is_empty());
        let (_, first) = filled.next()?;
        if let Some(kind) = Self::of_mark(first.trim_ascii_start()) {
            return Some(kind);
        }
        let (shape, is_whole) = Shape::of(first);
        if !is_whole {
            return Shape::of(text).0.kind();
        }
        let kind = shape.kind()?;
        let begins_a_value =
            |line: &[u8]| matches!(line.trim_ascii_start().first(), Some(b'[' | b'{'));
        match filled.next() {
            Some((second, line)) if kind == Self::Scenario && begins_a_value(line) => {
                Some(Self::Scenarios { second })
            }
            Some(_) | None => Some(kind),
        }
    }

    /// What a text is that is no JSON, by how it begins.
    fn of_mark(first: &[u8]) -> Option<Self> {
        let marks: [(&[u8], Self); 8] = [
            (b"r(", Self::Plume),
            (b"w(", Self::Plume),
            (b"customer,request,event,", Self::Table),
            (b"number,place,name,status,", Self::Table),
            (b"transport,kind,", Self::Table),
            (b"<?xml", Self::JUnit),
            (b"<testsuites", Self::JUnit),
            (b"<!doctype html", Self::Page),
        ];
        let begins = |mark: &[u8]| {
            first.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
        };
        marks.into_iter().find_map(|(mark, kind)| begins(mark).then_some(kind))
    }

    /// Whether what takes `wanted` takes it, or says best itself what is wrong with it.
    const fn is_like(self, wanted: Self) -> bool {
        matches!(
            (self, wanted),
            (Self::Scenario, Self::Scenario | Self::Scenarios { .. })
                | (Self::Scenarios { .. }, Self::Scenarios { .. })
                | (Self::History, Self::History)
                | (Self::Plume, Self::Plume)
                | (Self::Elle, Self::Elle)
                | (Self::Rows, Self::Rows)
                | (Self::Comparison, Self::Comparison)
        )
    }

    /// What a text of this kind holds.
    const fn told(self) -> &'static str {
        match self {
            Self::Scenario => "a scenario",
            Self::Scenarios { .. } => "many scenarios, one on each line",
            Self::History => "a history",
            Self::Plume => "a history as Plume reads it",
            Self::Elle => "a history as Elle reads it",
            Self::Rows => "rows of a batch",
            Self::Comparison => "a comparison",
            Self::Report => "a report",
            Self::Schema => "a JSON Schema",
            Self::ExpectedResult => "an expected result",
            Self::Table => "a table (CSV)",
            Self::JUnit => "a report for CI servers (JUnit)",
            Self::Page => "a page (HTML)",
        }
    }

    /// The same, where it is wanted instead of `found`.
    const fn told_beside(self, found: Self) -> &'static str {
        match (self, found) {
            (Self::Scenario, Self::Scenarios { .. }) => "a single scenario",
            (Self::History, Self::Plume | Self::Elle) => "one as passbook records it",
            _ => self.told(),
        }
    }

    /// What can be done with the one at `place`.
    fn help(self, place: &Place) -> String {
        let path = place.path();
        let file = if place.is_stdin() { "-".to_owned() } else { shell::file(path) };
        match self {
            Self::Scenario => format!(
                "`passbook run {file}` runs it; with `--history FILE` it records a history, which \
                 `passbook check FILE` judges"
            ),
            Self::Scenarios { second } => {
                let batch = if place.is_stdin() || FileKind::of_file(path) == FileKind::Lines {
                    format!("passbook batch {file}")
                } else {
                    format!("passbook batch - < {file}")
                };
                format!(
                    "`{batch}` runs all of them; `passbook run {file}:{second}` runs the one on \
                     line {second}"
                )
            }
            Self::History => format!("`passbook check {file}` judges it"),
            Self::Plume => format!("`passbook check --from plume {file}` judges it"),
            Self::Elle => format!("`passbook check --from elle {file}` judges it"),
            Self::Rows => format!(
                "`passbook merge {file}` tells what they came to; \
                 `passbook batch --resume {file} INPUT` goes on with them"
            ),
            Self::Comparison => {
                format!("`passbook compare --baseline {file} SCENARIO` compares with it")
            }
            Self::Report => "it is for people and programs; no command reads it. `passbook run \
                 --history FILE` records what `passbook check FILE` judges"
                .to_owned(),
            Self::Schema => "it says what a scenario may hold, for editors and validators; no \
                 command reads it. `passbook generate` makes a scenario to begin with"
                .to_owned(),
            Self::ExpectedResult => "it stands beside its scenario, as x.expected.json beside \
                 x.json; then `passbook run x.json` compares with it"
                .to_owned(),
            Self::Table | Self::JUnit | Self::Page => "no command reads it; \
                 `passbook merge` reads what `passbook batch --export-jsonl FILE` writes, and \
                 `passbook compare --baseline` what `passbook compare --export-json FILE` writes"
                .to_owned(),
        }
    }
}

/// What the beginning of a JSON value shows: the keys of the object that it is, or that is the
/// first of the array that it is.
#[derive(Debug, Default)]
struct Shape {
    is_array: bool,
    keys: Vec<String>,
    /// What the key `kind` says.
    kind: Option<Value>,
    /// What the key `$schema` says.
    schema: Option<Value>,
}

impl Shape {
    /// What there is of a value at the beginning of `text`, and whether that is all of `text`.
    fn of(text: &[u8]) -> (Self, bool) {
        let mut shape = Self::default();
        let mut source = serde_json::Deserializer::from_slice(text);
        let read = Outer(&mut shape).deserialize(&mut source).and_then(|()| source.end());
        (shape, read.is_ok())
    }

    fn kind(&self) -> Option<Kind> {
        let has = |keys: &[&str]| keys.iter().all(|key| self.keys.iter().any(|has| has == key));
        let says = |value: &Option<Value>, words: &[&str]| {
            let text = value.as_ref().and_then(Value::as_str);
            text.is_some_and(|text| words.iter().any(|word| text.contains(word)))
        };
        if has(&["type", "process"]) {
            return Some(Kind::Elle);
        }
        if self.is_array {
            return if has(&["recv"]) {
                Some(Kind::ExpectedResult)
            } else if has(&["type"]) || has(&["events"]) || has(&["customer-requests"]) {
                Some(Kind::Scenario)
            } else {
                None
            };
        }
        let found = [
            (has(&["history", "version"]), Kind::History),
            (has(&["lamport", "fact"]) || self.keys == ["end"], Kind::History),
            (says(&self.kind, &["scenario", "summary"]), Kind::Rows),
            (has(&["subject", "load"]), Kind::Comparison),
            (has(&["processes"]), Kind::Scenario),
            (says(&self.schema, &["json-schema.org"]), Kind::Schema),
            (has(&["scenario", "seed", "passbook"]), Kind::Report),
        ];
        found.into_iter().find_map(|(is_it, kind)| is_it.then_some(kind))
    }
}

/// Looks at a value. What was seen stays, though the value may be cut off.
struct Outer<'a>(&'a mut Shape);

impl<'de> DeserializeSeed<'de> for Outer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Outer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.0.keys.push(key);
            match self.0.keys.last().map(String::as_str) {
                Some("kind") => self.0.kind = Some(map.next_value()?),
                Some("$schema") => self.0.schema = Some(map.next_value()?),
                Some(_) | None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.0.is_array {
            return Err(A::Error::custom("an array in an array"));
        }
        self.0.is_array = true;
        seq.next_element_seed(Outer(&mut *self.0))?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SCENARIO: &str = r#"[{"id": 1, "type": "branch", "balance": 0}]"#;

    #[test]
    fn a_text_is_known_by_its_beginning() {
        for (text, kind) in [
            (SCENARIO, Some(Kind::Scenario)),
            ("\u{feff}\n[\n{\"id\": 1,\n \"type\": \"bra", Some(Kind::Scenario)),
            (r#"{"name": "a", "processes": [{"id""#, Some(Kind::Scenario)),
            (r#"{"$schema": "https://json-schema.org/x", "processes": []}"#, Some(Kind::Scenario)),
            (r#"{"history": "passbook", "version": 99}"#, Some(Kind::History)),
            (r#"{"at_us": 0, "lamport": 1, "fact": {}}"#, Some(Kind::History)),
            (r#"{"end":{"facts":12}}"#, Some(Kind::History)),
            (r#"{"kind":"scenario","number":1}"#, Some(Kind::Rows)),
            (r#"{"kind":"summary","rows":0}"#, Some(Kind::Rows)),
            (r#"{"format":1,"subject":{},"load":"closed","transp"#, Some(Kind::Comparison)),
            (r#"{"$schema": "https://json-schema.org/draft/2020-12/schema"}"#, Some(Kind::Schema)),
            (r#"{"scenario":"a","seed":0,"passbook":"0.1.0"}"#, Some(Kind::Report)),
            (r#"[{"id":1,"recv":[]}]"#, Some(Kind::ExpectedResult)),
            (r#"[{"type":"ok","f":"txn","process":1}]"#, Some(Kind::Elle)),
            ("{\"type\":\"ok\",\"process\":1,\"value\":[]}\n{", Some(Kind::Elle)),
            ("w(1,1,1,1)\nr(1,1,1,2)\n", Some(Kind::Plume)),
            ("number,place,name,status,expected\n", Some(Kind::Table)),
            ("transport,kind,requests\n", Some(Kind::Table)),
            ("<?xml version=\"1.0\"?>", Some(Kind::JUnit)),
            ("<!DOCTYPE html>\n", Some(Kind::Page)),
            ("", None),
            ("\n \n", None),
            ("[]", None),
            ("[[[", None),
            ("[1, 2]", None),
            ("{\"a\": 1}", None),
            ("hello", None),
        ] {
            assert_eq!(Kind::of(text.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn scenarios_a_line_are_told_from_one() {
        let of = |text: String| Kind::of(text.as_bytes());
        assert_eq!(of(format!("{SCENARIO}\n{SCENARIO}\n")), Some(Kind::Scenarios { second: 2 }));
        assert_eq!(of(format!("\n{SCENARIO}\n\n[{{\"id\"")), Some(Kind::Scenarios { second: 4 }));
        // What follows is no scenario, or stands on the same line.
        assert_eq!(of(format!("{SCENARIO}\n]")), Some(Kind::Scenario));
        assert_eq!(of(format!("{SCENARIO} {SCENARIO}")), Some(Kind::Scenario));
    }

    #[test]
    fn the_help_is_a_command_that_does_it() {
        let told = |place: &str, text: &str, wanted| {
            let place = Place::whole(Path::new(place));
            OtherKind::of(&place, text.as_bytes(), wanted).map(|other| other.summary())
        };
        let many = format!("{SCENARIO}\n{SCENARIO}\n");
        for (file, batch) in [
            ("a b.jsonl", "passbook batch 'a b.jsonl'"),
            ("a b.json", "passbook batch - < 'a b.json'"),
        ] {
            assert_eq!(
                told(file, &many, Kind::Scenario).unwrap(),
                format!(
                    "{file} holds many scenarios, one on each line, and not a single scenario; \
                     `{batch}` runs all of them; `passbook run '{file}':2` runs the one on line 2"
                )
            );
        }
        assert_eq!(
            told("-", r#"{"history": "passbook", "version": 1}"#, Kind::Rows).unwrap(),
            "standard input holds a history, and not rows of a batch; `passbook check -` judges it"
        );
        assert_eq!(
            told("a", "w(1,1,1,1)\n", Kind::History).unwrap(),
            "a holds a history as Plume reads it, and not one as passbook records it; \
             `passbook check --from plume a` judges it"
        );
        assert_eq!(told("a", SCENARIO, Kind::Scenario), None);
        assert_eq!(told("a", "hello", Kind::History), None);
    }
}
