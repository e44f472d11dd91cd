//! The reasons of errors, in the words of the typed contract.

use crate::model::words;

words! {
    /// Why a call was not answered as it wished, in one word. `proto/passbook/v1/` says what each
    /// means.
    pub(super) enum ErrorReason {
    BadField = "BAD_FIELD",
        Unreadable = "UNREADABLE",
        UnknownBranch = "UNKNOWN_BRANCH",
        ServedElsewhere = "SERVED_ELSEWHERE",
        InsufficientFunds = "INSUFFICIENT_FUNDS",
        BalanceOutOfRange = "BALANCE_OUT_OF_RANGE",
        OutOfOrder = "OUT_OF_ORDER",
        EventReused = "EVENT_REUSED",
        TooLarge = "TOO_LARGE",
        Overloaded = "OVERLOADED",
        UnreadFull = "UNREAD_FULL",
        HalfSent = "HALF_SENT",
        Congested = "CONGESTED",
        Full = "FULL",
        Draining = "DRAINING",
        VersionNotReached = "VERSION_NOT_REACHED",
        Returning = "RETURNING",
        WritesLost = "WRITES_LOST",
        OutcomeUnknown = "OUTCOME_UNKNOWN",
        TimeOver = "TIME_OVER",
        UnknownService = "UNKNOWN_SERVICE",
        UnknownMethod = "UNKNOWN_METHOD",
        OtherBank = "OTHER_BANK",
        OtherVersion = "OTHER_VERSION",
        /// To send a write again is of no use.
        Conflict = "CONFLICT",
        NotAPeer = "NOT_A_PEER",
        Unreached = "UNREACHED",
        /// Another process is the caller's branch.
        Twin = "TWIN",
        Crowded = "CROWDED",
        /// A branch elsewhere says no more than that it failed.
        Declined = "DECLINED",
        RunFailed = "RUN_FAILED",
        ActorStopped = "ACTOR_STOPPED",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    use super::super::server::ScenarioFault;
    use super::*;
    use crate::grpc::error::{CallError, PeerError, PeerProblem};
    use crate::grpc::proof::without_proofs;
    use crate::grpc::token::TokenError;
    use crate::model::{
        Amount, BranchId, EventId, LogPosition, Money, NotReached, Refusal, RequestError, Write,
    };

    fn branch(id: i64) -> BranchId {
        BranchId::new(id).unwrap()
    }

    fn refused(refusal: Refusal) -> CallError {
        RequestError::Refused(refusal).into()
    }

    /// An error of each reason but the one that no bank of ours gives.
    fn every_error() -> Vec<CallError> {
        let amount = Amount::try_from(Money::from_minor(1)).unwrap();
        vec![
            TokenError::NotOfThisBank.into(),
            PeerError::OtherVersion { here: branch(9), unknown: without_proofs() }.into(),
            PeerError::OtherBank.into(),
            CallError::UnknownBranch { branch: branch(9), branches: Vec::new() },
            CallError::ServedElsewhere { branch: branch(9), here: Vec::new() },
            CallError::Unreadable { problem: String::new() },
            CallError::TooLarge { limit_bytes: 1 },
            CallError::UnknownService { found: String::new(), services: Vec::new() },
            CallError::UnknownMethod {
                service: String::new(),
                found: String::new(),
                methods: Vec::new(),
            },
            refused(Refusal::InsufficientFunds { balance: Money::ZERO, requested: Money::ZERO }),
            refused(Refusal::BalanceOutOfRange { balance: Money::ZERO }),
            refused(Refusal::OutOfOrder { latest: EventId::new(7).unwrap() }),
            refused(Refusal::EventReused { first: Write::deposit(amount) }),
            RequestError::OutcomeUnknown { unconfirmed_by: Vec::new(), more: 0 }.into(),
            RequestError::from(NotReached::default()).into(),
            RequestError::Returning { unheard: Vec::new(), more: 0 }.into(),
            RequestError::WritesLost { lost: Vec::new(), more: 0 }.into(),
            RequestError::Unavailable { congested: Vec::new(), more: 0 }.into(),
            RequestError::Full { log_max: LogPosition::default() }.into(),
            CallError::Overloaded { waiting: 1 },
            CallError::UnreadFull { limit_bytes: 1 },
            CallError::HalfSent { limit: Duration::ZERO },
            CallError::TimeOver { limit: Duration::ZERO },
            PeerError::Conflict { from: branch(9) }.into(),
            PeerError::NotThatBranch { from: branch(9) }.into(),
            PeerError::NotAPeer { branch: branch(9), problem: PeerProblem::Ticket }.into(),
            PeerError::Unreached { branch: branch(9) }.into(),
            PeerError::Twin { branch: branch(9) }.into(),
            PeerError::Crowded { waiting: 1 }.into(),
            CallError::Scenario(ScenarioFault::Run(String::new())),
            CallError::Scenario(ScenarioFault::TooLarge(String::new())),
            ScenarioFault::TooManyEvents { branches: 2, events: 3, most: 5 }.into(),
            ScenarioFault::TooLong { limit: Duration::ZERO }.into(),
            ScenarioFault::Crowded { most: 4 }.into(),
            CallError::Draining,
            CallError::ActorStopped,
        ]
    }

    #[test]
    fn every_error_says_what_is_wrong_in_these_words() {
        let told: Vec<String> = every_error().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn the_contract_and_the_guide_list_every_reason() {
        let contract = concat!(
            include_str!("../../proto/passbook/v1/bank.proto"),
            include_str!("../../proto/passbook/v1/peer.proto")
        );
        let guide = include_str!("../../docs/SERVE.md");
        let mut left: Vec<&str> = ErrorReason::ALL.iter().map(|reason| reason.word()).collect();
        for error in every_error() {
            let status = Status::from(error);
            let word = status.get_details_error_info().unwrap().reason;
            let code = contract_name(status.code());
            let line = format!("// {code} {word}:");
            assert!(contract.contains(&line), "{line}");
            let row = |row: &&str| row.starts_with(&format!("| {code} |"));
            let has_it = |row: &str| row.contains(&word);
            assert!(guide.lines().filter(row).any(has_it), "{code} {word} in SERVE.md");
            left.retain(|reason| *reason != word);
        }
        assert_eq!(left, ["DECLINED"], "no bank of ours says so");
    }

    fn contract_name(code: Code) -> String {
        // `InvalidArgument` is INVALID_ARGUMENT in the contract.
        let mut name = String::new();
        for c in format!("{code:?}").chars() {
            if c.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.extend(c.to_uppercase());
        }
        name
    }
}
