//! Lays out the facts of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::layout::{
    About, Arrow, Band, Carries, Diagram, End, Happening, Lane, Lasting, LeftOut, Mark, Point, Role,
};
use crate::history::{Fact, Header, MessageBody, Process, Recorded};
use crate::model::number::count;
use crate::model::{
    BranchId, CustomerId, EventId, MessageNumber, Operation, OutcomeClass, Propagation, Receipt,
    Time, Write, WriteId,
};
use crate::report::trace::RequestKey;

/// A fact takes no more than this, with what is drawn of it: one mark, one arrow, a place in the
/// tables of what is under way, and one in the data of a page. Lists that grow leave as much behind
/// as they hold.
const FACT_BYTES: usize =
    2 * (size_of::<Recorded>() + size_of::<Mark>() + size_of::<Arrow>()) + 200;
/// Beside that, each side of a partition, and each branch of it, with the band that it draws.
const SIDE_BYTES: usize = 100;

/// How many bytes `recorded` takes where it is kept to be drawn, with what is drawn of it.
pub(crate) fn fact_bytes(recorded: &Recorded) -> u64 {
    let mut bytes = FACT_BYTES;
    if let Fact::PartitionBegan { sides, .. } = &recorded.fact {
        bytes += sides.iter().map(|side| (side.len() + 1) * SIDE_BYTES).sum::<usize>();
    }
    count(bytes)
}

impl Diagram {
    /// The picture of `facts`, which are in causal order.
    pub(crate) fn of(header: &Header, facts: &[Recorded]) -> Self {
        let mut layout = Layout::new(header, facts);
        facts.iter().for_each(|recorded| layout.add(recorded));
        layout.finish()
    }
}

/// Which message between branches.
type MessageKey = (BranchId, BranchId, MessageNumber);

/// A picture that is being laid out.
pub(super) struct Layout {
    pub(super) diagram: Diagram,
    lane_of: BTreeMap<Process, usize>,
    /// Where each process did something last.
    last: Vec<Option<Point>>,
    /// Where it did something before that.
    before: Vec<Option<Point>>,
    /// What each branch applied last.
    applied: Vec<Option<(WriteId, Point)>>,
    writes: BTreeMap<WriteId, Write>,
    requests: BTreeMap<RequestKey, Request>,
    /// The requests for writes that came to each lane and are not applied there yet.
    to_apply: BTreeMap<(usize, WriteId), RequestKey>,
    /// Messages on their way: which arrow, and since when.
    under_way: BTreeMap<MessageKey, (usize, Time)>,
    acknowledgements: Acknowledgements,
    pub(super) partitions: BTreeMap<u32, Vec<usize>>,
    /// The bands at each lane that end when the history says so.
    open: BTreeMap<(usize, Lasting), Vec<usize>>,
}

/// Whether acknowledgements are drawn: where nobody waits for one, they explain nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acknowledgements {
    Drawn,
    LeftOut,
}

/// A request that is not answered yet.
struct Request {
    sent: Point,
    /// The arrow of it.
    arrow: usize,
    about: About,
    /// Where it came to its branch.
    received: Option<Point>,
    /// The band of its waiting, while it waits.
    waiting: Option<usize>,
    /// From where it was answered, when, and how.
    answered: Option<(Point, Time, Carries)>,
}

impl Layout {
    fn new(header: &Header, facts: &[Recorded]) -> Self {
        let customers: BTreeSet<CustomerId> = facts
            .iter()
            .filter_map(|recorded| match recorded.fact.process()? {
                Process::Customer(id) => Some(id),
                Process::Branch(_) => None,
            })
            .collect();
        let customers =
            customers.into_iter().map(|id| Lane { process: Process::Customer(id), opening: None });
        let branches = header.roster.ids().iter().map(|&id| Lane {
            process: Process::Branch(id),
            opening: Some(header.opening_balance),
        });
        let lanes: Vec<Lane> = customers.chain(branches).collect();
        let may_wait =
            header.terms.as_ref().is_none_or(|terms| terms.propagation == Propagation::Sync);
        Self {
            lane_of: lanes.iter().enumerate().map(|(place, lane)| (lane.process, place)).collect(),
            last: vec![None; lanes.len()],
            before: vec![None; lanes.len()],
            applied: vec![None; lanes.len()],
            writes: BTreeMap::new(),
            requests: BTreeMap::new(),
            to_apply: BTreeMap::new(),
            under_way: BTreeMap::new(),
            acknowledgements: match may_wait {
                true => Acknowledgements::Drawn,
                false => Acknowledgements::LeftOut,
            },
            partitions: BTreeMap::new(),
            open: BTreeMap::new(),
            diagram: Diagram {
                scenario: header.scenario.clone(),
                lanes,
                moments: Vec::new(),
                marks: Vec::new(),
                arrows: Vec::new(),
                bands: Vec::new(),
                broken: Vec::new(),
                left_out: LeftOut::default(),
            },
        }
    }

