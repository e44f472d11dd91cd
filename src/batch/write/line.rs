//! A row as a line of JSON, straight into a buffer. A batch writes millions of them; a serializer
//! looks through each key for what must be escaped, and that takes longer than all the rest.

use serde::Serialize;

use crate::batch::row::{Counts, FIRST_FORMAT, Row};
use crate::check::{ByProperty, Overall, Property};
use crate::model::Word;
use crate::network::{FaultCounts, FaultKind};
use crate::scenario::BalanceRow;

/// The members of a JSON object, one after the other.
struct Members<'b> {
    buffer: &'b mut Vec<u8>,
    /// What stands before the next one.
    before: u8,
}

/// Appends `row`, as serde would write it, to `buffer`.
pub(super) fn append_row(buffer: &mut Vec<u8>, row: &Row) {
    let Row {
        kind,
        format,
        number,
        place,
        packed,
        name,
        status,
        expected,
        verdicts,
        balances,
        counts,
        faults,
        warnings,
        microseconds,
        problem,
        notes,
        seed,
        options,
        passbook,
    } = row;
    let mut members = Members::begin(buffer);
    members.word("kind", *kind);
    if *format != FIRST_FORMAT {
        members.number("format", *format);
    }
    members.number("number", *number);
    members.text("place", place);
    if let Some(packed) = packed {
        members.word("packed", *packed);
    }
    if let Some(name) = name {
        members.text("name", name);
    }
    members.word("status", *status);
    if let Some(expected) = expected {
        members.value("expected").extend_from_slice(if *expected { b"true" } else { b"false" });
    }
    if let Some(verdicts) = verdicts {
        append_verdicts(members.value("verdicts"), verdicts);
    }
    members.list("balances", balances, append_balance);
    if let Some(counts) = counts {
        append_counts(members.value("counts"), counts);
    }
    if let Some(faults) = faults {
        append_faults(members.value("faults"), faults);
    }
    members.list("warnings", warnings, append);
    members.number("microseconds", *microseconds);
    if let Some(problem) = problem {
        members.text("problem", problem);
    }
    members.list("notes", notes, append);
    if let Some(seed) = seed {
        members.number("seed", seed.0);
    }
    if let Some(options) = options {
        members.text("options", options);
    }
    if let Some(passbook) = passbook {
        members.text("passbook", passbook);
    }
    members.end();
}

fn append_verdicts(buffer: &mut Vec<u8>, verdicts: &ByProperty<Overall>) {
    let mut members = Members::begin(buffer);
    for property in Property::ALL {
        if let Some(verdict) = verdicts.of(property) {
            members.word(property.word(), *verdict);
        }
    }
    members.end();
}

fn append_balance(buffer: &mut Vec<u8>, &BalanceRow { id, balance }: &BalanceRow) {
    let mut members = Members::begin(buffer);
    members.number("id", id.get().into());
    let value = members.value("balance");
    match balance {
        Some(balance) => append(value, &balance.decimal()),
        None => value.extend_from_slice(b"null"),
    }
    members.end();
}

fn append_counts(buffer: &mut Vec<u8>, counts: &Counts) {
    let &Counts { branches, customers, writes, queries, refused, unknown, refused_writes } = counts;
    let mut members = Members::begin(buffer);
    members.number("branches", branches);
    members.number("customers", customers);
    members.number("writes", writes);
    members.number("queries", queries);
    members.number("refused", refused);
    members.number("unknown", unknown);
    if let Some(refused_writes) = refused_writes {
        members.number("refused_writes", refused_writes);
    }
    members.end();
}

/// Those that struck.
fn append_faults(buffer: &mut Vec<u8>, faults: &FaultCounts) {
    let mut members = Members::begin(buffer);
    for kind in FaultKind::ALL {
        let times = faults.of(kind);
        if times > 0 {
            members.number(kind.word(), times);
        }
    }
    members.end();
}

impl<'b> Members<'b> {
    fn begin(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer, before: b'{' }
    }

    /// Where the value of `key` is to be appended. In place: most keys are known there, and so is how
    /// long they are.
    #[inline(always)]
    fn value(&mut self, key: &str) -> &mut Vec<u8> {
        self.buffer.extend_from_slice(&[std::mem::replace(&mut self.before, b','), b'"']);
        self.buffer.extend_from_slice(key.as_bytes());
        self.buffer.extend_from_slice(b"\":");
        self.buffer
    }

    #[inline(always)]
    fn word(&mut self, key: &str, word: impl Word) {
        let value = self.value(key);
        value.push(b'"');
        value.extend_from_slice(word.word().as_bytes());
        value.push(b'"');
    }

    #[inline(always)]
    fn text(&mut self, key: &str, text: &str) {
        append(self.value(key), text);
    }

    #[inline(always)]
    fn number(&mut self, key: &str, number: u64) {
        append(self.value(key), &number);
    }

    /// A list, unless there is nothing in it.
    fn list<T>(&mut self, key: &str, items: &[T], append: impl Fn(&mut Vec<u8>, &T)) {
        if items.is_empty() {
            return;
        }
        let value = self.value(key);
        let mut before = b'[';
        for item in items {
            value.push(std::mem::replace(&mut before, b','));
            append(value, item);
        }
        value.push(b']');
    }

    fn end(self) {
        if self.before == b'{' {
            self.buffer.push(b'{');
        }
        self.buffer.push(b'}');
    }
}

/// Appends a single value.
fn append(buffer: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(buffer, value).expect("a value can be written to memory");
}
