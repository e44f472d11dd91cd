//! Doors to a branch that only this machine reaches: a connection in memory, a Unix socket, a
//! loopback port. Whoever goes in through one has the bytes counted that go both ways.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fmt, io};

use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::io::DuplexStream;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use super::counted::Counted;
use super::listen::{BindError, EdgeError, Listener, Services};
use crate::model::BranchId;

/// How much a connection in memory holds before its writer waits for its reader.
const MEMORY_BYTES: usize = 64 << 10;

/// What a listener is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Medium {
    /// Nothing that the system knows of.
    Memory,
    /// A Unix socket at this path, where nothing may be yet.
    Unix(PathBuf),
    /// A loopback port that is free.
    Tcp,
}

/// The branch's side.
#[derive(Debug)]
pub struct BranchListener {
    accepting: Accepting,
}

#[derive(Debug)]
enum Accepting {
    Memory(mpsc::UnboundedReceiver<io::Result<DuplexStream>>),
    Unix(std::os::unix::net::UnixListener),
    Tcp(Listener),
}

/// The other side: for customers and other branches. Cheap to copy.
#[derive(Debug, Clone)]
pub struct Connector {
    target: Target,
    carried: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Target {
    Memory(mpsc::UnboundedSender<io::Result<DuplexStream>>),
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// A listener that cannot be opened.
#[derive(Debug, Error)]
pub enum BranchListenerError {
    /// A loopback port.
    #[error(transparent)]
    Port(#[from] BindError),
    /// A Unix socket.
    #[error("cannot listen on the socket {}: {source}; TMPDIR says where it is", path.display())]
    Socket {
        /// Where it would be.
        path: PathBuf,
        /// Why it is not.
        source: io::Error,
    },
}

impl BranchListener {
    /// Opens a listener to the branch `branch`, and says how to come to it. Takes no connection
    /// yet.
    pub fn open(
        medium: Medium,
        branch: BranchId,
    ) -> Result<(Self, Connector), BranchListenerError> {
        let (accepting, target) = match medium {
            Medium::Memory => {
                let (sender, receiver) = mpsc::unbounded_channel();
                (Accepting::Memory(receiver), Target::Memory(sender))
            }
            Medium::Unix(path) => {
                let bind = || {
                    let listener = std::os::unix::net::UnixListener::bind(&path)?;
                    listener.set_nonblocking(true)?;
                    Ok(listener)
                };
                let listener = bind()
                    .map_err(|source| BranchListenerError::Socket { path: path.clone(), source })?;
                (Accepting::Unix(listener), Target::Unix(path))
            }
            Medium::Tcp => {
                let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let listener = Listener::bind(any_port, Some(branch))?;
                let address = listener.address();
                (Accepting::Tcp(listener), Target::Tcp(address))
            }
        };
        Ok((Self { accepting }, Connector { target, carried: Arc::default() }))
    }
}

impl Services {
    /// Serves the branch `branch` to whoever comes through `door_listener`, for ever.
    pub async fn serve_at(
        &self,
        door_listener: BranchListener,
        branch: BranchId,
    ) -> Result<(), EdgeError> {
        let never = std::future::pending();
        match door_listener.accepting {
            Accepting::Memory(connections) => {
                let incoming = UnboundedReceiverStream::new(connections);
                self.serve_incoming(incoming, Some(branch), never).await
            }
            Accepting::Unix(listener) => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                let incoming = UnixListenerStream::new(listener);
                self.serve_incoming(incoming, Some(branch), never).await
            }
            Accepting::Tcp(listener) => self.serve(listener, never).await,
        }
    }
}

impl Connector {
    /// The way to a loopback port at which another process listens.
    pub fn to_port(address: SocketAddr) -> Self {
        Self { target: Target::Tcp(address), carried: Arc::default() }
    }

    /// How many bytes have gone this way and back, on all of its connections.
    pub fn carried_bytes(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// A channel, which connects when it is used. Called where a runtime runs.
    pub fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_static("http://branch");
        let Self { target, carried } = self.clone();
        let counted = move |carried: &Arc<AtomicU64>| Arc::clone(carried);
        match target {
            Target::Memory(door_listener) => {
                endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
                    let (ours, theirs) = tokio::io::duplex(MEMORY_BYTES);
                    let connected = door_listener.send(Ok(theirs)).map_err(|_| {
                        io::Error::new(io::ErrorKind::ConnectionRefused, "the branch has closed")
                    });
                    let carried = counted(&carried);
                    std::future::ready(
                        connected.map(|()| TokioIo::new(Counted { stream: ours, carried })),
                    )
                }))
            }
            Target::Unix(path) => {
                endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
                    let (path, carried) = (path.clone(), counted(&carried));
                    async move {
                        let stream = UnixStream::connect(path).await?;
                        Ok::<_, io::Error>(TokioIo::new(Counted { stream, carried }))
                    }
                }))
            }
            Target::Tcp(address) => {
                endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
                    let carried = counted(&carried);
                    async move {
                        let stream = TcpStream::connect(address).await?;
                        stream.set_nodelay(true)?;
                        Ok::<_, io::Error>(TokioIo::new(Counted { stream, carried }))
                    }
                }))
            }
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("Memory"),
            Self::Unix(path) => path.fmt(f),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}
