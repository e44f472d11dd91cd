//! The actix shells around the pure bank: they carry messages, keep time and record facts, and
//! decide nothing. Handlers never wait; a request that must wait is parked in the pure branch.

mod branch;
mod clock;
mod customer;
mod desk;
mod messages;
mod network;
mod recorder;

pub use branch::{BranchActor, Surroundings};
pub use clock::Clock;
pub use customer::{CustomerActor, CustomerSetup};
pub use desk::{Announce, Announced, Announcement, Desk, Enter, NoEventIdLeft};
pub use messages::{
    Answer, Ask, AwaitSettled, BalanceAt, BranchState, Counter, Counters, Deliver, Delivered,
    Inspect, LinkNews, MakeVisit, News, PeerEnvelope, Peers, ReadLog, ReadWriteSet, Record, Relay,
    ReplyTo, Settled, TakeRequests, Watch, WriteSetState,
};
pub use network::{Network, NetworkSetup};
pub use recorder::{Detail, RecorderLink};
