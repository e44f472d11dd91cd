//! Takes connections and serves each until its client goes, it has made no call for too long, or
//! the server closes. Knows HTTP, and nothing of what is served.

use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Bytes, Frame, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};
use tokio_stream::{Stream, StreamExt};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Extensions, Request, Response};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::connections::{CallUnderWay, Connection, ConnectionSlot, Connections, LOOKS, NoRoom};
use super::counted::Counted;
use super::limits::Limits;

/// How many bytes a client sends at least before it is known what it speaks: the connection preface
/// of HTTP/2. The shortest useful request of HTTP/1.1 is longer.
const PREFACE_BYTES: u64 = 24;

/// How long a client that made no call has to take leave of it in order.
const LEAVE_TIME: Duration = Duration::from_secs(5);

/// The same where another connection needs the room.
const HURRIED_LEAVE_TIME: Duration = Duration::from_millis(50);

/// However short a connection may be unused, it is not looked at more often than this.
const LOOK_TIME_MIN: Duration = Duration::from_millis(10);

/// How long the listener waits where the system has nothing left for another connection.
const SHORTAGE_TIME: Duration = Duration::from_millis(50);

/// Shortages that are less apart are one, and told once.
const SPELL: Duration = Duration::from_secs(60);

/// The smallest buffer that hyper reads heads of HTTP/1 into.
const HEAD_BYTES_MIN: usize = 8 << 10;

/// Takes connections for `services`.
pub(super) struct Acceptor<S> {
    services: S,
    connections: Connections,
    limits: Limits,
    http: Arc<auto::Builder<TokioExecutor>>,
}

impl<S> Acceptor<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Unpin + Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    pub(super) fn new(services: S, connections: Connections, limits: Limits) -> Self {
        let Limits { header_bytes_max, calls_max, header_time_max, .. } = limits;
        let head_bytes_max = usize::try_from(header_bytes_max).unwrap_or(usize::MAX);
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_time_max)
            .max_buf_size(head_bytes_max.max(HEAD_BYTES_MIN));
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(calls_max)
            .max_header_list_size(header_bytes_max);
        Self { services, connections, limits, http: Arc::new(http) }
    }

    /// Takes connections until `closing` ends, and returns when each of them has come to its end.
    pub(super) async fn accept<IO>(
        self,
        incoming: impl Stream<Item = io::Result<IO>>,
        closing: impl Future<Output = ()>,
    ) where
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let (close, closed) = watch::channel(());
        tokio::select! {
            biased;
            () = closing => {}
            () = self.take_all(incoming, &closed) => {}
        }
        drop(closed);
        close.send_replace(());
        close.closed().await;
    }

    async fn take_all<IO>(
        &self,
        incoming: impl Stream<Item = io::Result<IO>>,
        closed: &watch::Receiver<()>,
    ) where
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let mut incoming = pin!(incoming);
        let mut last_shortage = None;
        while let Some(next) = incoming.next().await {
            match next {
                Ok(io) => self.take(io, closed.clone()).await,
                // Whoever came has gone again.
                Err(error) if is_of_client(&error) => log::debug!("a client has gone: {error}"),
                Err(error) => self.wait_for_room(&error, &mut last_shortage).await,
            }
        }
    }

    async fn take<IO>(&self, io: IO, closed: watch::Receiver<()>)
    where
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let info = io.connect_info();
        let address = address_of(info.clone());
        let place = match self.connections.open(address, &self.limits).await {
            Ok(Ok(place)) => place,
            Ok(Err(NoRoom::InAll)) => return log::debug!("too many connections: one is closed"),
            Ok(Err(NoRoom::OfAddress)) => {
                return log::debug!("too many connections of {address:?}: one is closed");
            }
            Err(stopped) => return log::error!("the list of connections has stopped: {stopped}"),
        };
        let services = self.services.clone();
        let served = Served { services, connection: Arc::clone(&place.connection), info };
        let (connections, limits) = (self.connections.clone(), self.limits);
        let http = Arc::clone(&self.http);
        tokio::spawn(async move {
            let lifetime = Lifetime::new(&place, &connections, limits);
            serve(io, served, &http, lifetime, closed).await;
        });
    }

    /// Waits where the system has nothing left for another connection, a file mostly. Accepting
    /// again at once would fail in the same way, for ever.
    async fn wait_for_room(&self, error: &io::Error, last: &mut Option<Instant>) {
        let now = Instant::now();
        if last.replace(now).is_none_or(|last| now.duration_since(last) > SPELL) {
            log::warn!(
                "no more connections can be taken: {error}; clients wait, and connections without a \
                 call are closed, those that have been idle for the longest time first (told once a \
                 spell; more files: ulimit -n)"
            );
        }
        self.connections.make_room();
        sleep(SHORTAGE_TIME).await;
    }
}

/// Whether accepting failed for whoever came, and not for want of something here.
fn is_of_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

fn address_of(info: impl Clone + Send + Sync + 'static) -> Option<IpAddr> {
    let mut extensions = Extensions::new();
    extensions.insert(info);
    extensions.get::<TcpConnectInfo>()?.remote_addr().map(|address| address.ip())
}

