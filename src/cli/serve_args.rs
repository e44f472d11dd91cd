//! The arguments of `passbook serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;

use super::document_args::{DocumentArgs, ONE_DOCUMENT};
use super::exit_codes::ExitCodes;
use super::fault_args::FaultArgs;
use super::memory_args::MemoryArgs;
use super::number::{COUNT, whole};
use super::words::one_of;
use crate::grpc::{Endpoint, EndpointError, Limits, Origin, ScenarioLimits};
use crate::model::{BranchId, Guarantees, IdError, Money, Overdraft, Propagation, Seed};
use crate::network::{Latency, parse_span};
use crate::run::LOG_MAX_MOST;
use crate::scenario::Settings;
use crate::source::Place;

const SERVE_EXAMPLES: &str = "\
Examples:
  passbook serve                                     two branches, on ports 50051 and 50052
  passbook serve --branches 5 --balance 1000 --single-port 50050
  passbook serve --data bank                         kept in a folder, whatever ends the process
  passbook serve --branch 1 --peer 2=http://127.0.0.1:50052
  passbook serve --propagation async --faults loss=0.1 --nemesis partition,crash --nemesis-interval 5s \
    --nemesis-duration 2s
  grpcurl -plaintext 127.0.0.1:50051 passbook.v1.BankService/ListBranches";

#[derive(Debug, Args)]
#[command(after_help = format!("{SERVE_EXAMPLES}\n\n{}", ExitCodes::SERVE))]
pub(super) struct ServeArgs {
    #[arg(help = format!(
        "A scenario whose branches and opening balance are served, without its customers: \
         {ONE_DOCUMENT}"
    ))]
    #[arg(value_name = "SCENARIO", conflicts_with_all = ["branches", "balance"])]
    pub(super) scenario: Option<Place>,

    /// How many branches; they are numbered from 1
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    #[arg(value_parser = whole::<u32>(1..=10_000))]
    pub(super) branches: u32,

    /// What each branch holds at the start
    #[arg(long, value_name = "MONEY", default_value = "0")]
    pub(super) balance: Money,

    /// Serve this branch alone; the others are peers in other processes
    #[arg(long, value_name = "ID", requires = "peer", value_parser = branch_id)]
    pub(super) branch: Option<BranchId>,

    /// A branch in another process; once for each
    #[arg(long, value_name = "ID=URL", requires = "branch")]
    pub(super) peer: Vec<PeerArg>,

    /// Branch 1 listens on the port after this one, and so on; 0: each on a port that is free
    #[arg(long, value_name = "PORT", default_value_t = 50_050, env = "PASSBOOK_BASE_PORT")]
    #[arg(value_parser = whole::<u16>(0..=u16::MAX))]
    pub(super) base_port: u16,

    /// One listener for all branches; classic calls name theirs in the metadata key `branch`
    #[arg(long, value_name = "PORT", conflicts_with = "base_port")]
    #[arg(value_parser = whole::<u16>(0..=u16::MAX))]
    pub(super) single_port: Option<u16>,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    #[arg(env = "PASSBOOK_LISTEN")]
    pub(super) listen: IpAddr,

    /// Keeps the bank in this folder, which is made if it is not there; without it, in memory alone
    #[arg(long, value_name = "DIR", env = "PASSBOOK_DATA")]
    pub(super) data: Option<PathBuf>,

    /// Lets pages of this origin (*: of all) call from a browser, over gRPC-web; once for each
    #[arg(long, value_name = "ORIGIN")]
    pub(super) cors_origin: Vec<Origin>,

    /// How the listeners and the final balances are printed
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) format: ServeFormat,

    /// How writes reach the other branches [default: as the scenario says, else sync]
    #[arg(long, value_parser = one_of::<Propagation>(), value_name = "WHEN")]
    propagation: Option<Propagation>,

    /// What customers are promised: all, none, or some of ryw,mr,mw,wfr [default:
    /// as the scenario says, else all]
    #[arg(long, value_name = "LIST")]
    guarantees: Option<Guarantees>,

    /// What to do with a withdrawal that the balance does not cover [default: as the scenario
    /// says, else allow]
    #[arg(long, value_parser = one_of::<Overdraft>(), value_name = "POLICY")]
    overdraft: Option<Overdraft>,

    /// How long a write waits for the other branches before its outcome is called unknown
    #[arg(long, value_name = "SPAN", default_value = "3s", value_parser = parse_span)]
    pub(super) confirm_limit: Duration,

    /// How long a request waits for what its passbook asks for [default: as the scenario says,
    /// else 10s]
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    wait_limit: Option<Duration>,

    /// How long a branch that has started waits for what its peers know before it serves
    #[arg(long, value_name = "SPAN", default_value = "2s", value_parser = parse_span)]
    pub(super) return_limit: Duration,

    /// How long messages to other branches take, beyond what they need: none, constant:20ms,
    /// uniform:1ms..50ms or exponential:10ms [default: as the scenario says, else none]
    #[arg(long, value_name = "LATENCY")]
    latency: Option<Latency>,

    #[command(flatten)]
    pub(super) faults: FaultArgs,

    /// What latencies and faults are drawn from [default: as the scenario says, else 0]
    #[arg(long, value_name = "NUMBER")]
    #[arg(value_parser = whole::<u64>(0..=u64::MAX))]
    seed: Option<u64>,

    /// Names the bank, so that passbooks of another are refused; the same for all its processes
    #[arg(long, value_name = "NAME")]
    pub(super) bank_name: Option<String>,

    /// The secret that seals passbooks, from `passbook secret`; the same for all its processes
    #[arg(long, value_name = "FILE")]
    pub(super) bank_secret: Option<PathBuf>,

    /// Close when standard input ends, as it does when a parent process dies; a scenario from `-`
    /// is then its first line
    #[arg(long)]
    pub(super) until_stdin_ends: bool,

    #[command(flatten)]
    pub(super) limits: LimitArgs,

    #[command(flatten)]
    pub(super) scenarios: ScenarioArgs,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,
}

