//! Layers around the services: each looks at a request before they do, and at their answer after.
//! One counts calls, one ends those whose time is over, one says in our words what no service could
//! read.

use std::error::Error;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tower::Layer;

use super::admission::{Admission, Called};
use super::directory::Directory;
use crate::grpc::error::CallError;

/// What is to be seen to before and after a call.
pub(super) trait Around: Clone {
    /// What is kept of a request for its answer.
    type Kept: Unpin;

    /// An answer where the services are not to be asked.
    fn before(&self, request: &Request<Body>) -> ControlFlow<Response<Body>, Self::Kept>;

    /// The answer that goes out, of the one that the services give.
    fn after(kept: Self::Kept, response: Response<Body>) -> Response<Body>;
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

/// An answer of [`Surrounded`] services, on its way out.
pub(super) enum Answering<A: Around, F> {
    /// The services give it.
    Asked { answer: F, kept: Option<A::Kept> },
    /// The services are not asked.
    Told(Option<Box<Response<Body>>>),
}

impl<S, A: Around> Layer<S> for AroundLayer<A> {
    type Service = Surrounded<S, A>;

    fn layer(&self, inner: S) -> Surrounded<S, A> {
        Surrounded { inner, around: self.0.clone() }
    }
}

impl<S, A: Around> Service<Request<Body>> for Surrounded<S, A>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Unpin,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answering<A, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.around.before(&request) {
            ControlFlow::Continue(kept) => {
                Answering::Asked { answer: self.inner.call(request), kept: Some(kept) }
            }
            ControlFlow::Break(response) => Answering::Told(Some(Box::new(response))),
        }
    }
}

impl<A: Around, F, E> Future for Answering<A, F>
where
    F: Future<Output = Result<Response<Body>, E>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match &mut *self {
            Self::Asked { answer, kept } => {
                let response = ready!(Pin::new(answer).poll(cx))?;
                A::after(kept.take().expect("it has no answer yet"), response)
            }
            Self::Told(response) => *response.take().expect("it has no answer yet"),
        }))
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

    fn after(admission: Arc<Admission>, response: Response<Body>) -> Response<Body> {
        // tonic leaves the status of an answer that is an error here, and the status its cause.
        let status = response.extensions().get::<Status>();
        let cause = status.and_then(Error::source).and_then(|error| error.downcast_ref());
        if let Some(error) = cause {
            admission.refuse(error as &CallError);
        }
        response
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

    fn after(message_bytes_max: usize, response: Response<Body>) -> Response<Body> {
        match unread(response.headers(), message_bytes_max) {
            Some(error) => Status::from(error).into_http(),
            None => response,
        }
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
pub(super) struct DeadlineLayer {
    /// The server's limit.
    pub(super) limit: Duration,
}

/// Services whose calls end when their time is over.
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
    S::Future: Unpin,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = InTime<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let own = client_limit(request.headers()).filter(|own| *own < self.limit);
        let (limit, has_waited) = (own.unwrap_or(self.limit), own.is_some());
        InTime { answer: self.inner.call(request), limit, has_waited, timer: None }
    }
}

/// An answer that is there in time. One that waits for its branch and for nothing else has no timer
/// here, if its client names no limit: the branch answers within its own time, and timers cost as
/// much as layers do. One whose request has not come whole is looked at again soon, and then gets one.
pub(super) struct InTime<F> {
    answer: F,
    limit: Duration,
    has_waited: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F, E> Future for InTime<F>
where
    F: Future<Output = Result<Response<Body>, E>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answered) = Pin::new(&mut self.answer).poll(cx) {
            return Poll::Ready(answered);
        }
        if !self.has_waited {
            self.has_waited = true;
            return Poll::Pending;
        }
        let limit = self.limit;
        ready!(self.timer.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx));
        Poll::Ready(Ok(Status::from(CallError::TimeOver { limit }).into_http()))
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
    use std::convert::Infallible;
    use std::future::pending;
    use std::task::Waker;

    use super::*;
    use tonic::codegen::http::{HeaderName, HeaderValue};

    fn unanswered(limit: Duration, has_waited: bool) -> InTime<impl Future<Output = Answered>> {
        InTime { answer: pending(), limit, has_waited, timer: None }
    }

    type Answered = Result<Response<Body>, Infallible>;

    #[actix::test]
    async fn a_call_has_a_timer_when_it_waits_again_or_its_client_names_a_limit() {
        let mut cx = Context::from_waker(Waker::noop());
        for (has_waited, has_timer) in [(false, [false, true]), (true, [true, true])] {
            let mut call = unanswered(Duration::from_secs(3600), has_waited);
            let timers = has_timer.map(|_| {
                assert!(Pin::new(&mut call).poll(&mut cx).is_pending());
                call.timer.is_some()
            });
            assert_eq!(timers, has_timer);
        }
    }

    #[actix::test]
    async fn a_call_whose_time_is_over_is_told_so() {
        let Ok(response) = unanswered(Duration::ZERO, true).await;
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }

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
