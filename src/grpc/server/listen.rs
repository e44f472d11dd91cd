//! Listeners and what is served on them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::Stream;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::codegen::http::Request;
use tonic::server::NamedService;
use tonic::service::{LayerExt, Routes};
use tonic::transport::server::{Connected, TcpIncoming};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;
use tower::util::{MapRequestLayer, MapResponseLayer};

use super::acceptor::Acceptor;
use super::believed::Believed;
use super::classic::ClassicService;
use super::directory::Directory;
use super::gate::Gate;
use super::gateway::Gateway;
use super::gather::Gathered;
use super::http::GrpcAlone;
use super::layers::AroundLayer;
use super::layers::Counting;
use super::layers::DeadlineLayer;
use super::layers::Readable;
use super::limits::Limits;
use super::origin::Origin;
use super::peer::PeerServer;
use super::reason;
use super::scenarios::Scenarios;
use super::typed::TypedService;
use crate::grpc::proto::DESCRIPTORS;
use crate::grpc::proto::banking::branch_server::BranchServer;
use crate::grpc::proto::v1::bank_service_server::BankServiceServer;
use crate::grpc::proto::v1::peer_service_server::PeerServiceServer;
use crate::grpc::room;
use crate::model::BranchId;

/// How much longer than a call may take its request may take to come whole.
const UNREAD_GRACE: Duration = Duration::from_secs(1);

/// How often a silent connection is asked whether its client is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A socket that is bound, for one branch or for all.
#[derive(Debug)]
pub struct Listener {
    branch: Option<BranchId>,
    socket: TcpListener,
    address: SocketAddr,
}

/// An address cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {}", reason(source))]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        "another program uses this port; choose another with --base-port, --single-port or port 0"
            .to_owned()
    } else {
        error.to_string()
    }
}

