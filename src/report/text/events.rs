//! Each customer's events in order, and what the branches did for each.

use std::io::{self, Write};

use anstyle::Style;

use super::messages;
use super::steps::{self, EventContext};
use super::verbosity::{EVENTS_MOST, EventOrder, Verbosity};
use crate::model::{
    CustomerId, CustomerOrder, EventId, Operation, Receipt, RequestError, RequestNumber, Waited,
};
use crate::report::broken::BrokenSteps;
use crate::report::elide::{Elided, Limit};
use crate::report::palette::{BAD, GOOD, MAYBE, NO, PLAIN, QUIET, STRONG, UNSURE, YES};
use crate::report::table::{Cell, Columns, Row, write_table};
use crate::report::trace::{RequestKey, Trace};
use crate::report::words::{self, count, grouped, verb};
use crate::run::{RequestResult, Run, RunResult};

const INDENT: usize = 2;
/// Events that broke a guarantee, of those that would be left out, up to which each is shown.
const BROKEN_MOST: usize = 10;

/// One event of one visit.
#[derive(Debug, Clone, Copy)]
struct ShownEvent<'a> {
    customer: CustomerId,
    request: &'a RequestResult,
    /// The id in the input, where it bears another now.
    written_id: Option<EventId>,
    /// Which of the headings it stands under.
    heading: usize,
    part: Part,
}

/// What an event is to its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The customer's first.
    Opens,
    /// The first since other customers were served.
    Returns,
    /// Not the first.
    Continues,
}

/// The lines of one event.
#[derive(Debug)]
struct Block {
    event: Row,
    steps: Vec<Row>,
    messages: Vec<Row>,
}

/// The widths of all blocks, so that they align with each other.
#[derive(Debug, Default)]
struct Layout {
    event: Columns,
    steps: Columns,
    messages: Columns,
}

pub(super) fn write(
    out: &mut dyn Write,
    run: &Run,
    broken: &BrokenSteps,
    (verbosity, order): (Verbosity, EventOrder),
) -> io::Result<()> {
    let trace = Trace::of(&run.facts);
    let told = in_order(&run.result, &trace, order);
    let limit = match verbosity {
        Verbosity::Quiet | Verbosity::Normal => {
            Limit::Middle { most: EVENTS_MOST, head: 10, tail: 10 }
        }
        Verbosity::Verbose => Limit::None,
    };
    let items = shown(&told, limit, broken);
    let branches = run.result.branches.len();
    let context = EventContext { trace: &trace, broken, branches, verbosity, order };

    let mut layout = Layout::default();
    for item in &items {
        match item {
            Item::Event(event) => layout.fit(&block(&context, event)),
            Item::LeftOut { .. } => {}
        }
    }
    let mut heading = None;
    for item in items {
        match item {
            Item::Event(event) => {
                let place = title(out, event, &mut heading)?;
                layout.write(out, &block(&context, event), place)?;
            }
            Item::LeftOut { events, broken } => {
                left_out(out, events, broken)?;
                heading = None;
            }
        }
    }
    match verbosity {
        Verbosity::Quiet | Verbosity::Normal => Ok(()),
        Verbosity::Verbose => other_messages(out, &trace),
    }
}

/// What is told of the events, one after the other.
#[derive(Debug)]
enum Item<'a, 'b> {
    Event(&'b ShownEvent<'a>),
    /// So many events are not, of which so many broke a guarantee.
    LeftOut {
        events: usize,
        broken: usize,
    },
}

/// The events up to `limit`. Of those in the middle, the first that broke a guarantee are told too.
fn shown<'a, 'b>(
    told: &'b [ShownEvent<'a>],
    limit: Limit,
    broken: &BrokenSteps,
) -> Vec<Item<'a, 'b>> {
    let Elided { head, skipped, tail } = limit.apply(told);
    let mut items: Vec<Item<'a, 'b>> = head.iter().map(Item::Event).collect();
    let mut told_of = 0;
    for event in skipped {
        let is_broken = broken.has(event.key());
        if is_broken && told_of < BROKEN_MOST {
            told_of += 1;
            items.push(Item::Event(event));
        } else if let Some(Item::LeftOut { events, broken }) = items.last_mut() {
            *events += 1;
            *broken += usize::from(is_broken);
        } else {
            items.push(Item::LeftOut { events: 1, broken: usize::from(is_broken) });
        }
    }
    items.extend(tail.iter().map(Item::Event));
    items
}

