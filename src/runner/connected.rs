//! One run whose branches run somewhere already, ours or not: customers here ask them over the
//! classic contract. In real time.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, System};

use super::result::{BranchResult, CustomerResult, LoggedWrite, RunConfig, RunResult, VisitResult};
use super::single::{Customers, Run, RunError, RunOptions};
use crate::actors::{Clock, Counter, Counters, Detail, RecorderLink};
use crate::grpc::token::BankMark;
use crate::grpc::{Channel, ClientSetup, Contract, CounterLink, Endpoint, RemoteState, read_state};
use crate::model::{BranchId, LogPosition, Operation, Sequence, Write, WriteId};
use crate::scenario::Scenario;

/// Where each branch of a scenario runs.
pub type Endpoints = BTreeMap<BranchId, Endpoint>;

/// Runs the customers of `scenario` against branches that run at `endpoints`.
pub fn run_connected(
    scenario: &Scenario,
    options: &RunOptions,
    endpoints: &Endpoints,
) -> Result<Run, RunError> {
    let config = RunConfig::new(&scenario.settings, &options.overrides);
    System::new().block_on(async {
        // What goes on between branches elsewhere is not known here: there are no facts to record,
        // and nothing to judge.
        let clock = Clock::real_time();
        let link = RecorderLink { clock, recorder: None, detail: Detail::Essentials };
        let channels = connect(scenario, endpoints).await?;
        let customers = admit_customers(scenario, &config, &channels, &link);
        customers.make_visits(config.customers, &scenario.visits).await?;
        let mut customers = customers.leave().await?;
        let branches = read_branches(scenario, &channels, &customers, endpoints).await?;
        place_requests(&mut customers, &branches);
        let result = RunResult {
            scenario: scenario.name.clone(),
            config,
            opening_balance: scenario.opening_balance,
            branches,
            customers,
            visits: scenario.visits.iter().map(VisitResult::from).collect(),
            written_ids: scenario.written_ids.clone(),
            warnings: scenario.warnings.clone(),
            ended: clock.now(),
            verdicts: None,
            expected: scenario.expected.clone(),
        };
        Ok(Run { result, facts: Vec::new() })
    })
}

async fn connect(
    scenario: &Scenario,
    endpoints: &Endpoints,
) -> Result<BTreeMap<BranchId, Channel>, RunError> {
    let mut channels = BTreeMap::new();
    for &branch in scenario.roster.ids() {
        let endpoint = endpoints.get(&branch).ok_or(RunError::NoEndpoint { branch })?;
        let channel = endpoint.connect().await.map_err(|source| RunError::Remote {
            branch,
            address: endpoint.address().to_owned(),
            source,
        })?;
        channels.insert(branch, channel);
    }
    Ok(channels)
}

fn admit_customers(
    scenario: &Scenario,
    config: &RunConfig,
    channels: &BTreeMap<BranchId, Channel>,
    link: &RecorderLink,
) -> Customers {
    let roster = &scenario.roster;
    // The classic contract carries no passbook: the branches keep one, or keep none.
    let mark = BankMark::of("", roster, scenario.opening_balance);
    let counter = |(&branch, channel): (&BranchId, &Channel)| {
        let (channel, roster) = (channel.clone(), Arc::clone(roster));
        let setup = ClientSetup { branch, channel, contract: Contract::Classic, mark, roster };
        let link = CounterLink::new(setup).start();
        Counter { ask: link.clone().recipient(), settle: link.recipient() }
    };
    let counters = Counters {
        roster: Arc::clone(roster),
        counters: channels.iter().map(counter).collect(),
        queries: config.queries,
    };
    Customers::arrive(&scenario.visits, config, &counters, link)
}

/// Asks each branch how it stands. The classic contract tells write sets, not an apply log: what is
/// made of them has each customer's writes in their order, one customer after the other.
async fn read_branches(
    scenario: &Scenario,
    channels: &BTreeMap<BranchId, Channel>,
    customers: &[CustomerResult],
    endpoints: &Endpoints,
) -> Result<Vec<BranchResult>, RunError> {
    let made = writes_made(customers);
    let mut branches = Vec::with_capacity(channels.len());
    for (&id, channel) in channels {
        let mut log = Vec::new();
        let mut balance = scenario.opening_balance;
        for customer in customers {
            let state = read_state(channel.clone(), customer.id).await;
            let RemoteState { balance: told, write_set } = state.map_err(|source| {
                let address = endpoints[&id].address().to_owned();
                RunError::Remote { branch: id, address, source }
            })?;
            balance = told;
            for event in write_set {
                let write = WriteId { customer: customer.id, event };
                match made.get(&write) {
                    Some(&made) => log.push(made),
                    None => log::warn!("branch {id} holds {write}, which is not of this run"),
                }
            }
        }
        branches.push(BranchResult { id, balance, log: Arc::new(log) });
    }
    Ok(branches)
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
fn writes_made(customers: &[CustomerResult]) -> BTreeMap<WriteId, LoggedWrite> {
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
) -> LoggedWrite {
    let sequence = accepted.entry(origin).or_default();
    *sequence = sequence.next();
    LoggedWrite { id, write, origin, sequence: *sequence }
}
