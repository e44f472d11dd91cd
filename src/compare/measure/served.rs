//! A bank behind gRPC in a thread of its own; its branches reach each other over the same kind of
//! connection as its customers reach them.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use actix::System;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::bank::{Bank, Conclusion, Purpose};
use super::customers::Customers;
use super::mailbox::conclude;
use super::virtual_client::Samples;
use super::work::Work;
use super::{CompareError, Transport};
use crate::actors::WallClock;
use crate::grpc::{BranchListener, Channel, Connector, EdgeError, Medium};
use crate::model::{BranchId, Time};
use crate::run::{SocketBank, addresses, settle};

/// The bank as its customers' thread sees it. It closes when this is dropped.
pub(super) struct Served {
    transport: Transport,
    customers: Customers,
    /// To each branch: those of customers and those of the other branches.
    connectors: Vec<Connector>,
    clock: WallClock,
    thread: Option<(mpsc::UnboundedSender<Command>, JoinHandle<()>)>,
    /// Where its sockets are.
    _folder: Option<Folder>,
}

enum Command {
    Settle(oneshot::Sender<()>),
    Conclude(oneshot::Sender<Conclusion>),
}

impl Served {
    pub(super) async fn open(
        transport: Transport,
        work: &Arc<Work>,
        purpose: Purpose,
    ) -> Result<Self, CompareError> {
        let folder = (transport == Transport::GrpcUnix).then(Folder::make).transpose()?;
        let (mut door_listeners, mut connectors) = (Vec::new(), Vec::new());
        for &branch in work.roster.ids() {
            let medium = match &folder {
                Some(Folder(path)) => Medium::Unix(path.join(branch.to_string())),
                None if transport == Transport::GrpcMemory => Medium::Memory,
                None => Medium::Tcp,
            };
            let (door_listener, connector) = BranchListener::open(medium, branch)?;
            door_listeners.push((branch, door_listener));
            connectors.push(connector);
        }
        let (commands, inbox) = mpsc::unbounded_channel();
        let (ready, opened) = oneshot::channel();
        let bank_thread = BankThread {
            work: Arc::clone(work),
            purpose,
            door_listeners,
            connectors: connectors.clone(),
        };
        let run = move || {
            if let Err(error) = System::new().block_on(bank_thread.serve(ready, inbox)) {
                log::error!("{error}");
            }
        };
        let thread = thread::Builder::new().name(transport.word().to_owned()).spawn(run);
        let thread = Some((commands, thread.map_err(CompareError::Runtime)?));
        let clock = opened.await.map_err(|_| CompareError::BankEnded(transport))?;
        let channels: Vec<Channel> = connectors.iter().map(Connector::channel).collect();
        let customers = Customers::arrive(transport, work, &channels);
        Ok(Self { transport, customers, connectors, clock, thread, _folder: folder })
    }

    async fn tell<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, CompareError> {
        let ended = || CompareError::BankEnded(self.transport);
        let (reply_to, reply) = oneshot::channel();
        let (commands, _) = self.thread.as_ref().ok_or_else(ended)?;
        commands.send(command(reply_to)).map_err(|_| ended())?;
        reply.await.map_err(|_| ended())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some((commands, thread)) = self.thread.take() {
            drop(commands);
            if thread.join().is_err() {
                log::error!("the bank's thread panicked");
            }
        }
    }
}

impl Bank for Served {
    async fn walk(&mut self, span: Range<u32>) -> Result<Vec<Samples>, CompareError> {
        self.customers.walk(span).await
    }

    async fn settle(&mut self, _: u64) -> Result<(), CompareError> {
        self.tell(Command::Settle).await
    }

    async fn conclude(&mut self) -> Result<Conclusion, CompareError> {
        self.tell(Command::Conclude).await
    }

    fn transport(&self) -> Transport {
        self.transport
    }

    fn processes(&self) -> Vec<u32> {
        vec![std::process::id()]
    }

    fn carried_bytes(&self) -> Option<u64> {
        Some(self.connectors.iter().map(Connector::carried_bytes).sum())
    }

    fn time(&self) -> Time {
        self.clock.now()
    }
}

/// What the bank's own thread needs.
struct BankThread {
    work: Arc<Work>,
    purpose: Purpose,
    door_listeners: Vec<(BranchId, BranchListener)>,
    connectors: Vec<Connector>,
}

impl BankThread {
    /// Serves until no command can reach it any more.
    async fn serve(
        self,
        ready: oneshot::Sender<WallClock>,
        mut inbox: mpsc::UnboundedReceiver<Command>,
    ) -> Result<(), EdgeError> {
        let Self { work, purpose, door_listeners, connectors } = self;
        let clock = purpose.clock();
        let (recorder, watcher) = purpose.recorder(clock);
        let channels: Vec<Channel> = connectors.iter().map(Connector::channel).collect();
        let socket_bank = SocketBank {
            roster: &work.roster,
            opening_balance: work.opening_balance,
            keys: &work.keys,
            branch: work.branch_config(purpose.speed()),
            channels: &channels,
        };
        let seats = socket_bank.open_branches(&recorder);
        let branches = addresses(&seats);
        let services = socket_bank.services(&branches, work.config.guarantees.clone());
        let mut servers = JoinSet::new();
        for ((branch, door_listener), (_, services)) in door_listeners.into_iter().zip(services) {
            servers.spawn_local(async move { services.serve_at(door_listener, branch).await });
        }
        if ready.send(clock).is_err() {
            return Ok(());
        }
        loop {
            let command = tokio::select! {
                biased;
                command = inbox.recv() => command,
                ended = servers.join_next() => {
                    if let Some(Ok(ended)) = ended {
                        ended?;
                    }
                    return Ok(());
                }
            };
            let told = match command {
                None => return Ok(()),
                Some(Command::Settle(mut reply_to)) => tokio::select! {
                    biased;
                    () = reply_to.closed() => None,
                    settled = settle(&branches) => settled.ok().map(|()| reply_to.send(()).is_ok()),
                },
                Some(Command::Conclude(reply_to)) => conclude(&branches, watcher.as_deref())
                    .await
                    .map(|conclusion| reply_to.send(conclusion).is_ok()),
            };
            if told != Some(true) {
                return Ok(());
            }
        }
    }
}

/// A folder for sockets, of this user alone, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, CompareError> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        use std::os::unix::fs::DirBuilderExt;
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("passbook-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|source| CompareError::Folder { source })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            log::warn!("cannot remove {}: {error}", self.0.display());
        }
    }
}
