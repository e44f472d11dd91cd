//! One run with the network between: every branch behind a server of its own, customers and peers
//! both through tonic over loopback sockets. In real time.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, System};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::recorder::{HistoryOutput, Recorder};
use super::result::RunConfig;
use super::single::{Bank, Customers, Run, RunError, RunOptions};
use crate::actors::{
    BranchActor, Clock, Counter, Counters, Desk, Peers, RecorderLink, Surroundings,
};
use crate::bank::{Branch, BranchConfig, Patience};
use crate::grpc::token::BankMark;
use crate::grpc::{
    Channel, ClientSetup, Contract, CounterLink, EdgeError, Endpoint, Ends, Front, FrontSetup,
    Gate, Limits, LinkSetup, Listener, PeerClient, PeerLink, ScenarioFault, ScenarioJob, Services,
};
use crate::model::{BranchId, Promises};
use crate::scenario::Scenario;

/// Far longer than loopback takes; only a defect waits so long.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs `scenario` to its end over loopback sockets, and writes every fact as it happens to
/// `history`, if that is given.
pub fn run_over_grpc(
    scenario: &Scenario,
    options: &RunOptions,
    history: Option<HistoryOutput>,
) -> Result<Run, RunError> {
    let config = RunConfig::new(&scenario.settings, &options.overrides);
    System::new().block_on(async {
        let clock = Clock::real_time();
        let (recorder, link) = Recorder::open(scenario, &config, options, history, clock)?;
        let sockets = Sockets::bind(scenario, &config)?;
        let branches = sockets.open_branches(&link);
        let customers = sockets.admit_customers(&branches, &link);
        let mut servers = sockets.serve(&branches);
        let bank = Bank { config: config.clone(), branches, customers, recorder, clock };
        tokio::select! {
            biased;
            run = bank.serve(scenario) => run,
            ended = servers.join_next() => Err(match ended {
                Some(Ok(Err(error))) => error.into(),
                Some(Ok(Ok(())) | Err(_)) | None => RunError::ActorStopped,
            }),
        }
    })
}

/// Where each branch will be served, and the way there.
struct Sockets<'a> {
    scenario: &'a Scenario,
    config: &'a RunConfig,
    mark: BankMark,
    listeners: Vec<Listener>,
    /// One to each branch, shared by all who speak to it.
    channels: Vec<Channel>,
}

impl<'a> Sockets<'a> {
    fn bind(scenario: &'a Scenario, config: &'a RunConfig) -> Result<Self, RunError> {
        let roster = &scenario.roster;
        let (mut listeners, mut channels) = (Vec::new(), Vec::new());
        for &id in roster.ids() {
            let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let listener = Listener::bind(any_port, Some(id))?;
            let address = format!("http://{}", listener.address());
            let endpoint = Endpoint::new(&address).expect("a socket address is an address");
            channels.push(endpoint.channel());
            listeners.push(listener);
        }
        let mark = BankMark::of(&scenario.name, roster, scenario.opening_balance);
        Ok(Self { scenario, config, mark, listeners, channels })
    }

    fn open_branches(&self, link: &RecorderLink) -> Vec<Addr<BranchActor>> {
        let Self { scenario, config, channels, .. } = self;
        let roster = &scenario.roster;
        let &RunConfig { propagation, overdraft, wait_limit, .. } = *config;
        let patience = Patience {
            confirm_limit: Some(LIMIT),
            wait_limit: Some(wait_limit),
            resend_after: None,
        };
        let branch_config = BranchConfig { propagation, overdraft, patience };
        // All peers are ours and start empty: there is nothing to find out about them.
        let (found, _) = mpsc::unbounded_channel();
        let open = |&here: &BranchId| {
            let context: Context<BranchActor> = Context::new();
            let owner = context.address();
            let links = roster.ids().iter().zip(channels).map(|(&peer, channel)| {
                if peer == here {
                    return owner.clone().recipient();
                }
                let (roster, opening_balance) = (Arc::clone(roster), scenario.opening_balance);
                let ends = Ends { here, peer, roster, opening_balance };
                let setup = LinkSetup {
                    here,
                    owner: owner.clone(),
                    peer,
                    client: PeerClient::new(channel.clone(), ends),
                    contract: Some(Contract::Typed),
                    kept_max: usize::MAX,
                    found: found.clone(),
                };
                PeerLink::new(setup).start().recipient()
            });
            let peers = Peers { roster: Arc::clone(roster), links: links.collect() };
            let surroundings = Surroundings { peers, recorder: link.clone() };
            let opening = scenario.opening_balance;
            let branch = Branch::new(here, Arc::clone(roster), opening, branch_config);
            context.run(BranchActor::new(branch, surroundings))
        };
        roster.ids().iter().map(open).collect()
    }

    fn admit_customers(&self, branches: &[Addr<BranchActor>], link: &RecorderLink) -> Customers {
        let Self { scenario, config, mark, channels, .. } = self;
        let roster = &scenario.roster;
        let ways = roster.ids().iter().zip(channels).zip(branches);
        let counter =
            |((&branch, channel), address): ((&BranchId, &Channel), &Addr<BranchActor>)| {
                let (channel, mark, roster) = (channel.clone(), *mark, Arc::clone(roster));
                let contract = Contract::Typed;
                let setup = ClientSetup { branch, channel, contract, mark, roster };
                let ask = CounterLink::new(setup).start().recipient();
                Counter { ask, settle: address.clone().recipient() }
            };
        let counters = Counters {
            roster: Arc::clone(roster),
            counters: ways.map(counter).collect(),
            queries: config.queries,
        };
        Customers::arrive(&scenario.visits, config, &counters, link)
    }

    /// Starts a server for each branch. Each knows its own branch alone; the desk counts requests
    /// as the customers do, so they share one.
    fn serve(self, branches: &[Addr<BranchActor>]) -> JoinSet<Result<(), EdgeError>> {
        let roster = &self.scenario.roster;
        let promises = Promises {
            all: self.config.guarantees,
            single: self.config.customer_guarantees.clone(),
        };
        let desk = Desk::new(Arc::clone(roster), promises).start();
        let gate = watch::Sender::new(Gate::Open).subscribe();
        let mut servers = JoinSet::new();
        for (listener, address) in self.listeners.into_iter().zip(branches) {
            let own = listener.branch().map(|id| (id, address.clone()));
            let front = Front::new(FrontSetup {
                roster: Arc::clone(roster),
                opening_balance: self.scenario.opening_balance,
                mark: self.mark,
                branches: own.into_iter().collect::<BTreeMap<_, _>>(),
                desk: desk.clone(),
                gate: gate.clone(),
                answer_time_max: None,
            });
            let limits =
                Limits { calls_max: u32::MAX, waiting_max: usize::MAX, ..Limits::default() };
            let services = Services { front, scenarios: Arc::new(run_none), limits };
            servers
                .spawn_local(async move { services.serve(listener, std::future::pending()).await });
        }
        servers
    }
}

/// A bank that is open for one scenario runs no other.
fn run_none(_: ScenarioJob) -> Result<crate::grpc::ScenarioDone, ScenarioFault> {
    Err(ScenarioFault::Run("this bank is open for one scenario and runs no other".to_owned()))
}
