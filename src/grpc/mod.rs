//! The edge: wire contracts served and spoken. Parses, sends to the actors' mailboxes and maps the
//! answers; decides nothing about money.

mod accept;
mod believed;
mod classic;
mod classic_client;
mod client;
mod connections;
pub mod convert;
mod counted;
mod counting;
mod counts;
mod deadline;
mod directory;
mod door;
mod edge;
mod error;
mod error_reason;
mod front;
mod gather;
mod http;
mod layer;
mod limit;
mod link;
mod origin;
mod outgoing;
mod pages;
mod peer;
mod problem;
mod proof;
pub mod proto;
mod reason;
mod remote;
mod remote_bank;
mod room;
mod scenario;
mod scenarios;
pub mod seal;
mod statistics;
pub mod status;
mod tally;
pub mod token;
mod trailers;
mod typed;
mod unread;
mod watch;
mod wire;

pub use believed::{Believed, PeersElsewhere};
pub use classic_client::{ClassicBranch, Standing};
pub use client::{CounterLink, RemoteBranch, TypedBranch, TypedCounter, TypedReply};
pub use connections::{ConnectionCounts, Connections};
pub use door::{Door, DoorError, Medium, Way};
pub use edge::{BindError, EdgeError, Limits, Listener, Services};
pub use front::{Front, FrontSetup, Gate};
pub use link::{Found, LinkSetup, PeerLink};
pub use origin::{Origin, OriginError};
pub use problem::{Absence, CallProblem};
pub use proof::{Identity, Ticket};
pub use remote::{Channel, Contract, Endpoint, EndpointError};
pub use remote_bank::{RemoteBank, SETTLE_LIMIT, Standings};
pub use scenario::{
    Expectation, InputFault, InputPlace, ScenarioDone, ScenarioFault, ScenarioJob, ScenarioRunner,
};
pub use scenarios::{ScenarioLimits, Scenarios};
pub use statistics::LimitTeller;
pub use wire::{Ends, LinkError, PeerClient};
