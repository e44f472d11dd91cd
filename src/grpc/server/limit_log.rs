//! The limits at which calls are refused or customers forgotten, and the line of the log that says
//! which of them were hit.

use super::scenario::ScenarioFault;
use crate::grpc::error::{CallError, PeerError};
use crate::model::{RequestError, words};

/// Each limit in a line: its name here, what it is called, and the option that sets it.
macro_rules! limits {
    ($($(#[$doc:meta])* $limit:ident: $name:literal, $flag:literal;)*) => {
        words! {
            /// A limit of a bank that is served.
            pub(super) enum Limit {
                $($(#[$doc])* $limit = $name,)*
            }
        }

        impl Limit {
            /// The option that sets it.
            pub(super) const fn flag(self) -> &'static str {
                match self {
                    $(Self::$limit => $flag,)*
                }
            }
        }
    };
}

limits! {
    /// The size of a message.
    Message: "the size of a message", "--message-bytes-max";
    /// How many connections there are.
    Connections: "connections", "--connections-max";
    /// How many there are of one address.
    AddressConnections: "connections of one address", "--address-connections-max";
    /// What requests take that have not come whole.
    Unread: "requests that have not come whole", "--unread-bytes-max";
    /// How long a request may take to come whole.
    BodyTime: "the time for a request to come", "--body-time-max";
    /// How many requests wait for their branch.
    Waiting: "requests that wait", "--waiting-max";
    /// How long a call takes.
    CallTime: "the time of a call", "--call-time-max";
    /// How many writes are kept for a peer.
    Kept: "writes kept for a peer", "--kept-max";
    /// How many writes a branch holds.
    Log: "writes held", "--log-max";
    /// How many writes of a peer wait for others.
    PeerWaiting: "writes of a peer that wait", "--peer-waiting-max";
    /// How many customers are remembered.
    Sessions: "customers remembered", "--sessions-max";
    /// How many scenarios of clients run at the same time.
    Scenarios: "scenarios of clients at the same time", "--scenarios-max";
    /// What memory they take.
    ScenarioMemory: "memory for scenarios of clients", "--memory-max";
    /// How many events one has, times its branches.
    ScenarioEvents: "the events of a client's scenario", "--scenario-events-max";
    /// How long one runs.
    ScenarioTime: "the time of a client's scenario", "--scenario-time-max";
}

impl Limit {
    /// The limit at which `error` ended a call, if it did at one.
    pub(super) fn of(error: &CallError) -> Option<Self> {
        match error {
            CallError::TooLarge { .. } => Some(Self::Message),
            CallError::Overloaded { .. } => Some(Self::Waiting),
            CallError::TimeOver { .. } => Some(Self::CallTime),
            CallError::HalfSent { .. } => Some(Self::BodyTime),
            CallError::UnreadFull { .. } => Some(Self::Unread),
            CallError::Request(RequestError::Unavailable { .. }) => Some(Self::Kept),
            CallError::Request(RequestError::Full { .. }) => Some(Self::Log),
            CallError::Peer(PeerError::Crowded { .. }) => Some(Self::PeerWaiting),
            CallError::Scenario(ScenarioFault::TooLarge(_)) => Some(Self::ScenarioMemory),
            CallError::Scenario(ScenarioFault::TooManyEvents { .. }) => Some(Self::ScenarioEvents),
            CallError::Scenario(ScenarioFault::TooLong { .. }) => Some(Self::ScenarioTime),
            CallError::Scenario(ScenarioFault::Crowded { .. }) => Some(Self::Scenarios),
            CallError::Request(
                RequestError::Refused(_)
                | RequestError::OutcomeUnknown { .. }
                | RequestError::NoAnswer { .. }
                | RequestError::Declined { .. }
                | RequestError::VersionNotReached { .. }
                | RequestError::WritesLost { .. }
                | RequestError::Returning { .. },
            )
            | CallError::Peer(
                PeerError::OtherBank
                | PeerError::OtherVersion { .. }
                | PeerError::Conflict { .. }
                | PeerError::NotThatBranch { .. }
                | PeerError::NotAPeer { .. }
                | PeerError::Unreached { .. }
                | PeerError::Twin { .. },
            )
            | CallError::Scenario(ScenarioFault::Input(_) | ScenarioFault::Run(_))
            | CallError::Field(_)
            | CallError::Passbook(_)
            | CallError::UnknownBranch { .. }
            | CallError::ServedElsewhere { .. }
            | CallError::Draining
            | CallError::NoBranchNamed { .. }
            | CallError::NoEventIdLeft
            | CallError::UnknownService { .. }
            | CallError::UnknownMethod { .. }
            | CallError::Unreadable { .. }
            | CallError::ActorStopped => None,
        }
    }
}

/// Which limits were hit since it was last asked.
#[derive(Debug, Default)]
pub(super) struct LimitLog {
    told: Vec<u64>,
}

impl LimitLog {
    /// The line that says which limits were hit since the last one, how often, and their options;
    /// `None` where none was. `hits` has all limits, in their order, with how often each was hit in
    /// all.
    pub(super) fn line(&mut self, hits: &[(Limit, u64)]) -> Option<String> {
        let before = |place: usize| self.told.get(place).copied().unwrap_or_default();
        let since = hits.iter().enumerate().filter_map(|(place, &(limit, hits))| {
            let hits = hits.saturating_sub(before(place));
            let times = if hits == 1 { "once".to_owned() } else { format!("{hits} times") };
            (hits > 0).then(|| format!("{} ({}) {times}", limit.word(), limit.flag()))
        });
        let since: Vec<String> = since.collect();
        self.told = hits.iter().map(|&(_, hits)| hits).collect();
        (!since.is_empty()).then(|| format!("limits were hit: {}", since.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_what_was_hit_since_the_last_one() {
        let mut log = LimitLog::default();
        let mut line = |waiting, full, scenarios| {
            log.line(&[
                (Limit::Waiting, waiting),
                (Limit::Log, full),
                (Limit::Scenarios, scenarios),
            ])
        };
        assert_eq!(line(0, 0, 0), None);
        assert_eq!(
            line(3, 1, 0).unwrap(),
            "limits were hit: requests that wait (--waiting-max) 3 times, writes held (--log-max) once"
        );
        assert_eq!(line(3, 1, 0), None);
        assert_eq!(
            line(3, 6, 2).unwrap(),
            "limits were hit: writes held (--log-max) 5 times, scenarios of clients at the same time \
             (--scenarios-max) 2 times"
        );
    }
}
