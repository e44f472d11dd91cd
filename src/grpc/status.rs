//! How what went wrong is told: the one place from domain errors to gRPC status and classic status.
//!
//! Each gRPC error carries a `google.rpc.ErrorInfo` of domain `passbook`, whose reason and metadata
//! say in fixed words what the message says in prose; `proto/passbook/v1/` lists them. A wrong
//! field comes with a `google.rpc.BadRequest` too.

use std::sync::Arc;

use tonic::{Code, Status};
use tonic_types::{BadRequest, ErrorDetail, ErrorInfo, StatusExt};

use super::convert::FieldError;
pub use super::error::CallError;
use super::error::PeerError;
use super::error_reason::ErrorReason;
use super::room;
use super::server::ScenarioFault;
use crate::model::{
    BranchId, Lag, Life, Lost, NotReached, Refusal, RequestError, UnknownVersion, listed, listed_of,
};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "passbook";

/// The reason by which a peer knows that to send a write again is of no use.
pub(super) const CONFLICT: &str = ErrorReason::Conflict.word();

/// The reason by which a process knows that another one is its branch.
pub(super) const TWIN: &str = ErrorReason::Twin.word();

/// The reason for a method that only a later version has.
pub(super) const UNKNOWN_METHOD: &str = ErrorReason::UnknownMethod.word();

/// The reason where a branch elsewhere says no more than that it failed.
pub(super) const DECLINED: &str = ErrorReason::Declined.word();

/// The reason where a branch takes no more writes.
pub(super) const FULL: &str = ErrorReason::Full.word();

/// The metadata key that says how many bytes the passbook has that an error has no room for.
pub(super) const PASSBOOK_LEFT_OUT: &str = "passbook_left_out";

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        status(&error, told(&error))
    }
}

/// The status of `error` from a branch, whose trailers have no room for a passbook of `bytes`.
pub(super) fn without_passbook(error: &CallError, bytes: usize) -> Status {
    status(error, told(error).with(PASSBOOK_LEFT_OUT, bytes))
}

/// Some texts repeat what the client sent, and trailers have little room.
fn status(error: &CallError, told: ErrorFields) -> Status {
    let ErrorFields { code, reason, metadata, wrong_field } = told;
    let message = error.to_string();
    let mut status = room::fitted(|cut| {
        let mut info = ErrorInfo::new(reason.word(), DOMAIN, []);
        info.metadata
            .extend(metadata.iter().map(|item| (item.key.to_owned(), cut.cut(&item.value))));
        let mut details: Vec<ErrorDetail> = vec![info.into()];
        if let Some(WrongField { field, description }) = &wrong_field {
            let (field, description) = (cut.cut(field), cut.cut(description));
            details.push(BadRequest::with_violation(field, description).into());
        }
        Status::with_error_details_vec(code, cut.cut(&message), details)
    });
    // For the layer that counts answers: it is not sent.
    status.set_source(Arc::new(error.clone()));
    status
}

/// The reason of `error`, in the words of the typed contract.
pub(super) fn reason(error: &CallError) -> ErrorReason {
    told(error).reason
}

/// The field that `error` says is wrong.
pub(super) fn wrong_field(error: &CallError) -> Option<String> {
    told(error).wrong_field.map(|wrong| wrong.field)
}

/// What is told of an error.
struct ErrorFields {
    code: Code,
    reason: ErrorReason,
    metadata: Vec<Item>,
    wrong_field: Option<WrongField>,
}

struct Item {
    key: &'static str,
    value: String,
}

struct WrongField {
    field: String,
    description: String,
}

impl ErrorFields {
    fn new(code: Code, reason: ErrorReason) -> Self {
        Self { code, reason, metadata: Vec::new(), wrong_field: None }
    }

    fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.metadata.push(Item { key, value: value.to_string() });
        self
    }

    fn naming(mut self, field: &str, description: impl ToString) -> Self {
        let field = field.to_owned();
        self.wrong_field = Some(WrongField { field, description: description.to_string() });
        self
    }
}