fn left_out(out: &mut dyn Write, events: usize, broken: usize) -> io::Result<()> {
    let more = count(events, "more event");
    write!(out, "\n  {QUIET}… {more}{QUIET:#}")?;
    if broken > 0 {
        let (of_which, breaks) = (grouped(broken), verb(broken, "break"));
        write!(out, "{QUIET}, {QUIET:#}{BAD}{of_which} of which {breaks} a guarantee{BAD:#}")?;
    }
    writeln!(out, "{QUIET}; -v shows all{QUIET:#}")
}

/// Messages that no event caused: branches that catch up.
fn other_messages(out: &mut dyn Write, trace: &Trace<'_>) -> io::Result<()> {
    if trace.other_messages.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{STRONG}Other messages{STRONG:#}\n")?;
    write_table(out, 2, &messages::between_branches(&trace.other_messages))
}

/// Customers that come one after the other are told visit by visit, as it happened; concurrent
/// ones, and a run of which nothing was recorded, customer by customer; concurrent ones as it
/// happened too, where `order` says so.
fn in_order<'a>(
    result: &'a RunResult,
    trace: &Trace<'_>,
    order: EventOrder,
) -> Vec<ShownEvent<'a>> {
    let by_customer = result.customers.iter().flat_map(|customer| {
        let told = |request: &'a RequestResult| {
            let written_id = result.written_ids.of(customer.id, request.number);
            let written_id = written_id.filter(|id| *id != request.event);
            let (heading, part) = (0, Part::Continues);
            ShownEvent { customer: customer.id, request, written_id, heading, part }
        };
        customer.requests.iter().map(told)
    });
    let mut told: Vec<ShownEvent<'a>> = by_customer.collect();
    match (result.config.customers, order) {
        (CustomerOrder::InOrder, _) | (CustomerOrder::Concurrent, EventOrder::Time)
            if told.iter().all(|event| trace.request_trace(event.key()).is_some()) =>
        {
            told.sort_by_key(|event| {
                trace.request_trace(event.key()).map(|request_trace| request_trace.place)
            });
        }
        (CustomerOrder::InOrder | CustomerOrder::Concurrent, _) => {}
    }
    let visits = told.chunk_by_mut(|one, next| one.customer == next.customer);
    for (heading, visit) in visits.enumerate() {
        visit.iter_mut().for_each(|event| event.heading = heading);
        if let Some(first) = visit.first_mut() {
            let is_first = first.request.number == RequestNumber::default().next();
            first.part = if is_first { Part::Opens } else { Part::Returns };
        }
    }
    told
}

impl ShownEvent<'_> {
    fn key(&self) -> RequestKey {
        RequestKey { customer: self.customer, number: self.request.number }
    }
}

/// Whether a line stands right under a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinePosition {
    UnderHeading,
    Further,
}

/// Writes the heading of `event`, where it is the first shown under it.
fn title(
    out: &mut dyn Write,
    event: &ShownEvent<'_>,
    current: &mut Option<usize>,
) -> io::Result<LinePosition> {
    if current.replace(event.heading) == Some(event.heading) {
        return Ok(LinePosition::Further);
    }
    let customer = event.customer;
    let note = match event.part {
        Part::Opens => "",
        Part::Returns => " comes back",
        Part::Continues => " continues",
    };
    writeln!(out, "\n{STRONG}Customer {customer}{STRONG:#}{QUIET}{note}{QUIET:#}")?;
    Ok(LinePosition::UnderHeading)
}

