//! Runs actors in virtual time: each that is ready, in the order in which they became so; and when
//! none is, it is at once the next moment that one of them waits for.
//!
//! The actors are those that run elsewhere in actix' System, with the same mailboxes. What a System
//! adds to them, a runtime with tasks, wakers and timers of its own, costs more than all that a small
//! bank does, and decides by its own counters which of two tasks comes first.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::alarms::{Alarms, Arrival, Due, Turn};
use crate::model::Time;
use crate::model::number::count;

/// Runs the actors of one run, on the thread that makes it.
#[derive(Debug)]
pub struct Executor {
    time: VirtualTime,
    /// Of what is run beside the actors.
    waker: Waker,
    /// By number. `None`: it has ended.
    actors: Vec<Option<Task>>,
}

/// The time in an [`Executor`]: it begins at zero, and goes by when every actor is idle.
#[derive(Clone, Default)]
pub struct VirtualTime(Rc<Shared>);

/// Why an [`Executor`] did not come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEnd {
    /// Nothing is ready, and nothing waits for a moment.
    Standstill,
    /// It was told to stop.
    Stopped,
}

/// What actors reach of their executor.
#[derive(Default)]
struct Shared {
    now: Cell<Time>,
    alarms: RefCell<Alarms>,
    /// Messages that arrive at the moment at which they were sent, as soon as it is the network's turn.
    hops: RefCell<Vec<Box<dyn FnOnce()>>>,
    /// Actors that the executor has not seen yet.
    started: RefCell<Vec<ActorFuture>>,
    ready: Arc<Ready>,
}

type ActorFuture = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    future: ActorFuture,
    waker: Waker,
}

/// The numbers of what is ready, in the order in which it became so.
#[derive(Debug, Default)]
struct Ready(Mutex<Queue>);

#[derive(Debug)]
struct Queue {
    order: VecDeque<usize>,
    /// Of each number, whether it is in `order`.
    has: Vec<bool>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { order: VecDeque::new(), has: vec![false; NETWORK + 1] }
    }
}

/// What is run beside the actors has this number.
const MAIN: usize = 0;

/// What carries messages has its turn as if it were an actor; the actors have the numbers after it.
const NETWORK: usize = MAIN + 1;

/// Makes something ready.
struct WakeUp {
    number: usize,
    ready: Arc<Ready>,
}

impl Default for Executor {
    fn default() -> Self {
        let time = VirtualTime::default();
        let waker = waker(MAIN, &time.0.ready);
        Self { time, waker, actors: Vec::new() }
    }
}

impl Executor {
    /// The time in which its actors live.
    pub fn time(&self) -> &VirtualTime {
        &self.time
    }

    /// Begins anew, at zero, with the actors that are there. Says how many they are, if that can be:
    /// if all of them are idle, and none has ended.
    pub fn begin_anew(&mut self) -> Option<usize> {
        self.time.0.alarms.borrow_mut().begin_anew();
        self.time.0.now.set(Time::START);
        let are_all_idle = self.time.0.ready.is_empty();
        let are_all_there = self.actors.iter().all(Option::is_some);
        (are_all_idle && are_all_there).then_some(self.actors.len())
    }

    /// Runs `main` to its end, and actors beside it. It is polled when no actor is ready.
    pub fn run<T>(&mut self, main: impl Future<Output = T>, stop: &AtomicBool) -> Result<T, NoEnd> {
        let mut main = pin!(main);
        let ready = Arc::clone(&self.time.0.ready);
        let waker = self.waker.clone();
        let mut is_main_ready = true;
        while !stop.load(Ordering::Relaxed) {
            match ready.take_first() {
                Some(MAIN) => is_main_ready = true,
                Some(NETWORK) => self.time.0.carry(),
                Some(actor) => self.poll(actor - NETWORK - 1),
                None if is_main_ready => {
                    is_main_ready = false;
                    if let Poll::Ready(output) =
                        main.as_mut().poll(&mut Context::from_waker(&waker))
                    {
                        return Ok(output);
                    }
                }
                None => self.time.0.go_on()?,
            }
        }
        Err(NoEnd::Stopped)
    }

    fn poll(&mut self, place: usize) {
        if place >= self.actors.len() {
            self.admit();
        }
        let Some(Some(Task { future, waker })) = self.actors.get_mut(place) else { return };
        let mut context = Context::from_waker(waker);
        let poll = || future.as_mut().poll(&mut context);
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(())) => self.actors[place] = None,
            // The panic is told already; who speaks to the actor learns that it has stopped. What is
            // left of it may panic again.
            Err(_) => drop(catch_unwind(AssertUnwindSafe(|| self.actors[place] = None))),
        }
    }

    /// Takes the actors that have started since.
    fn admit(&mut self) {
        let ready = &self.time.0.ready;
        for future in self.time.0.started.take() {
            let number = NETWORK + 1 + self.actors.len();
            self.actors.push(Some(Task { future, waker: waker(number, ready) }));
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Actors reach the time that they are kept in.
        self.time.0.started.take();
        self.time.0.alarms.take();
        self.time.0.hops.take();
    }
}