fn told(error: &CallError) -> ErrorFields {
    let fields = ErrorFields::new;
    match error {
        CallError::Field(FieldError { field, problem }) => {
            fields(Code::InvalidArgument, ErrorReason::BadField)
                .with("field", field)
                .naming(field, problem)
        }
        CallError::Passbook(error) => fields(Code::InvalidArgument, ErrorReason::BadField)
            .with("field", "passbook")
            .naming("passbook", error),
        CallError::Peer(error) => told_peer(*error),
        CallError::UnknownBranch { branch, branches } => {
            fields(Code::NotFound, ErrorReason::UnknownBranch)
                .with("branch", branch)
                .with("branches", listed(branches.iter()))
        }
        // To ask again here is of no use; to ask there is.
        CallError::ServedElsewhere { branch, here } => {
            fields(Code::FailedPrecondition, ErrorReason::ServedElsewhere)
                .with("branch", branch)
                .with("branches", listed(here.iter()))
        }
        CallError::Request(error) => told_request(error),
        CallError::Overloaded { waiting } => {
            fields(Code::ResourceExhausted, ErrorReason::Overloaded).with("waiting", waiting)
        }
        CallError::UnreadFull { limit_bytes } => {
            fields(Code::ResourceExhausted, ErrorReason::UnreadFull)
                .with("limit_bytes", limit_bytes)
        }
        CallError::TimeOver { .. } => fields(Code::DeadlineExceeded, ErrorReason::TimeOver),
        CallError::HalfSent { .. } => fields(Code::DeadlineExceeded, ErrorReason::HalfSent),
        CallError::Draining => fields(Code::Unavailable, ErrorReason::Draining),
        CallError::NoBranchNamed { key } => fields(Code::InvalidArgument, ErrorReason::BadField)
            .with("field", key)
            .naming(key, error),
        CallError::NoEventIdLeft => fields(Code::InvalidArgument, ErrorReason::BadField)
            .with("field", "event_id")
            .naming("event_id", error),
        CallError::UnknownService { found, services } => {
            fields(Code::Unimplemented, ErrorReason::UnknownService)
                .with("service", found)
                .with("services", services.join(", "))
        }
        CallError::UnknownMethod { service, found, methods } => {
            fields(Code::Unimplemented, ErrorReason::UnknownMethod)
                .with("service", service)
                .with("method", found)
                .with("methods", methods.join(", "))
        }
        CallError::Unreadable { .. } => fields(Code::InvalidArgument, ErrorReason::Unreadable),
        CallError::TooLarge { limit_bytes } => {
            fields(Code::ResourceExhausted, ErrorReason::TooLarge).with("limit_bytes", limit_bytes)
        }
        CallError::Scenario(fault) => told_scenario(fault),
        CallError::ActorStopped => fields(Code::Internal, ErrorReason::ActorStopped),
    }
}

/// What is told of an answer that a branch gave.
fn told_request(error: &RequestError) -> ErrorFields {
    match error {
        RequestError::Refused(refusal) => told_refusal(refusal),
        // The write is applied here and may yet be confirmed.
        RequestError::OutcomeUnknown { unconfirmed_by, more } => {
            ErrorFields::new(Code::DeadlineExceeded, ErrorReason::OutcomeUnknown)
                .with("unconfirmed_by", listed_of(unconfirmed_by.iter(), *more))
        }
        // Of branches elsewhere alone: no bank of ours says so.
        RequestError::NoAnswer { branch, .. } => {
            ErrorFields::new(Code::DeadlineExceeded, ErrorReason::OutcomeUnknown)
                .with("unconfirmed_by", branch)
        }
        RequestError::Declined { .. } => {
            ErrorFields::new(Code::FailedPrecondition, ErrorReason::Declined)
        }
        // Not DEADLINE_EXCEEDED: nothing was done, so that a client may try again blindly.
        RequestError::VersionNotReached(missing) => {
            let NotReached { lags, more, unheard } = &**missing;
            let fields = ErrorFields::new(Code::Unavailable, ErrorReason::VersionNotReached)
                .with("needed", version(lags, *more, |lag| lag.needed.get()))
                .with("here", version(lags, *more, |lag| lag.here.get()));
            if unheard.is_empty() {
                return fields;
            }
            fields.with("unheard", listed_of(unheard.iter(), 0))
        }
        RequestError::WritesLost { lost, more } => {
            let named = |Lost { branch, life, writes }: &Lost| of_life(*branch, *life, *writes);
            ErrorFields::new(Code::DataLoss, ErrorReason::WritesLost)
                .with("lost", listed_of(lost.iter().map(named), *more))
        }
        RequestError::Returning { unheard, more } => {
            ErrorFields::new(Code::Unavailable, ErrorReason::Returning)
                .with("unheard", listed_of(unheard.iter(), *more))
        }
        RequestError::Unavailable { congested, more } => {
            ErrorFields::new(Code::ResourceExhausted, ErrorReason::Congested)
                .with("congested", listed_of(congested.iter(), *more))
        }
        RequestError::Full { log_max } => {
            ErrorFields::new(Code::ResourceExhausted, ErrorReason::Full).with("log_max", log_max)
        }
    }
}

