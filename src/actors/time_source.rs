//! What time it is in a run: virtual, or the machine's. Actors live in one of the two.

use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::alarms::Turn;
use super::executor::VirtualTime;
use crate::model::Time;

const MICROSECOND_NS: u32 = 1000;
const SECOND_NS: u32 = 1_000_000_000;

/// Tells the time since the run began, wakes actors when a moment has come, and starts actors where
/// that time goes by.
#[derive(Debug, Clone)]
pub enum TimeSource {
    /// The machine's. Actors run in actix' System.
    Wall(WallClock),
    /// Virtual. Actors run in an [`Executor`](super::Executor).
    Virtual(VirtualTime),
}

/// The machine's time since a moment.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    start: Instant,
    /// How much of the machine's time goes by in a microsecond of the run's; a second is a
    /// multiple.
    microsecond_ns: u32,
}

/// Tells an actor that a moment has come for which it asked.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Due(pub Time);

/// Whose actor can be woken.
pub(super) trait Wakes {
    /// Tells the actor when it is `at` by `clock`.
    fn wake_at(&mut self, at: Time, clock: &TimeSource);
}

impl<A> Wakes for Context<A>
where
    A: Actor<Context = Self> + Handler<Due, Result = ()>,
{
    fn wake_at(&mut self, at: Time, clock: &TimeSource) {
        clock.wake_at(at, self);
    }
}

impl WallClock {
    /// The machine's time, starting now.
    pub fn real_time() -> Self {
        Self { start: Instant::now(), microsecond_ns: MICROSECOND_NS }
    }

    /// The machine's time in slow motion, starting now: one of its nanoseconds is a microsecond
    /// here. For facts that are less than a microsecond apart.
    pub fn slow_motion() -> Self {
        Self { start: Instant::now(), microsecond_ns: 1 }
    }

    /// What time it is.
    pub fn now(self) -> Time {
        let elapsed = self.start.elapsed();
        let microseconds = u64::from(SECOND_NS / self.microsecond_ns);
        let whole = elapsed.as_secs().saturating_mul(microseconds);
        Time::from_us(whole.saturating_add((elapsed.subsec_nanos() / self.microsecond_ns).into()))
    }

    /// How long the machine must sleep for `span` to go by.
    fn sleep_for(self, span: Duration) -> Duration {
        span.saturating_mul(self.microsecond_ns) / MICROSECOND_NS
    }
}

impl TimeSource {
    /// The machine's time, starting now.
    pub fn real_time() -> Self {
        Self::Wall(WallClock::real_time())
    }

    /// What time it is.
    pub fn now(&self) -> Time {
        match self {
            Self::Wall(clock) => clock.now(),
            Self::Virtual(time) => time.now(),
        }
    }

    /// Tells the actor of `ctx` when it is `at`.
    pub fn wake_at<A>(&self, at: Time, ctx: &mut Context<A>)
    where
        A: Actor<Context = Context<A>> + Handler<Due, Result = ()>,
    {
        match self {
            Self::Wall(clock) => {
                let span = clock.sleep_for(at.since(clock.now()));
                ctx.run_later(span, move |actor, ctx| actor.handle(Due(at), ctx));
            }
            Self::Virtual(time) => {
                let own = ctx.address();
                time.do_at(at, Turn::Deadline, move || own.do_send(Due(at)));
            }
        }
    }

    /// Lets `span` go by.
    pub async fn elapse(&self, span: Duration) {
        match self {
            Self::Wall(clock) => tokio::time::sleep(clock.sleep_for(span)).await,
            Self::Virtual(time) => {
                let (over, is_over) = oneshot::channel();
                time.do_at(time.now().after(span), Turn::Deadline, move || {
                    if over.send(()).is_err() {
                        log::trace!("nobody waits any more");
                    }
                });
                if is_over.await.is_err() {
                    log::trace!("the time ends before that");
                }
            }
        }
    }

    /// Starts `actor`.
    pub fn start<A>(&self, actor: A) -> Addr<A>
    where
        A: Actor<Context = Context<A>>,
    {
        self.run(Context::new(), actor)
    }

    /// Starts `actor` in `context`, whose address may be known already.
    pub fn run<A>(&self, context: Context<A>, actor: A) -> Addr<A>
    where
        A: Actor<Context = Context<A>>,
    {
        match self {
            Self::Wall(_) => context.run(actor),
            Self::Virtual(time) => {
                let address = context.address();
                time.run(context.into_future(actor));
                address
            }
        }
    }
}
