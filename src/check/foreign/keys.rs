//! Judges sessions that write keys of their own and read whether they are there: 0 or 1.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::ForeignVerdicts;
use super::plume::{Action, KeyOperation};
use crate::check::Property;

/// The session that writes the zeros with which all begin.
const INITIAL: u64 = 0;

/// Who wrote a key, and after what.
#[derive(Debug, Clone, Copy)]
struct Write {
    session: u64,
    /// How many writes of the session were before it.
    writes: usize,
    /// How many keys the session had seen before it.
    seen: usize,
}

/// That a session read a key as there for the first time.
#[derive(Debug, Clone, Copy)]
struct Seen {
    key: u64,
    session: u64,
    /// How many keys the session had seen before.
    number: usize,
}

/// What all sessions wrote and saw.
#[derive(Debug, Default)]
struct Sessions {
    writes: BTreeMap<u64, Write>,
    /// By key, and then by session.
    seen: Vec<Seen>,
}

/// What a session that has seen writes is owed of the session that made them: so many of its
/// writes, and so many of what it had seen.
#[derive(Debug, Clone, Copy, Default)]
struct Owed {
    writes: usize,
    seen: usize,
}

/// What one session has done so far.
#[derive(Debug, Default)]
struct Own {
    written: BTreeSet<u64>,
    seen: BTreeSet<u64>,
    owed: BTreeMap<u64, Owed>,
}

/// What is said of `operations`, which are in the order of their sessions.
pub(super) fn judge(operations: &[KeyOperation]) -> ForeignVerdicts {
    let sessions = match Sessions::of(operations) {
        Ok(sessions) => sessions,
        Err(reason) => return ForeignVerdicts::none(reason),
    };
    let mut verdicts = ForeignVerdicts::default();
    let mut by_session: BTreeMap<u64, Vec<&KeyOperation>> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.session != INITIAL) {
        by_session.entry(operation.session).or_default().push(operation);
    }
    for operations in by_session.values() {
        read_one_session(operations, &sessions, &mut verdicts);
    }
    verdicts
}

impl Sessions {
    /// What sessions did; or why that cannot be judged.
    fn of(operations: &[KeyOperation]) -> Result<Self, String> {
        let mut sessions = Self::default();
        // How many keys each session has written and seen, and who has seen which.
        let mut counts: BTreeMap<u64, Owed> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for &KeyOperation { line, action, key, value, session, .. } in operations {
            if value > 1 {
                return Err(format!(
                    "line {line} has the value {value}: nothing is decided but where each write is \
                     a key of its own, which is 1 once it is there, and 0 before"
                ));
            }
            let of = counts.entry(session).or_default();
            match (action, value) {
                (Action::Write, 1) => {
                    let write = Write { session, writes: of.writes, seen: of.seen };
                    if sessions.writes.insert(key, write).is_some() {
                        return Err(format!(
                            "line {line} writes key {key} once more: nothing is decided but where \
                             each write is a key of its own"
                        ));
                    }
                    of.writes += 1;
                }
                (Action::Write, _) if session != INITIAL => {
                    return Err(format!(
                        "line {line} writes 0 to key {key}, which session 0 alone does: nothing is \
                         decided where a write can be undone"
                    ));
                }
                (Action::Read, 1) if seen.insert((key, session)) => {
                    sessions.seen.push(Seen { key, session, number: of.seen });
                    of.seen += 1;
                }
                (Action::Write | Action::Read, _) => {}
            }
        }
        sessions.seen.sort_unstable_by_key(|seen| (seen.key, seen.session));
        Ok(sessions)
    }

    /// Who saw `key` as there, by session.
    fn who_saw(&self, key: u64) -> &[Seen] {
        let from = self.seen.partition_point(|seen| seen.key < key);
        let len = self.seen[from..].partition_point(|seen| seen.key == key);
        &self.seen[from..from + len]
    }

    /// The session that wrote `key`, if it did so before what is owed of it.
    fn wrote_before(&self, key: u64, owed: &BTreeMap<u64, Owed>) -> Option<u64> {
        let write = self.writes.get(&key)?;
        let of = owed.get(&write.session)?;
        (write.writes < of.writes).then_some(write.session)
    }

    /// The first session that had seen `key` before what is owed of it.
    fn saw_before(&self, key: u64, owed: &BTreeMap<u64, Owed>) -> Option<u64> {
        let who = self.who_saw(key);
        let is_before = |seen: &Seen, owed: &Owed| seen.number < owed.seen;
        // The shorter of the two is gone through.
        if who.len() <= owed.len() {
            let is_owed =
                |seen: &&Seen| owed.get(&seen.session).is_some_and(|of| is_before(seen, of));
            who.iter().find(is_owed).map(|seen| seen.session)
        } else {
            let has_seen = |(session, of): &(&u64, &Owed)| {
                let place = who.binary_search_by_key(*session, |seen| seen.session);
                place.is_ok_and(|place| is_before(&who[place], of))
            };
            owed.iter().find(has_seen).map(|(&session, _)| session)
        }
    }
}

/// Tests every read of one session, transaction by transaction: what one reads is one state.
fn read_one_session(operations: &[&KeyOperation], all: &Sessions, verdicts: &mut ForeignVerdicts) {
    let mut own = Own::default();
    for transaction in operations.chunk_by(|one, next| one.transaction == next.transaction) {
        let reads = || transaction.iter().filter(|operation| operation.action == Action::Read);
        for KeyOperation { key, .. } in reads().filter(|read| read.value == 1) {
            if let Some(write) = all.writes.get(key) {
                let owed = own.owed.entry(write.session).or_default();
                owed.writes = owed.writes.max(write.writes);
                owed.seen = owed.seen.max(write.seen);
            }
        }
        for read in transaction {
            match read.action {
                Action::Write if read.value == 1 => {
                    own.written.insert(read.key);
                }
                Action::Write => {}
                Action::Read => {
                    test(read, &own, all, verdicts);
                    if read.value == 1 {
                        own.seen.insert(read.key);
                    }
                }
            }
        }
    }
}

