//! The words of a picture: what stands at marks and arrows, the same in every way to draw it.

use super::layout::{
    Arrow, Broken, Carries, Diagram, End, Happening, Lasting, LeftOut, Mark, Role,
};
use crate::history::Process;
use crate::model::{OutcomeClass, Time};
use crate::report::words::{count, span};

impl Happening {
    /// What stands beside the mark; nothing where the arrow says it.
    pub(super) fn told(self) -> String {
        match self {
            Self::Asks(_) => String::new(),
            Self::Applies { balance, .. } => balance.to_string(),
            Self::Reads { balance } => format!("reads {balance}"),
            Self::Fails(OutcomeClass::Refused) => "refuses".to_owned(),
            Self::Fails(OutcomeClass::Unknown) => "does not know".to_owned(),
            Self::Fails(OutcomeClass::Ok) => "done".to_owned(),
            Self::Waits => "waits".to_owned(),
            Self::GivesUp => "gives up".to_owned(),
            Self::Differs => "finds other writes".to_owned(),
            Self::Stops => "stops".to_owned(),
            Self::Starts { balance, .. } => format!("starts with {balance}"),
        }
    }
}

impl Lasting {
    /// What is said where it begins; nothing where a mark says it.
    pub(super) const fn begins(self) -> &'static str {
        match self {
            Self::Partition => "cut off",
            Self::Slow => "slow",
            Self::Waiting | Self::Down => "",
        }
    }

    /// What is said where it ends.
    pub(super) const fn ends(self) -> &'static str {
        match self {
            Self::Partition => "in reach again",
            Self::Slow => "no longer slow",
            Self::Waiting | Self::Down => "",
        }
    }
}

impl Carries {
    /// Whether it is a branch's answer to a customer.
    pub(super) const fn is_reply(self) -> bool {
        match self {
            Self::Written | Self::Balance(_) | Self::Failure(_) => true,
            Self::Request(_)
            | Self::Propagation(_)
            | Self::Acknowledgement
            | Self::CatchUp
            | Self::Missed { .. } => false,
        }
    }
}

impl Arrow {
    /// What stands on the arrow; nothing where its ends say all.
    pub(super) fn told(&self) -> String {
        match self.carries {
            Carries::Request(operation) => operation.to_string(),
            Carries::Written => "ok".to_owned(),
            Carries::Balance(balance) => balance.to_string(),
            Carries::Failure(class) => class.word().to_owned(),
            Carries::Propagation(_) => match self.role {
                Role::Missing if !self.took.is_zero() => span(self.took),
                Role::Aside | Role::Cone | Role::Missing | Role::Earlier | Role::Later => {
                    String::new()
                }
            },
            Carries::Acknowledgement => String::new(),
            Carries::CatchUp => "catch up".to_owned(),
            Carries::Missed { writes } => count(writes, "write"),
        }
    }

    /// All that there is to say of it: what it is, whose, from where to where, and when.
    pub(super) fn story(&self, diagram: &Diagram) -> String {
        let what = match (self.carries, self.about.write) {
            (Carries::Propagation(Some(write)), Some(id)) => {
                format!("{write} (customer {}, event {})", id.customer, id.event)
            }
            (Carries::Acknowledgement, _) => "has it".to_owned(),
            _ => self.told(),
        };
        let process = |lane: usize| diagram.lanes[lane].process;
        let (from, to) = (process(self.from.lane), process(self.to()));
        let sent = time(diagram.moments[self.from.moment]);
        let end = match (self.end, self.ends_at().map(|moment| time(diagram.moments[moment]))) {
            (End::Lost(_), Some(at)) => format!("{sent}, lost at {at}"),
            (End::At(_), Some(at)) if at == sent => sent,
            (End::At(_), Some(at)) => format!("{sent} to {at}"),
            (End::OnItsWay { .. }, _) | (_, None) => format!("{sent}, still on its way"),
        };
        format!("{what}, {from} to {to}: {end}")
    }

    /// What stands on the missing write's way.
    pub(super) fn way(&self) -> String {
        let what = match self.carries {
            Carries::Propagation(Some(write)) => write.to_string(),
            Carries::Propagation(None)
            | Carries::Request(_)
            | Carries::Written
            | Carries::Balance(_)
            | Carries::Failure(_)
            | Carries::Acknowledgement
            | Carries::CatchUp
            | Carries::Missed { .. } => "the write".to_owned(),
        };
        match self.ends_at() {
            Some(_) => format!("{what}, {} on its way", span(self.took)),
            None => format!("{what}, still on its way"),
        }
    }
}

impl Diagram {
    /// What is broken at the later operation that is drawn there: `read your writes`.
    pub(super) fn broken_at(&self, mark: &Mark) -> Vec<String> {
        let process = self.lanes[mark.at.lane].process;
        let is_here = |broken: &&Broken| match mark.what {
            Happening::Reads { .. } | Happening::Fails(_) => {
                broken.later.is_some() && broken.later == mark.about.request
            }
            Happening::Applies { .. } => {
                broken.write.is_some()
                    && broken.write == mark.about.write
                    && process == Process::Branch(broken.branch)
            }
            Happening::Asks(_)
            | Happening::Waits
            | Happening::GivesUp
            | Happening::Differs
            | Happening::Stops
            | Happening::Starts { .. } => false,
        };
        self.broken.iter().filter(is_here).map(|broken| broken.property.to_string()).collect()
    }

    /// All that is broken: `monotonic reads · read your writes`.
    pub(super) fn headline(&self) -> Option<String> {
        let names: Vec<String> =
            self.broken.iter().map(|broken| broken.property.to_string()).collect();
        (!names.is_empty()).then(|| names.join(" · "))
    }

    /// What is not in the picture, in a sentence; `None` where all is.
    pub(super) fn what_is_left_out(&self) -> Option<String> {
        let LeftOut { messages, moments, lanes, until } = self.left_out;
        let mut parts = Vec::new();
        if messages > 0 {
            parts.push(count(messages, "message"));
        } else if moments > 0 {
            parts.push(count(moments, "moment"));
        }
        if lanes > 0 {
            let word = if lanes == 1 { "process" } else { "processes" };
            parts.push(format!("{} {word}", crate::report::words::grouped(lanes)));
        }
        let until = until.map(|at| format!(" (drawn as far as {})", time(at))).unwrap_or_default();
        (!parts.is_empty()).then(|| format!("left out: {}{until}", parts.join(" and ")))
    }
}

/// The time of a moment.
pub(crate) fn time(at: Time) -> String {
    let since = at.since(Time::START);
    if since.is_zero() { "0 ms".to_owned() } else { span(since) }
}