impl ServeArgs {
    /// What of them cannot be together, of which clap knows nothing.
    pub(super) fn conflict(&self) -> Option<String> {
        let cannot_be = !self.peer.is_empty() && self.faults.are_given();
        cannot_be.then(|| {
            "faults (`--faults`, `--nemesis`) are simulated between the branches of one process only, \
             not with `--peer`"
                .to_owned()
        })
    }

    /// What overrides the scenario's own settings.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            propagation: self.propagation,
            guarantees: self.guarantees,
            latency: self.latency,
            wait_limit: self.wait_limit,
            overdraft: self.overdraft,
            foul_weather: self.faults.are_given().then(|| Box::new(self.faults.foul_weather())),
            seed: self.seed.map(Seed),
            ..Settings::default()
        }
    }
}

/// What clients and peers may ask, at most.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct LimitArgs {
    /// The size of a message
    #[arg(long, value_name = "BYTES", default_value = "4194304")]
    #[arg(value_parser = whole(COUNT))]
    message_bytes_max: NonZeroUsize,

    /// The size of the headers of a call
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().header_bytes_max)]
    #[arg(value_parser = whole::<u32>(0..=u32::MAX))]
    header_bytes_max: u32,

    /// How many calls of a connection go on at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().calls_max)]
    #[arg(value_parser = whole::<u32>(1..=u32::MAX))]
    calls_max: u32,

    /// How many requests of all connections wait for their branch before more are refused
    #[arg(long, value_name = "NUMBER", default_value = "65536")]
    #[arg(value_parser = whole(COUNT))]
    waiting_max: NonZeroUsize,

    /// How many writes of one peer wait for what they depend on before more of it are refused
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    #[arg(value_parser = whole(COUNT))]
    peer_waiting_max: NonZeroUsize,

    /// How many connections are open; more make those close that make no call, or are refused
    #[arg(long, value_name = "NUMBER", default_value = "4096")]
    #[arg(value_parser = whole(COUNT))]
    connections_max: NonZeroUsize,

    /// How many connections of one address are open
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    #[arg(value_parser = whole(COUNT))]
    address_connections_max: NonZeroUsize,

    /// How long a connection may make no call before it is closed
    #[arg(long, value_name = "SPAN", default_value = "5min", value_parser = parse_span)]
    idle_time_max: Duration,

    /// How long a client may take to begin what it speaks, and to send the head of an HTTP/1
    /// request
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = parse_span)]
    header_time_max: Duration,

    /// How long a client may take to send the message of a request
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = parse_span)]
    body_time_max: Duration,

    /// How much memory all requests take that have not come whole before more are refused
    #[arg(long, value_name = "BYTES", default_value = "67108864")]
    #[arg(value_parser = whole(COUNT))]
    unread_bytes_max: NonZeroUsize,

    /// How long a call may take
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span)]
    call_time_max: Duration,

    /// How many writes of a branch one answer has
    #[arg(long, value_name = "NUMBER", default_value = "10000")]
    #[arg(value_parser = whole(COUNT))]
    log_entries_max: NonZeroUsize,

    /// How many writes are kept for a peer that is away, or, with faults or --data, for a branch that
    /// does not confirm them, before no more are taken
    #[arg(long, value_name = "NUMBER", default_value = "10000")]
    #[arg(value_parser = whole(COUNT))]
    pub(super) kept_max: NonZeroUsize,

    /// How many writes a branch holds before it takes no more of customers; it still answers
    /// queries, and applies what other branches took [default: what has room in half of what
    /// --memory-max leaves]
    #[arg(long, value_name = "NUMBER")]
    #[arg(value_parser = whole::<u64>(1..=LOG_MAX_MOST))]
    pub(super) log_max: Option<u64>,

    /// How many customers are remembered that bring no passbook or no event ids; then those are
    /// forgotten that have not come for the longest time
    #[arg(long, value_name = "NUMBER", default_value = "100000")]
    #[arg(value_parser = whole(COUNT))]
    pub(super) sessions_max: NonZeroUsize,
}

