//! A layer around services: looks at a request before they do, and at their answer after.

use std::ops::ControlFlow;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tower::Layer;

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