fn told_peer(error: PeerError) -> ErrorFields {
    let fields = ErrorFields::new;
    match error {
        PeerError::OtherVersion { unknown: UnknownVersion { found, known }, .. } => {
            fields(Code::FailedPrecondition, ErrorReason::OtherVersion)
                .with("found", found)
                .with("newest", known.newest)
        }
        PeerError::OtherBank => fields(Code::FailedPrecondition, ErrorReason::OtherBank),
        PeerError::Conflict { from } => {
            fields(Code::FailedPrecondition, ErrorReason::Conflict).with("from", from)
        }
        PeerError::NotThatBranch { .. } => fields(Code::InvalidArgument, ErrorReason::BadField)
            .with("field", "id")
            .naming("id", error),
        PeerError::NotAPeer { branch, .. } => {
            fields(Code::Unauthenticated, ErrorReason::NotAPeer).with("branch", branch)
        }
        PeerError::Unreached { branch } => {
            fields(Code::Unavailable, ErrorReason::Unreached).with("branch", branch)
        }
        PeerError::Twin { branch } => {
            fields(Code::FailedPrecondition, ErrorReason::Twin).with("branch", branch)
        }
        PeerError::Crowded { waiting } => {
            fields(Code::ResourceExhausted, ErrorReason::Crowded).with("waiting", waiting)
        }
    }
}

fn told_scenario(fault: &ScenarioFault) -> ErrorFields {
    let fault = match fault {
        ScenarioFault::Input(fault) => fault,
        ScenarioFault::TooLarge(_) | ScenarioFault::TooLong { .. } => {
            return ErrorFields::new(Code::ResourceExhausted, ErrorReason::TooLarge);
        }
        ScenarioFault::TooManyEvents { most, .. } => {
            return ErrorFields::new(Code::ResourceExhausted, ErrorReason::TooLarge)
                .with("events_max", most);
        }
        ScenarioFault::Crowded { most } => {
            return ErrorFields::new(Code::ResourceExhausted, ErrorReason::Overloaded)
                .with("running", most);
        }
        ScenarioFault::Run(_) => return ErrorFields::new(Code::Internal, ErrorReason::RunFailed),
    };
    let mut told = ErrorFields::new(Code::InvalidArgument, ErrorReason::BadField)
        .with("field", "scenario")
        .naming("scenario", fault);
    if let Some(place) = fault.place {
        told = told.with("line", place.line).with("column", place.column);
    }
    match &fault.help {
        Some(help) => told.with("help", help),
        None => told,
    }
}

fn told_refusal(refusal: &Refusal) -> ErrorFields {
    let reason = refusal_reason(refusal);
    match refusal {
        // The state of the account is in the way, and may change.
        Refusal::InsufficientFunds { balance, requested } => {
            ErrorFields::new(Code::FailedPrecondition, reason)
                .with("balance", balance)
                .with("requested", requested)
        }
        Refusal::BalanceOutOfRange { balance } => {
            ErrorFields::new(Code::OutOfRange, reason).with("balance", balance)
        }
        // The customer's session has moved on meanwhile: as a whole it has to start again.
        Refusal::OutOfOrder { latest } => {
            ErrorFields::new(Code::Aborted, reason).with("latest", latest)
        }
        // The name is taken, by something else.
        Refusal::EventReused { first } => {
            ErrorFields::new(Code::AlreadyExists, reason).with("first", first)
        }
    }
}

/// The reason of `refusal`, in the words of the typed contract.
pub(super) const fn refusal_reason(refusal: &Refusal) -> ErrorReason {
    match refusal {
        Refusal::InsufficientFunds { .. } => ErrorReason::InsufficientFunds,
        Refusal::BalanceOutOfRange { .. } => ErrorReason::BalanceOutOfRange,
        Refusal::OutOfOrder { .. } => ErrorReason::OutOfOrder,
        Refusal::EventReused { .. } => ErrorReason::EventReused,
    }
}

/// `1:5, 2/7:3`: by origin and life, a count of its writes. A first life is left out.
fn version(lags: &[Lag], more: usize, count: impl Fn(&Lag) -> u64) -> String {
    listed_of(lags.iter().map(|lag| of_life(lag.origin, lag.life, count(lag))), more)
}