impl VirtualTime {
    /// What time it is.
    pub(super) fn now(&self) -> Time {
        self.0.now.get()
    }

    /// Does `action` when it is `at`. A deadline that is over has come at once; a message that takes no
    /// time arrives after all that is ready before the network is.
    pub(super) fn do_at(&self, at: Time, turn: Turn, action: impl FnOnce() + 'static) {
        let is_now = at <= self.now();
        match turn {
            Turn::Deadline if is_now => return action(),
            Turn::Deadline => {}
            Turn::Message => {
                self.0.ready.push(NETWORK);
                if is_now {
                    return self.0.hops.borrow_mut().push(Box::new(action));
                }
            }
        }
        self.0.alarms.borrow_mut().add(at, turn, Box::new(action));
    }

    /// Lets a message arrive at many receivers, each at its own moment: as if one had been sent to
    /// each of them, in this order.
    pub(super) fn arrive_at_each(
        &self,
        moments: impl ExactSizeIterator<Item = Time>,
        arrive: impl Fn(usize) + 'static,
    ) {
        let (now, receivers) = (self.now(), moments.len());
        let arrive: Rc<dyn Fn(usize)> = Rc::new(arrive);
        let mut arrivals = Vec::with_capacity(receivers);
        for (receiver, at) in moments.enumerate() {
            if at > now {
                arrivals.push(Arrival { at, receiver });
            } else {
                let arrive = Rc::clone(&arrive);
                self.0.hops.borrow_mut().push(Box::new(move || arrive(receiver)));
            }
        }
        self.0.ready.push(NETWORK);
        self.0.alarms.borrow_mut().add_round(count(receivers), arrivals, arrive);
    }

    /// Lets `actor` run.
    pub(super) fn run(&self, actor: impl Future<Output = ()> + 'static) {
        let number = self.0.ready.add();
        self.0.started.borrow_mut().push(Box::pin(actor));
        self.0.ready.push(number);
    }
}

impl Shared {
    /// Messages arrive that take no time.
    fn carry(&self) {
        for arrive in self.hops.take() {
            arrive();
        }
    }

    /// It is the next moment that an actor waits for: all that wait for it are told.
    fn go_on(&self) -> Result<(), NoEnd> {
        let next = self.alarms.borrow().next().ok_or(NoEnd::Standstill)?;
        self.now.set(next);
        while let Some(due) = self.alarms.borrow_mut().take(next) {
            match due {
                Due::Action(action) => action(),
                Due::Arrival(arrive, receiver) => arrive(receiver),
            }
        }
        Ok(())
    }
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of one more actor.
    fn add(&self) -> usize {
        let has = &mut self.lock().has;
        has.push(false);
        has.len() - 1
    }

    fn push(&self, number: usize) {
        let Queue { order, has } = &mut *self.lock();
        if !std::mem::replace(&mut has[number], true) {
            order.push_back(number);
        }
    }

    fn is_empty(&self) -> bool {
        self.lock().order.is_empty()
    }

    fn take_first(&self) -> Option<usize> {
        let Queue { order, has } = &mut *self.lock();
        let first = order.pop_front()?;
        has[first] = false;
        Some(first)
    }
}

fn waker(number: usize, ready: &Arc<Ready>) -> Waker {
    Arc::new(WakeUp { number, ready: Arc::clone(ready) }).into()
}

