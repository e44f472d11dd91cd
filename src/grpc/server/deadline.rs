//! The time that a call has until its answer begins: the client's limit or the server's, whichever
//! is the shorter.

use std::ops::ControlFlow;
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};

use super::layer::Around;
use crate::grpc::error::CallError;

/// Ends calls whose time is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    /// The server's limit.
    pub(super) limit: Duration,
}

impl Around for Deadline {
    type Kept = Duration;

    fn before(&self, request: &Request<Body>) -> ControlFlow<Response<Body>, Duration> {
        let own = client_limit(request.headers());
        ControlFlow::Continue(own.map_or(self.limit, |own| own.min(self.limit)))
    }

    async fn after<E>(
        limit: Duration,
        answer: impl Future<Output = Result<Response<Body>, E>> + Send,
    ) -> Result<Response<Body>, E> {
        let over = || Ok(Status::from(CallError::TimeOver { limit }).into_http());
        tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| over())
    }
}

/// The limit that a client names: up to eight digits, and the letter of a unit. One that is written
/// otherwise is none.
fn client_limit(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 60 * 60),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::codegen::http::{HeaderName, HeaderValue};

    #[test]
    fn a_client_names_its_limit_in_any_unit() {
        let limit = |text: &'static str| {
            let name = HeaderName::from_static("grpc-timeout");
            client_limit(&HeaderMap::from_iter([(name, HeaderValue::from_static(text))]))
        };
        for (text, expected) in [
            ("2H", Duration::from_secs(7200)),
            ("3M", Duration::from_secs(180)),
            ("1S", Duration::from_secs(1)),
            ("50m", Duration::from_millis(50)),
            ("99999999u", Duration::from_micros(99_999_999)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(limit(text), Some(expected), "{text}");
        }
        for text in ["", "S", "1", "1s", "-1S", "1.5S", "123456789S", "1 S"] {
            assert_eq!(limit(text), None, "{text}");
        }
        assert_eq!(client_limit(&HeaderMap::new()), None);
    }
}
