//! The pure branch: inputs in, effects out. Does no I/O, reads no clock, knows no actor and no
//! protocol.

mod blocks;
mod branch;
mod confirmation;
mod dependencies;
mod dispute;
mod exchange;
mod interface;
mod log;
mod parking;
mod passbook;
mod refusals;
mod version;
mod write_set;

pub use branch::{Branch, BranchConfig};
pub use confirmation::Timeouts;
pub use dependencies::Dependencies;
pub use interface::{
    Acknowledgement, Applied, Congestion, Effect, Input, PeerMessage, PropagatedWrite, Relayed,
    Reply, Request, Session, Ticket,
};
pub use passbook::{Entry, Passbook};
pub use version::VersionVector;
pub use write_set::WriteSetDigest;
