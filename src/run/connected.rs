//! One run whose branches run somewhere already, ours or not: customers here ask them over the
//! classic contract. In real time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, System};
use tokio::task::JoinSet;

use super::options::{RunError, RunOptions};
use super::remote::{ConnectedBank, HeldBefore, NotThere};
use super::result::{BranchResult, CustomerResult, RunConfig, RunResult, VisitResult};
use super::stage::CustomerSeat;
use super::virtual_time::{Customers, Run, barrier};
use crate::actors::{Counters, Detail, RecorderLink, TimeSource};
use crate::grpc::{
    CallProblem, ClassicBranch, ClientStub, Endpoint, RemoteBank, RemoteBranch, ReportedState,
    SETTLE_LIMIT, Standings,
};
use crate::model::{
    BranchId, Dot, LogEntry, LogPosition, Money, Operation, Sequence, Write, WriteId,
};
use crate::scenario::Scenario;

/// A bank that runs elsewhere, and how its branches are met.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Where each branch runs.
    pub endpoints: BTreeMap<BranchId, Endpoint>,
    /// How long each call may take.
    pub call_limit: Duration,
    /// What branches may hold before the run.
    pub opening: Opening,
}

/// What branches elsewhere may hold before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Anything: it is taken as the opening balance.
    AsFound,
    /// The scenario's opening balance, and no write of its customers.
    Fresh,
}

/// Runs the customers of `scenario` against the branches of `connection`.
pub fn run_connected(
    scenario: &Scenario,
    options: &RunOptions,
    connection: &Connection,
) -> Result<Run, RunError> {
    let config = RunConfig::checked(&scenario.settings, &options.overrides)?;
    config.refuse_faults()?;
    System::new().block_on(async {
        // What goes on between branches elsewhere is not known here: there are no facts to record,
        // and nothing to judge.
        let clock = TimeSource::real_time();
        let link =
            RecorderLink { clock: clock.clone(), observer: None, detail: Detail::Essentials };
        let (bank, before) = meet(scenario, connection).await?;
        let mut held_before = held_before(&before);
        let leftovers = leftovers(scenario, &held_before);
        match connection.opening {
            Opening::Fresh if !leftovers.is_empty() => {
                let opening_balance = scenario.opening_balance;
                return Err(RunError::NotFresh { leftovers, opening_balance });
            }
            Opening::Fresh | Opening::AsFound if leftovers.is_empty() => held_before.clear(),
            Opening::Fresh | Opening::AsFound => {}
        }
        let mut seats = Vec::new();
        let customers = admit_customers(&mut seats, scenario, &config, &bank, &link);
        customers.make_visits(config.customers, &scenario.visits).await?;
        let (mut customers, _) = customers.leave()?;
        let ended = clock.now();
        // With async propagation the last writes may still be under way.
        bank.settle().await;
        let after = bank.standings().await;
        let branches = branch_results(&customers, &before, &after);
        place_requests(&mut customers, &branches);
        let remote = ConnectedBank {
            addresses: addresses(scenario, connection),
            held_before,
            unsettled: bank.unsettled(),
            settle_limit: SETTLE_LIMIT,
            silent: after.iter().filter_map(silence).collect(),
        };
        let result = RunResult {
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            config,
            opening_balance: opening_balance(&before).unwrap_or(scenario.opening_balance),
            branches,
            customers,
            visits: scenario.visits.iter().map(VisitResult::from).collect(),
            weather: None,
            written_ids: scenario.written_ids.clone(),
            warnings: scenario.warnings.clone(),
            ended,
            verdicts: None,
            expected: scenario.expected.clone(),
            remote: Some(remote),
        };
        Ok(Run { result, facts: Vec::new(), messages: 0, decided: None, restless: None })
    })
}

/// Finds each branch of `scenario`, and asks it how it stands. An error where something else is in
/// its place; a branch that is there and does not say is met again by the customers.
async fn meet(
    scenario: &Scenario,
    connection: &Connection,
) -> Result<(RemoteBank, Standings), RunError> {
    let Connection { endpoints, call_limit, .. } = connection;
    let mut customers = Vec::new();
    for visit in &scenario.visits {
        if !customers.contains(&visit.customer) {
            customers.push(visit.customer);
        }
    }
    let customers: Arc<[_]> = customers.into();
    let mut met = JoinSet::new();
    for &branch in scenario.roster.ids() {
        let endpoint = endpoints.get(&branch).ok_or(RunError::NoEndpoint { branch })?.clone();
        let (customers, limit) = (Arc::clone(&customers), *call_limit);
        met.spawn(async move {
            let address = endpoint.address().to_owned();
            let met = match ClassicBranch::connect(branch, endpoint, limit).await {
                Ok(there) => match there.standing(&customers).await {
                    Err(CallProblem::Absent(absence)) => Err(there.find_out(absence).await),
                    standing => Ok((there, standing)),
                },
                Err(absence) => Err(absence),
            };
            (branch, met.map_err(|absence| NotThere { branch, address, absence }))
        });
    }
    let met: BTreeMap<_, _> = met.join_all().await.into_iter().collect();
    let (mut branches, mut before, mut not_there) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (branch, met) in met {
        match met {
            Ok((there, standing)) => {
                branches.push(there);
                before.insert(branch, standing);
            }
            Err(problem) => not_there.push(problem),
        }
    }
    if !not_there.is_empty() {
        return Err(RunError::NotThere(not_there));
    }
    for (branch, problem) in before.iter().filter_map(silence) {
        log::warn!("branch {branch} does not say how it stands: it {problem}");
    }
    Ok((RemoteBank::new(branches, customers.to_vec()), before))
}

