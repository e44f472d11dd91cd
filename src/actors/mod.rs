//! The actix shells around the pure bank: they carry messages, keep time and record facts, and
//! decide nothing. Handlers never wait; a request that must wait is parked in the pure branch.

mod branch;
mod clock;
mod customer;
mod messages;
mod network;
mod recorder;

pub use branch::{BranchActor, Surroundings};
pub use clock::Clock;
pub use customer::{CustomerActor, CustomerSetup};
pub use messages::{
    Answer, Ask, AwaitSettled, BranchState, Counter, Counters, Inspect, MakeVisit, PeerEnvelope,
    Peers, Record, ReplyTo, Settled, TakeFacts, TakeRequests,
};
pub use network::{Network, NetworkSetup};
pub use recorder::{Recorder, RecorderLink};
