//! Counts calls and how they are answered.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};

use super::admission::{Admission, Called};
use super::layer::Around;
use crate::grpc::error::CallError;

/// Counts what comes and how it is answered.
#[derive(Debug, Clone)]
pub(super) struct Counting {
    /// Where.
    pub(super) tally: Arc<Admission>,
}

impl Around for Counting {
    type Kept = Arc<Admission>;

    fn before(&self, request: &Request<Body>) -> ControlFlow<Response<Body>, Arc<Admission>> {
        self.tally.call(Called::at(request.uri().path()));
        ControlFlow::Continue(Arc::clone(&self.tally))
    }

    async fn after<E>(
        tally: Arc<Admission>,
        answer: impl Future<Output = Result<Response<Body>, E>> + Send,
    ) -> Result<Response<Body>, E> {
        let response = answer.await?;
        // tonic leaves the status of an answer that is an error here, and the status its cause.
        let status = response.extensions().get::<Status>();
        let cause = status.and_then(Error::source).and_then(|error| error.downcast_ref());
        if let Some(error) = cause {
            tally.refuse(error as &CallError);
        }
        Ok(response)
    }
}
