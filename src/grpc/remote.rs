//! Where a branch elsewhere is, and which contract it speaks.

use super::convert::FloatError;
use super::wire::LinkError;
use thiserror::Error;
pub use tonic::transport::Channel;
use tonic::transport::Endpoint as TonicEndpoint;

/// The address of a branch elsewhere. Nothing is connected until something is sent.
#[derive(Debug, Clone)]
pub struct Endpoint {
    address: String,
    endpoint: TonicEndpoint,
}

/// Which contract a branch elsewhere speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// Package `banking`: knows no origins and sequences.
    Classic,
    /// Package `passbook.v1`.
    Typed,
}

/// Why a branch elsewhere does not say how it stands.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// Nobody listens there.
    #[error("it cannot be reached; is it running?")]
    Connect(#[from] tonic::transport::Error),
    /// It does not answer as the classic contract says.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Its balance is no money.
    #[error("its balance is {found}: {problem}")]
    Balance {
        /// As it came.
        found: f32,
        /// What is wrong.
        problem: FloatError,
    },
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{found}' is no address of a branch; write it as http://127.0.0.1:50051")]
pub struct EndpointError {
    /// The text.
    pub found: String,
}

impl Endpoint {
    /// The branch at `address`, such as `http://127.0.0.1:50051`.
    pub fn new(address: &str) -> Result<Self, EndpointError> {
        let error = || EndpointError { found: address.to_owned() };
        let endpoint = TonicEndpoint::from_shared(address.to_owned()).map_err(|_| error())?;
        let uri = endpoint.uri();
        if uri.scheme_str() != Some("http") || uri.port().is_none() {
            return Err(error());
        }
        Ok(Self { address: address.to_owned(), endpoint: endpoint.tcp_nodelay(true) })
    }

    /// As it was written.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A channel to it, connected. An error where it cannot be reached now.
    pub async fn connect(&self) -> Result<Channel, RemoteError> {
        Ok(self.endpoint.connect().await?)
    }

    /// A channel to it, which connects when it is used and again whenever it is broken. Called
    /// where a runtime runs.
    pub fn channel(&self) -> Channel {
        self.endpoint.connect_lazy()
    }
}
