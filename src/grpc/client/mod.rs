//! Calls to branches elsewhere, for branches and for customers here.

mod classic_stub;
mod endpoint;
mod peer_client;
mod peer_link;
mod problem;
mod remote_bank;
mod reply;
mod stub;

pub use classic_stub::{ClassicBranch, Standing};
pub use endpoint::{Channel, Contract, Endpoint, EndpointError};
pub use peer_client::{Ends, LinkError, PeerClient};
pub use peer_link::{Found, LinkSetup, PeerLink};
pub(crate) use peer_link::{LinkState, ReadLink};
pub use problem::{Absence, CallProblem};
pub use remote_bank::{RemoteBank, SETTLE_LIMIT, Standings};
pub use stub::{CounterLink, RemoteBranch, TypedBranch, TypedCounter, TypedReply};
