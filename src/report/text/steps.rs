//! What each branch received, applied, propagated and confirmed for one event, and whether the
//! write sets agree after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::verbosity::{EventOrder, Verbosity, running_items};
use crate::model::{BranchId, CustomerId, Money, Operation, Receipt, RequestError, WriteId};
use crate::report::broken::BrokenSteps;
use crate::report::palette::{BAD, GOOD, MAYBE, NO, PLAIN, QUIET, UNSURE, YES};
use crate::report::table::{Cell, Row};
use crate::report::trace::{
    Comparison, Confirmation, Delivery, Holding, Peer, RequestTrace, Trace,
};
use crate::report::words::{branches, count, every_branch, grouped, span, verb, write_set};
use crate::run::RequestResult;

/// What the context of every event needs.
#[derive(Debug)]
pub(super) struct EventContext<'a> {
    pub(super) trace: &'a Trace<'a>,
    pub(super) broken: &'a BrokenSteps,
    /// How many branches the bank has.
    pub(super) branches: usize,
    pub(super) verbosity: Verbosity,
    pub(super) order: EventOrder,
}

/// Branches up to which each has its own line.
const BRANCHES_MOST: usize = 8;

pub(super) fn rows(
    context: &EventContext<'_>,
    customer: CustomerId,
    request: &RequestResult,
    request_trace: &RequestTrace<'_>,
) -> Vec<Row> {
    let received = Cell::plain(format!("asked by customer {customer}"));
    let mut asked = vec![branch_cell(&[request.branch]), received];
    match request_trace.applied {
        Some(balance) => asked.push(applied(Duration::ZERO, (balance, balance))),
        None => asked.push(answered(request)),
    }
    if request_trace.applied.is_none() && request_trace.peers.is_empty() {
        return vec![asked];
    }
    asked.push(propagated(request_trace));
    let mut rows = vec![asked];
    let each = context.verbosity == Verbosity::Verbose || context.branches <= BRANCHES_MOST;
    if each {
        let peers = request_trace.peers.iter();
        rows.extend(peers.map(|(&id, peer)| peer_row(request.branch, &[(id, *peer)])));
    } else {
        rows.extend(alike(request_trace).values().map(|peers| peer_row(request.branch, peers)));
    }
    rows.push(vec![Cell::new(QUIET, "check"), check(context, customer, request, request_trace)]);
    rows
}

fn branch_cell(ids: &[BranchId]) -> Cell {
    Cell::new(QUIET, branches(ids))
}

/// What the branch did with a request that added nothing to its apply log.
fn answered(request: &RequestResult) -> Cell {
    let writes = request.position.get();
    match (&request.operation, &request.outcome) {
        (_, Ok(Receipt::Balance(_))) => {
            Cell::plain(format!("answered after {}", count(writes, "write")))
        }
        (Operation::Write(_), Err(RequestError::Refused(_))) => Cell::plain("not applied"),
        (_, Err(RequestError::VersionNotReached { .. })) => Cell::plain("waited in vain"),
        (Operation::Write(_), Ok(Receipt::Written)) => {
            Cell::plain("already applied, answered again")
        }
        (Operation::Write(_) | Operation::Query, Ok(_) | Err(_)) => Cell::plain("not confirmed"),
    }
}

/// `applied after 50 ms, balance 400`: the least and the most where there are several.
fn applied(lag: Duration, (least, most): (Money, Money)) -> Cell {
    let after = if lag.is_zero() { String::new() } else { format!(" after {}", span(lag)) };
    if least == most {
        Cell::plain(format!("applied{after}, now {least}"))
    } else {
        Cell::plain(format!("applied{after}, now {least} to {most}"))
    }
}

fn propagated(request_trace: &RequestTrace<'_>) -> Cell {
    if request_trace.peers.is_empty() {
        return Cell::plain("no other branch");
    }
    let peers: Vec<BranchId> = request_trace.peers.keys().copied().collect();
    let named = if peers.len() < BRANCHES_MOST {
        branches(&peers)
    } else {
        format!("{} branches", grouped(peers.len()))
    };
    Cell::plain(format!("propagated to {named}"))
}

/// How far a write came, without the balance.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Progress {
    delivery: Delivery,
    held: Holding,
    confirmation: Confirmation,
}

type Peers = Vec<(BranchId, Peer)>;