    fn finish(self) -> Diagram {
        self.diagram
    }

    fn add(&mut self, Recorded { at, fact }: &Recorded) {
        let at = *at;
        match fact {
            Fact::RequestSent { customer, request, branch, event, operation } => {
                let key = RequestKey { customer: *customer, number: *request };
                self.request_sent((key, *branch), *event, *operation, at);
            }
            Fact::RequestReceived { branch, customer, request } => {
                self.request_received(
                    *branch,
                    RequestKey { customer: *customer, number: *request },
                    at,
                );
            }
            Fact::RequestParked { branch, customer, request } => {
                let key = RequestKey { customer: *customer, number: *request };
                self.request_parked(*branch, key, at);
            }
            Fact::WriteApplied { branch, id, write, balance, .. } => {
                let applies = Happening::Applies { write: *write, balance: *balance };
                self.writes.insert(*id, *write);
                self.write_applied(*branch, *id, applies, at);
            }
            Fact::ReplySent { branch, customer, request, outcome, .. } => {
                let key = RequestKey { customer: *customer, number: *request };
                let carries = match outcome {
                    Ok(Receipt::Written) => Carries::Written,
                    Ok(Receipt::Balance(balance)) => Carries::Balance(*balance),
                    Err(_) => Carries::Failure(OutcomeClass::of(outcome)),
                };
                self.reply_sent(*branch, key, carries, at);
            }
            Fact::ReplyReceived { customer, request, .. } => {
                self.reply_received(RequestKey { customer: *customer, number: *request }, at);
            }
            Fact::RequestGivenUp { customer, request, .. } => {
                let key = RequestKey { customer: *customer, number: *request };
                let about = self.requests.get(&key).map_or(About::default(), |of| of.about);
                let Some(point) = self.new_point(Process::Customer(*customer), at) else { return };
                self.mark(point, Happening::GivesUp, about);
            }
            Fact::MessageSent { from, to, number, body } => {
                self.message_sent((*from, *to, *number), *body, at);
            }
            Fact::MessageDuplicated { .. } => {}
            Fact::MessageReceived { from, to, number, .. } => {
                self.message_ended((*from, *to, *number), at, End::At);
            }
            Fact::MessageLost { from, to, number, .. } => {
                self.message_ended((*from, *to, *number), at, End::Lost);
            }
            Fact::WriteSetCompared { branch, agrees, id, .. } => {
                if *agrees || self.acknowledgements == Acknowledgements::LeftOut {
                    return;
                }
                let Some(point) = self.new_point(Process::Branch(*branch), at) else { return };
                self.mark(point, Happening::Differs, About { request: None, write: Some(*id) });
            }
            Fact::BranchStopped { .. }
            | Fact::BranchStarted { .. }
            | Fact::PartitionBegan { .. }
            | Fact::PartitionHealed { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. }
            | Fact::SlownessBegan { .. }
            | Fact::SlownessEnded { .. } => self.add_fault(fact, at),
        }
    }

    fn request_sent(
        &mut self,
        (key, branch): (RequestKey, BranchId),
        event: EventId,
        operation: Operation,
        at: Time,
    ) {
        let write = match operation {
            Operation::Write(write) => {
                let id = WriteId { customer: key.customer, event };
                self.writes.insert(id, write);
                Some(id)
            }
            Operation::Query => None,
        };
        let about = About { request: Some(key), write };
        let Some(sent) = self.new_point(Process::Customer(key.customer), at) else { return };
        self.mark(sent, Happening::Asks(operation), about);
        let Some(to) = self.lane(Process::Branch(branch)) else { return };
        let arrow = self.diagram.arrows.len();
        let carries = Carries::Request(operation);
        self.send(sent, to, carries, about);
        let (received, waiting, answered) = (None, None, None);
        self.requests.insert(key, Request { sent, arrow, about, received, waiting, answered });
    }

    fn request_parked(&mut self, branch: BranchId, key: RequestKey, at: Time) {
        let Some(point) = self.point(Process::Branch(branch), at) else { return };
        let about = self.requests.get(&key).map_or(About::default(), |of| of.about);
        self.mark(point, Happening::Waits, about);
        let band = self.begin(point, Lasting::Waiting);
        if let Some(request) = self.requests.get_mut(&key) {
            request.waiting = Some(band);
        }
    }

