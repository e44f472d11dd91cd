//! Why a classic call was answered with 400, which its reply has no field for: in a trailer of the
//! answer, and in the log, once for each reason and peer.

use std::collections::BTreeSet;
use std::fmt;
use std::future::ready;
use std::net::IpAddr;

use actix::{Actor, Context, Handler, Message};
use http_body_util::BodyExt;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, Response};

use crate::grpc::error::CallError;
use crate::grpc::status::{reason, wrong_field};
use crate::grpc::trailers::REASON_TRAILER;
use crate::model::BranchId;

/// How long a reason in a trailer is at most. Clients take some 8 KiB of trailers in all.
const REASON_BYTES_MAX: usize = 1024;

/// How many reasons and peers are remembered, and so how many lines the log gets.
const REMEMBERED_MAX: usize = 1000;

/// The reason of an answer with 400, on its way to the answer's trailers.
#[derive(Debug, Clone)]
pub(super) struct Reason(HeaderValue);

impl Reason {
    /// `error` in one line: the reason in the words of the typed contract, then its message.
    pub(super) fn of(error: &CallError) -> Self {
        Self(header_text(&text(error)))
    }
}

/// Moves the reason that an answer bears in its extensions to its trailers: tonic gives a service
/// no other way to trailers where the call itself succeeds.
pub(super) fn to_trailers(mut response: Response<Body>) -> Response<Body> {
    match response.extensions_mut().remove::<Reason>() {
        None => response,
        Some(Reason(value)) => {
            let trailers = HeaderMap::from_iter([(HeaderName::from_static(REASON_TRAILER), value)]);
            response.map(|body| Body::new(body.with_trailers(ready(Some(Ok(trailers))))))
        }
    }
}

fn text(error: &CallError) -> String {
    format!("{}: {error}", reason(error).word())
}

/// `text` as metadata can carry it: what is not printable ASCII is percent-encoded, as gRPC does it
/// with messages of errors. What is too long is cut off.
fn header_text(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let next = match byte {
            b'%' | 0..b' ' | 0x7f.. => format!("%{byte:02X}"),
            b' '..0x7f => char::from(byte).to_string(),
        };
        if encoded.len() + next.len() > REASON_BYTES_MAX {
            break;
        }
        encoded.push_str(&next);
    }
    HeaderValue::try_from(encoded).expect("printable ASCII")
}

/// Remembers which reasons were told to whom, so that the log has each once.
#[derive(Debug, Default)]
pub(super) struct ReasonLog {
    told: BTreeSet<(Option<IpAddr>, Kind)>,
}

/// Reasons that differ in values alone are of one kind: a client that goes wrong goes wrong often.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    reason: &'static str,
    field: Option<String>,
}

/// Tells the log of an answer with 400.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(super) struct Refused {
    /// The branch that answers.
    pub(super) branch: BranchId,
    /// Who is answered; `None` where there is no address.
    pub(super) peer: Option<IpAddr>,
    /// Why.
    pub(super) error: CallError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { branch, peer, error } = self;
        let line: String = text(error).chars().take(REASON_BYTES_MAX).collect();
        match peer {
            Some(peer) => write!(f, "branch {branch} answers {peer} with 400: ")?,
            None => write!(f, "branch {branch} answers a client with 400: ")?,
        }
        f.write_str(&line)
    }
}

/// How loud an answer with 400 is told.
#[derive(Debug, PartialEq, Eq)]
enum Telling {
    /// It is the first of its kind.
    First,
    /// It is the first that is not remembered any more.
    LastFirst,
    /// It is one more of its kind.
    Again,
}

impl ReasonLog {
    fn enter(&mut self, refused: &Refused) -> Telling {
        let kind =
            Kind { reason: reason(&refused.error).word(), field: wrong_field(&refused.error) };
        let entry = (refused.peer, kind);
        if self.told.len() > REMEMBERED_MAX || self.told.contains(&entry) {
            return Telling::Again;
        }
        self.told.insert(entry);
        if self.told.len() > REMEMBERED_MAX { Telling::LastFirst } else { Telling::First }
    }
}

impl Actor for ReasonLog {
    type Context = Context<Self>;
}

impl Handler<Refused> for ReasonLog {
    type Result = ();

    fn handle(&mut self, refused: Refused, _: &mut Self::Context) {
        match self.enter(&refused) {
            Telling::First => log::warn!("{refused} (told once for each reason and peer)"),
            Telling::LastFirst => log::warn!(
                "{refused} (more than {REMEMBERED_MAX} reasons and peers: from now on they are told \
                 at the level info alone)"
            ),
            Telling::Again => log::info!("{refused}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::convert::{FieldError, FieldProblem};

    fn wrong_word(field: &str, found: &str) -> CallError {
        let problem = FieldProblem::Word { expected: "\"query\"", found: found.to_owned() };
        FieldError::new(field, problem).into()
    }

    fn encoded(error: &CallError) -> String {
        let Reason(value) = Reason::of(error);
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_reason_is_one_line_of_ascii() {
        assert_eq!(
            encoded(&wrong_word("type", "größe 5%\n")),
            "BAD_FIELD: type: expected \"query\", found \"gr%C3%B6%C3%9Fe 5%25\\n\""
        );
    }

    #[test]
    fn a_reason_has_a_bound_and_is_cut_between_letters() {
        for long in ["x".repeat(100_000), "ß".repeat(100_000)] {
            let told = encoded(&wrong_word("type", &long));
            assert!((1000..=REASON_BYTES_MAX).contains(&told.len()), "{}", told.len());
            let end = told.rsplit('%').next().unwrap();
            assert!(!told.contains('%') || end.len() == 2, "{end}");
        }
    }

    fn refused(peer: [u8; 4], error: CallError) -> Refused {
        Refused { branch: BranchId::new(1).unwrap(), peer: Some(IpAddr::from(peer)), error }
    }

    #[test]
    fn each_reason_and_peer_is_told_once_whatever_the_values() {
        let mut log = ReasonLog::default();
        let mut enter = |peer, error| log.enter(&refused(peer, error));
        assert_eq!(enter([127, 0, 0, 1], wrong_word("type", "a")), Telling::First);
        assert_eq!(enter([127, 0, 0, 1], wrong_word("type", "b")), Telling::Again);
        assert_eq!(enter([127, 0, 0, 1], wrong_word("interface", "a")), Telling::First);
        assert_eq!(enter([127, 0, 0, 2], wrong_word("type", "a")), Telling::First);
        assert_eq!(enter([127, 0, 0, 2], CallError::Draining), Telling::First);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut log = ReasonLog::default();
        for peer in 0..u32::try_from(REMEMBERED_MAX).unwrap() {
            let told = log.enter(&refused(peer.to_be_bytes(), CallError::Draining));
            assert_eq!(told, Telling::First);
        }
        let mut next = |last| log.enter(&refused([9, 9, 9, last], CallError::Draining));
        assert_eq!(next(1), Telling::LastFirst);
        assert_eq!(next(2), Telling::Again);
        assert_eq!(log.told.len(), REMEMBERED_MAX + 1);
    }
}
