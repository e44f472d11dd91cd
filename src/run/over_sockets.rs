//! One run with the network between: every branch behind a server of its own, customers and peers
//! both through tonic over loopback sockets. In real time.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use actix::{Actor, Addr, System};
use tokio::task::JoinSet;

use super::bank::addresses;
use super::options::{RunError, RunOptions};
use super::recorder::{HistoryOutput, Recorder};
use super::result::RunConfig;
use super::socket_bank::{LIMIT, SocketBank};
use super::stage::CustomerSeat;
use super::virtual_time::{Bank, Customers, Run, barrier};
use crate::actors::{BranchActor, Counters, RecorderLink, TimeSource};
use crate::grpc::seal::{BankKeys, BankSecret};
use crate::grpc::{Channel, ClientStub, EdgeError, Endpoint, Listener, RemoteBranch, TypedBranch};
use crate::model::BranchId;
use crate::scenario::Scenario;

/// Runs `scenario` to its end over loopback sockets, and writes every fact as it happens to
/// `history`, if that is given.
pub fn run_over_grpc(
    scenario: &Scenario,
    options: &RunOptions,
    history: Option<HistoryOutput>,
) -> Result<Run, RunError> {
    let config = RunConfig::checked(&scenario.settings, &options.overrides)?;
    config.refuse_faults()?;
    System::new().block_on(async {
        let clock = TimeSource::real_time();
        let (recorder, link) = Recorder::open(scenario, &config, options, history, clock.clone())?;
        let sockets = Sockets::bind(scenario, &config)?;
        let branches = sockets.socket_bank().open_branches(&link);
        let addresses = addresses(&branches);
        let mut seats = Vec::new();
        let customers = sockets.admit_customers(&mut seats, &addresses, &link);
        let mut servers = sockets.serve(&addresses);
        let branches = &*branches;
        let (config, chances, rest) = (config.clone(), options.chances, options.rest);
        let bank = Bank { config, branches, customers, recorder, clock, harm: None, chances, rest };
        tokio::select! {
            biased;
            run = bank.serve(scenario) => Ok(*run?),
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
    keys: BankKeys,
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
        let secret = BankSecret::random()?;
        let keys = BankKeys::new(&secret, &scenario.name, roster, scenario.opening_balance);
        Ok(Self { scenario, config, keys, listeners, channels })
    }

    fn socket_bank(&self) -> SocketBank<'_> {
        SocketBank {
            roster: &self.scenario.roster,
            opening_balance: self.scenario.opening_balance,
            keys: &self.keys,
            branch: self.config.branch(Some(LIMIT)),
            channels: &self.channels,
        }
    }

    fn admit_customers<'s>(
        &self,
        seats: &'s mut Vec<CustomerSeat>,
        branches: &[Addr<BranchActor>],
        link: &RecorderLink,
    ) -> Customers<'s> {
        let Self { scenario, config, keys, channels, .. } = self;
        let roster = &scenario.roster;
        let counter = |(&branch, channel): (&BranchId, &Channel)| {
            let (channel, tokens) = (channel.clone(), keys.tokens.clone());
            let roster = Arc::clone(roster);
            let branch = TypedBranch { branch, channel, tokens, roster };
            ClientStub::new(RemoteBranch::Typed(branch)).start().recipient()
        };
        let settle = || branches.iter().map(|branch| branch.clone().recipient()).collect();
        let counters = Counters {
            roster: Arc::clone(roster),
            counters: roster.ids().iter().zip(channels).map(counter).collect(),
            barrier: barrier(config.queries, &link.clock, settle),
        };
        Customers::arrive(seats, &scenario.visits, config, &counters, link)
    }

    /// Starts a server for each branch.
    fn serve(self, branches: &[Addr<BranchActor>]) -> JoinSet<Result<(), EdgeError>> {
        let services = self.socket_bank().services(branches, self.config.guarantees.clone());
        let mut servers = JoinSet::new();
        for (listener, (_, services)) in self.listeners.into_iter().zip(services) {
            servers
                .spawn_local(async move { services.serve(listener, std::future::pending()).await });
        }
        servers
    }
}
