//! A bank whose branches are processes of their own: `passbook serve`, once per branch. They are
//! killed and waited for when this is dropped, on whatever path.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use tokio::sync::oneshot;

use super::bank::{Bank, Conclusion};
use super::customers::Customers;
use super::virtual_client::Samples;
use super::work::{CONFIRM_LIMIT, Work};
use super::{CompareError, ProcessProblem, Transport};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::bank_service_client::BankServiceClient;
use crate::grpc::{Channel, Connector};
use crate::model::{BranchId, Money, Time};
use crate::network::show_span;
use crate::run::{FinalBalance, LIMIT};

const TRANSPORT: Transport = Transport::Processes;

/// The processes and their customers, who are here.
pub(super) struct Children {
    customers: Customers,
    /// To each branch, for questions on how it stands.
    branches: Vec<(BranchId, BankServiceClient<Channel>)>,
    processes: Vec<Process>,
}

/// One process. It is killed and waited for when this is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and is waited for all the same.
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            log::error!("process {} may still be there: {error}", self.0.id());
        }
    }
}

impl Children {
    pub(super) async fn open(program: &Path, work: &Arc<Work>) -> Result<Self, CompareError> {
        let ids = work.roster.ids();
        let addresses = free_addresses(ids)?;
        let mut bank = serde_json::to_vec(&work.bank()).expect("a scenario can always be written");
        bank.push(b'\n');
        let bank: Arc<[u8]> = bank.into();
        let mut processes = Vec::with_capacity(ids.len());
        let mut silent = Vec::with_capacity(ids.len());
        for &branch in ids {
            let mut command = serve(program, work, branch, &addresses);
            let process = command.spawn().map(Process);
            let mut process = process.map_err(|error| CompareError::Process {
                branch,
                problem: ProcessProblem::Start(error),
            })?;
            silent.push((branch, first_words(&mut process.0, Arc::clone(&bank))?));
            processes.push(process);
        }
        for ((branch, words), process) in silent.into_iter().zip(&mut processes) {
            let failed = |problem| CompareError::Process { branch, problem };
            let told = tokio::time::timeout(LIMIT, words).await;
            let told = told.map_err(|_| failed(ProcessProblem::Silent { limit: LIMIT }))?;
            let told = told.map_err(|_| CompareError::BankEnded(TRANSPORT))?;
            process.0.stdin = told.map_err(failed)?;
        }
        let channel =
            |&(_, address): &(BranchId, SocketAddr)| Connector::to_port(address).channel();
        let channels: Vec<Channel> = addresses.iter().map(channel).collect();
        let customers = Customers::arrive(TRANSPORT, work, &channels);
        let clients = channels.into_iter().map(BankServiceClient::new);
        Ok(Self { customers, branches: ids.iter().copied().zip(clients).collect(), processes })
    }

    /// What each branch holds, and how many writes.
    async fn states(&mut self) -> Result<Vec<State>, CompareError> {
        let mut states = Vec::with_capacity(self.branches.len());
        for (branch, client) in &mut self.branches {
            let view = v1::BranchView::Brief.into();
            let request = v1::GetBranchRequest { branch_id: branch.get(), view };
            let told =
                client.get_branch(request).await.map_err(|status| CompareError::NoState {
                    transport: TRANSPORT,
                    branch: *branch,
                    source: Box::new(status),
                })?;
            let told = told.into_inner();
            let entries = told.version.map(|version| version.entries).unwrap_or_default();
            let applied = entries.iter().map(|entry| entry.applied).sum();
            // Left out where it is out of range.
            let balance = told.balance.parse().ok();
            states.push(State { branch: *branch, balance, applied });
        }
        Ok(states)
    }
}

/// How a branch stands.
struct State {
    branch: BranchId,
    balance: Option<Money>,
    applied: u64,
}

impl Bank for Children {
    async fn walk(&mut self, span: Range<u32>) -> Result<Vec<Samples>, CompareError> {
        self.customers.walk(span).await
    }

    /// Asks again and again: the wire has no other word for it.
    async fn settle(&mut self, writes: u64) -> Result<(), CompareError> {
        while self.states().await?.iter().any(|state| state.applied < writes) {}
        Ok(())
    }

    async fn conclude(&mut self) -> Result<Conclusion, CompareError> {
        let states = self.states().await?;
        let balances = states
            .into_iter()
            .map(|state| FinalBalance { branch: state.branch, balance: state.balance })
            .collect();
        Ok(Conclusion { balances, seen: Vec::new() })
    }

