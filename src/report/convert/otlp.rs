//! Traces of OpenTelemetry, as its protocol has them in JSON: a trace for each request of a
//! customer, with spans for the request, for each message that it led to, and for each apply.
//!
//! Ids follow from the history alone: a trace is known by seed, customer and request, a span by
//! the line of the fact that it is told by. Times are those of the run, which begins in 1970.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::condition::{Began, Change, Condition, Conditions};
use super::converter::{ConvertError, Converter};
use super::json_list::JsonList;
use super::requests::{Ended, Request, Requests, Step};
use super::timeline::nanos;
use super::told::{body_told, harmless, host, outcome_told, told};
use super::under_way::{Transit, UnderWay};
use crate::history::{Entry, Fact, Header, MessageBody};
use crate::model::{BranchId, Operation, OutcomeClass, Time, WriteId};

#[derive(Debug, Default)]
pub(super) struct Otlp {
    seed: u64,
    requests: Requests,
    under_way: UnderWay<Time>,
    conditions: Conditions,
    /// The span of the request that made each write.
    writes: BTreeMap<WriteId, Context>,
    /// The span of the message that brought a write to a branch, until it is applied there.
    brought: BTreeMap<(BranchId, WriteId), Context>,
    spans: JsonList,
    last: Time,
}

/// A span, and the trace in which it is.
#[derive(Debug, Clone, Copy)]
struct Context {
    trace: u128,
    span: u64,
}

/// What a span is to those that take part.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(into = "u8")]
enum Kind {
    Internal,
    Client,
    Consumer,
}

impl From<Kind> for u8 {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Internal => 1,
            Kind::Client => 3,
            Kind::Consumer => 5,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: Kind,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Value>,
}

impl Span {
    fn new(context: Context, name: String, start: Time, end: Time) -> Self {
        Self {
            trace_id: format!("{:032x}", context.trace),
            span_id: format!("{:016x}", context.span),
            parent_span_id: None,
            name,
            kind: Kind::Internal,
            start_time_unix_nano: nanos(start).to_string(),
            end_time_unix_nano: nanos(end).to_string(),
            attributes: Vec::new(),
            events: Vec::new(),
            status: None,
        }
    }

    fn below(mut self, parent: Option<Context>) -> Self {
        self.parent_span_id = parent.map(|parent| format!("{:016x}", parent.span));
        self
    }

    fn of(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.attributes.push(attribute(key, &value.to_string()));
        self
    }

    /// An event of the span, if it happened.
    fn event(mut self, name: &str, at: Option<Time>) -> Self {
        let event = |at| json!({ "timeUnixNano": nanos(at).to_string(), "name": name });
        self.events.extend(at.map(event));
        self
    }

    fn failed(mut self, message: Option<String>) -> Self {
        self.status = message.map(|message| json!({ "code": 2, "message": message }));
        self
    }
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

impl Converter for Otlp {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.seed = header.seed.0;
        let scenario = attribute("passbook.scenario", &harmless(&header.scenario));
        let resource = json!({ "attributes": [attribute("service.name", "passbook"), scenario] });
        let scope = json!({ "name": "passbook" });
        write!(
            out,
            "{{\"resourceSpans\":[{{\"resource\":{resource},\"scopeSpans\":[{{\"scope\":{scope},\
             \"spans\":["
        )
    }

    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        let at = entry.recorded.at;
        self.last = at;
        match self.requests.add(entry) {
            Some(Step::Sent(request)) => {
                let context = self.context(&request);
                if let Operation::Write(_) = request.operation {
                    let id = WriteId { customer: request.customer, event: request.event };
                    self.writes.entry(id).or_insert(context);
                }
            }
            Some(Step::Ended(ended)) => self.request(out, &ended)?,
            Some(Step::Replied(_)) | None => {}
        }
        match self.conditions.add(entry) {
            Some(Change::Ended(condition, began)) => self.condition(out, condition, began)?,
            Some(Change::Began(_)) | None => {}
        }
        if let Some(span) = self.span(entry) {
            self.spans.item(out, &span)?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError> {
        for request in self.requests.take_open() {
            let problem = Some("no end in the history".to_owned());
            let span = self.request_span(&request, self.last).failed(problem);
            self.spans.item(out, &span)?;
        }
        for (condition, began) in self.conditions.take_open() {
            self.condition(out, condition, began)?;
        }
        Ok(out.write_all(b"\n]}]}]}\n")?)
    }
}

impl Otlp {
    /// The trace of a request, and its own span in it.
    fn context(&self, request: &Request) -> Context {
        let (seed, number) = (self.seed & 0xffff_ffff, request.number.get());
        let trace =
            u128::from(seed) << 96 | u128::from(request.customer.get()) << 64 | u128::from(number);
        Context { trace, span: request.line }
    }

