//! The edge: wire contracts served and spoken. Parses, sends to the actors' mailboxes and maps the
//! answers; decides nothing about money.

mod classic_status;
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
mod user_info;

pub use client::{
    Absence, CallProblem, Channel, ClassicBranch, ClientStub, Contract, Endpoint, EndpointError,
    HealthProblem, LinkError, LinkSetup, PeerClient, PeerFinding, PeerId, PeerLink, RemoteBank,
    RemoteBranch, ReportedState, SETTLE_LIMIT, Standings, TypedBranch, TypedReply, TypedStub,
    check_health,
};
pub use proof::{Identity, Ticket};
pub use server::{
    Believed, BindError, BranchListener, BranchListenerError, ConnectionCounts, Connections,
    Connector, EdgeError, Expectation, Gate, Gateway, GatewaySetup, InputFault, InputPlace,
    LimitTeller, Limits, Listener, Medium, Origin, OriginError, PeersElsewhere, ScenarioDone,
    ScenarioFault, ScenarioJob, ScenarioLimits, ScenarioRunner, Scenarios, Services,
};
pub(crate) use user_info::without_user_info;
