//! What a disk costs a bank: deposits over gRPC with and without one, as a ratio in the same run; what
//! redb alone does in the same folder; and how soon a branch starts that holds a million writes.
//!
//! `cargo bench --bench durable`; with `-- FOLDER` the files are below that one, and else below the
//! system's folder for what is temporary.

#![expect(clippy::disallowed_methods, reason = "a bench reads a clock")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "grpc/bank.rs"]
#[expect(dead_code, reason = "of another bench")]
mod bank;

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use passbook::Branch;
use passbook::bank::{BranchConfig, Kept, Start};
use passbook::grpc::Endpoint;
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use passbook::model::{
    Amount, BranchId, CustomerId, Dot, EventId, Life, LogEntry, Money, Propagation, Roster,
    Sequence, Write, WriteId,
};
use passbook::storage::{About, DataFolder, KeptBranch};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUND: Duration = Duration::from_millis(500);
const ROUNDS: usize = 9;
const MILLION: u32 = 1_000_000;
const FILE: &str = "branch-1.redb";

fn main() {
    let below = env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let below = below.map_or_else(env::temp_dir, PathBuf::from);
    let folder = TempDir::new_in(below).expect("a folder");
    let path = |name: &str| folder.path().join(name);
    alone(&path("alone"));
    deposits(&path("one"), &path("two"));
    restart(&path("million"));
}

/// The file of branch 1, the only one.
fn file(folder: &Path) -> KeptBranch {
    let branch = BranchId::new(1).expect("an id");
    let roster = Roster::new([branch]).expect("a branch");
    let about = About { bank: "bench".to_owned(), branch, roster, opening_balance: Money::ZERO };
    let folder = DataFolder::at(folder).expect("a folder");
    folder.open_all(&[about]).expect("a file").pop().expect("one")
}

fn entry(number: u32) -> LogEntry {
    let id = |number: u32| i64::from(number);
    let (customer, event) = (CustomerId::new(id(number % 1000 + 1)), EventId::new(id(number)));
    let amount = Amount::try_from(Money::from_minor(100)).expect("above zero");
    LogEntry {
        dot: Dot {
            origin: BranchId::new(1).expect("an id"),
            life: Life::FIRST,
            sequence: Sequence::new(number),
        },
        id: WriteId { customer: customer.expect("an id"), event: event.expect("an id") },
        write: Write::deposit(amount),
    }
}

fn alone(folder: &Path) {
    let mut store = file(folder).store;
    for batch in [1, 16, 256] {
        let (begin, mut number, mut commits) = (Instant::now(), 0, 0_u32);
        while begin.elapsed() < 2 * ROUND {
            let kept: Vec<Kept> =
                (0..batch).map(|more| Kept::Came(entry(number + more + 1))).collect();
            store.commit(&kept).expect("it is kept");
            number += batch;
            commits += 1;
        }
        let each = begin.elapsed() / commits;
        println!("the store alone: a commit of {batch:>3} writes takes {each:.1?}");
    }
}

/// One customer after the other, so many at the same time.
struct Load {
    address: SocketAddr,
    in_flight: usize,
}

impl Load {
    /// How many deposits are done in a round.
    fn round(&self) -> u32 {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, async {
            let done = Arc::new(AtomicU32::new(0));
            let until = Instant::now() + ROUND;
            let mut clients = Vec::new();
            let channels = self.in_flight.div_ceil(64);
            let endpoint = format!("http://{}", self.address);
            let channel = || Endpoint::new(&endpoint).expect("an address").channel();
            let channels: Vec<_> = (0..channels).map(|_| channel()).collect();
            for at in 0..self.in_flight {
                let (channel, done) = (channels[at % channels.len()].clone(), Arc::clone(&done));
                clients.push(tokio::task::spawn_local(deposit_until(until, channel, done)));
            }
            for client in clients {
                client.await.expect("it ends");
            }
            done.load(Ordering::Relaxed)
        })
    }
}

async fn deposit_until(until: Instant, channel: tonic::transport::Channel, done: Arc<AtomicU32>) {
    static CUSTOMERS: AtomicU32 = AtomicU32::new(1);
    let customer_id = CUSTOMERS.fetch_add(1, Ordering::Relaxed);
    let (mut bank, mut passbook, mut event) = (BankServiceClient::new(channel), None, 0);
    while Instant::now() < until {
        event += 1;
        let amount = "1".to_owned();
        let event_id = Some(event);
        let request = v1::DepositRequest { branch_id: 1, customer_id, event_id, amount, passbook };
        passbook = Some(bank.deposit(request).await.expect("it is done").into_inner().passbook);
        done.fetch_add(1, Ordering::Relaxed);
    }
}

fn deposits(one: &Path, two: &Path) {
    let (own, sync) = (Propagation::Async, Propagation::Sync);
    let kept = |path: &Path| Some(path.to_owned());
    let in_memory = bank::start_kept(1, own, None);
    let on_disk = bank::start_kept(1, own, kept(one));
    let of_two = bank::start_kept(2, sync, kept(two));
    for in_flight in [256, 64, 1] {
        let load = |address| Load { address, in_flight };
        let mut rates: [Vec<u32>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for (rates, address) in rates.iter_mut().zip([in_memory, on_disk, of_two]) {
                rates.push(load(address).round());
            }
        }
        let [in_memory, on_disk, of_two] = rates.map(|mut rates| {
            rates.sort_unstable();
            f64::from(rates[ROUNDS / 2]) / ROUND.as_secs_f64()
        });
        println!(
            "{in_flight:>3} in flight: {in_memory:.0} deposits a second in memory, {on_disk:.0} on \
             a disk ({:.2}), {of_two:.0} with sync propagation on two",
            on_disk / in_memory,
        );
    }
}

fn restart(folder: &Path) {
    let mut store = file(folder).store;
    for first in (1..=MILLION).step_by(1000) {
        let kept: Vec<Kept> =
            (first..first + 1000).map(|number| Kept::Came(entry(number))).collect();
        store.commit(&kept).expect("it is kept");
    }
    // As it is when the process is killed: it has not been closed.
    let killed = folder.with_extension("killed");
    fs::create_dir(&killed).expect("a folder");
    fs::copy(folder.join(FILE), killed.join(FILE)).expect("a copy");
    drop(store);
    let bytes = fs::metadata(folder.join(FILE)).expect("a file").len();
    for (how, folder) in [("closed", folder), ("killed", &killed)] {
        let begin = Instant::now();
        let KeptBranch { about, memory, .. } = file(folder);
        let read = begin.elapsed();
        let start = Start::FromDisk { spare: Life::new(9), memory: memory.expect("it is old") };
        let roster = Arc::new(about.roster);
        let branch =
            Branch::again(about.branch, roster, Money::ZERO, BranchConfig::default(), start);
        assert_eq!(branch.position().get(), u64::from(MILLION));
        let all = begin.elapsed();
        println!("{how}: a million writes are read in {read:.2?}, and held after {all:.2?}");
    }
    println!("{} bytes a write in the file", bytes / u64::from(MILLION));
}