    /// The span of a fact that is about no request: a trace of its own.
    fn alone(&self, line: u64) -> Context {
        Context { trace: u128::from(self.seed & 0xffff_ffff) << 96 | u128::from(line), span: line }
    }

    fn request(&mut self, out: &mut dyn Write, ended: &Ended) -> io::Result<()> {
        let answer = ended.answer().map(|reply| outcome_told(&reply.outcome));
        let span = self.request_span(&ended.request, ended.at);
        let span = span.with("passbook.outcome", ended.class());
        let span = span.with("passbook.answer", answer.unwrap_or_default());
        let failed = match ended.class() {
            OutcomeClass::Ok => None,
            OutcomeClass::Refused | OutcomeClass::Unknown => ended.problem(),
        };
        self.spans.item(out, &span.failed(failed))
    }

    fn request_span(&self, request: &Request, end: Time) -> Span {
        let name = request.operation.to_string();
        Span::new(self.context(request), name, request.sent_at, end)
            .of(Kind::Client)
            .with("passbook.customer", request.customer)
            .with("passbook.branch", request.branch)
            .with("passbook.event", request.event)
            .event("received", request.received_at)
            .event("put aside", request.parked_at)
            .event("answered", request.reply.as_ref().map(|reply| reply.at))
    }

    fn condition(
        &mut self,
        out: &mut dyn Write,
        condition: Condition,
        began: Began,
    ) -> io::Result<()> {
        let context = self.alone(began.line);
        self.spans.item(out, &Span::new(context, condition.to_string(), began.at, self.last))
    }

    /// The span that ends with a fact, if one does.
    fn span(&mut self, entry: &Entry) -> Option<Span> {
        let (at, fact) = (entry.recorded.at, &entry.recorded.fact);
        let sent_at = match Transit::of(fact) {
            Some(Transit::Leaves(parcel)) => {
                self.under_way.leave(parcel, at);
                None
            }
            Some(Transit::Arrives(parcel)) => self.under_way.arrive(parcel),
            Some(Transit::IsCopied(parcel)) => self.under_way.copy(parcel),
            None => None,
        };
        let sent_at = sent_at.map_or(at, |sent| sent.known);
        let place = host(fact.process());
        match fact {
            Fact::WriteApplied { branch, id, balance, position, .. } => {
                let brought = self.brought.remove(&(*branch, *id));
                let parent = brought.or_else(|| self.writes.get(id).copied());
                let span = self.child(entry, parent, at).with("passbook.place", place);
                Some(span.with("passbook.position", position).with("passbook.balance", balance))
            }
            Fact::MessageReceived { from, to, body, .. } => {
                let parent = self.parent(*body);
                let span = self.child(entry, parent, sent_at).of(Kind::Consumer);
                if let MessageBody::Propagate { id } = body {
                    let context = self.within(parent, entry.line);
                    self.brought.insert((*to, *id), context);
                }
                Some(
                    Span { name: body_told(*body), ..span }
                        .with("passbook.from", from)
                        .with("passbook.to", to),
                )
            }
            Fact::MessageLost { from, to, body, .. } => {
                let span = self.child(entry, self.parent(*body), sent_at);
                let span = span.failed(Some(told(fact))).with("passbook.from", from);
                Some(Span { name: body_told(*body), ..span }.with("passbook.to", to))
            }
            Fact::MessageDuplicated { body, .. } => Some(self.child(entry, self.parent(*body), at)),
            Fact::WriteSetCompared { id, agrees, .. } => {
                let span = self.child(entry, self.writes.get(id).copied(), at);
                let failed = (!agrees).then(|| told(fact));
                Some(span.with("passbook.place", place).failed(failed))
            }
            // They are what the spans of requests, messages and conditions tell.
            Fact::RequestSent { .. }
            | Fact::RequestReceived { .. }
            | Fact::RequestParked { .. }
            | Fact::ReplySent { .. }
            | Fact::ReplyReceived { .. }
            | Fact::RequestGivenUp { .. }
            | Fact::MessageSent { .. }
            | Fact::BranchStopped { .. }
            | Fact::BranchStarted { .. }
            | Fact::PartitionBegan { .. }
            | Fact::PartitionHealed { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. }
            | Fact::SlownessBegan { .. }
            | Fact::SlownessEnded { .. } => None,
        }
    }

