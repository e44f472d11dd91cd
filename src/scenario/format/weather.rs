//! What a scenario says of what is to go wrong, checked: every branch that it names is there, and
//! every message can be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fault::{Checked, Fault};
use super::list::{Entry, List};
use super::locate::Node;
use super::object::Object;
use super::problem::{BranchList, Problem};
use super::reading::Reading;
use super::source::Span;
use super::value::{Field, Value};
use super::weather_file::{FaultFile, NemesisFile, RatesFile};
use super::weather_value::{
    Attempt, FateWord, FaultWord, Interval, Kept, LongSpan, Sides, TwoSpans, nemesis_kinds, sides,
    two_spans,
};
use crate::model::{BranchId, CustomerId, EventId, Operation, Roster, Time};
use crate::network::{
    Contradiction, Crash, Fate, Impossible, Keeps, Latency, Link, MessageKind, MessageName,
    NemesisKind, Partition, Rates, SLOW_DELAY, ScheduledFault, Slowness, contradictions,
    may_forget,
};
use crate::scenario::{FoulWeather, NemesisSettings, Visit};

/// What stands in a file of it.
#[derive(Debug)]
pub(super) struct WeatherFile {
    pub(super) rates: Option<Box<Entry<RatesFile>>>,
    pub(super) nemesis: Option<Box<Entry<NemesisFile>>>,
    pub(super) faults: Option<List<FaultFile>>,
    pub(super) think: Option<Latency>,
    pub(super) settle_limit: Option<Duration>,
}

impl WeatherFile {
    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        let Self { rates, nemesis, faults, think, settle_limit } = self;
        rates.is_none()
            && nemesis.is_none()
            && faults.is_none()
            && think.is_none()
            && settle_limit.is_none()
    }

    /// What it says of a bank of `roster`, whose customers make `visits`.
    pub(super) fn read(
        self,
        reading: &Reading<'_>,
        roster: &Roster,
        visits: &[Visit],
    ) -> Option<Box<FoulWeather>> {
        let Self { rates: written_rates, nemesis, faults, think, settle_limit } = self;
        let rates = written_rates.and_then(|entry| entry.with(reading, "the rates", rates));
        let nemesis = nemesis.and_then(|entry| {
            entry.with(reading, "a nemesis", |object, file| nemesis_of(object, file, roster))
        });
        let parties = Parties { roster, visits };
        let schedule = faults.map(|faults| schedule(reading, faults, &parties));
        let foul_weather = FoulWeather {
            rates,
            nemesis: nemesis.unwrap_or_default(),
            schedule: schedule.unwrap_or_default(),
            think,
            settle_limit,
        };
        (foul_weather != FoulWeather::default()).then(|| Box::new(foul_weather))
    }
}

impl<T> Entry<T> {
    /// What `read` makes of it, an object that stands for `of`.
    fn with<'a, R>(
        self,
        reading: &Reading<'a>,
        of: &'static str,
        read: impl FnOnce(Object<'a>, T) -> Checked<R>,
    ) -> Option<R> {
        let object = reading.object(self.start, of);
        reading.take(read(object, self.value?))
    }
}

fn rates(object: Object<'_>, file: RatesFile) -> Checked<Rates> {
    let rate =
        |name, field| -> Checked<_> { Ok(object.optional(name, field)?.unwrap_or_default()) };
    Ok(Rates {
        loss: rate("loss", file.loss)?,
        duplicate: rate("duplicate", file.duplicate)?,
        reorder: rate("reorder", file.reorder)?,
    })
}

fn nemesis_of(object: Object<'_>, file: NemesisFile, roster: &Roster) -> Checked<NemesisSettings> {
    let kinds = list(object, "kinds", file.kinds, nemesis_kinds)?;
    if kinds.kinds().contains(&NemesisKind::Amnesia) {
        let may = may_forget(roster);
        may.map_err(|why| object.fault_in(&["kinds"], Problem::Impossible { why }))?;
    }
    Ok(NemesisSettings {
        kinds: Some(kinds),
        interval: object.optional("interval", file.interval)?.map(|Interval(span)| span),
        duration: object.optional("duration", file.duration)?.map(|LongSpan(span)| span),
    })
}

