//! The actors of a worker, which pass from one run in virtual time to the next.

use std::rc::Rc;
use std::sync::Arc;

use actix::Recipient;

use super::bank::{BankSetup, Seat, mailboxes};
use crate::actors::{
    Answer, Ask, BranchActor, CustomerActor, Executor, NemesisActor, PeerEnvelope, Peers,
    TimeSource,
};

/// Where runs take place, one after the other.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) executor: Executor,
    pub(super) branches: BranchSeats,
    pub(super) customers: Vec<CustomerSeat>,
    /// There from the first run on in which things go wrong on purpose.
    pub(super) nemesis: Option<Seat<NemesisActor>>,
}

/// The seat of a customer.
#[derive(Debug)]
pub(super) struct CustomerSeat {
    pub(super) seat: Seat<CustomerActor>,
    /// Its mailbox, where answers go.
    pub(super) answers: Arc<Recipient<Answer>>,
}

/// The seats of branches.
#[derive(Debug, Default)]
pub(super) struct BranchSeats {
    seats: Vec<Seat<BranchActor>>,
    /// The mailboxes of the first so many; made anew where a bank has another number of branches.
    peers: Rc<[Recipient<PeerEnvelope>]>,
    counters: Rc<[Recipient<Ask>]>,
}

/// The actors of a run that had more than so many are not kept: to start them is little of what it
/// did.
const KEPT_MAX: usize = 64;

impl Stage {
    /// What the next run may have of it, once a run has come to its end.
    pub(super) fn for_the_next(mut self: Box<Self>) -> Option<Box<Self>> {
        // A run with a barrier has had one more actor than its seats: it begins anew each time.
        let nemesis = usize::from(self.nemesis.is_some());
        let seats = self.branches.seats.len() + self.customers.len() + nemesis;
        let is_kept = seats <= KEPT_MAX && self.executor.begin_anew() == Some(seats);
        is_kept.then_some(self)
    }
}

impl CustomerSeat {
    /// Starts a customer that lives in `clock`.
    pub(super) fn start(clock: &TimeSource) -> Self {
        let seat = Seat::<CustomerActor>::start(clock);
        let answers = Arc::new(seat.address.clone().recipient());
        Self { seat, answers }
    }
}

impl BranchSeats {
    /// Opens a bank at the first of them, and says where its customers turn to. `connect` makes ways
    /// from branch to branch of the mailboxes.
    pub(super) fn open(
        &mut self,
        setup: &BankSetup<'_>,
        connect: impl FnOnce(Peers) -> Peers,
    ) -> Rc<[Recipient<Ask>]> {
        let Self { seats, peers, counters } = self;
        let branches = setup.roster.len();
        seats.extend((seats.len()..branches).map(|_| Seat::start(&setup.recorder.clock)));
        if peers.len() != branches {
            *peers = mailboxes(&seats[..branches]);
            *counters = mailboxes(&seats[..branches]);
        }
        let peers = connect(Peers::straight(setup.roster, Rc::clone(peers)));
        for (&id, seat) in setup.roster.ids().iter().zip(&*seats) {
            setup.open(id, seat, peers.clone());
        }
        Rc::clone(counters)
    }

    /// The first `branches` of them.
    pub(super) fn seats(&self, branches: usize) -> &[Seat<BranchActor>] {
        &self.seats[..branches]
    }
}
