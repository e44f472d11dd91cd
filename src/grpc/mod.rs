//! The edge: wire contracts served and spoken. Parses, sends to the actors' mailboxes and maps the
//! answers; decides nothing about money.

mod client;
pub mod convert;
mod error;
mod error_reason;
mod proof;
pub mod proto;
mod room;
pub mod seal;
mod server;
pub mod status;
pub mod token;
mod trailers;

pub use client::{
    Absence, CallProblem, Channel, ClassicBranch, Contract, CounterLink, Endpoint, EndpointError,
    Ends, Found, LinkError, LinkSetup, PeerClient, PeerLink, RemoteBank, RemoteBranch,
    SETTLE_LIMIT, Standing, Standings, TypedBranch, TypedCounter, TypedReply,
};
pub use proof::{Identity, Ticket};
pub use server::{
    Believed, BindError, ConnectionCounts, Connections, Door, DoorError, EdgeError, Expectation,
    Front, FrontSetup, Gate, InputFault, InputPlace, LimitTeller, Limits, Listener, Medium, Origin,
    OriginError, PeersElsewhere, ScenarioDone, ScenarioFault, ScenarioJob, ScenarioLimits,
    ScenarioRunner, Scenarios, Services, Way,
};
