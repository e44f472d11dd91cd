//! The open connections of a process: how many there may be, and which one goes when there is no
//! room for another. Knows no protocol.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix::{Actor, Addr, Context, Handler, MailboxError, Message};
use tokio::sync::Notify;

use super::limits::Limits;

/// How often it is seen whether a connection is used, in each time that it may be unused.
pub(super) const LOOKS: usize = 4;

/// More looks than an answer can wait.
const UNREAD: usize = 2 * LOOKS;

/// How many connections are told to close at the same time where no file is left for another.
const CLOSED_AT_ONCE: usize = 16;

/// All connections of a process, on whichever port. Cheap to copy.
#[derive(Debug, Clone)]
pub struct Connections {
    list: Addr<List>,
    counts: Arc<ConnectionCounts>,
}

/// How many connections there are and were.
#[derive(Debug, Default)]
pub struct ConnectionCounts {
    accepted: AtomicU64,
    open: AtomicUsize,
    refused_in_all: AtomicU64,
    refused_of_address: AtomicU64,
    closed_idle: AtomicU64,
    closed_for_room: AtomicU64,
    closed_unread: AtomicU64,
    /// Counts the ends of calls, so that it is known which connection was used before which.
    uses: AtomicU64,
}

impl ConnectionCounts {
    /// How many got a place.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many were closed as soon as they came because there were too many in all.
    pub fn refused_in_all(&self) -> u64 {
        self.refused_in_all.load(Ordering::Relaxed)
    }

    /// How many were closed as soon as they came because there were too many of their address.
    pub fn refused_of_address(&self) -> u64 {
        self.refused_of_address.load(Ordering::Relaxed)
    }

    /// How many were closed because they made no call for too long.
    pub fn closed_idle(&self) -> u64 {
        self.closed_idle.load(Ordering::Relaxed)
    }

    /// How many were closed because they made no call, and another needed the room.
    pub fn closed_for_room(&self) -> u64 {
        self.closed_for_room.load(Ordering::Relaxed)
    }

    /// How many were closed because they did not read an answer for too long.
    pub fn closed_unread(&self) -> u64 {
        self.closed_unread.load(Ordering::Relaxed)
    }

