//! The actix shells around the pure bank: they carry messages, keep time and record facts, and
//! decide nothing. Handlers never wait; a request that must wait is parked in the pure branch.

#[macro_use]
mod hand_on;
mod alarms;
mod barrier;
mod branch;
mod branch_inputs;
mod branch_outputs;
mod branch_shell;
mod brought;
mod condition;
mod customer;
#[cfg(test)]
mod disk_by_hand;
mod executor;
mod faulty;
#[cfg(test)]
mod fixture;
mod messages;
mod nemesis;
mod network;
mod outbox;
mod peers;
mod recorder;
mod registry;
mod said;
mod sessions;
mod slowness;
mod straight_way;
mod time_source;

pub use barrier::{Barrier, SetOut};
pub use branch::BranchActor;
pub use branch_shell::BranchContext;
pub use customer::{Counters, CustomerActor, CustomerRecord, CustomerSetup, Foul};
pub use executor::{Executor, NoEnd, VirtualTime};
pub use faulty::Faulty;
pub use messages::{
    Answer, AnswerAll, Ask, AwaitSettled, BalanceAt, Begin, BranchNews, BranchState, BranchSummary,
    Deliver, Delivered, Heard, Inspect, LatestEvent, LinkChange, LinkEvent, MakeVisit,
    PeerEnvelope, ReadLog, ReadWriteSet, Relay, ReplyTo, Settled, Standing, StartAgain, Stop,
    Summarize, Watch, WriteSetAt, WriteSetState,
};
pub use nemesis::{Harm, NemesisActor, NemesisSetup};
pub use network::{Carries, Network, NetworkSetup};
pub use outbox::{Commit, Committed, Power, StorageLink};
pub use peers::{Broadcast, Peers, Way};
pub use recorder::{Detail, Observer, RecorderLink};
pub use registry::{
    Call, CountRemembered, EventIdSource, HasIntroduced, Introduced, NoEventId, PassbookSource,
    SessionRegistry, Submit, SubmitReply, Submitted,
};
pub use said::Said;
pub use sessions::Remembered;
pub use straight_way::StraightWay;
pub use time_source::{Due, TimeSource, WallClock};
