//! What stands where in the picture of a run: lanes side by side, time running down. Knows nothing
//! of how it is drawn.

use std::time::Duration;

use crate::check::Property;
use crate::history::Process;
use crate::model::{BranchId, Life, Money, Operation, OutcomeClass, Time, Write, WriteId};
use crate::report::trace::RequestKey;

/// A run as a picture.
#[derive(Debug, Clone)]
pub(crate) struct Diagram {
    pub(crate) scenario: String,
    /// Customers, then branches, by their ids.
    pub(crate) lanes: Vec<Lane>,
    /// When the moments are at which something is drawn, in order: equally far apart, however much
    /// time is between.
    pub(crate) moments: Vec<Time>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) bands: Vec<Band>,
    /// What is broken, as the judge says it.
    pub(crate) broken: Vec<Broken>,
    /// What this is of all that there is.
    pub(crate) left_out: LeftOut,
}

/// The line of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) process: Process,
    /// What a branch holds above the first moment.
    pub(crate) opening: Option<Money>,
}

/// A place in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) moment: usize,
    pub(crate) lane: usize,
}

/// Something that happens at one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) at: Point,
    pub(crate) what: Happening,
    pub(crate) about: About,
    pub(crate) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A customer asks for something.
    Asks(Operation),
    /// A branch applies a write, and holds this from then on.
    Applies { write: Write, balance: Money },
    /// A branch answers a query.
    Reads { balance: Money },
    /// A branch answers otherwise than it was asked.
    Fails(OutcomeClass),
    /// A request is put aside.
    Waits,
    /// A customer waits no longer.
    GivesUp,
    /// A branch finds that another holds other writes.
    Differs,
    /// A branch stops.
    Stops,
    /// A branch starts again, with this balance.
    Starts { life: Life, balance: Money },
}

/// Something that goes from one process to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrow {
    pub(crate) from: Point,
    pub(crate) end: End,
    pub(crate) carries: Carries,
    /// How long it was on its way, if it came.
    pub(crate) took: Duration,
    pub(crate) about: About,
    pub(crate) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It came.
    At(Point),
    /// It was lost on its way to this lane, at this moment.
    Lost(Point),
    /// It had not come to this lane when the history ended.
    OnItsWay { to: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carries {
    Request(Operation),
    Written,
    Balance(Money),
    /// An answer that is none.
    Failure(OutcomeClass),
    /// A write from branch to branch; which, where the history says what it is.
    Propagation(Option<Write>),
    Acknowledgement,
    CatchUp,
    Missed {
        writes: u64,
    },
}

/// Something that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) lane: usize,
    pub(crate) from: usize,
    /// The moment at which it ends; `None` if it does not.
    pub(crate) to: Option<usize>,
    pub(crate) what: Lasting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lasting {
    /// A request waits at a branch.
    Waiting,
    /// A branch is stopped.
    Down,
    /// A branch is slow.
    Slow,
    /// A branch is cut off from others.
    Partition,
}

/// What something is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(in crate::report) request: Option<RequestKey>,
    pub(crate) write: Option<WriteId>,
}

/// What part it plays in what is broken. The greater wins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// None.
    #[default]
    Aside,
    /// It is of the cone: what the two operations rest on.
    Cone,
    /// The missing write on its way to where it was missed.
    Missing,
    /// The earlier operation, which showed what was owed.
    Earlier,
    /// The later operation, which did not get it.
    Later,
}

/// One thing that is broken.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) property: Property,
    /// The later operation.
    pub(in crate::report) later: Option<RequestKey>,
    /// The write that it is, if it is one, and where it came too early.
    pub(crate) write: Option<WriteId>,
    pub(crate) branch: BranchId,
    pub(crate) sentence: String,
}

/// How much of a run is not in the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) messages: usize,
    pub(crate) moments: usize,
    pub(crate) lanes: usize,
    /// When the last moment is, where only the beginning is in the picture.
    pub(crate) until: Option<Time>,
}

impl Diagram {
    /// How many messages are drawn.
    pub(crate) fn messages(&self) -> usize {
        self.arrows.len()
    }

    /// Whether something of it shows a violation.
    pub(crate) fn has_cone(&self) -> bool {
        self.marks.iter().any(|mark| mark.role > Role::Aside)
    }

    /// Each sentence on what is broken, once.
    pub(crate) fn sentences(&self) -> Vec<&str> {
        let mut sentences: Vec<&str> = Vec::new();
        for Broken { sentence, .. } in &self.broken {
            if !sentences.contains(&&**sentence) {
                sentences.push(sentence);
            }
        }
        sentences
    }
}

impl Arrow {
    /// The lane that it goes to.
    pub(crate) const fn to(&self) -> usize {
        match self.end {
            End::At(Point { lane, .. }) | End::Lost(Point { lane, .. }) => lane,
            End::OnItsWay { to } => to,
        }
    }

    /// The moment at which it ends, if it does.
    pub(crate) const fn ends_at(&self) -> Option<usize> {
        match self.end {
            End::At(Point { moment, .. }) | End::Lost(Point { moment, .. }) => Some(moment),
            End::OnItsWay { .. } => None,
        }
    }
}
