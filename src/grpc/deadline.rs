//! The time that a call has until its answer begins: the client's limit or the server's, whichever is
//! the shorter. tonic would call it cancelled; nobody has cancelled it.

use std::task::{Context, Poll};
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tower::Layer;

use super::status::CallError;

/// Puts a limit on the calls of services.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeadlineLayer {
    /// The server's limit.
    pub(super) limit: Duration,
}

/// Services whose calls have a limit.
#[derive(Debug, Clone)]
pub(super) struct Deadline<S> {
    inner: S,
    limit: Duration,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner, limit: self.limit }
    }
}

impl<S> Service<Request<Body>> for Deadline<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Response<Body>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let limit = client_limit(request.headers()).map_or(self.limit, |own| own.min(self.limit));
        // It is asked before tonic asks its own timer, which goes off at the same time.
        let answer = tokio::time::timeout(limit, self.inner.call(request));
        Box::pin(async move {
            let over = || Ok(Status::from(CallError::TimeOver { limit }).into_http());
            answer.await.unwrap_or_else(|_| over())
        })
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