/// Serves a connection until its end.
async fn serve<IO, S>(
    io: IO,
    served: Served<S, IO::ConnectInfo>,
    http: &auto::Builder<TokioExecutor>,
    mut lifetime: Lifetime<'_>,
    mut closed: watch::Receiver<()>,
) where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Unpin + Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    let io = Counted { stream: io, carried: Arc::clone(&lifetime.carried) };
    let served = http.serve_connection(TokioIo::new(io), TowerToHyperService::new(served));
    let mut served = pin!(served);
    let mut closes = false;
    loop {
        tokio::select! {
            biased;
            ended = &mut served => {
                if let Err(error) = ended {
                    log::debug!("a connection ends: {error}");
                }
                return;
            }
            end = lifetime.end() => match end {
                End::InOrder => served.as_mut().graceful_shutdown(),
                End::AtOnce => return,
            },
            _ = closed.changed(), if !closes => {
                closes = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

/// When a connection is to end whose client keeps it open.
struct Lifetime<'a> {
    connection: &'a Connection,
    connections: &'a Connections,
    /// How many bytes it has carried.
    carried: Arc<AtomicU64>,
    limits: Limits,
    stage: Stage,
    next_look: Pin<Box<Sleep>>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It is not known what the client speaks.
    Opening,
    /// It had made no call since this use when it was looked at, so many times.
    Open { idle_since: Option<u64>, looks: usize },
    /// It is to close as soon as no call is under way.
    Leaving,
}

/// How a connection is to end.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The client is told; calls under way go on.
    InOrder,
    AtOnce,
}

impl<'a> Lifetime<'a> {
    fn new(place: &'a ConnectionSlot, connections: &'a Connections, limits: Limits) -> Self {
        let first_look = limits.header_time_max.min(limits.idle_time_max);
        Self {
            connection: &place.connection,
            connections,
            carried: Arc::default(),
            limits,
            stage: Stage::Opening,
            next_look: Box::pin(sleep(first_look)),
        }
    }

    /// Waits until it is to end in some way.
    async fn end(&mut self) -> End {
        loop {
            tokio::select! {
                biased;
                () = self.connection.told_to_close() => {
                    return self.leave(HURRIED_LEAVE_TIME);
                }
                () = &mut self.next_look => {}
            }
            if let Some(end) = self.look() {
                return end;
            }
        }
    }

    fn leave(&mut self, time: Duration) -> End {
        self.stage = Stage::Leaving;
        self.next_look.set(sleep(time));
        End::InOrder
    }

    fn look(&mut self) -> Option<End> {
        if self.connection.look_for_unread() {
            self.connections.counts().count_unread();
            return Some(End::AtOnce);
        }
        let now_since = self.connection.idle_since();
        match self.stage {
            Stage::Opening if self.carried.load(Ordering::Relaxed) < PREFACE_BYTES => {
                return Some(End::AtOnce);
            }
            Stage::Open { idle_since, looks } if now_since.is_some() && now_since == idle_since => {
                if looks + 1 >= LOOKS {
                    self.connections.counts().count_idle();
                    return Some(self.leave(LEAVE_TIME));
                }
                self.stage = Stage::Open { idle_since, looks: looks + 1 };
            }
            Stage::Opening | Stage::Open { .. } => {
                self.stage = Stage::Open { idle_since: now_since, looks: 0 };
            }
            Stage::Leaving if now_since.is_some() => return Some(End::AtOnce),
            Stage::Leaving => {}
        }
        let looks = u32::try_from(LOOKS).unwrap_or(u32::MAX);
        self.next_look.set(sleep((self.limits.idle_time_max / looks).max(LOOK_TIME_MIN)));
        None
    }
}

/// What is served on one connection.
#[derive(Clone)]
struct Served<S, I> {
    services: S,
    connection: Arc<Connection>,
    /// What is known of the client, for the services.
    info: I,
}

impl<S, I, B> Service<Request<B>> for Served<S, I>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Unpin,
    I: Clone + Send + Sync + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Answer>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.services.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Connection::begin_call(&self.connection);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.info.clone());
        Answering { response: self.services.call(request), call: Some(call) }
    }
}

/// A call that has no answer yet.
struct Answering<F> {
    response: F,
    call: Option<CallUnderWay>,
}

impl<F, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<Body>, E>> + Unpin,
{
    type Output = Result<Response<Answer>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(Pin::new(&mut self.response).poll(cx))?;
        let mut call = self.call.take();
        if let Some(call) = &mut call {
            call.wait_for_client();
        }
        Poll::Ready(Ok(response.map(|body| Answer { body, call })))
    }
}

/// The body of an answer. Its call is under way until all of it is sent.
struct Answer {
    body: Body,
    call: Option<CallUnderWay>,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(call) = &mut self.call {
            call.go_on();
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(call) = &mut self.call
            && frame.is_ready()
        {
            call.wait_for_client();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