fn of_life(branch: BranchId, life: Life, writes: u64) -> String {
    if life == Life::FIRST {
        format!("{branch}:{writes}")
    } else {
        format!("{branch}/{life}:{writes}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::token::TokenError;
    use crate::model::{Amount, EventId, LogPosition, Money, MoneyError, Sequence, Write};

    fn branch(id: i64) -> BranchId {
        BranchId::new(id).unwrap()
    }

    fn refused(refusal: Refusal) -> CallError {
        RequestError::Refused(refusal).into()
    }

    /// Code, reason, and metadata in the order of its keys.
    #[track_caller]
    fn told_as(error: CallError, code: Code, reason: &str, metadata: &[(&str, &str)]) {
        let message = error.to_string();
        let status = Status::from(error);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (status.code(), status.message(), info.reason.as_str(), info.domain.as_str()),
            (code, message.as_str(), reason, "passbook")
        );
        let mut found: Vec<(&str, &str)> =
            info.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, metadata);
    }

    #[test]
    fn a_wrong_field_is_named() {
        let error = CallError::from(FieldError::new("amount", MoneyError::NotPositive));
        told_as(error.clone(), Code::InvalidArgument, "BAD_FIELD", &[("field", "amount")]);
        let status = Status::from(error);
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].field, "amount");
        assert_eq!(violations[0].description, "not positive; an amount is more than 0");
        let error = TokenError::NotOfThisBank;
        told_as(error.into(), Code::InvalidArgument, "BAD_FIELD", &[("field", "passbook")]);
    }

    #[test]
    fn an_unknown_branch_is_not_found_and_those_that_exist_are_told() {
        told_as(
            CallError::UnknownBranch { branch: branch(9), branches: vec![branch(1), branch(2)] },
            Code::NotFound,
            "UNKNOWN_BRANCH",
            &[("branch", "9"), ("branches", "1, 2")],
        );
    }

    #[test]
    fn each_refusal_has_its_code() {
        let balance = Money::from_minor(40_050);
        told_as(
            refused(Refusal::InsufficientFunds { balance, requested: Money::from_minor(50_000) }),
            Code::FailedPrecondition,
            "INSUFFICIENT_FUNDS",
            &[("balance", "400.5"), ("requested", "500")],
        );
        told_as(
            refused(Refusal::BalanceOutOfRange { balance }),
            Code::OutOfRange,
            "BALANCE_OUT_OF_RANGE",
            &[("balance", "400.5")],
        );
        told_as(
            refused(Refusal::OutOfOrder { latest: EventId::new(7).unwrap() }),
            Code::Aborted,
            "OUT_OF_ORDER",
            &[("latest", "7")],
        );
        let first = Write::deposit(Amount::try_from(balance).unwrap());
        told_as(
            refused(Refusal::EventReused { first }),
            Code::AlreadyExists,
            "EVENT_REUSED",
            &[("first", "deposit 400.5")],
        );
    }

    fn not_reached(lags: Vec<Lag>, unheard: Vec<BranchId>) -> RequestError {
        NotReached { lags, more: 0, unheard }.into()
    }

    #[test]
    fn what_is_not_confirmed_differs_from_what_was_not_done() {
        told_as(
            RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(2), branch(3)], more: 0 }
                .into(),
            Code::DeadlineExceeded,
            "OUTCOME_UNKNOWN",
            &[("unconfirmed_by", "2, 3")],
        );
        let lag = |origin, needed, here| Lag {
            origin: branch(origin),
            life: Life::FIRST,
            needed: Sequence::new(needed),
            here: Sequence::new(here),
        };
        told_as(
            not_reached(vec![lag(1, 5, 3), lag(2, 7, 0)], Vec::new()).into(),
            Code::Unavailable,
            "VERSION_NOT_REACHED",
            &[("here", "1:3, 2:0"), ("needed", "1:5, 2:7")],
        );
    }

    #[test]
    fn a_life_that_is_over_is_told_with_its_number_and_who_has_not_been_heard() {
        let (life, here) = (Life::new(7), Sequence::new(1));
        let lag = Lag { origin: branch(3), life, needed: Sequence::new(4), here };
        told_as(
            not_reached(vec![lag], vec![branch(2)]).into(),
            Code::Unavailable,
            "VERSION_NOT_REACHED",
            &[("here", "3/7:1"), ("needed", "3/7:4"), ("unheard", "2")],
        );
        let lost = |branch_id, life| Lost { branch: branch(branch_id), life, writes: 3 };
        told_as(
            RequestError::WritesLost { lost: vec![lost(1, Life::FIRST), lost(3, life)], more: 0 }
                .into(),
            Code::DataLoss,
            "WRITES_LOST",
            &[("lost", "1:3, 3/7:3")],
        );
        told_as(
            RequestError::Returning { unheard: vec![branch(2)], more: 0 }.into(),
            Code::Unavailable,
            "RETURNING",
            &[("unheard", "2")],
        );
    }

    #[test]
    fn the_bank_says_when_it_cannot_serve() {
        told_as(
            RequestError::Unavailable { congested: vec![branch(2)], more: 0 }.into(),
            Code::ResourceExhausted,
            "CONGESTED",
            &[("congested", "2")],
        );
        told_as(
            RequestError::Full { log_max: LogPosition::new(400) }.into(),
            Code::ResourceExhausted,
            "FULL",
            &[("log_max", "400")],
        );
        told_as(
            CallError::Overloaded { waiting: 8 },
            Code::ResourceExhausted,
            "OVERLOADED",
            &[("waiting", "8")],
        );
        told_as(CallError::Draining, Code::Unavailable, "DRAINING", &[]);
        told_as(CallError::ActorStopped, Code::Internal, "ACTOR_STOPPED", &[]);
    }
}