fn silence(
    (&branch, standing): (&BranchId, &Result<ReportedState, CallProblem>),
) -> Option<(BranchId, String)> {
    Some((branch, standing.as_ref().err()?.to_string()))
}

fn addresses(scenario: &Scenario, connection: &Connection) -> BTreeMap<BranchId, String> {
    let address = |id: &BranchId| Some((*id, connection.endpoints.get(id)?.address().to_owned()));
    scenario.roster.ids().iter().filter_map(address).collect()
}

/// What the first branch that tells held; the others should hold the same.
fn opening_balance(before: &Standings) -> Option<Money> {
    before.values().flatten().map(|standing| standing.balance).next()
}

/// What each branch held, of those that tell.
fn held_before(before: &Standings) -> Vec<HeldBefore> {
    let held = |(&branch, standing): (&BranchId, &Result<ReportedState, CallProblem>)| {
        let ReportedState { balance, write_sets } = standing.as_ref().ok()?.clone();
        let write_sets = write_sets.into_iter().filter(|(_, write_set)| !write_set.is_empty());
        Some(HeldBefore { branch, balance, write_sets: write_sets.collect() })
    };
    before.iter().filter_map(held).collect()
}

/// What is not as `scenario` says: another balance, or writes of its customers.
fn leftovers(scenario: &Scenario, held: &[HeldBefore]) -> Vec<HeldBefore> {
    let is_fresh =
        |of: &&HeldBefore| of.balance == scenario.opening_balance && of.write_sets.is_empty();
    held.iter().filter(|of| !is_fresh(of)).cloned().collect()
}

fn admit_customers<'s>(
    seats: &'s mut Vec<CustomerSeat>,
    scenario: &Scenario,
    config: &RunConfig,
    bank: &RemoteBank,
    link: &RecorderLink,
) -> Customers<'s> {
    let counter = |branch: &ClassicBranch| {
        ClientStub::new(RemoteBranch::Classic(branch.clone())).start().recipient()
    };
    let counters = Counters {
        roster: Arc::clone(&scenario.roster),
        counters: bank.branches().iter().map(counter).collect(),
        barrier: barrier(config.queries, &link.clock, || vec![bank.clone().start().recipient()]),
    };
    Customers::arrive(seats, &scenario.visits, config, &counters, link)
}

/// The branches that say how they stand. The classic contract gives write sets, not an apply log:
/// what is made of them has each customer's writes in their order, one customer after the other.
fn branch_results(
    customers: &[CustomerResult],
    before: &Standings,
    after: &Standings,
) -> Vec<BranchResult> {
    let made = writes_made(customers);
    let mut branches = Vec::new();
    for (&id, standing) in after {
        let Ok(ReportedState { balance, write_sets }) = standing else { continue };
        let known = before.get(&id).and_then(|before| before.as_ref().ok());
        let mut log = Vec::new();
        for customer in customers {
            let known = known.and_then(|known| known.write_sets.get(&customer.id));
            for &event in write_sets.get(&customer.id).into_iter().flatten() {
                let write = WriteId { customer: customer.id, event };
                match made.get(&write) {
                    Some(&made) => log.push(made),
                    None if known.is_some_and(|known| known.contains(&event)) => {}
                    None => log::warn!("branch {id} holds {write}, which is not of this run"),
                }
            }
        }
        branches.push(BranchResult { id, balance: *balance, log: Arc::new(log) });
    }
    branches
}

/// The classic contract does not tell how long a branch's log was when it answered: a request is
/// placed after the writes that its customer had made before.
fn place_requests(customers: &mut [CustomerResult], branches: &[BranchResult]) {
    let places: BTreeMap<(BranchId, WriteId), LogPosition> = branches
        .iter()
        .flat_map(|branch| {
            (1..)
                .map(LogPosition::new)
                .zip(branch.log.iter())
                .map(|(place, entry)| ((branch.id, entry.id), place))
        })
        .collect();
    for customer in customers {
        let mut reached = BTreeMap::<BranchId, LogPosition>::new();
        for request in &mut customer.requests {
            let id = WriteId { customer: customer.id, event: request.event };
            if let (Operation::Write(_), true) = (request.operation, request.outcome.is_ok()) {
                for branch in branches {
                    let place = places.get(&(branch.id, id)).copied();
                    let reached = reached.entry(branch.id).or_default();
                    *reached = place.unwrap_or_default().max(*reached);
                }
            }
            request.position = reached.get(&request.branch).copied().unwrap_or_default();
        }
    }
}

/// The writes that customers asked for, by name; the first counts, for it names the write.
fn writes_made(customers: &[CustomerResult]) -> BTreeMap<WriteId, LogEntry> {
    let mut made = BTreeMap::new();
    let mut accepted = BTreeMap::<BranchId, Sequence>::new();
    for customer in customers {
        for request in &customer.requests {
            let Operation::Write(write) = request.operation else { continue };
            let id = WriteId { customer: customer.id, event: request.event };
            made.entry(id).or_insert_with(|| logged(id, write, request.branch, &mut accepted));
        }
    }
    made
}

fn logged(
    id: WriteId,
    write: Write,
    origin: BranchId,
    accepted: &mut BTreeMap<BranchId, Sequence>,
) -> LogEntry {
    let sequence = accepted.entry(origin).or_default();
    *sequence = sequence.next();
    LogEntry { id, write, dot: Dot::first_life(origin, *sequence) }
}