    /// The span of a fact below another, or of its own.
    fn child(&self, entry: &Entry, parent: Option<Context>, start: Time) -> Span {
        let context = self.within(parent, entry.line);
        let name = told(&entry.recorded.fact);
        Span::new(context, name, start, entry.recorded.at).below(parent)
    }

    fn within(&self, parent: Option<Context>, line: u64) -> Context {
        let alone = self.alone(line);
        Context { trace: parent.map_or(alone.trace, |parent| parent.trace), span: line }
    }

    /// The request that a message is about.
    fn parent(&self, body: MessageBody) -> Option<Context> {
        match body {
            MessageBody::Propagate { id } | MessageBody::Acknowledge { id, .. } => {
                self.writes.get(&id).copied()
            }
            MessageBody::CatchUp | MessageBody::Missed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::convert::Target;
    use crate::report::convert::fixture::{SHOWN, text};

    const DEPOSIT: &str = "00000000000000010000000000000001";

    #[test]
    fn a_request_is_a_trace_with_its_messages_and_applies() {
        let traces: Value = serde_json::from_str(&text(Target::Otlp)).unwrap();
        let resource = &traces["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][1]["value"]["stringValue"], SHOWN);
        let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        let of_deposit = spans.iter().filter(|span| span["traceId"] == DEPOSIT);
        let told = of_deposit.map(|span| {
            let text =
                |key: &str| span[key].as_str().unwrap_or("-").trim_start_matches('0').to_owned();
            let times = ["startTimeUnixNano", "endTimeUnixNano"].map(text);
            let failed = if span.get("status").is_some() { " failed" } else { "" };
            let name = span["name"].as_str().unwrap().split(':').next().unwrap();
            format!(
                "{}<{} {}-{} {name}{failed}",
                text("spanId"),
                text("parentSpanId"),
                times[0],
                times[1]
            )
        });
        // A span is called by its line; that of the request is 2. The write came to branch 2 twice.
        let expected = [
            "3<2 1000-1000 applies write 1 of customer 1 as number 1",
            "2<- -3000 deposit 400",
            "7<2 5000-5000 copies message 1 from branch 1 to branch 2",
            "8<2 4000-6000 apply write 1 of customer 1",
            "9<8 7000-7000 applies write 1 of customer 1 as number 1",
            "a<2 4000-8000 apply write 1 of customer 1",
            "d<2 9000-11000 write 1 of customer 1 is applied, 1 of the customer failed",
            "1d<2 27000-27000 compares with branch 2 up to write 1 of customer 1 failed",
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn ids_are_unique_and_never_zero() {
        let traces: Value = serde_json::from_str(&text(Target::Otlp)).unwrap();
        let spans = traces["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        let ids: std::collections::BTreeSet<&str> =
            spans.iter().map(|span| span["spanId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), spans.len());
        let zero = |id: &Value| id.as_str().unwrap().bytes().all(|digit| digit == b'0');
        assert!(!spans.iter().any(|span| zero(&span["traceId"]) || zero(&span["spanId"])));
        let lasting: Vec<&str> = spans
            .iter()
            .filter_map(|span| span["name"].as_str())
            .filter(|name| name.starts_with("partition") || name.contains(" is "))
            .collect();
        assert!(
            ["partition 1", "branch 1 is slow", "branch 2 is down"]
                .iter()
                .all(|name| lasting.contains(name))
        );
    }
}
