//! Trace events of Chrome, JSON, as `chrome://tracing`, Perfetto and others open them.
//!
//! A thread for each customer and branch. Arrows end at slices, so what is sent and received is
//! one of a microsecond, the shortest there is; what else happens is an instant.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::converter::{ConvertError, Converter};
use super::json_list::JsonList;
use super::requests::{Ended, Request};
use super::timeline::{Arrow, Mark, Moment, Timeline};
use super::told::{harmless, outcome_told};
use crate::history::{Entry, Header, Process};
use crate::model::{CustomerId, Time};

const CUSTOMERS: u32 = 1;
const BRANCHES: u32 = 2;
const NETWORK: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Chrome {
    timeline: Timeline,
    events: JsonList,
    customers: BTreeSet<CustomerId>,
}

/// Where it is shown.
#[derive(Debug, Clone, Copy, Serialize)]
struct Track {
    pid: u32,
    tid: u32,
}

/// One trace event.
#[derive(Debug, Serialize)]
struct Event<'a> {
    name: &'a str,
    cat: &'static str,
    ph: &'static str,
    ts: u64,
    #[serde(flatten)]
    track: Track,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    /// To what an arrow is bound, or how wide an instant is drawn.
    #[serde(flatten)]
    more: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Value>,
}

impl<'a> Event<'a> {
    const fn new(ph: &'static str, name: &'a str, at: Time, track: Track) -> Self {
        let (ts, cat) = (at.us(), "passbook");
        Self { name, cat, ph, ts, track, dur: None, id: None, more: None, args: None }
    }
}

impl Track {
    const NETWORK: Self = Self { pid: NETWORK, tid: 0 };

    fn customer(id: CustomerId) -> Self {
        Self { pid: CUSTOMERS, tid: id.get() }
    }

    fn of(process: Option<Process>) -> Self {
        match process {
            Some(Process::Customer(id)) => Self::customer(id),
            Some(Process::Branch(id)) => Self { pid: BRANCHES, tid: id.get() },
            None => Self::NETWORK,
        }
    }
}

