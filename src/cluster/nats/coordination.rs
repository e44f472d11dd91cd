//! The side of a job that whoever asked for it sees: shares go in, results come out in order. Its threads
//! know no runtime; the connection has one of its own.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::coordinator::coordinate as run;
use super::ends::{Ends, Told};
use crate::cluster::{
    Closed, ClusterError, Cut, Ending, GiveUp, JobSettings, Next, ServerSettings,
};

/// So many results are handed out before one of them is taken.
const ON_THEIR_WAY: usize = 4;

/// So many shares are cut before there is room for them.
const CUT_AHEAD: usize = 4;

/// A job under way. Whoever drops it leaves the job as it is.
pub(crate) struct Coordination {
    told: Receiver<Told>,
    room: Arc<Semaphore>,
    ending: Option<oneshot::Sender<Ending>>,
    thread: Option<JoinHandle<Result<(), ClusterError>>>,
}

/// Takes shares in the order of their numbers. When it is dropped there are no more.
#[derive(Debug, Clone)]
pub(crate) struct Cuts(mpsc::Sender<Cut>);

/// Begins the job, or goes on with it.
pub(crate) fn coordinate(
    server: ServerSettings,
    job: JobSettings,
    give_up: GiveUp,
) -> Result<(Cuts, Coordination), ClusterError> {
    let (cut, cuts) = mpsc::channel(CUT_AHEAD);
    let (told, tells) = unbounded();
    let room = Arc::new(Semaphore::new(ON_THEIR_WAY));
    let (ending, ends) = oneshot::channel();
    let inner = Ends { cuts, told, room: Arc::clone(&room), ending: ends };
    let main = move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.map_err(ClusterError::Thread)?.block_on(run(server, job, give_up, inner))
    };
    let thread = thread::Builder::new().name("nats".to_owned()).spawn(main);
    let thread = Some(thread.map_err(ClusterError::Thread)?);
    Ok((Cuts(cut), Coordination { told: tells, room, ending: Some(ending), thread }))
}

impl Cuts {
    /// Hands on a share. Waits where enough are in play.
    pub(crate) fn send(&self, cut: Cut) -> Result<(), Closed> {
        self.0.blocking_send(cut).map_err(|_| Closed)
    }
}

impl Coordination {
    /// What comes next. Waits for it up to `limit`.
    pub(crate) fn next_within(&mut self, limit: Duration) -> Result<Next, ClusterError> {
        match self.told.recv_timeout(limit) {
            Ok(Told::Share(arrived)) => {
                self.room.add_permits(1);
                Ok(Next::Share(arrived))
            }
            Ok(Told::Warning(text)) => Ok(Next::Warning(text)),
            Ok(Told::End) => Ok(Next::End),
            Err(RecvTimeoutError::Timeout) => Ok(Next::NotYet),
            Err(RecvTimeoutError::Disconnected) => self.join().map(|()| Next::End),
        }
    }

    /// Ends the job, and waits until the server knows of that.
    pub(crate) fn end(mut self, ending: Ending) -> Result<(), ClusterError> {
        if let Some(told) = self.ending.take()
            && told.send(ending).is_err()
        {
            log::debug!("the job has ended already");
        }
        self.join()
    }

    fn join(&mut self) -> Result<(), ClusterError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| ClusterError::Panicked)?
    }
}
