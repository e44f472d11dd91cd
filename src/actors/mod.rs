//! The actix shells around the pure bank: they carry messages, keep time and record facts, and
//! decide nothing. Handlers never wait; a request that must wait is parked in the pure branch.

mod barrier;
mod branch;
mod clock;
mod customer;
mod desk;
mod messages;
mod network;
mod recorder;
mod sessions;

pub use barrier::{Barrier, SetOut};
pub use branch::{BranchActor, Surroundings};
pub use clock::{Clock, paused_runtime};
pub use customer::{Counters, CustomerActor, CustomerSetup};
pub use desk::{
    Bears, Bring, Brought, Call, CountRemembered, Desk, HasIntroduced, Introduced, NoEventIdLeft,
    Shown, Tell,
};
pub use messages::{
    Answer, AnswerAll, Ask, AwaitSettled, BalanceAt, BranchState, BranchSummary, Came, Close,
    Deliver, Delivered, Inspect, LatestEvent, LinkNews, MakeVisit, News, PeerEnvelope, Peers,
    ReadCame, ReadLog, ReadWriteSet, Record, Relay, ReplyTo, Settled, Summarize, TakeRequests,
    Watch, WriteSetAt, WriteSetState,
};
pub use network::{Network, NetworkSetup};
pub use recorder::{Detail, RecorderLink};
pub use sessions::Remembered;
