//! The actix shells around the pure bank: they carry messages, keep time and record facts, and
//! decide nothing. Handlers never wait; a request that must wait is parked in the pure branch.

mod branch;
mod clock;
mod customer;
mod desk;
mod messages;
mod network;
mod recorder;
mod tally;

pub use branch::{BranchActor, Surroundings};
pub use clock::Clock;
pub use customer::{CustomerActor, CustomerSetup};
pub use desk::{
    Bring, Brought, BroughtEvent, Desk, HasIntroduced, Introduced, NoEventIdLeft, Shown,
};
pub use messages::{
    Answer, Ask, AwaitSettled, BalanceAt, BranchState, BranchSummary, Counter, Counters, Deliver,
    Delivered, Inspect, LatestEvent, LinkNews, MakeVisit, News, PeerEnvelope, Peers, ReadLog,
    ReadWriteSet, Record, Relay, ReplyTo, Settled, Summarize, TakeFacts, TakeRequests, Watch,
    WriteSetState,
};
pub use network::{Network, NetworkSetup};
pub use recorder::{Recorder, RecorderLink};
pub use tally::{NoPlace, Place, Tally};
