//! One bank put together: its branches are opened, waited for until they are settled, and closed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Addr, Context, Handler, Message, Recipient};
use tokio::sync::{mpsc, oneshot};

use super::options::RunError;
use super::result::BranchResult;
use crate::actors::{
    AwaitSettled, Begin, BranchActor, BranchContext, BranchState, BranchSummary, Carries, Faulty,
    Network, NetworkSetup, Peers, RecorderLink, ReplyTo, Settled, Standing, StorageLink, Summarize,
    TimeSource, Way,
};
use crate::bank::{Branch, BranchConfig, LifeList, Memory, Start};
use crate::model::{BranchId, Durability, Life, Money, Random, Roster, Seed};
use crate::network::{Delays, LinkLatencies};
use crate::storage::{About, SimulatedStorage, Storage, Store};

/// The stream of chances of what befalls disks.
const DISK: u32 = 6;

/// What the branches of a bank have in common.
pub(crate) struct BankSetup<'a> {
    pub(crate) roster: &'a Arc<Roster>,
    pub(crate) opening_balance: Money,
    pub(crate) branch: BranchConfig,
    pub(crate) recorder: &'a RecorderLink,
    /// `None`: all branches begin with the bank, in memory.
    pub(crate) beginnings: Option<Beginnings>,
    /// What is drawn from what befalls their simulated disks, where branches have such.
    pub(crate) disks: Option<Seed>,
    /// Where things go wrong on purpose.
    pub(crate) faulty: Option<&'a Faulty>,
}

/// How branches begin that may have been there before, or have a disk.
#[derive(Debug)]
pub(crate) struct Beginnings {
    /// Those of all branches that live here.
    pub(crate) of: RefCell<BTreeMap<BranchId, Beginning>>,
    /// Told when they serve.
    pub(crate) standing: mpsc::UnboundedSender<Standing>,
    /// Told why a disk has failed.
    pub(crate) failed: mpsc::UnboundedSender<(BranchId, String)>,
}

/// How a branch begins.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// `None`: with its bank.
    pub(crate) start: Option<Start>,
    /// Its file.
    pub(crate) store: Option<Store>,
}

/// An actor that has started, and its mailbox.
#[derive(Debug)]
pub(crate) struct Seat<A: Actor> {
    pub(crate) actor: A,
    pub(crate) address: Addr<A>,
}

impl<A: Actor<Context = Context<A>> + Clone + Default> Seat<A> {
    /// Starts one that lives in `clock`.
    pub(super) fn start(clock: &TimeSource) -> Self {
        let actor = A::default();
        let address = clock.start(actor.clone());
        Self { actor, address }
    }
}

/// A branch actor has stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped;

impl From<Stopped> for RunError {
    fn from(Stopped: Stopped) -> Self {
        Self::ActorStopped
    }
}

impl BankSetup<'_> {
    /// Starts the branches `here`. `peers` is given the seats of all of them, and says of each how it
    /// reaches the others.
    pub(crate) fn start<F>(
        &self,
        here: impl ExactSizeIterator<Item = BranchId>,
        peers: impl FnOnce(&[Seat<BranchActor>]) -> F,
    ) -> Vec<Seat<BranchActor>>
    where
        F: FnMut(BranchId, &Addr<BranchActor>) -> Peers,
    {
        let seats: Vec<_> = (0..here.len()).map(|_| Seat::start(&self.recorder.clock)).collect();
        let mut peers = peers(&seats);
        for (id, seat) in here.zip(&seats) {
            self.open(id, seat, peers(id, &seat.address));
        }
        seats
    }

    /// Starts all branches, each of which reaches the others through what `connect` makes of their
    /// mailboxes.
    pub(crate) fn start_all(&self, connect: impl FnOnce(Peers) -> Peers) -> Vec<Seat<BranchActor>> {
        self.start(self.roster.ids().iter().copied(), |seats| {
            let peers = connect(Peers::straight(self.roster, mailboxes(seats)));
            move |_, _| peers.clone()
        })
    }

    /// Opens the branch `id` at `seat`.
    pub(super) fn open(&self, id: BranchId, seat: &Seat<BranchActor>, peers: Peers) {
        let (roster, recorder) = (Arc::clone(self.roster), self.recorder.clone());
        let faulty = self.faulty.cloned();
        let (opening, mut config) = (self.opening_balance, self.branch);
        let Some(Beginnings { of, standing, failed }) = &self.beginnings else {
            let storage = self.disk(id, seat);
            let context = BranchContext { peers, recorder, standing: None, faulty, storage };
            return seat.actor.open(Branch::new(id, roster, opening, config), context);
        };
        let Beginning { start, store } = of.borrow_mut().remove(&id).unwrap_or_default();
        let storage = store.map(|store| {
            let owner = seat.address.clone().recipient();
            let commits = Storage::new(id, store, owner, failed.clone()).start().recipient();
            StorageLink { commits, power: None }
        });
        if storage.is_some() {
            config.durability = Durability::Disk;
        }
        let standing = Some(standing.clone());
        let context = BranchContext { peers, recorder, standing, faulty, storage };
        let Some(start) = start else {
            return seat.actor.open(Branch::new(id, roster, opening, config), context);
        };
        seat.actor.open(Branch::again(id, roster, opening, config, start), context);
        seat.address.do_send(Begin);
    }

    /// The simulated disk of the branch `id` at `seat`, where branches have such.
    fn disk(&self, id: BranchId, seat: &Seat<BranchActor>) -> Option<StorageLink> {
        let seed = self.disks?;
        let about = About {
            bank: "simulated".to_owned(),
            branch: id,
            roster: Roster::clone(self.roster),
            opening_balance: self.opening_balance,
        };
        let owner = seat.address.clone().recipient();
        let chance = Random::of_purpose(seed, DISK, id.get().into());
        Some(SimulatedStorage::start(&about, owner, chance, &self.recorder.clock))
    }
}

