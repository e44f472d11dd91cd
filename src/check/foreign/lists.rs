//! Judges sessions that append to lists and read them: each key is a log, and what a read saw is as
//! much of it as it returned.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::elle::{End, ListOperation, ListTransaction};
use super::finding::ForeignVerdicts;
use crate::check::Property;
use crate::model::Shown;

/// What was done to all lists. Small parts of many lists stand in one table each: a table takes more
/// than what is in it.
#[derive(Debug, Default)]
struct Logs<'a> {
    /// By key and element.
    appends: BTreeMap<(&'a str, &'a str), Append<'a>>,
    /// By key and session.
    courses: BTreeMap<(&'a str, &'a str), Course<'a>>,
}

/// What a session did to one key, in its order.
#[derive(Debug, Default)]
struct Course<'a> {
    /// The elements that it appended, those of which nobody knows left out.
    done: Vec<&'a str>,
    /// What it read, each element once.
    seen: Vec<&'a str>,
}

/// Who appended an element, and after how much of its course.
#[derive(Debug)]
struct Append<'a> {
    session: &'a str,
    done: usize,
    seen: usize,
}

/// What is said of `transactions`, which are in the order in which they ended.
pub(super) fn judge(transactions: &[ListTransaction<'_>]) -> ForeignVerdicts {
    let logs = match Logs::of(transactions) {
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
                    read.test_order(&logs, &mut verdicts);
                }
                ListOperation::Read { .. } => {}
            }
        }
    }
    if logs.has_several_lists() {
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
    /// The most that it read at once, each element once.
    seen: Vec<&'a str>,
}

impl<'a> Logs<'a> {
    /// What was done; or why that cannot be judged.
    fn of(transactions: &'a [ListTransaction<'_>]) -> Result<Self, String> {
        let mut logs = Self::default();
        let mut seen: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
        for ListTransaction { line, session, end, operations } in transactions {
            for operation in operations {
                match operation {
                    ListOperation::Append { key, element } => {
                        let course = logs.courses.entry((key, session)).or_default();
                        let (done, seen) = (course.done.len(), course.seen.len());
                        if *end == End::Done {
                            course.done.push(element);
                        }
                        let append = Append { session, done, seen };
                        if logs.appends.insert((key, element), append).is_some() {
                            return Err(format!(
                                "line {line} appends {} to {} once more: nothing is decided but \
                                 where each element is appended once",
                                Shown::name(element),
                                Shown::name(key)
                            ));
                        }
                    }
                    ListOperation::Read { key, elements } if *end == End::Done => {
                        let course = logs.courses.entry((key, session)).or_default();
                        let elements = elements.iter().map(|element| &**element);
                        let new = elements.filter(|element| seen.insert((key, session, element)));
                        course.seen.extend(new);
                    }
                    ListOperation::Read { .. } => {}
                }
            }
        }
        Ok(logs)
    }

    /// Whether something was appended to more than one.
    fn has_several_lists(&self) -> bool {
        let mut keys = self.appends.keys().map(|(key, _)| key);
        let first = keys.next();
        keys.next_back().is_some_and(|last| Some(last) != first)
    }
}

/// A read of one list.
struct Read<'a> {
    line: u64,
    session: &'a str,
    key: &'a str,
    elements: &'a [Cow<'a, str>],
}

impl<'a> Read<'a> {
    /// Whether it holds what its session wrote and what it saw.
    fn test_session(&self, of: &mut Session<'a>, verdicts: &mut ForeignVerdicts) {
        let mut here: BTreeSet<&str> = BTreeSet::new();
        let elements = self.elements.iter().map(|element| &**element);
        let seen: Vec<&str> = elements.filter(|element| here.insert(element)).collect();
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
        if seen.len() >= of.seen.len() {
            of.seen = seen;
        }
    }

    /// Whether each element comes after what its session had appended and seen before it.
    fn test_order(&self, logs: &Logs<'_>, verdicts: &mut ForeignVerdicts) {
        let mut before: BTreeSet<&str> = BTreeSet::new();
        // How much of the course of each session has been looked at.
        let mut looked: BTreeMap<&str, Looked> = BTreeMap::new();
        for element in self.elements {
            let Some(append) = logs.appends.get(&(self.key, &**element)) else { continue };
            let &Append { session, done, seen } = append;
            let course = &logs.courses[&(self.key, session)];
            let looked = looked.entry(session).or_default();
            for (guarantee, owed, of, why) in [
                (
                    Property::MonotonicWrites,
                    &course.done[..done],
                    &mut looked.done,
                    "had appended first",
                ),
                (
                    Property::WritesFollowReads,
                    &course.seen[..seen],
                    &mut looked.seen,
                    "had read when it appended that",
                ),
            ] {
                if owed.is_empty() {
                    continue;
                }
                let new = &owed[(*of).min(owed.len())..];
                *of = (*of).max(owed.len());
                let missing = new.iter().find(|one| !before.contains(**one));
                let failure = missing.map(|one| {
                    let (element, one) = (Shown::name(element), Shown::name(one));
                    let sentence = move || {
                        self.told(&format!(
                            "with {element} and without {one} before it, which {session} {why}"
                        ))
                    };
                    (self.line, sentence)
                });
                verdicts.test(guarantee, failure);
            }
            before.insert(element);
        }
    }

    fn told(&self, what: &str) -> String {
        format!("session {} read {} {what}", self.session, Shown::name(self.key))
    }
}

/// How much of a session's course a read was held against.
#[derive(Debug, Clone, Copy, Default)]
struct Looked {
    done: usize,
    seen: usize,
}

#[cfg(test)]
mod tests {
    use super::super::elle;
    use super::*;

    /// How many tests of each guarantee there are, and how many fail.
    fn counts(text: &str) -> Vec<(u64, u64)> {
        judge(&elle::read(text).unwrap())
            .iter()
            .map(|(_, finding)| (finding.tested, finding.failed))
            .collect()
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
        let read = elle::read(&text).unwrap();
        let [reason] = &judge(&read).undecided[..] else { panic!("one reason") };
        assert!(reason.starts_with("across keys nothing is decided"));
        let twice = [append(1, 1), append(2, 1)].join("\n");
        let read = elle::read(&twice).unwrap();
        assert!(judge(&read).undecided[0].starts_with("line 2 appends 1 to"));
        let again = format!("[{},\n{}]", append(1, 1), append(1, 1));
        let read = elle::read(&again).unwrap();
        assert!(judge(&read).undecided[0].starts_with("line 2 appends 1 to"));
    }
}
