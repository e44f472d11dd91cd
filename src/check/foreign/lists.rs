//! Judges sessions that append to lists and read them: each key is a log, and what a read saw is as
//! much of it as it returned.

use std::collections::{BTreeMap, BTreeSet};

use super::elle::{End, ListOperation, ListTransaction};
use super::finding::ForeignVerdicts;
use crate::check::Property;
use crate::model::Shown;

/// What each session did to one key, in its order.
#[derive(Debug, Default)]
struct Log<'a> {
    appends: BTreeMap<&'a str, Append<'a>>,
    /// The elements that each session appended, in its order.
    by_session: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Who appended an element, and after what.
#[derive(Debug)]
struct Append<'a> {
    session: &'a str,
    end: End,
    /// How many appends of the session were before it.
    number: usize,
    /// What the session had seen since the append before it.
    seen_since: Vec<&'a str>,
}

/// What is said of `transactions`, which are in the order in which they ended.
pub(super) fn judge(transactions: &[ListTransaction]) -> ForeignVerdicts {
    let logs = match logs(transactions) {
        Ok(logs) => logs,
        Err(reason) => return ForeignVerdicts::none(reason),
    };
    let mut verdicts = ForeignVerdicts::default();
    let mut sessions: BTreeMap<(&str, &str), Session<'_>> = BTreeMap::new();
    for ListTransaction { line, session, end, operations } in transactions {
        for operation in operations {
            match operation {
                ListOperation::Append { key, element } => {
                    let of = sessions.entry((session, key)).or_default();
                    if *end == End::Done {
                        of.written.push(element);
                    }
                }
                ListOperation::Read { key, elements } if *end == End::Done => {
                    let of = sessions.entry((session, key)).or_default();
                    let read = Read { line: *line, session, key, elements };
                    read.test_session(of, &mut verdicts);
                    if let Some(log) = logs.get(&**key) {
                        read.test_order(log, &mut verdicts);
                    }
                    if elements.len() >= of.seen.len() {
                        of.seen = elements.iter().map(String::as_str).collect();
                    }
                }
                ListOperation::Read { .. } => {}
            }
        }
    }
    if logs.len() > 1 {
        verdicts.undecided.push(
            "across keys nothing is decided: what a session saw of one list says nothing of where \
             it stands in another"
                .to_owned(),
        );
    }
    verdicts
}

/// A session at one key, so far.
#[derive(Debug, Default)]
struct Session<'a> {
    written: Vec<&'a str>,
    seen: Vec<&'a str>,
}

/// What a session has read of one key.
#[derive(Debug, Default)]
struct Seen<'a> {
    all: BTreeSet<&'a str>,
    /// What of it is new since its last append.
    since: Vec<&'a str>,
}

/// What was done to each key; or why that cannot be judged.
fn logs(transactions: &[ListTransaction]) -> Result<BTreeMap<&str, Log<'_>>, String> {
    let mut logs: BTreeMap<&str, Log<'_>> = BTreeMap::new();
    let mut seen: BTreeMap<(&str, &str), Seen<'_>> = BTreeMap::new();
    for ListTransaction { line, session, end, operations } in transactions {
        for operation in operations {
            match operation {
                ListOperation::Append { key, element } => {
                    let log = logs.entry(key).or_default();
                    let own = log.by_session.entry(session).or_default();
                    let seen_since =
                        std::mem::take(&mut seen.entry((session, key)).or_default().since);
                    let append = Append { session, end: *end, number: own.len(), seen_since };
                    own.push(element);
                    if log.appends.insert(element, append).is_some() {
                        return Err(format!(
                            "line {line} appends {} to {} once more: nothing is decided but where \
                             each element is appended once",
                            Shown::name(element),
                            Shown::name(key)
                        ));
                    }
                }
                ListOperation::Read { key, elements } if *end == End::Done => {
                    let Seen { all, since } = seen.entry((session, key)).or_default();
                    since.extend(elements.iter().map(String::as_str).filter(|new| all.insert(new)));
                }
                ListOperation::Read { .. } => {}
            }
        }
    }
    Ok(logs)
}

/// A read of one list.
struct Read<'a> {
    line: u64,
    session: &'a str,
    key: &'a str,
    elements: &'a [String],
}