    pub(super) fn count_idle(&self) {
        self.closed_idle.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_unread(&self) {
        self.closed_unread.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(super) struct Connection {
    counts: Arc<ConnectionCounts>,
    /// Of whom; `None` where there is no address.
    network: Option<IpAddr>,
    /// How many calls it has under way.
    calls: AtomicUsize,
    /// When it was used last, counted in uses of all connections.
    last_use: AtomicU64,
    /// How often it was looked at whether it is used.
    looks: AtomicUsize,
    /// How many answers wait for the client to read on, by the look after which they began to.
    unread: [AtomicUsize; UNREAD],
    told_to_close: Notify,
}

impl Connection {
    fn new(counts: Arc<ConnectionCounts>, address: Option<IpAddr>) -> Self {
        let last_use = AtomicU64::new(counts.uses.fetch_add(1, Ordering::Relaxed));
        Self {
            counts,
            network: address.map(network),
            calls: AtomicUsize::new(0),
            last_use,
            looks: AtomicUsize::new(0),
            unread: Default::default(),
            told_to_close: Notify::new(),
        }
    }

    /// Begins a call, which ends when what comes back is dropped.
    pub(super) fn begin_call(connection: &Arc<Self>) -> CallUnderWay {
        connection.calls.fetch_add(1, Ordering::Relaxed);
        CallUnderWay { connection: Arc::clone(connection), waits_since: None }
    }

    /// When it was used last, in uses of all connections; `None` while a call is under way.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let is_idle = self.calls.load(Ordering::Relaxed) == 0;
        is_idle.then(|| self.last_use.load(Ordering::Relaxed))
    }

    /// Looks at it once in [`LOOKS`] times the time that it may be unused: whether an answer waited
    /// all that time for the client to read on.
    pub(super) fn look_for_unread(&self) -> bool {
        let look = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        let then = look.checked_sub(LOOKS + 1);
        then.is_some_and(|then| self.unread[then % UNREAD].load(Ordering::Relaxed) > 0)
    }

    /// Waits until another connection needs the room.
    pub(super) async fn told_to_close(&self) {
        self.told_to_close.notified().await;
    }
}

/// A call that has not got its whole answer.
#[derive(Debug)]
pub(super) struct CallUnderWay {
    connection: Arc<Connection>,
    waits_since: Option<usize>,
}

impl CallUnderWay {
    /// Its answer waits for the client to read on.
    pub(super) fn wait_for_client(&mut self) {
        let look = self.connection.looks.load(Ordering::Relaxed);
        self.connection.unread[look % UNREAD].fetch_add(1, Ordering::Relaxed);
        self.waits_since = Some(look);
    }

    /// The client has read on.
    pub(super) fn go_on(&mut self) {
        if let Some(look) = self.waits_since.take() {
            self.connection.unread[look % UNREAD].fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        self.go_on();
        let connection = &self.connection;
        let now = connection.counts.uses.fetch_add(1, Ordering::Relaxed);
        connection.last_use.store(now, Ordering::Relaxed);
        connection.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// To whom an address belongs: one of IPv6 to whoever has its network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// The place of an open connection; given back when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    pub(super) connection: Arc<Connection>,
    number: u64,
    list: Addr<List>,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.list.do_send(Closed { number: self.number });
    }
}

/// There is no room for a connection, and none is idle that could make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// There are too many.
    InAll,
    /// There are too many of its address.
    OfAddress,
}

impl Connections {
    /// None is open yet. Called where a System runs.
    pub(super) fn start() -> Self {
        let counts = Arc::<ConnectionCounts>::default();
        let list = List { counts: Arc::clone(&counts), open: BTreeMap::new(), next: 0 };
        Self { list: list.start(), counts }
    }

    /// How many there are and were.
    pub fn counts(&self) -> &ConnectionCounts {
        &self.counts
    }

    /// A place for one from `address`. Where there are too many, the one that has been idle for the
    /// longest time makes room.
    pub(super) async fn open(
        &self,
        address: Option<IpAddr>,
        limits: &Limits,
    ) -> Result<Result<ConnectionSlot, NoRoom>, MailboxError> {
        let &Limits { connections_max, address_connections_max, .. } = limits;
        let opened =
            self.list.send(Open { address, connections_max, address_connections_max }).await?;
        Ok(opened.map(|(number, connection)| ConnectionSlot {
            connection,
            number,
            list: self.list.clone(),
        }))
    }

    /// Tells those that have been idle for the longest time to close.
    pub(super) fn make_room(&self) {
        self.list.do_send(MakeRoom);
    }
}

/// The open connections by number, in the order in which they came.
#[derive(Debug)]
struct List {
    counts: Arc<ConnectionCounts>,
    open: BTreeMap<u64, Arc<Connection>>,
    next: u64,
}

#[derive(Debug, Message)]
#[rtype(result = "Result<(u64, Arc<Connection>), NoRoom>")]
struct Open {
    address: Option<IpAddr>,
    connections_max: usize,
    address_connections_max: usize,
}

#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Closed {
    number: u64,
}

#[derive(Debug, Message)]
#[rtype(result = "()")]
struct MakeRoom;

impl List {
    /// Tells the connection to close that has been idle for the longest time, among those that
    /// `may_go`. It has no place any more. False where there is none.
    fn close_one(&mut self, may_go: impl Fn(&Connection) -> bool) -> bool {
        let may_go = self.open.iter().filter(|(_, connection)| may_go(connection));
        let idle = may_go.filter_map(|(&number, connection)| {
            connection.idle_since().map(|last_use| (last_use, number))
        });
        let Some((_, number)) = idle.min() else { return false };
        if let Some(connection) = self.open.remove(&number) {
            connection.told_to_close.notify_one();
            self.counts.closed_for_room.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    fn open(&mut self, message: &Open) -> Result<(u64, Arc<Connection>), NoRoom> {
        let &Open { address, connections_max, address_connections_max } = message;
        let connection = Connection::new(Arc::clone(&self.counts), address);
        if let Some(network) = connection.network {
            let is_of_it = |other: &Connection| other.network == Some(network);
            let of_it = self.open.values().filter(|other| is_of_it(other)).count();
            if of_it >= address_connections_max && !self.close_one(is_of_it) {
                return Err(NoRoom::OfAddress);
            }
        }
        if self.open.len() >= connections_max && !self.close_one(|_| true) {
            return Err(NoRoom::InAll);
        }
        let (number, connection) = (self.next, Arc::new(connection));
        self.next += 1;
        self.open.insert(number, Arc::clone(&connection));
        Ok((number, connection))
    }

    fn count_open(&self) {
        self.counts.open.store(self.open.len(), Ordering::Relaxed);
    }
}

impl Actor for List {
    type Context = Context<Self>;
}

impl Handler<Open> for List {
    type Result = Result<(u64, Arc<Connection>), NoRoom>;

    fn handle(&mut self, message: Open, _: &mut Self::Context) -> Self::Result {
        let opened = self.open(&message);
        let count = match opened {
            Ok(_) => &self.counts.accepted,
            Err(NoRoom::InAll) => &self.counts.refused_in_all,
            Err(NoRoom::OfAddress) => &self.counts.refused_of_address,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.count_open();
        opened
    }
}

impl Handler<Closed> for List {
    type Result = ();

    fn handle(&mut self, Closed { number }: Closed, _: &mut Self::Context) {
        self.open.remove(&number);
        self.count_open();
    }
}

impl Handler<MakeRoom> for List {
    type Result = ();

    fn handle(&mut self, MakeRoom: MakeRoom, _: &mut Self::Context) {
        let mut left = CLOSED_AT_ONCE;
        while left > 0 && self.close_one(|_| true) {
            left -= 1;
        }
        self.count_open();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List {
        List { counts: Arc::default(), open: BTreeMap::new(), next: 0 }
    }

    fn open(list: &mut List, address: &str) -> Result<(u64, Arc<Connection>), NoRoom> {
        let address = Some(address.parse().unwrap());
        list.open(&Open { address, connections_max: 3, address_connections_max: 2 })
    }

    fn numbers(list: &List) -> Vec<u64> {
        list.open.keys().copied().collect()
    }

    #[test]
    fn the_one_that_has_been_idle_for_the_longest_time_makes_room() {
        let mut list = list();
        let (_, first) = open(&mut list, "10.0.0.1").unwrap();
        open(&mut list, "10.0.0.2").unwrap();
        open(&mut list, "10.0.0.3").unwrap();
        // It came first, and was used after the others came.
        drop(Connection::begin_call(&first));
        open(&mut list, "10.0.0.4").unwrap();
        assert_eq!(numbers(&list), [0, 2, 3]);
        open(&mut list, "10.0.0.5").unwrap();
        assert_eq!(numbers(&list), [0, 3, 4]);
        open(&mut list, "10.0.0.6").unwrap();
        assert_eq!(numbers(&list), [3, 4, 5]);
        assert_eq!(list.counts.closed_for_room(), 3);
    }

    #[test]
    fn one_with_a_call_under_way_never_makes_room() {
        let mut list = list();
        let opened = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|at| open(&mut list, at).unwrap());
        let mut calls =
            Vec::from(opened.map(|(_, connection)| Connection::begin_call(&connection)));
        assert_eq!(open(&mut list, "10.0.0.4").unwrap_err(), NoRoom::InAll);
        drop(calls.remove(1));
        open(&mut list, "10.0.0.4").unwrap();
        assert_eq!(numbers(&list), [0, 2, 3]);
    }

    #[test]
    fn an_address_makes_room_for_itself_alone() {
        let mut list = list();
        open(&mut list, "10.0.0.9").unwrap();
        let (_, first) = open(&mut list, "10.0.0.1").unwrap();
        open(&mut list, "10.0.0.1").unwrap();
        open(&mut list, "::ffff:10.0.0.1").unwrap();
        assert_eq!(numbers(&list), [0, 2, 3], "the stranger's, which is older, stays");
        let mut calls = vec![Connection::begin_call(&first)];
        calls.extend(list.open.values().map(Connection::begin_call));
        assert_eq!(open(&mut list, "10.0.0.1").unwrap_err(), NoRoom::OfAddress);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