impl Beginning {
    /// That of a branch which may have been there before, and remembers nothing.
    pub(crate) fn of_life(life: Life, roster: &Roster) -> Self {
        let lives = lives_known_of(None, roster);
        let start = Start::NewLife { life, memory: Memory { lives, ..Memory::default() } };
        Self { start: Some(start), store: None }
    }
}

/// What a branch knows of lives when it starts: its own, if that is said. Of others nothing is known
/// before they have said it.
pub(super) fn lives_known_of(own: Option<(BranchId, Life)>, roster: &Roster) -> LifeList {
    let known = |id: &BranchId| match own {
        Some((here, life)) if here == *id => life,
        Some(_) | None => Life::default(),
    };
    let lives = LifeList::from_lives(roster.ids().iter().map(known), roster);
    lives.expect("there is one for each branch")
}

/// The mailboxes at `seats` for messages `M`.
pub(super) fn mailboxes<A, M>(seats: &[Seat<A>]) -> Rc<[Recipient<M>]>
where
    A: Actor<Context = Context<A>> + Handler<M>,
    M: Message<Result = ()> + Send + 'static,
{
    seats.iter().map(|seat| seat.address.clone().recipient()).collect()
}

/// What is on the ways between branches.
#[derive(Debug)]
pub(super) struct Links<'a> {
    /// How long messages take.
    pub(super) latencies: &'a LinkLatencies,
    pub(super) seed: Seed,
    /// What else may become of them, if anything.
    pub(super) faulty: Option<&'a Faulty>,
}

impl Links<'_> {
    /// What stands before `mailboxes`: nothing, or a network that takes its time and may lose what it
    /// carries.
    pub(super) fn connect(&self, mailboxes: Peers, clock: &TimeSource) -> Peers {
        let carries = match self.faulty {
            Some(faulty) => Carries::Faulty(faulty.clone()),
            None if self.latencies.is_none() => return mailboxes,
            None => {
                let roster = Arc::clone(&mailboxes.roster);
                Carries::Late(Delays::new(self.latencies.clone(), self.seed, roster))
            }
        };
        if let TimeSource::Virtual(time) = clock {
            let way = match carries {
                Carries::Late(delays) => Way::Late(Rc::new(RefCell::new(delays)), time.clone()),
                Carries::Faulty(faulty) => Way::Faulty(faulty, time.clone()),
            };
            return Peers { way, ..mailboxes };
        }
        let roster = Arc::clone(&mailboxes.roster);
        let setup = NetworkSetup { carries, mailboxes, clock: clock.clone() };
        let network = clock.start(Network::new(setup)).recipient();
        let links = roster.ids().iter().map(|_| network.clone()).collect();
        Peers::straight(&roster, links)
    }
}

/// Waits until every write that `branches` have accepted is applied everywhere. An error as soon as
/// one turns out to have stopped.
pub(crate) async fn settle(
    branches: impl IntoIterator<Item = &Addr<BranchActor>>,
) -> Result<(), Stopped> {
    for settled in settling(branches) {
        settled.await.map_err(|_| Stopped)?;
    }
    Ok(())
}

/// Asks each of `branches` to say when every write that it has accepted is applied everywhere. All
/// are asked before the first answer is awaited.
pub(super) fn settling<'a>(
    branches: impl IntoIterator<Item = &'a Addr<BranchActor>>,
) -> Vec<oneshot::Receiver<Settled>> {
    let ask = |branch: &Addr<BranchActor>| {
        let (reply_to, settled) = oneshot::channel();
        branch.do_send(AwaitSettled { reply_to: ReplyTo::Caller(reply_to) });
        settled
    };
    branches.into_iter().map(ask).collect()
}

/// A branch's balance when the bank closed; `None` where that is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalBalance {
    /// The branch.
    pub branch: BranchId,
    /// Its balance.
    pub balance: Option<Money>,
}

/// What each of `branches` holds.
pub(crate) async fn balances(
    branches: impl IntoIterator<Item = &Addr<BranchActor>>,
) -> Result<Vec<FinalBalance>, Stopped> {
    let mut balances = Vec::new();
    for branch in branches {
        let told = branch.send(Summarize).await.map_err(|_| Stopped)?;
        let BranchSummary { id, balance, .. } = told.map_err(|_| Stopped)?;
        balances.push(FinalBalance { branch: id, balance });
    }
    Ok(balances)
}

/// Closes the branches at `seats`: their balances and their logs.
pub(super) fn close(seats: &[Seat<BranchActor>]) -> Result<Vec<BranchResult>, RunError> {
    let mut results: Vec<BranchResult> = Vec::with_capacity(seats.len());
    for seat in seats {
        let result = branch_result(seat.actor.close().ok_or(Stopped)?, results.last())?;
        results.push(result);
    }
    Ok(results)
}

/// The result of one branch; with the log of the one `before`, where it is the same.
fn branch_result(
    state: BranchState,
    before: Option<&BranchResult>,
) -> Result<BranchResult, RunError> {
    let BranchState { summary: BranchSummary { id, balance, .. }, log } = state;
    let balance = balance.ok_or(RunError::BalanceOutOfRange { branch: id })?;
    let log = match before {
        Some(before) if *before.log == log => Arc::clone(&before.log),
        Some(_) | None => Arc::new(log),
    };
    Ok(BranchResult { id, balance, log })
}

/// Where what is at `seats` can be spoken to.
pub(crate) fn addresses<A: Actor<Context = Context<A>>>(seats: &[Seat<A>]) -> Vec<Addr<A>> {
    seats.iter().map(|seat| seat.address.clone()).collect()
}