    fn write_applied(&mut self, branch: BranchId, id: WriteId, applies: Happening, at: Time) {
        let process = Process::Branch(branch);
        let Some(point) = self.point(process, at) else { return };
        // Each balance has a place of its own.
        let is_taken = self.applied[point.lane].is_some_and(|(_, there)| there == point);
        let point = if is_taken { self.new_point(process, at) } else { Some(point) };
        let Some(point) = point else { return };
        self.applied[point.lane] = Some((id, point));
        if let Some(key) = self.to_apply.remove(&(point.lane, id)) {
            self.waited(key, point, at);
        }
        self.mark(point, applies, About { request: None, write: Some(id) });
    }

    fn request_received(&mut self, branch: BranchId, key: RequestKey, at: Time) {
        let Some(request) = self.requests.get(&key) else { return };
        let (sent, arrow, about) = (request.sent, request.arrow, request.about);
        // What comes at once is drawn level.
        let is_level = sent.moment + 1 == self.diagram.moments.len()
            && self.diagram.moments[sent.moment] == at;
        let point = match self.lane(Process::Branch(branch)) {
            Some(lane) if is_level => {
                let point = Point { moment: sent.moment, lane };
                self.last[lane] = Some(point);
                Some(point)
            }
            Some(_) | None => self.new_point(Process::Branch(branch), at),
        };
        let Some(point) = point else { return };
        if let Some(request) = self.requests.get_mut(&key) {
            request.received = Some(point);
        }
        if let Some(write) = about.write {
            self.to_apply.insert((point.lane, write), key);
        }
        let took = at.since(self.diagram.moments[sent.moment]);
        let arrow = &mut self.diagram.arrows[arrow];
        (arrow.end, arrow.took) = (End::At(point), took);
    }

    fn reply_sent(&mut self, branch: BranchId, key: RequestKey, carries: Carries, at: Time) {
        // Where nobody tells of its coming, it has come by now.
        if self.requests.get(&key).is_some_and(|request| request.received.is_none()) {
            self.request_received(branch, key, at);
        }
        let Some(request) = self.requests.get(&key) else { return };
        let (about, received, waiting) = (request.about, request.received, request.waiting);
        let process = Process::Branch(branch);
        // A read stands where its query came; the answer to a write below what was done.
        let point = match carries {
            Carries::Written => self.new_point(process, at),
            Carries::Balance(_) | Carries::Failure(_) => {
                let is_at_once = |point: &Point| self.diagram.moments[point.moment] == at;
                received.filter(is_at_once).or_else(|| self.new_point(process, at))
            }
            Carries::Request(_)
            | Carries::Propagation(_)
            | Carries::Acknowledgement
            | Carries::CatchUp
            | Carries::Missed { .. } => None,
        };
        let Some(point) = point else { return };
        match carries {
            Carries::Balance(balance) => self.mark(point, Happening::Reads { balance }, about),
            Carries::Failure(class) => self.mark(point, Happening::Fails(class), about),
            Carries::Written
            | Carries::Request(_)
            | Carries::Propagation(_)
            | Carries::Acknowledgement
            | Carries::CatchUp
            | Carries::Missed { .. } => {}
        }
        match (waiting, carries) {
            (Some(band), _) => self.diagram.bands[band].to = Some(point.moment),
            (None, Carries::Balance(_)) => self.waited(key, point, at),
            (None, _) => {}
        }
        if let Some(request) = self.requests.get_mut(&key) {
            request.answered = Some((point, at, carries));
        }
    }

    /// What is done later than it came has waited, whether the history says so or not.
    fn waited(&mut self, key: RequestKey, done: Point, at: Time) {
        let Some(Request { received: Some(received), waiting: None, about, .. }) =
            self.requests.get(&key)
        else {
            return;
        };
        let (received, about) = (*received, *about);
        // In real time what is done at once is done a little later.
        let is_at_once = self.before[done.lane] == Some(received);
        if self.diagram.moments[received.moment] == at || is_at_once {
            return;
        }
        self.mark(received, Happening::Waits, about);
        let band = self.begin(received, Lasting::Waiting);
        self.diagram.bands[band].to = Some(done.moment);
    }

    fn reply_received(&mut self, key: RequestKey, at: Time) {
        let Some(Request { about, answered: Some((from, sent, carries)), .. }) =
            self.requests.remove(&key)
        else {
            return;
        };
        let process = Process::Customer(key.customer);
        let point = match carries {
            // What a query is told at once stands at the branch already.
            Carries::Balance(_) | Carries::Failure(_) if sent == at => return,
            Carries::Written
            | Carries::Balance(_)
            | Carries::Failure(_)
            | Carries::Request(_)
            | Carries::Propagation(_)
            | Carries::Acknowledgement
            | Carries::CatchUp
            | Carries::Missed { .. } => {
                if sent == at && from.moment + 1 == self.diagram.moments.len() {
                    self.lane(process).map(|lane| Point { moment: from.moment, lane })
                } else {
                    self.new_point(process, at)
                }
            }
        };
        let Some(point) = point else { return };
        self.last[point.lane] = Some(point);
        let (end, took) = (End::At(point), at.since(sent));
        self.diagram.arrows.push(Arrow { from, end, carries, took, about, role: Role::Aside });
    }

