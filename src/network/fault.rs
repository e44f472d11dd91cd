//! What may go wrong in a run: by chance, and by a schedule that says when, where and how.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Link;
use crate::model::{BranchId, CustomerId, EventId, Random, Time, counts, words};

/// What goes wrong in a run. Nothing, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// What may happen to any message.
    pub rates: Rates,
    /// What happens to branches and the ways between them by chance.
    pub nemesis: Option<Nemesis>,
    /// What happens at a moment, or to one message.
    pub schedule: Vec<ScheduledFault>,
}

impl Faults {
    /// Whether messages take other times than the latency says, and nothing goes wrong.
    pub fn only_delay(&self) -> bool {
        let delays = |fault: &ScheduledFault| {
            matches!(fault, ScheduledFault::Message { fate: Fate::Arrives(_), .. })
        };
        self.rates.are_none() && self.nemesis.is_none() && self.schedule.iter().all(delays)
    }
}

/// How often something happens: a share of one, in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

/// How often something happens to a message on its way. Text: `loss=0.02,duplicate=0.01,reorder`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// It is lost.
    pub loss: Rate,
    /// A copy of it arrives too.
    pub duplicate: Rate,
    /// It takes longer than it would: up to four times the latency's upper end, or mean.
    pub reorder: Rate,
}

impl Rates {
    /// Whether none of it happens.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Rate {
    /// How many millionths one is.
    pub const ONE: u32 = 1_000_000;

    /// So many millionths; `None` where that is more than one.
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= Self::ONE { Some(Self(millionths)) } else { None }
    }

    /// How many millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Whether it happens now.
    pub fn strikes(self, chance: &mut Random) -> bool {
        chance.below(Self::ONE.into()) < self.0.into()
    }
}

words! {
    /// What a nemesis does.
    pub enum NemesisKind {
        /// Cuts the bank into parts that do not reach each other.
        Partition = "partition",
        /// Stops a branch, which starts again with all that it had applied.
        Crash = "crash",
        /// Stops a branch, which starts again with nothing.
        Amnesia = "amnesia",
        /// Makes a branch handle each input later.
        Slow = "slow",
    }
}

/// Does harm by chance, one thing after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nemesis {
    /// What it does, one as likely as the other; each once, in the order of the list.
    pub kinds: Vec<NemesisKind>,
    /// How long it is from the beginning of one thing to that of the next, on average.
    pub interval: Duration,
    /// How long each lasts, on average.
    pub duration: Duration,
}

/// Something that goes wrong at a moment, or to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduledFault {
    /// Branches of different sides do not reach each other.
    Partition(Partition),
    /// A branch stops, and starts again.
    Crash(Crash),
    /// A branch handles each input later, in order.
    Slow(Slowness),
    /// What becomes of one message.
    Message {
        /// Which.
        name: MessageName,
        /// What becomes of it.
        fate: Fate,
    },
}

/// Messages between sides are lost for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The branches that still reach each other. Branches in none of them reach all.
    pub sides: Vec<Vec<BranchId>>,
    /// Whether only what the first side says to the others is lost.
    pub one_way: bool,
    /// When it begins.
    pub at: Time,
    /// When it is over.
    pub until: Time,
}

/// A branch is down for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// Which.
    pub branch: BranchId,
    /// What it keeps.
    pub keeps: Keeps,
    /// When it stops.
    pub at: Time,
    /// When it starts again.
    pub until: Time,
}

/// How much of its apply log a branch has when it starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// All of it.
    All,
    /// The first so many writes of it.
    First(u64),
}

/// A branch is slow for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slowness {
    /// Which.
    pub branch: BranchId,
    /// How much later it handles each input.
    pub delay: Duration,
    /// When that begins.
    pub at: Time,
    /// When it is over.
    pub until: Time,
}

words! {
    /// What a message between branches says.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum MessageKind {
        /// A write.
        Propagate = "propagate",
        /// That a write is applied.
        Acknowledge = "acknowledge",
        /// A question: what is missed.
        CatchUp = "catch-up",
        /// The answer to that.
        Missed = "missed",
    }
}

/// Names one message of a run: the `attempt`-th of its kind, about that event, on that link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageName {
    /// What it says.
    pub kind: MessageKind,
    /// Of a write, whose it is and which; of questions and answers `None`.
    pub event: Option<(CustomerId, EventId)>,
    /// From where to where.
    pub link: Link,
    /// The first is 1.
    pub attempt: u32,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is lost.
    Lost,
    /// It arrives after so long.
    Arrives(Duration),
    /// It arrives twice: after so long, and after so long.
    ArrivesTwice(Duration, Duration),
}

words! {
    /// What can go wrong, as it is counted.
    pub enum FaultKind {
        /// A message was lost by chance, or because its fate said so.
        Loss = "loss",
        /// A message arrived twice.
        Duplicate = "duplicate",
        /// A message took longer than it would.
        Reorder = "reorder",
        /// A message was lost to a partition.
        Partition = "partition",
        /// A branch stopped, and kept all that it had applied.
        Crash = "crash",
        /// A branch stopped, and did not keep all.
        Amnesia = "amnesia",
        /// A branch handled an input later.
        Slow = "slow",
        /// A crash tore a write to its disk: some of it is there, and some is not.
        Torn = "torn",
        /// A crash undid a write to its disk that was not synced.
        Unsynced = "unsynced",
    }
}

counts! {
    /// How often each kind of fault struck. Serialized without those that did not.
    #[derive(Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct FaultCounts of FaultKind {
        /// Messages that were lost.
        #[serde(skip_serializing_if = "is_none")]
        loss: Loss,
        /// Messages that arrived twice.
        #[serde(skip_serializing_if = "is_none")]
        duplicate: Duplicate,
        /// Messages that took longer.
        #[serde(skip_serializing_if = "is_none")]
        reorder: Reorder,
        /// Messages that were lost to partitions.
        #[serde(skip_serializing_if = "is_none")]
        partition: Partition,
        /// Branches that stopped and kept all.
        #[serde(skip_serializing_if = "is_none")]
        crash: Crash,
        /// Branches that stopped and did not keep all.
        #[serde(skip_serializing_if = "is_none")]
        amnesia: Amnesia,
        /// Inputs that were handled later.
        #[serde(skip_serializing_if = "is_none")]
        slow: Slow,
        /// Writes to disks that were torn.
        #[serde(skip_serializing_if = "is_none")]
        torn: Torn,
        /// Writes to disks that were undone.
        #[serde(skip_serializing_if = "is_none")]
        unsynced: Unsynced,
    }
}

const fn is_none(times: &u64) -> bool {
    *times == 0
}

/// What has gone wrong in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Struck {
    /// How often.
    pub counts: FaultCounts,
    /// When each kind did so first.
    pub first: Vec<(FaultKind, Time)>,
}

impl Struck {
    pub(super) fn strike(&mut self, kind: FaultKind, now: Time) {
        if self.counts.of(kind) == 0 {
            self.first.push((kind, now));
        }
        self.counts.add(kind);
    }
}
