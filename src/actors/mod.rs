//! The actix shells around the pure bank: they carry messages, keep time and record facts, and
//! decide nothing. Handlers never wait; a request that must wait is parked in the pure branch.

mod barrier;
mod branch;
mod customer;
mod messages;
mod network;
mod recorder;
mod registry;
mod sessions;
mod time_source;

pub use barrier::{Barrier, SetOut};
pub use branch::{BranchActor, BranchContext};
pub use customer::{Counters, CustomerActor, CustomerSetup};
pub use messages::{
    Answer, AnswerAll, Ask, AwaitSettled, BalanceAt, BranchState, BranchSummary, Came, Close,
    Deliver, Delivered, Inspect, LatestEvent, LinkChange, LinkEvent, MakeVisit, PeerEnvelope,
    Peers, ReadCame, ReadLog, ReadWriteSet, Record, Relay, ReplyTo, Settled, Summarize,
    TakeRequests, Watch, WriteSetAt, WriteSetState,
};
pub use network::{Network, NetworkSetup};
pub use recorder::{Detail, RecorderLink};
pub use registry::{
    Call, CountRemembered, EventIdSource, HasIntroduced, Introduced, NoEventIdLeft, PassbookSource,
    SessionRegistry, Submit, SubmitReply, Submitted,
};
pub use sessions::Remembered;
pub use time_source::{TimeSource, paused_runtime};