fn test(read: &KeyOperation, own: &Own, all: &Sessions, verdicts: &mut ForeignVerdicts) {
    let KeyOperation { line, key, value, session, .. } = *read;
    let fails = value == 0;
    let mut tell = |guarantee, why: &dyn Fn() -> String| {
        let sentence = || format!("session {session} read key {key} as not there, {}", why());
        verdicts.test(guarantee, fails.then_some((line, sentence)));
    };
    if own.written.contains(&key) {
        tell(Property::ReadYourWrites, &|| "which it had written itself".to_owned());
    }
    if own.seen.contains(&key) {
        tell(Property::MonotonicReads, &|| "which it had read as there before".to_owned());
    }
    if let Some(author) = all.wrote_before(key, &own.owed) {
        tell(Property::MonotonicWrites, &|| {
            format!("though it had read a later write of session {author} as there")
        });
    }
    if let Some(author) = all.saw_before(key, &own.owed) {
        tell(Property::WritesFollowReads, &|| {
            format!(
                "though it had read a write as there that session {author} made after seeing it"
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::foreign::plume;
    use crate::model::ByteSize;

    fn read(text: &str) -> Vec<KeyOperation> {
        plume::read(text.as_bytes(), ByteSize::new(1 << 20)).unwrap()
    }

    /// How many reads fail each guarantee, by its definition, every pair of operations looked at.
    fn failures_by_definition(operations: &[KeyOperation]) -> Vec<u64> {
        let own = |read: &KeyOperation| {
            operations
                .iter()
                .filter(move |of| of.session == read.session)
                .cloned()
                .collect::<Vec<_>>()
        };
        let before = |one: &KeyOperation, read: &KeyOperation| one.line < read.line;
        let is_seen = |of: &KeyOperation| of.action == Action::Read && of.value == 1;
        let is_write = |of: &KeyOperation| of.action == Action::Write && of.value == 1;
        let mut failures = vec![0; 4];
        for read in operations {
            if read.action == Action::Write || read.value == 1 || read.session == INITIAL {
                continue;
            }
            let own = own(read);
            let earlier = || own.iter().filter(|of| before(of, read));
            failures[0] += u64::from(earlier().any(|of| is_write(of) && of.key == read.key));
            failures[1] += u64::from(earlier().any(|of| is_seen(of) && of.key == read.key));
            // What is read in one transaction is one state.
            let known = own.iter().filter(|of| {
                is_seen(of) && (before(of, read) || of.transaction == read.transaction)
            });
            let known: Vec<u64> = known.map(|of| of.key).collect();
            let later = |write: &KeyOperation| known.contains(&write.key);
            for (place, is_first) in
                [(2, &is_write as &dyn Fn(&KeyOperation) -> bool), (3, &is_seen)]
            {
                let fails = operations.iter().filter(|of| is_write(of) && later(of)).any(|write| {
                    operations.iter().any(|first| {
                        first.session == write.session
                            && is_first(first)
                            && first.key == read.key
                            && first.line < write.line
                    })
                });
                failures[place] += u64::from(fails);
            }
        }
        failures
    }

    #[derive(Debug, Clone, Copy)]
    struct Random {
        session: u64,
        key: u64,
        is_seen: bool,
        is_read: bool,
        is_new: bool,
    }

    fn any_operation() -> impl Strategy<Value = Random> {
        (1_u64..5, 0_u64..5, any::<bool>(), 0..4, any::<bool>()).prop_map(
            |(session, key, is_seen, kind, is_new)| Random {
                session,
                key,
                is_seen,
                is_read: kind > 0,
                is_new,
            },
        )
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definitions(random in prop::collection::vec(any_operation(), 0..30)) {
            let (mut text, mut transaction, mut written) = (String::new(), [0_u64; 5], Vec::new());
            // The operations of a session stand together, as they do in the files.
            let mut random = random;
            random.sort_by_key(|of| of.session);
            for Random { session, key, is_seen, is_read, is_new } in random {
                let last = &mut transaction[usize::try_from(session).unwrap()];
                *last += u64::from(is_new || !is_read);
                if is_read {
                    text += &format!("r({key},{},{session},{last})\n", u8::from(is_seen));
                } else if !written.contains(&key) {
                    written.push(key);
                    text += &format!("w({key},1,{session},{last})\n");
                    *last += 1;
                }
            }
            let operations = read(&text);
            let found: Vec<u64> = judge(&operations).iter().map(|(_, of)| of.failed).collect();
            prop_assert_eq!(found, failures_by_definition(&operations), "{}", text);
        }
    }

    #[test]
    fn what_is_of_another_form_is_not_decided() {
        for (text, why) in [
            ("w(1,7,1,1)", "line 1 has the value 7"),
            ("w(1,1,1,1)\nw(1,1,2,2)", "line 2 writes key 1 once more"),
            ("w(1,0,1,1)", "line 1 writes 0 to key 1"),
        ] {
            let verdicts = judge(&read(text));
            assert!(verdicts.undecided[0].starts_with(why), "{verdicts:?}");
            assert!(verdicts.iter().all(|(_, finding)| finding.tested == 0));
        }
    }
}
