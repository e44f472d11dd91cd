//! The pure branch: inputs in, effects out. Does no I/O, reads no clock, knows no actor and no
//! protocol.

mod branch;
mod confirmation;
mod dependencies;
mod dispute;
mod exchange;
mod hearing;
mod interface;
mod keep;
mod life_list;
mod lives;
mod log;
mod parking;
mod passbook;
mod refusals;
mod serving;
mod start;
mod version;
mod write_set;

pub use branch::{Branch, BranchConfig};
pub use confirmation::Timeouts;
pub use dependencies::Dependencies;
pub use interface::{
    Acknowledgement, Applied, Congestion, Effect, EndOfLife, Input, Missed, PeerMessage,
    PropagatedWrite, Relayed, Reply, Request, Rest, Session, Ticket,
};
pub use keep::{Kept, Refused};
pub use life_list::LifeList;
pub use passbook::{Entry, Passbook};
pub use start::{Memory, Start};
pub use version::VersionVector;
pub use write_set::WriteSetDigest;