/// The other branches, those that came equally far together.
fn alike(request_trace: &RequestTrace<'_>) -> BTreeMap<Progress, Peers> {
    let mut groups: BTreeMap<Progress, Peers> = BTreeMap::new();
    for (&id, &peer) in &request_trace.peers {
        let Peer { delivery, held, confirmation, .. } = peer;
        let progress = Progress { delivery, held, confirmation };
        groups.entry(progress).or_default().push((id, peer));
    }
    groups
}

/// The line of some branches that came equally far.
fn peer_row(origin: BranchId, peers: &[(BranchId, Peer)]) -> Row {
    let ids: Vec<BranchId> = peers.iter().map(|(id, _)| *id).collect();
    let Some((_, like)) = peers.first() else { return Vec::new() };
    let received = match like.delivery {
        Delivery::Received => Cell::plain(format!("received from branch {origin}")),
        Delivery::Sent => Cell::new(UNSURE, "not received"),
    };
    let balances = || peers.iter().filter_map(|(_, peer)| peer.balance);
    let slowest = peers.iter().map(|(_, peer)| peer.lag).max().unwrap_or_default();
    let applied = match (like.held, balances().min(), balances().max()) {
        (_, Some(least), Some(most)) => applied(slowest, (least, most)),
        (Holding::Already, _, _) => Cell::plain("already applied"),
        (Holding::No | Holding::Applied, _, _) => Cell::new(UNSURE, "not applied"),
    };
    let confirmed = match like.confirmation {
        Confirmation::Received if peers.len() == 1 => {
            Cell::plain(format!("confirmed to branch {origin}"))
        }
        Confirmation::Received => {
            Cell::plain(format!("all {} confirmed to branch {origin}", grouped(peers.len())))
        }
        Confirmation::Missing => Cell::new(UNSURE, "not confirmed"),
    };
    vec![branch_cell(&ids), received, applied, confirmed]
}

/// Whether all branches hold the same writes of the customer.
fn check(
    context: &EventContext<'_>,
    customer: CustomerId,
    request: &RequestResult,
    request_trace: &RequestTrace<'_>,
) -> Cell {
    let id = WriteId { customer, event: request.event };
    let events = context.trace.write_set(request.branch, id);
    let set = write_set(&events, running_items(context.verbosity));
    let found = |wanted: Option<Comparison>| -> Vec<BranchId> {
        let peers = request_trace.peers.iter().filter(|(_, peer)| peer.comparison == wanted);
        peers.map(|(id, _)| *id).collect()
    };
    let different = found(Some(Comparison::Different));
    if !different.is_empty() {
        return differ(context, (request.branch, id), &different, &set);
    }
    let missing = found(None);
    if !missing.is_empty() {
        let same = 1 + found(Some(Comparison::Same)).len();
        let (same_of, hold) = (grouped(same), verb(same, "hold"));
        let all = grouped(context.branches);
        let who = branches(&missing);
        let text =
            format!(" {same_of} of {all} branches {hold} write set {set}, not heard from {who}");
        return Cell::new(UNSURE, MAYBE).and(PLAIN, text);
    }
    let (who, hold) = (every_branch(context.branches), verb(context.branches, "hold"));
    Cell::new(GOOD, YES).and(PLAIN, format!(" {who} {hold} write set {set}"))
}

/// The branches `different` confirmed the write `id` with another write set than the branch
/// `asked`, which holds `set` up to it.
fn differ(
    context: &EventContext<'_>,
    (asked, id): (BranchId, WriteId),
    different: &[BranchId],
    set: &str,
) -> Cell {
    let (who, hold) = (branches(different), verb(different.len(), "hold"));
    let set_of = |branch| {
        let events = context.trace.write_set(branch, id);
        write_set(&events, running_items(context.verbosity))
    };
    let sets: BTreeSet<String> = different.iter().map(|&branch| set_of(branch)).collect();
    let text = match sets.iter().collect::<Vec<_>>()[..] {
        // They had not heard of the same writes under one id, and have since.
        [same] if same == set => {
            let text =
                format!(" {who} held another write set than branch {asked}, and {hold} {set} now");
            return Cell::new(UNSURE, MAYBE).and(PLAIN, text);
        }
        [other] => format!(" {who} {hold} write set {other}, branch {asked} holds {set}"),
        _ => format!(" {who} {hold} other write sets than {set}"),
    };
    Cell::new(BAD, NO).and(PLAIN, text)
}