    fn transport(&self) -> Transport {
        TRANSPORT
    }

    fn processes(&self) -> Vec<u32> {
        let children = self.processes.iter().map(|process| process.0.id());
        children.chain([std::process::id()]).collect()
    }

    /// What goes between the branches is not seen here.
    fn carried_bytes(&self) -> Option<u64> {
        None
    }

    fn time(&self) -> Time {
        Time::START
    }
}

/// The command that serves `branch` of the bank that it is told of, as all transports serve theirs,
/// whatever the environment says.
fn serve(
    program: &Path,
    work: &Work,
    branch: BranchId,
    addresses: &[(BranchId, SocketAddr)],
) -> Command {
    let most = u32::MAX.to_string();
    let mut command = Command::new(program);
    command.args(["serve", "-", "--format=json", "--listen=127.0.0.1"]);
    for (id, address) in addresses {
        match *id == branch {
            true => command.arg(format!("--single-port={}", address.port())),
            false => command.arg(format!("--peer={id}=http://{address}")),
        };
    }
    if addresses.len() > 1 {
        command.arg(format!("--branch={branch}"));
    }
    command.arg(format!("--wait-limit={}", show_span(work.config.wait_limit)));
    command.arg(format!("--confirm-limit={}", show_span(CONFIRM_LIMIT)));
    command.arg(format!("--bank-name={}", work.bank_name));
    // It ends with its standard input, and so with this process, however that ends.
    command.arg("--until-stdin-ends");
    command.arg(format!("--document-max={}", u64::MAX));
    for limit in [
        "--calls-max",
        "--waiting-max",
        "--kept-max",
        "--connections-max",
        "--address-connections-max",
        "--unread-bytes-max",
    ] {
        command.arg(format!("{limit}={most}"));
    }
    for variable in ["FAULTS", "NEMESIS", "NEMESIS_INTERVAL", "NEMESIS_DURATION"] {
        command.env_remove(format!("PASSBOOK_{variable}"));
    }
    // A peer that is not there yet is no news.
    command.env("PASSBOOK_LOG", "error");
    // What interrupts the comparison does not interrupt its banks: it ends them.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What comes of the first words of a process: its standard input, to be kept open, or why it
/// ended.
type StartResult = Result<Option<ChildStdin>, ProcessProblem>;

/// Tells the process which `bank` it serves, in a line. What it says first: that it is ready, or
/// why it ended.
fn first_words(
    child: &mut Child,
    bank: Arc<[u8]>,
) -> Result<oneshot::Receiver<StartResult>, CompareError> {
    let (mut input, out, log) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (tell, words) = oneshot::channel();
    let speak = move || {
        if let Some(Err(error)) = input.as_mut().map(|input| input.write_all(&bank)) {
            // It has ended, and says why.
            log::debug!("a process does not want to know its bank: {error}");
        }
        let mut line = String::new();
        let heard = out.is_some_and(|out| {
            BufReader::new(out).read_line(&mut line).is_ok_and(|bytes| bytes > 0)
        });
        let mut told = String::new();
        if !heard
            && let Some(mut log) = log
            && let Err(error) = log.read_to_string(&mut told)
        {
            told = error.to_string();
        }
        let told = told.trim().to_owned();
        let words = if heard { Ok(input) } else { Err(ProcessProblem::Ended { told }) };
        if tell.send(words).is_err() {
            log::debug!("nobody waits for a process any more");
        }
    };
    thread::Builder::new().spawn(speak).map_err(CompareError::Runtime)?;
    Ok(words)
}

/// A loopback address for each branch. All must be known before the first process starts, so they
/// are tried and let go again; below those that connections get by themselves, so that hardly
/// anybody takes them meanwhile.
fn free_addresses(branches: &[BranchId]) -> Result<Vec<(BranchId, SocketAddr)>, CompareError> {
    const LOWEST: u16 = 20_000;
    const PORTS: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap_or(0);
    let mut tried = 0..PORTS;
    let mut free = || {
        tried.find_map(|_| {
            let next = NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
            let port = LOWEST + (own.wrapping_mul(7) % PORTS + next) % PORTS;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            TcpListener::bind(address).is_ok().then_some(address)
        })
    };
    let address = |&branch: &BranchId| {
        let address = free();
        let problem = ProcessProblem::NoPort;
        address.map(|address| (branch, address)).ok_or(CompareError::Process { branch, problem })
    };
    branches.iter().map(address).collect()
}