impl Read<'_> {
    /// Whether it holds what its session wrote and what it saw.
    fn test_session(&self, of: &Session<'_>, verdicts: &mut ForeignVerdicts) {
        let here: BTreeSet<&str> = self.elements.iter().map(String::as_str).collect();
        for (guarantee, owed, why) in [
            (Property::ReadYourWrites, &of.written, "which it had appended itself"),
            (Property::MonotonicReads, &of.seen, "which it had read before"),
        ] {
            if owed.is_empty() {
                continue;
            }
            let missing = owed.iter().find(|element| !here.contains(**element));
            let failure = missing.map(|element| {
                let sentence =
                    move || self.told(&format!("without {}, {why}", Shown::name(element)));
                (self.line, sentence)
            });
            verdicts.test(guarantee, failure);
        }
    }

    /// Whether each element comes after what its session had appended and seen before it.
    fn test_order(&self, log: &Log<'_>, verdicts: &mut ForeignVerdicts) {
        let mut before: BTreeSet<&str> = BTreeSet::new();
        // How much of what each session was owed has been looked at.
        let mut looked: BTreeMap<&str, usize> = BTreeMap::new();
        for element in self.elements {
            let Some(append) = log.appends.get(&**element) else { continue };
            let Append { session, number, .. } = append;
            let own = &log.by_session[session][..=*number];
            let looked = looked.entry(session).or_default();
            let is_done = |one: &&str| log.appends[*one].end == End::Done;
            if own[..*number].iter().any(is_done) {
                let new = own[(*looked).min(*number)..*number].iter();
                let mut acknowledged = new.filter(|one| log.appends[**one].end == End::Done);
                let missing = acknowledged.find(|one| !before.contains(**one));
                let failure = missing.map(|one| {
                    let (element, one) = (Shown::name(element), Shown::name(one));
                    let sentence = move || {
                        self.told(&format!(
                            "with {element} and without {one} before it, which {session} had \
                             appended first"
                        ))
                    };
                    (self.line, sentence)
                });
                verdicts.test(Property::MonotonicWrites, failure);
            }
            let seen = || own.iter().flat_map(|one| &log.appends[*one].seen_since);
            if seen().next().is_some() {
                let new = own.iter().skip(*looked).flat_map(|one| &log.appends[*one].seen_since);
                let mut new = new;
                let missing = new.find(|one| !before.contains(**one));
                let failure = missing.map(|one| {
                    let (element, one) = (Shown::name(element), Shown::name(one));
                    let sentence = move || {
                        self.told(&format!(
                            "with {element} and without {one} before it, which {session} had read \
                             when it appended that"
                        ))
                    };
                    (self.line, sentence)
                });
                verdicts.test(Property::WritesFollowReads, failure);
            }
            *looked = (*looked).max(number + 1);
            before.insert(element);
        }
    }

    fn told(&self, what: &str) -> String {
        format!("session {} read {} {what}", self.session, Shown::name(self.key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::elle;
    use super::*;
    use crate::model::ByteSize;

    /// How many tests of each guarantee there are, and how many fail.
    fn counts(text: &str) -> Vec<(u64, u64)> {
        let read = elle::read(text.as_bytes(), ByteSize::new(1 << 20)).unwrap();
        judge(&read).iter().map(|(_, finding)| (finding.tested, finding.failed)).collect()
    }

    fn append(session: u32, element: u32) -> String {
        format!(r#"{{"type":"ok","process":{session},"value":[["append","x",{element}]]}}"#)
    }

    fn read(session: u32, elements: &str) -> String {
        format!(r#"{{"type":"ok","process":{session},"value":[["r","x",[{elements}]]]}}"#)
    }

    #[test]
    fn each_guarantee_is_judged_by_places_in_a_log() {
        for (lines, expected) in [
            // A session reads without what it appended.
            (vec![append(1, 1), read(1, "")], [(1, 1), (0, 0), (0, 0), (0, 0)]),
            (vec![append(1, 1), read(1, "1")], [(1, 0), (0, 0), (0, 0), (0, 0)]),
            // What was read is gone.
            (vec![append(1, 1), read(2, "1"), read(2, "")], [(0, 0), (1, 1), (0, 0), (0, 0)]),
            // The second append without the first, or before it.
            (vec![append(1, 1), append(1, 2), read(2, "2")], [(0, 0), (0, 0), (1, 1), (0, 0)]),
            (vec![append(1, 1), append(1, 2), read(2, "2,1")], [(0, 0), (0, 0), (1, 1), (0, 0)]),
            (vec![append(1, 1), append(1, 2), read(2, "1,2")], [(0, 0), (0, 0), (1, 0), (0, 0)]),
            // An append after a read, without what was read.
            (
                vec![append(1, 1), read(2, "1"), append(2, 2), read(3, "2")],
                [(0, 0), (0, 0), (0, 0), (1, 1)],
            ),
            (
                vec![append(1, 1), read(2, "1"), append(2, 2), read(3, "1,2")],
                [(0, 0), (0, 0), (0, 0), (1, 0)],
            ),
        ] {
            assert_eq!(counts(&lines.join("\n")), expected, "{lines:#?}");
            let list = format!("[\n{}\n]", lines.join(",\n"));
            assert_eq!(counts(&list), expected);
        }
    }

    #[test]
    fn an_append_of_which_nobody_knows_may_be_missing() {
        let unknown = append(1, 1).replace("ok", "info");
        let lines = [unknown, append(1, 2), read(1, "2")].join("\n");
        assert_eq!(counts(&lines), [(1, 0), (0, 0), (0, 0), (0, 0)]);
    }

    #[test]
    fn across_keys_nothing_is_decided() {
        let other = append(2, 7).replace("\"x\"", "\"y\"");
        let text = [append(1, 1), other].join("\n");
        let read = elle::read(text.as_bytes(), ByteSize::new(1 << 20)).unwrap();
        let [reason] = &judge(&read).undecided[..] else { panic!("one reason") };
        assert!(reason.starts_with("across keys nothing is decided"));
        let twice = [append(1, 1), append(2, 1)].join("\n");
        let read = elle::read(twice.as_bytes(), ByteSize::new(1 << 20)).unwrap();
        assert!(judge(&read).undecided[0].starts_with("line 2 appends 1 to"));
    }
}
