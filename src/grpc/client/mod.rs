//! Calls to branches elsewhere, for branches and for customers here.

mod classic_stub;
mod endpoint;
mod health;
mod peer_client;
mod peer_link;
mod problem;
mod remote_bank;
mod reply;
mod stub;

pub use classic_stub::{ClassicBranch, ReportedState};
pub use endpoint::{Channel, Contract, Endpoint, EndpointError};
pub use health::{HealthProblem, check_health};
pub use peer_client::{LinkError, PeerClient, PeerId};
pub use peer_link::{LinkSetup, PeerFinding, PeerLink};
pub(crate) use peer_link::{LinkState, ReadLink};
pub use problem::{Absence, CallProblem};
pub use remote_bank::{RemoteBank, SETTLE_LIMIT, Standings};
pub use stub::{ClientStub, RemoteBranch, TypedBranch, TypedReply, TypedStub};
