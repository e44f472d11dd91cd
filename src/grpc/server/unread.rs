//! Calls that no service gets to read: for a method that is not there, or with a request that is
//! not one. tonic answers them in its own words and with codes that blame the server; here they get
//! ours.

use std::ops::ControlFlow;
use std::sync::Arc;

use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::{Code, Status};

use super::directory::Directory;
use super::layer::Around;
use crate::grpc::error::CallError;

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
