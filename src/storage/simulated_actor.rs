//! The actor that keeps what a branch wants kept on a simulated disk, in virtual time.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Recipient};

use super::{About, SimulatedDisk, Store};
use crate::actors::{Commit, Committed, Due, Power, StorageLink, TimeSource};
use crate::bank::Memory;
use crate::model::number::micros;
use crate::model::{Random, Time};
use crate::network::FaultKind;

/// How long a commit takes: from nothing to this.
const COMMIT_MAX: Duration = Duration::from_millis(10);

/// Keeps what one branch wants kept with the same store that is used on real disks.
pub struct SimulatedStorage(Rc<RefCell<Simulated>>);

struct Simulated {
    disk: SimulatedDisk,
    /// `None` while there is no power.
    store: Option<Store>,
    /// The commit that is under way, and when it is over.
    under_way: Option<(u64, Time)>,
    chance: Random,
    owner: Recipient<Committed>,
    clock: TimeSource,
}

impl SimulatedStorage {
    /// Starts that of the branch that the file is `about`.
    ///
    /// Panics if the store cannot be made in memory.
    pub fn start(
        about: &About,
        owner: Recipient<Committed>,
        chance: Random,
        clock: &TimeSource,
    ) -> StorageLink {
        let disk = SimulatedDisk::default();
        let store = Store::create(about, disk.backend()).expect("there is room in memory");
        disk.settle();
        let (store, clock_of) = (Some(store), clock.clone());
        let simulated = Simulated { disk, store, under_way: None, chance, owner, clock: clock_of };
        let simulated = Rc::new(RefCell::new(simulated));
        let power: Rc<dyn Power> = Rc::new(Self(Rc::clone(&simulated)));
        StorageLink { commits: clock.start(Self(simulated)).recipient(), power: Some(power) }
    }
}

impl fmt::Debug for SimulatedStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedStorage").finish_non_exhaustive()
    }
}

impl Actor for SimulatedStorage {
    type Context = Context<Self>;
}

impl Handler<Commit> for SimulatedStorage {
    type Result = ();

    fn handle(&mut self, Commit { number, kept }: Commit, ctx: &mut Self::Context) {
        let Simulated { store, under_way, chance, clock, .. } = &mut *self.0.borrow_mut();
        // Without power nothing is kept.
        let Some(store) = store else { return };
        store.commit(&kept).expect("there is room in memory");
        let span = Duration::from_micros(chance.below(micros(COMMIT_MAX)));
        let until = clock.now().after(span);
        *under_way = Some((number, until));
        clock.wake_at(until, ctx);
    }
}

impl Handler<Due> for SimulatedStorage {
    type Result = ();

    fn handle(&mut self, Due(at): Due, _: &mut Self::Context) {
        let Simulated { disk, under_way, owner, .. } = &mut *self.0.borrow_mut();
        if let Some((number, _)) = under_way.take_if(|(_, until)| *until == at) {
            disk.settle();
            owner.do_send(Committed(number));
        }
    }
}

impl Power for SimulatedStorage {
    fn fail(&self) -> Vec<FaultKind> {
        let Simulated { disk, store, under_way, chance, .. } = &mut *self.0.borrow_mut();
        *under_way = None;
        let failure = disk.fail(chance);
        // Closed without power: what it would write does not come to the disk.
        *store = None;
        let struck = [(FaultKind::Torn, failure.torn), (FaultKind::Unsynced, failure.gone)];
        let each = |(kind, times): (FaultKind, u32)| (0..times).map(move |_| kind);
        struck.into_iter().flat_map(each).collect()
    }

    fn restore(&self) -> Memory {
        let Simulated { disk, store, .. } = &mut *self.0.borrow_mut();
        let opened = Store::open(disk.backend());
        let (opened, _) = opened.expect("whatever power failures do, the file can be opened");
        let memory = opened.memory().expect("whatever power failures do, the file can be read");
        disk.settle();
        *store = Some(opened);
        memory.unwrap_or_default()
    }
}