impl Converter for Chrome {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        let other = json!({ "scenario": harmless(&header.scenario), "seed": header.seed.0 });
        write!(out, "{{\"displayTimeUnit\":\"ms\",\"otherData\":{other},\"traceEvents\":[")?;
        for (pid, name) in [(CUSTOMERS, "customers"), (BRANCHES, "branches"), (NETWORK, "network")]
        {
            self.name(out, "process_name", Track { pid, tid: 0 }, name)?;
        }
        header.roster.ids().iter().try_for_each(|branch| {
            let process = Process::Branch(*branch);
            self.name(out, "thread_name", Track::of(Some(process)), &process.to_string())
        })
    }

    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        let at = entry.recorded.at;
        for mark in self.timeline.add(entry) {
            match mark {
                Mark::RequestBegins(request) => self.customer(out, request.customer)?,
                Mark::RequestEnds(ended) => self.request(out, &ended)?,
                Mark::Moment(moment) => self.moment(out, at, &moment)?,
                Mark::ConditionBegins(condition) => {
                    self.condition(out, "b", at, &condition.to_string())?;
                }
                Mark::ConditionEnds(condition) => {
                    self.condition(out, "e", at, &condition.to_string())?;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError> {
        for request in self.timeline.take_open() {
            let name = request.operation.to_string();
            let track = Track::customer(request.customer);
            let args = Some(about(&request));
            let event = Event { args, ..Event::new("B", &name, request.sent_at, track) };
            self.events.item(out, &event)?;
        }
        Ok(out.write_all(b"\n]}\n")?)
    }
}

impl Chrome {
    fn name(
        &mut self,
        out: &mut dyn Write,
        what: &str,
        track: Track,
        name: &str,
    ) -> io::Result<()> {
        let args = Some(json!({ "name": name }));
        self.events.item(out, &Event { args, ..Event::new("M", what, Time::START, track) })
    }

    /// A thread for a customer that is new.
    fn customer(&mut self, out: &mut dyn Write, id: CustomerId) -> io::Result<()> {
        if !self.customers.insert(id) {
            return Ok(());
        }
        let name = Process::Customer(id).to_string();
        self.name(out, "thread_name", Track::customer(id), &name)
    }

    fn request(&mut self, out: &mut dyn Write, ended: &Ended) -> io::Result<()> {
        let request = &ended.request;
        let (name, track) = (request.operation.to_string(), Track::customer(request.customer));
        let mut args = about(request);
        args["outcome"] = ended.class().word().into();
        let answer = ended.answer().map(|reply| outcome_told(&reply.outcome));
        args["answer"] = answer.or_else(|| ended.problem()).into();
        let dur = Some(ended.at.us().saturating_sub(request.sent_at.us()));
        let event = Event::new("X", &name, request.sent_at, track);
        self.events.item(out, &Event { dur, args: Some(args), ..event })
    }

    fn moment(&mut self, out: &mut dyn Write, at: Time, moment: &Moment) -> io::Result<()> {
        let track = Track::of(moment.process);
        let event = Event::new("i", &moment.told, at, track);
        let Some(arrow) = moment.arrow else {
            let more = Some(json!({ "s": "t" }));
            return self.events.item(out, &Event { more, ..event });
        };
        self.events.item(out, &Event { ph: "X", dur: Some(1), ..event })?;
        let (ph, number, more) = match arrow {
            Arrow::Begins(number) => ("s", number, None),
            Arrow::Passes(number) => ("t", number, None),
            Arrow::Ends(number) => ("f", number, Some(json!({ "bp": "e" }))),
        };
        let id = Some(number.into());
        self.events.item(out, &Event { id, more, ..Event::new(ph, "message", at, track) })
    }

    /// The beginning or the end of what lasts, whatever else lasts meanwhile.
    fn condition(
        &mut self,
        out: &mut dyn Write,
        ph: &'static str,
        at: Time,
        name: &str,
    ) -> io::Result<()> {
        let id = Some(name.into());
        self.events.item(out, &Event { id, ..Event::new(ph, name, at, Track::NETWORK) })
    }
}

fn about(request: &Request) -> Value {
    let (branch, event) = (request.branch.get(), request.event.get());
    json!({ "request": request.number.get(), "event": event, "branch": branch })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::convert::Target;
    use crate::report::convert::fixture::{SHOWN, text};

    fn events(phase: &str) -> Vec<Value> {
        let trace: Value = serde_json::from_str(&text(Target::Chrome)).unwrap();
        assert_eq!(trace["otherData"]["scenario"], SHOWN);
        let events = trace["traceEvents"].as_array().unwrap().iter();
        events.filter(|event| event["ph"] == phase).cloned().collect()
    }

    #[test]
    fn a_request_is_a_slice_as_long_as_it_took_on_the_thread_of_its_customer() {
        let slices = events("X");
        let requests = slices.iter().filter(|slice| slice.get("args").is_some());
        let requests: Vec<Value> = requests
            .map(|slice| {
                json!([slice["name"], slice["pid"], slice["tid"], slice["ts"], slice["dur"]])
            })
            .collect();
        let expected = json!([
            ["deposit 400", 1, 1, 0, 3],
            ["query", 1, 1, 15, 4],
            ["withdraw 100", 1, 1, 22, 1],
            ["query", 1, 2, 24, 2],
        ]);
        assert_eq!(Value::from(requests), expected);
        // The one without an end only begins.
        assert_eq!(events("B")[0]["ts"], 32);
    }

    #[test]
    fn an_arrow_ends_where_what_was_sent_arrives_and_passes_where_more_of_it_comes() {
        let ends = |phase: &str| -> Vec<Value> {
            let ends = events(phase).into_iter();
            ends.map(|end| json!([end["id"], end["pid"], end["tid"], end["ts"]])).collect()
        };
        // The third that is sent is the write to branch 2: it is copied, and received twice.
        assert_eq!(ends("s")[2], json!([3, 2, 1, 4]));
        assert_eq!(Value::from(ends("t")), json!([[3, 3, 0, 5], [3, 2, 2, 6]]));
        assert_eq!(ends("f")[1], json!([3, 2, 2, 8]));
        // The acknowledgement is lost in the network.
        assert_eq!(ends("f")[2], json!([4, 3, 0, 11]));
    }

    #[test]
    fn what_lasts_begins_and_ends_beside_all_else() {
        let names = |phase: &str| -> Vec<Value> {
            events(phase).iter().map(|of| json!([of["id"], of["ts"]])).collect()
        };
        let begun =
            json!([["partition 1", 10], ["branch 1 is slow", 12], ["branch 2 is down", 20]]);
        assert_eq!(Value::from(names("b")), begun);
        let ended =
            json!([["partition 1", 13], ["branch 1 is slow", 14], ["branch 2 is down", 21]]);
        assert_eq!(Value::from(names("e")), ended);
    }
}