impl Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.push(self.number);
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualTime").field(&self.now()).finish()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use actix::{Actor, Context, Handler, Message};

    use super::super::{Due, TimeSource};
    use super::*;

    /// Writes down what it is told, and when.
    struct Clerk {
        time: VirtualTime,
        told: Rc<RefCell<Vec<(u64, &'static str)>>>,
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Note(&'static str);

    /// Asks to be woken at a moment.
    #[derive(Message)]
    #[rtype(result = "()")]
    struct WakeAt(u64);

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Panic;

    impl Actor for Clerk {
        type Context = Context<Self>;
    }

    impl Handler<Note> for Clerk {
        type Result = ();

        fn handle(&mut self, Note(what): Note, _: &mut Self::Context) {
            self.told.borrow_mut().push((self.time.now().us(), what));
        }
    }

    impl Handler<WakeAt> for Clerk {
        type Result = ();

        fn handle(&mut self, WakeAt(us): WakeAt, ctx: &mut Self::Context) {
            TimeSource::Virtual(self.time.clone()).wake_at(Time::from_us(us), ctx);
        }
    }

    impl Handler<Due> for Clerk {
        type Result = ();

        fn handle(&mut self, _: Due, ctx: &mut Self::Context) {
            self.handle(Note("woken"), ctx);
        }
    }

    impl Handler<Panic> for Clerk {
        type Result = ();

        fn handle(&mut self, _: Panic, _: &mut Self::Context) {
            panic!("it was told to");
        }
    }

    type Told = Rc<RefCell<Vec<(u64, &'static str)>>>;

    fn clerk(executor: &Executor, told: &Told) -> actix::Addr<Clerk> {
        let time = executor.time().clone();
        TimeSource::Virtual(time.clone()).start(Clerk { time, told: Rc::clone(told) })
    }

    static NEVER: AtomicBool = AtomicBool::new(false);

    #[test]
    fn time_goes_by_when_all_are_idle_and_no_further_than_to_what_is_next() {
        let (mut executor, told) = (Executor::default(), Told::default());
        let clerk = clerk(&executor, &told);
        clerk.do_send(WakeAt(500));
        clerk.do_send(WakeAt(20));
        clerk.do_send(Note("first"));
        let main = async { clerk.do_send(Note("second")) };
        assert_eq!(executor.run(main, &NEVER), Ok(()));
        assert_eq!(*told.borrow(), [(0, "first")]);
        let stuck = executor.run(std::future::pending::<()>(), &NEVER);
        assert_eq!(stuck, Err(NoEnd::Standstill));
        assert_eq!(*told.borrow(), [(0, "first"), (0, "second"), (20, "woken"), (500, "woken")]);
    }

    #[test]
    fn an_actor_that_panics_has_stopped_and_the_others_go_on() {
        let (mut executor, told) = (Executor::default(), Told::default());
        let (one, other) = (clerk(&executor, &told), clerk(&executor, &told));
        let asked = async {
            one.do_send(Panic);
            other.do_send(Note("goes on"));
            (one.send(Note("too late")).await.is_err(), other.send(Note("still")).await.is_ok())
        };
        assert_eq!(executor.run(asked, &NEVER), Ok((true, true)));
        assert_eq!(*told.borrow(), [(0, "goes on"), (0, "still")]);
    }

    #[test]
    fn what_goes_on_beside_no_actor_can_wait_for_itself() {
        let mut asked = false;
        let main = std::future::poll_fn(|context| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!(Executor::default().run(main, &NEVER), Ok(()));
    }

    #[test]
    fn at_one_moment_messages_come_before_deadlines_and_else_the_first_comes_first() {
        let time = VirtualTime::default();
        let told = Told::default();
        let tell = |at, turn, what| {
            let (told, now) = (Rc::clone(&told), time.clone());
            let tell = move || told.borrow_mut().push((now.now().us(), what));
            time.do_at(Time::from_us(at), turn, tell);
        };
        tell(7, Turn::Deadline, "late");
        tell(7, Turn::Message, "one");
        tell(7, Turn::Message, "two");
        tell(3, Turn::Deadline, "early");
        tell(0, Turn::Deadline, "at once");
        while time.0.go_on().is_ok() {}
        let expected = [(0, "at once"), (3, "early"), (7, "one"), (7, "two"), (7, "late")];
        assert_eq!(*told.borrow(), expected);
    }

    #[test]
    fn a_message_that_takes_no_time_comes_after_what_was_ready_before_the_network() {
        let (mut executor, told) = (Executor::default(), Told::default());
        let (one, other) = (clerk(&executor, &told), clerk(&executor, &told));
        let time = executor.time().clone();
        let main = async {
            one.do_send(Note("ready"));
            let (to, later) = (other.clone(), one.clone());
            // The network is ready from the first message on, however long that takes.
            time.do_at(Time::from_us(9), Turn::Message, move || later.do_send(Note("late")));
            time.do_at(Time::START, Turn::Message, move || to.do_send(Note("at once")));
            other.do_send(Note("meanwhile"));
            std::future::pending::<()>().await;
        };
        assert_eq!(executor.run(main, &NEVER), Err(NoEnd::Standstill));
        let expected = [(0, "ready"), (0, "meanwhile"), (0, "at once"), (9, "late")];
        assert_eq!(*told.borrow(), expected);
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let mut executor = Executor::default();
        let stopped = executor.run(std::future::ready(()), &AtomicBool::new(true));
        assert_eq!(stopped, Err(NoEnd::Stopped));
    }
}