fn block(context: &EventContext<'_>, event: &ShownEvent<'_>) -> Block {
    let request_trace = context.trace.request_trace(event.key());
    let steps = request_trace.map_or_else(Vec::new, |request_trace| {
        steps::rows(context, event.customer, event.request, request_trace)
    });
    let messages = match context.verbosity {
        Verbosity::Quiet | Verbosity::Normal => Vec::new(),
        Verbosity::Verbose => request_trace
            .map_or_else(Vec::new, |request_trace| messages::rows(event.request, request_trace)),
    };
    Block { event: event_row(context, event), steps, messages }
}

fn event_row(context: &EventContext<'_>, event: &ShownEvent<'_>) -> Row {
    let &ShownEvent { request, written_id, .. } = event;
    let id = Cell::new(STRONG, request.event.to_string()).right();
    let interface = Cell::new(STRONG, request.operation.interface().word());
    let amount = match request.operation {
        Operation::Write(write) => write.amount.to_string(),
        Operation::Query => String::new(),
    };
    let branch = Cell::plain(format!("at branch {}", request.branch));
    let branch = match written_id {
        Some(written) => branch.and(QUIET, format!(" (id {written} in the input)")),
        None => branch,
    };
    let broken = context.broken.in_words(event.key(), request.operation);
    let outcome = outcome(request, broken.as_deref());
    let mut row = vec![id, interface, Cell::new(STRONG, amount).right(), branch, outcome];
    match context.order {
        EventOrder::Customer => {}
        EventOrder::Time => {
            let sent = context.trace.request_trace(event.key()).map(|trace| trace.sent_at);
            let sent = sent.map_or_else(String::new, |time| time.to_string());
            row.insert(0, Cell::new(QUIET, sent).right());
        }
    }
    row
}

/// How the request ended, and what guarantee it broke, if any.
fn outcome(request: &RequestResult, broken: Option<&str>) -> Cell {
    let ended = match broken {
        Some(broken) => ended(request, (BAD, NO)).and(PLAIN, ", ").and(BAD, broken),
        None => ended(request, (GOOD, YES)),
    };
    match request.waited.as_deref() {
        Some(Waited { span, lags }) => {
            let (waited, what) = (words::span(*span), words::missing(lags));
            ended.and(UNSURE, format!("  waited {waited} for {what}"))
        }
        None if request.took.is_zero() => ended,
        None => ended.and(QUIET, format!("  took {}", words::span(request.took))),
    }
}

fn ended(request: &RequestResult, (style, mark): (Style, &str)) -> Cell {
    match &request.outcome {
        Ok(Receipt::Written) => Cell::new(style, mark).and(PLAIN, " ok"),
        Ok(Receipt::Balance(balance)) => {
            Cell::new(style, mark).and(PLAIN, " balance ").and(STRONG, balance.to_string())
        }
        Err(
            error @ (RequestError::Refused(_)
            | RequestError::VersionNotReached { .. }
            | RequestError::WritesLost { .. }
            | RequestError::Returning { .. }
            | RequestError::Unavailable { .. }
            | RequestError::Full { .. }
            | RequestError::Declined { .. }),
        ) => Cell::new(BAD, format!("{NO} {error}")),
        Err(error @ (RequestError::OutcomeUnknown { .. } | RequestError::NoAnswer { .. })) => {
            Cell::new(UNSURE, format!("{MAYBE} {error}"))
        }
    }
}

impl Layout {
    fn fit(&mut self, block: &Block) {
        self.event.fit(&block.event);
        block.steps.iter().for_each(|row| self.steps.fit(row));
        block.messages.iter().for_each(|row| self.messages.fit(row));
    }

    fn write(&self, out: &mut dyn Write, block: &Block, place: LinePosition) -> io::Result<()> {
        if place == LinePosition::UnderHeading || !block.steps.is_empty() {
            writeln!(out)?;
        }
        self.event.write(out, INDENT, &block.event)?;
        let below = INDENT + self.event.second();
        block.steps.iter().try_for_each(|row| self.steps.write(out, below, row))?;
        block.messages.iter().try_for_each(|row| self.messages.write(out, below, row))
    }
}