    fn message_sent(&mut self, key: MessageKey, body: MessageBody, at: Time) {
        let (from, to, _) = key;
        let (carries, write) = match body {
            MessageBody::Propagate { id } => {
                (Carries::Propagation(self.writes.get(&id).copied()), Some(id))
            }
            MessageBody::Acknowledge { id, .. } => match self.acknowledgements {
                Acknowledgements::Drawn => (Carries::Acknowledgement, Some(id)),
                Acknowledgements::LeftOut => return,
            },
            MessageBody::CatchUp => (Carries::CatchUp, None),
            MessageBody::Missed { writes } => (Carries::Missed { writes }, None),
        };
        let Some(to) = self.lane(Process::Branch(to)) else { return };
        let Some(point) = self.origin(Process::Branch(from), write, at) else { return };
        let about = About { request: None, write };
        self.under_way.insert(key, (self.diagram.arrows.len(), at));
        self.send(point, to, carries, about);
    }

    /// An arrow that has not come yet.
    fn send(&mut self, from: Point, to: usize, carries: Carries, about: About) {
        let (end, took, role) = (End::OnItsWay { to }, Duration::ZERO, Role::Aside);
        self.diagram.arrows.push(Arrow { from, end, carries, took, about, role });
    }

    fn message_ended(&mut self, key: MessageKey, at: Time, end: fn(Point) -> End) {
        let Some(&(arrow, sent)) = self.under_way.get(&key) else { return };
        let Some(point) = self.new_point(Process::Branch(key.1), at) else { return };
        let arrow = &mut self.diagram.arrows[arrow];
        match arrow.end {
            End::OnItsWay { .. } => (arrow.end, arrow.took) = (end(point), at.since(sent)),
            // A copy of what came before.
            End::At(_) | End::Lost(_) => {
                let copy = Arrow { end: end(point), took: at.since(sent), ..*arrow };
                self.diagram.arrows.push(copy);
            }
        }
    }

    pub(super) fn lane(&self, process: Process) -> Option<usize> {
        self.lane_of.get(&process).copied()
    }

    pub(super) fn moment(&mut self, at: Time) -> usize {
        self.diagram.moments.push(at);
        self.diagram.moments.len() - 1
    }

    /// A moment of its own for what happens at `process`.
    pub(super) fn new_point(&mut self, process: Process, at: Time) -> Option<Point> {
        let lane = self.lane(process)?;
        let point = Point { moment: self.moment(at), lane };
        self.before[lane] = self.last[lane].replace(point);
        Some(point)
    }

    /// Where `process` did something last, if that is not over; else a moment of its own.
    fn point(&mut self, process: Process, at: Time) -> Option<Point> {
        let lane = self.lane(process)?;
        match self.last[lane] {
            Some(point) if self.diagram.moments[point.moment] == at => Some(point),
            Some(_) | None => self.new_point(process, at),
        }
    }

    /// From where a message leaves that is about `write`: where that was applied, if that is just
    /// now.
    fn origin(&mut self, from: Process, write: Option<WriteId>, at: Time) -> Option<Point> {
        let lane = self.lane(from)?;
        match self.applied[lane] {
            Some((applied, point))
                if Some(applied) == write && self.diagram.moments[point.moment] == at =>
            {
                Some(point)
            }
            Some(_) | None => self.point(from, at),
        }
    }

    pub(super) fn mark(&mut self, at: Point, what: Happening, about: About) {
        self.diagram.marks.push(Mark { at, what, about, role: Role::Aside });
    }

    pub(super) fn begin(&mut self, at: Point, what: Lasting) -> usize {
        self.diagram.bands.push(Band { lane: at.lane, from: at.moment, to: None, what });
        self.diagram.bands.len() - 1
    }

    /// The same, until [`Self::end_band`].
    pub(super) fn begin_open(&mut self, at: Point, what: Lasting) {
        let band = self.begin(at, what);
        self.open.entry((at.lane, what)).or_default().push(band);
    }

    pub(super) fn end_band(&mut self, at: Point, what: Lasting) {
        if let Some(band) = self.open.get_mut(&(at.lane, what)).and_then(Vec::pop) {
            self.diagram.bands[band].to = Some(at.moment);
        }
    }
}