impl From<LimitArgs> for Limits {
    fn from(args: LimitArgs) -> Self {
        let LimitArgs { header_bytes_max, calls_max, call_time_max, .. } = args;
        let LimitArgs { idle_time_max, header_time_max, body_time_max, .. } = args;
        Self {
            message_bytes_max: args.message_bytes_max.get(),
            header_bytes_max,
            calls_max,
            waiting_max: args.waiting_max.get(),
            peer_waiting_max: args.peer_waiting_max.get(),
            connections_max: args.connections_max.get(),
            address_connections_max: args.address_connections_max.get(),
            idle_time_max,
            header_time_max,
            body_time_max,
            unread_bytes_max: args.unread_bytes_max.get(),
            call_time_max,
            log_entries_max: args.log_entries_max.get(),
        }
    }
}

/// What scenarios of clients may take, at most.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ScenarioArgs {
    /// How many scenarios of clients run, or are being read, at the same time
    #[arg(long, value_name = "NUMBER", default_value = "4")]
    #[arg(value_parser = whole::<u16>(1..=1024))]
    scenarios_max: u16,

    /// How many events a scenario of a client may have, times its branches
    #[arg(long, value_name = "NUMBER", default_value_t = ScenarioLimits::default().events_max)]
    #[arg(value_parser = whole::<u64>(0..=u64::MAX))]
    scenario_events_max: u64,

    /// How long a scenario of a client may run, and then be read; no longer than --call-time-max
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    scenario_time_max: Duration,
}

impl From<ScenarioArgs> for ScenarioLimits {
    fn from(args: ScenarioArgs) -> Self {
        Self {
            scenarios_max: args.scenarios_max.into(),
            events_max: args.scenario_events_max,
            time_max: args.scenario_time_max,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ServeFormat {
    /// A line for people
    #[default]
    Text,
    /// A line of JSON
    Json,
}

/// A branch elsewhere: `2=http://127.0.0.1:50052`.
#[derive(Debug, Clone)]
pub(super) struct PeerArg {
    pub(super) id: BranchId,
    pub(super) endpoint: Endpoint,
}

#[derive(Debug, Error)]
pub(super) enum PeerArgError {
    #[error("write it as ID=URL, such as 2=http://127.0.0.1:50052")]
    NoId,
    #[error("{0}")]
    Id(#[from] BranchArgError),
    #[error("{0}")]
    Url(#[from] EndpointError),
}

#[derive(Debug, Error)]
pub(super) enum BranchArgError {
    #[error("'{found}' is no branch; an id is a whole number from 1")]
    NotANumber { found: String },
    #[error("{0}")]
    Id(#[from] IdError),
}

impl FromStr for PeerArg {
    type Err = PeerArgError;

    fn from_str(text: &str) -> Result<Self, PeerArgError> {
        let (id, url) = text.split_once('=').ok_or(PeerArgError::NoId)?;
        // The URL first: what stands before the equals sign may be a part of a secret in it.
        let endpoint = Endpoint::new(url)?;
        Ok(Self { id: branch_id(id)?, endpoint })
    }
}

fn branch_id(text: &str) -> Result<BranchId, BranchArgError> {
    let number: i64 =
        text.parse().map_err(|_| BranchArgError::NotANumber { found: text.to_owned() })?;
    Ok(BranchId::new(number)?)
}
