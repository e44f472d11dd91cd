//! Layers around the services: each looks at a request before they do, and at their answer after.
//! One counts calls, one ends those whose time is over, one says in our words what no service could
//! read.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::{Code, Status};
use tower::Layer;

use super::admission::{Admission, Called};
use super::directory::Directory;
use crate::grpc::error::CallError;

/// What is to be seen to before and after a call.
pub(super) trait Around: Clone {
    /// What is kept of a request for its answer.
    type Kept: Send + 'static;

    /// An answer where the services are not to be asked.
    fn before(&self, request: &Request<Body>) -> ControlFlow<Response<Body>, Self::Kept>;

    /// The answer that goes out, of the one that the services give.
    fn after<E>(
        kept: Self::Kept,
        answer: impl Future<Output = Result<Response<Body>, E>> + Send,
    ) -> impl Future<Output = Result<Response<Body>, E>> + Send;
}

/// Puts an [`Around`] around services.
#[derive(Debug, Clone)]
pub(super) struct AroundLayer<A>(pub(super) A);

/// Services with an [`Around`] around them.
#[derive(Debug, Clone)]
pub(super) struct Surrounded<S, A> {
    inner: S,
    around: A,
}

impl<S, A: Around> Layer<S> for AroundLayer<A> {
    type Service = Surrounded<S, A>;

    fn layer(&self, inner: S) -> Surrounded<S, A> {
        Surrounded { inner, around: self.0.clone() }
    }
}

impl<S, A: Around + 'static> Service<Request<Body>> for Surrounded<S, A>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Response<Body>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.around.before(&request) {
            ControlFlow::Continue(kept) => Box::pin(A::after(kept, self.inner.call(request))),
            ControlFlow::Break(response) => Box::pin(async move { Ok(response) }),
        }
    }
}

/// Counts what comes and how it is answered.
#[derive(Debug, Clone)]
pub(super) struct Counting {
    /// Where.
    pub(super) admission: Arc<Admission>,
}

impl Around for Counting {
    type Kept = Arc<Admission>;

    fn before(&self, request: &Request<Body>) -> ControlFlow<Response<Body>, Arc<Admission>> {
        self.admission.call(Called::at(request.uri().path()));
        ControlFlow::Continue(Arc::clone(&self.admission))
    }

    async fn after<E>(
        admission: Arc<Admission>,
        answer: impl Future<Output = Result<Response<Body>, E>> + Send,
    ) -> Result<Response<Body>, E> {
        let response = answer.await?;
        // tonic leaves the status of an answer that is an error here, and the status its cause.
        let status = response.extensions().get::<Status>();
        let cause = status.and_then(Error::source).and_then(|error| error.downcast_ref());
        if let Some(error) = cause {
            admission.refuse(error as &CallError);
        }
        Ok(response)
    }
}

/// Answers calls that do not come as far as a service.
#[derive(Debug, Clone)]
pub(super) struct Readable {
    /// What is served.
    pub(super) directory: Arc<Directory>,
    /// The size of a message, at most.
    pub(super) message_bytes_max: usize,
}

impl Around for Readable {
    type Kept = usize;

    fn before(&self, request: &Request<Body>) -> ControlFlow<Response<Body>, usize> {
        match self.directory.check(request.uri().path()) {
            Ok(()) => ControlFlow::Continue(self.message_bytes_max),
            Err(unknown) => ControlFlow::Break(Status::from(unknown).into_http()),
        }
    }

    async fn after<E>(
        message_bytes_max: usize,
        answer: impl Future<Output = Result<Response<Body>, E>> + Send,
    ) -> Result<Response<Body>, E> {
        let response = answer.await?;
        Ok(match unread(response.headers(), message_bytes_max) {
            Some(error) => Status::from(error).into_http(),
            None => response,
        })
    }
}

/// The error of a request that tonic could not read, where `headers` are of its answer. Our own
/// errors have details, and tonic's have none; those that come later than the headers are never of
/// this kind.
fn unread(headers: &HeaderMap, limit_bytes: usize) -> Option<CallError> {
    let status = Status::from_header_map(headers).filter(|status| status.details().is_empty())?;
    if matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted) {
        return Some(CallError::TooLarge { limit_bytes });
    }
    // This one is INTERNAL in the gRPC compression specification itself.
    let is_specified = status.message().contains("compressed-flag but no grpc-encoding");
    let is_internal = status.code() == Code::Internal && !is_specified;
    is_internal.then(|| CallError::Unreadable { problem: status.message().to_owned() })
}

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