/// What the array is that is the value of the key `name`; where it is wrong, `read` says what in it.
fn list<T: Value>(
    object: Object<'_>,
    name: &'static str,
    field: Field<T>,
    read: impl FnOnce(Node<'_>) -> Checked<T>,
) -> Checked<T> {
    match field {
        Field::Wrong => read(object.value(&[name])),
        Field::Absent | Field::Is(_) => object.required(name, field),
    }
}

/// Who there is.
struct Parties<'a> {
    roster: &'a Roster,
    visits: &'a [Visit],
}

/// The faults of a list.
fn schedule(
    reading: &Reading<'_>,
    faults: List<FaultFile>,
    parties: &Parties<'_>,
) -> Vec<ScheduledFault> {
    let (mut schedule, mut objects) = (Vec::new(), Vec::new());
    let mut writes = None;
    for (start, file) in faults.0 {
        let object = reading.object(start, "a fault");
        let read = scheduled(object, file, parties.roster).and_then(|fault| {
            if let ScheduledFault::Message { name, .. } = &fault {
                let writes = writes.get_or_insert_with(|| Asked::by(parties.visits));
                writes.check(object, name)?;
            }
            Ok(fault)
        });
        if let Some(fault) = reading.take(read) {
            schedule.push(fault);
            objects.push(object);
        }
    }
    for Contradiction { fault, other, why } in contradictions(&schedule, parties.roster) {
        let span = place(objects[fault], &why);
        let fault = Fault::new(Problem::Impossible { why }).at(span);
        let first = other.map(|other| objects[other].bracket());
        reading.take::<()>(Err(match first {
            Some(first) => fault.and(first),
            None => fault,
        }));
    }
    schedule
}

/// Where it stands in `object` what cannot be.
fn place(object: Object<'_>, why: &Impossible) -> Span {
    match why {
        Impossible::Sides | Impossible::Twice { .. } => object.value(&["sides"]).bracket(),
        Impossible::EndsFirst { .. } | Impossible::TooLate => object.value(&["until"]).span(),
        Impossible::ToItself => object.value(&["to"]).span(),
        Impossible::NoBranch { .. }
        | Impossible::CrashesOverlap { .. }
        | Impossible::SlownessesOverlap { .. }
        | Impossible::NoAttempt
        | Impossible::TwoFates { .. }
        | Impossible::TooManyBranches { .. } => object.bracket(),
    }
}

fn scheduled(object: Object<'_>, mut file: FaultFile, roster: &Roster) -> Checked<ScheduledFault> {
    let own_keys = file.own_keys();
    let kind = object.required("kind", std::mem::take(&mut file.kind))?;
    let object = Object { of: of(kind), ..object };
    for key in own_keys {
        object.misplaced(key.name, key.is_absent || key.kinds.contains(&kind), key.owner)?;
    }
    match kind {
        FaultWord::Message => message(object, file, roster),
        FaultWord::Partition => {
            let sides = divided(object, file.sides, roster)?;
            let one_way = object.optional("one_way", file.one_way)?.unwrap_or_default();
            let (at, until) = span(object, file.at, file.until)?;
            Ok(ScheduledFault::Partition(Partition { sides, one_way, at, until }))
        }
        FaultWord::Slow => {
            let branch = branch(object, file.branch, roster)?;
            let delay = object.optional("delay", file.delay)?;
            let delay = delay.map_or(SLOW_DELAY, |LongSpan(span)| span);
            let (at, until) = span(object, file.at, file.until)?;
            Ok(ScheduledFault::Slow(Slowness { branch, delay, at, until }))
        }
        FaultWord::Crash => {
            let keeps = object.optional("keeps", file.keeps)?;
            let keeps = keeps.map_or(Keeps::All, |Kept(kept)| Keeps::First(kept));
            let branch = branch(object, file.branch, roster)?;
            let (at, until) = span(object, file.at, file.until)?;
            Ok(ScheduledFault::Crash(Crash { branch, keeps, at, until }))
        }
        FaultWord::Amnesia => {
            let branch = branch(object, file.branch, roster)?;
            let (at, until) = span(object, file.at, file.until)?;
            Ok(ScheduledFault::Crash(Crash { branch, keeps: Keeps::First(0), at, until }))
        }
    }
}

/// When something begins, and when it is over.
fn span(object: Object<'_>, at: Field<LongSpan>, until: Field<LongSpan>) -> Checked<(Time, Time)> {
    let at = object.required("at", at)?;
    Ok((at.moment(), object.required("until", until)?.moment()))
}

/// The branch that something happens to.
fn branch(object: Object<'_>, field: Field<BranchId>, roster: &Roster) -> Checked<BranchId> {
    object.branch("branch", object.required("branch", field)?, roster)
}