/// A server has ended before it was told to.
#[derive(Debug, Error)]
pub enum EdgeError {
    /// The socket cannot be used by the runtime.
    #[error("the socket cannot be used: {0}")]
    Socket(#[from] io::Error),
    /// The description of our own services cannot be served.
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Everything that is served.
#[derive(Clone)]
pub struct Services {
    /// The way in.
    pub gateway: Gateway,
    /// Who runs scenarios.
    pub scenarios: Scenarios,
    /// What clients may ask, at most.
    pub limits: Limits,
    /// Which pages in a browser may call.
    pub origins: Arc<[Origin]>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("gateway", &self.gateway)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Listens on `address`; where the port is 0, on one that is free. Serves nothing yet.
    pub fn bind(address: SocketAddr, branch: Option<BranchId>) -> Result<Self, BindError> {
        let bind = || {
            let socket = TcpListener::bind(address)?;
            socket.set_nonblocking(true)?;
            let bound = socket.local_addr()?;
            Ok(Self { branch, socket, address: bound })
        };
        bind().map_err(|source| BindError { address, source })
    }

    /// The branch that it is for; `None`: all that live here.
    pub fn branch(&self) -> Option<BranchId> {
        self.branch
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Services {
    /// Serves on `listener` until `closing` ends and every call has had its answer.
    pub async fn serve(
        &self,
        listener: Listener,
        closing: impl Future<Output = ()>,
    ) -> Result<(), EdgeError> {
        let socket = tokio::net::TcpListener::from_std(listener.socket)?;
        let incoming = TcpIncoming::from(socket)
            .with_nodelay(Some(true))
            // HTTP/2 has a ping of its own, for which hyper reads the clock at every frame.
            .with_keepalive(Some(KEEPALIVE));
        self.serve_incoming(incoming, listener.branch, closing).await
    }

    /// The same, on connections from anywhere.
    pub async fn serve_incoming<IO>(
        &self,
        incoming: impl Stream<Item = io::Result<IO>>,
        branch: Option<BranchId>,
        closing: impl Future<Output = ()>,
    ) -> Result<(), EdgeError>
    where
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let limits = self.limits;
        let Limits { message_bytes_max, call_time_max, .. } = limits;
        let (health, health_service) = tonic_health::server::health_reporter();
        let (routes, directory) = self.routes(branch, health_service)?;
        let unread = Arc::clone(self.gateway.unread());
        let gather = move |request: Request<Body>| {
            request.map(|body| Body::new(Gathered::new(body, &unread, &limits)))
        };
        let counting = Counting { admission: self.gateway.admission() };
        // The services end calls themselves when their time is over; this is for those that have not
        // even come whole by then, and for clients that have less time.
        let deadline = DeadlineLayer { limit: call_time_max.saturating_add(UNREAD_GRACE) };
        let readable = Readable { directory: Arc::new(directory), message_bytes_max };
        let services = ServiceBuilder::new()
            .layer(AroundLayer(GrpcAlone { origins: Arc::clone(&self.origins) }))
            .layer(GrpcWebLayer::new())
            .layer(AroundLayer(counting))
            .layer(deadline)
            .layer(AroundLayer(readable))
            .layer(MapRequestLayer::new(gather))
            .service(routes.prepare());
        let acceptor = Acceptor::new(services, self.gateway.connections().clone(), limits);
        tokio::select! {
            biased;
            never = self.report_health(health, branch) => match never {},
            () = acceptor.accept(incoming, closing) => Ok(()),
        }
    }

    /// Says for each service whether requests are let in, for ever.
    async fn report_health(
        &self,
        health: HealthReporter,
        branch: Option<BranchId>,
    ) -> std::convert::Infallible {
        let peers = self.peers(branch).map(|_| PeerServiceServer::<PeerServer>::NAME);
        let names = ["", BranchServer::<ClassicService>::NAME];
        let names = names.into_iter().chain([BankServiceServer::<TypedService>::NAME]);
        let names: Vec<&str> = names.chain(peers).collect();
        let mut gate = self.gateway.bank().gate.clone();
        loop {
            let status = match *gate.borrow_and_update() {
                Gate::Open => ServingStatus::Serving,
                Gate::Returning | Gate::Draining => ServingStatus::NotServing,
            };
            for name in &names {
                health.set_service_status(name, status).await;
            }
            if gate.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// For whom a port has the peer service: no port where all branches live here.
    fn peers(&self, branch: Option<BranchId>) -> Option<(BranchId, Believed)> {
        branch.zip(self.gateway.bank().believed.clone())
    }

    /// The services of a port, and the list of them.
    fn routes(
        &self,
        branch: Option<BranchId>,
        health: HealthServer<impl Health>,
    ) -> Result<(Routes, Directory), EdgeError> {
        let message_bytes_max = self.limits.message_bytes_max;
        let gateway = self.gateway.within(self.limits);
        let classic = BranchServer::new(ClassicService::new(gateway.clone(), branch))
            .max_decoding_message_size(message_bytes_max)
            .accept_compressed(CompressionEncoding::Gzip);
        let classic = MapResponseLayer::new(reason::to_trailers).named_layer(classic);
        let typed = TypedService::new(gateway.clone(), self.scenarios.clone());
        let typed = BankServiceServer::new(typed)
            .max_decoding_message_size(message_bytes_max)
            .accept_compressed(CompressionEncoding::Gzip);
        let peers = self.peers(branch).map(|(here, believed)| {
            PeerServiceServer::new(PeerServer::new(gateway.clone(), here, believed))
                .max_decoding_message_size(message_bytes_max)
                .accept_compressed(CompressionEncoding::Gzip)
        });
        let health = health.accept_compressed(CompressionEncoding::Gzip);
        let mut served = vec![name(&classic), name(&typed), name(&health)];
        served.extend(peers.as_ref().map(name));
        served.extend(REFLECTION);
        let reflection = || {
            let builder = tonic_reflection::server::Builder::configure();
            // Each version of it lists both.
            let builder = builder.include_reflection_service(false);
            let builder = DESCRIBED
                .iter()
                .fold(builder, |builder, set| builder.register_encoded_file_descriptor_set(set));
            served.iter().fold(builder, |builder, name| builder.with_service_name(*name))
        };
        let (cut, gzip) = (MapResponseLayer::new(room::cut_message), CompressionEncoding::Gzip);
        let mut routes = Routes::builder();
        routes
            .add_service(classic)
            .add_service(typed)
            .add_service(health)
            .add_service(cut.named_layer(reflection().build_v1()?.accept_compressed(gzip)))
            // Older clients ask for this one.
            .add_service(cut.named_layer(reflection().build_v1alpha()?.accept_compressed(gzip)));
        if let Some(peers) = peers {
            routes.add_service(peers);
        }
        let directory =
            Directory::new(&DESCRIBED, &served).map_err(tonic_reflection::server::Error::from)?;
        Ok((routes.routes(), directory))
    }
}

/// Everything that reflection can describe.
const DESCRIBED: [&[u8]; 5] = [
    DESCRIPTORS,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    // So that clients can show the details of errors.
    tonic_types::pb::FILE_DESCRIPTOR_SET,
];

/// The names of the services by which clients ask for descriptions.
const REFLECTION: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

fn name<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}
