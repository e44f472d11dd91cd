//! A history of elle-cli's model `list-append`, JSON.
//!
//! The account is the list 1, and each write appends its number. A query reads the log of its
//! branch, as far as it went: branches apply in different orders, and Elle says so.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::converter::{ConvertError, Converter, Entries};
use super::json_list::JsonList;
use super::logs::{Logs, Naming, Prefix, WriteNumber};
use super::requests::{Ended, Requests, Step};
use super::timeline::nanos;
use crate::history::{Entry, Header};
use crate::model::number::count;
use crate::model::{CustomerId, Operation, OutcomeClass, Time, WriteId};

/// The only list.
const ACCOUNT: u8 = 1;

#[derive(Debug, Default)]
pub(super) struct Elle {
    requests: Requests,
    logs: Logs,
    operations: JsonList,
    /// What each customer's request does, until it ends.
    under_way: BTreeMap<CustomerId, Does>,
    entries: Entries,
}

#[derive(Debug, Clone, Copy)]
enum Does {
    Append(WriteNumber),
    /// A request that asks for a write again changes nothing.
    Nothing,
    Read(Option<Prefix>),
}

#[derive(Serialize)]
struct Line<'a> {
    index: u64,
    time: u64,
    r#type: &'static str,
    process: u32,
    f: &'static str,
    value: &'a [Micro<'a>],
}

/// `["append",1,7]` or `["r",1,[7,8]]`.
#[derive(Serialize)]
struct Micro<'a>(&'static str, u8, Value<'a>);

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Write(WriteNumber),
    Log(Option<&'a [WriteNumber]>),
}

impl Converter for Elle {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.logs = Logs::new(header);
        out.write_all(b"[")
    }

    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        let at = entry.recorded.at;
        let step = self.requests.add(entry);
        if let Some(Step::Sent(request)) = &step {
            let does = match request.operation {
                Operation::Write(write) => {
                    let id = WriteId { customer: request.customer, event: request.event };
                    match self.logs.name(id, write) {
                        Naming::First(number) => Does::Append(number),
                        Naming::Again(_) => Does::Nothing,
                    }
                }
                Operation::Query => Does::Read(None),
            };
            self.under_way.insert(request.customer, does);
            self.line(out, at, "invoke", (request.customer, does))?;
        }
        self.logs.add(&entry.recorded.fact);
        match step {
            Some(Step::Replied(request)) => {
                let Some(reply) = &request.reply else { return Ok(()) };
                let seen = self.logs.prefix(request.branch, reply.position);
                if let Some(Does::Read(read)) = self.under_way.get_mut(&request.customer) {
                    *read = Some(seen);
                }
            }
            Some(Step::Ended(ended)) => self.end_of(out, &ended)?,
            Some(Step::Sent(_)) | None => {}
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError> {
        Ok(out.write_all(b"\n]\n")?)
    }
}

impl Elle {
    fn end_of(&mut self, out: &mut dyn Write, ended: &Ended) -> Result<(), ConvertError> {
        let customer = ended.request.customer;
        let Some(does) = self.under_way.remove(&customer) else { return Ok(()) };
        let (how, does) = match (ended.class(), does) {
            (OutcomeClass::Ok, does) => ("ok", does),
            (OutcomeClass::Refused, does) => ("fail", unread(does)),
            (OutcomeClass::Unknown, does) => ("info", unread(does)),
        };
        self.line(out, ended.at, how, (customer, does))
    }

    fn line(
        &mut self,
        out: &mut dyn Write,
        at: Time,
        how: &'static str,
        (customer, does): (CustomerId, Does),
    ) -> Result<(), ConvertError> {
        let micro = match does {
            Does::Append(number) => Some(Micro("append", ACCOUNT, Value::Write(number))),
            Does::Nothing => None,
            Does::Read(seen) => {
                let log = seen.map(|seen| self.logs.writes(seen));
                self.entries.add(count(log.map_or(0, <[WriteNumber]>::len)))?;
                Some(Micro("r", ACCOUNT, Value::Log(log)))
            }
        };
        let line = Line {
            index: self.operations.len(),
            time: nanos(at),
            r#type: how,
            process: customer.get(),
            f: "txn",
            value: micro.as_slice(),
        };
        Ok(self.operations.item(out, &line)?)
    }
}

/// What was not answered has seen nothing.
const fn unread(does: Does) -> Does {
    match does {
        Does::Read(_) => Does::Read(None),
        Does::Append(_) | Does::Nothing => does,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::history::{Header, HistoryBuilder};
    use crate::model::{Money, Operation, Receipt, Roster, Write};
    use crate::report::convert::fixture::{entries, text};
    use crate::report::convert::{Target, convert};
    use crate::report::fixture::{amount, branch, customer};

    #[test]
    fn a_write_that_is_asked_for_again_appends_nothing_again() {
        let header = Header::new("retry", Roster::new([branch(1)]).unwrap(), Money::ZERO);
        let mut history = HistoryBuilder::new(&header);
        let deposit = Write::deposit(amount(1));
        let id = history.writes(customer(1), branch(1), deposit);
        history.asks(id, branch(1), Operation::Write(deposit));
        history.answers(customer(1), Ok(Receipt::Written)).hears(customer(1));
        history.reads(customer(1), branch(1), Money::from_minor(100));
        let mut out = Vec::new();
        convert(Target::Elle, u64::MAX, &mut out, &header, entries(history.into_facts())).unwrap();
        let steps: Vec<Value> = serde_json::from_slice(&out).unwrap();
        let answers = steps.iter().skip(1).step_by(2).map(|step| step["value"].clone());
        let expected = json!([[["append", 1, 1]], [], [["r", 1, [1]]]]);
        assert_eq!(Value::from(answers.collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_write_appends_its_number_and_a_read_is_the_log_that_it_saw() {
        let history: Value = serde_json::from_str(&text(Target::Elle)).unwrap();
        let step = |of: &Value| json!([of["process"], of["type"], of["value"]]);
        let steps: Vec<Value> = history.as_array().unwrap().iter().map(step).collect();
        let expected = json!([
            [1, "invoke", [["append", 1, 1]]],
            [1, "ok", [["append", 1, 1]]],
            [1, "invoke", [["r", 1, null]]],
            [1, "ok", [["r", 1, [1]]]],
            [1, "invoke", [["append", 1, 2]]],
            [1, "info", [["append", 1, 2]]],
            [2, "invoke", [["r", 1, null]]],
            [2, "info", [["r", 1, null]]],
            [2, "invoke", [["r", 1, null]]],
        ]);
        assert_eq!(Value::from(steps), expected);
        assert_eq!(history[3]["time"], 19_000);
        assert_eq!(history[3]["index"], 3);
    }
}