const fn of(kind: FaultWord) -> &'static str {
    match kind {
        FaultWord::Partition => "a partition",
        FaultWord::Crash => "a crash",
        FaultWord::Amnesia => "a loss of memory",
        FaultWord::Slow => "a slow branch",
        FaultWord::Message => "the fate of a message",
    }
}

/// The sides of a partition; each branch of them is there.
fn divided(
    object: Object<'_>,
    field: Field<Sides>,
    roster: &Roster,
) -> Checked<Vec<Vec<BranchId>>> {
    let Sides(read) = list(object, "sides", field, sides)?;
    let named = read.iter().enumerate();
    let mut named = named.flat_map(|(side, ids)| ids.iter().enumerate().map(move |id| (side, id)));
    match named.find(|(_, (_, id))| roster.index(**id).is_none()) {
        None => Ok(read),
        Some((side, (place, &id))) => {
            let problem = Problem::UnknownBranch { id, bank: BranchList::of(roster) };
            let array = object.value(&["sides"]);
            let node = nth(array, side).and_then(|of_side| nth(of_side, place)).unwrap_or(array);
            Err(Fault::new(problem).at(node.span()))
        }
    }
}

/// The entry of the array `node` at `place`.
fn nth(node: Node<'_>, place: usize) -> Option<Node<'_>> {
    node.elements().ok()?.nth(place)
}

fn message(object: Object<'_>, file: FaultFile, roster: &Roster) -> Checked<ScheduledFault> {
    let kind = object.required("message", file.message)?;
    let event = match kind {
        MessageKind::Propagate | MessageKind::Acknowledge => {
            let customer = object.required("customer", file.customer)?;
            Some((customer, object.required("event", file.event)?))
        }
        MessageKind::CatchUp | MessageKind::Missed => {
            let owner = "a message about a write: `propagate` or `acknowledge`";
            object.misplaced("customer", file.customer.is_absent(), owner)?;
            object.misplaced("event", file.event.is_absent(), owner)?;
            None
        }
    };
    let branch = |name, field| object.branch(name, object.required(name, field)?, roster);
    let link = Link { from: branch("from", file.from)?, to: branch("to", file.to)? };
    let attempt = object.optional("attempt", file.attempt)?.map_or(1, |Attempt(attempt)| attempt);
    let lost = object.optional("fate", file.fate)?;
    let arrives = object.optional("arrives", file.arrives)?;
    let twice = match file.arrives_twice {
        Field::Absent => None,
        field @ (Field::Is(_) | Field::Wrong) => {
            Some(list(object, "arrives_twice", field, two_spans)?)
        }
    };
    let fate = match (lost, arrives, twice) {
        (Some(FateWord::Lost), None, None) => Fate::Lost,
        (None, Some(LongSpan(span)), None) => Fate::Arrives(span),
        (None, None, Some(TwoSpans([LongSpan(span), LongSpan(again)]))) => {
            Fate::ArrivesTwice(span, again)
        }
        _ => return Err(object.fault(Problem::NotOneFate)),
    };
    Ok(ScheduledFault::Message { name: MessageName { kind, event, link, attempt }, fate })
}

/// What customers ask: which events each has, and whether it writes.
struct Asked(BTreeMap<CustomerId, BTreeMap<EventId, bool>>);

impl Asked {
    fn by(visits: &[Visit]) -> Self {
        let mut asked: BTreeMap<CustomerId, BTreeMap<EventId, bool>> = BTreeMap::new();
        for Visit { customer, events, .. } in visits {
            let own = asked.entry(*customer).or_default();
            for event in events {
                *own.entry(event.id).or_default() |= matches!(event.operation, Operation::Write(_));
            }
        }
        Self(asked)
    }

    /// Whether there is ever a message called `name`, which `object` says.
    fn check(&self, object: Object<'_>, name: &MessageName) -> Checked<()> {
        let Some((customer, event)) = name.event else { return Ok(()) };
        let Some(events) = self.0.get(&customer) else {
            return Err(object.fault_in(&["customer"], Problem::NoSuchCustomer { customer }));
        };
        match events.get(&event) {
            Some(true) => Ok(()),
            Some(false) => {
                Err(object.fault_in(&["event"], Problem::MessageOfQuery { customer, event }))
            }
            None => Err(object.fault_in(&["event"], Problem::NoSuchEvent { customer, event })),
        }
    }
}
