//! What passes between the thread of the connection and the others of a job.

use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::cluster::{Arrived, Cut, Ending};

/// How many more results may be handed out.
pub(super) type Room = Arc<Semaphore>;

/// What comes from the thread of the connection.
pub(super) enum Told {
    Share(Box<Arrived>),
    Warning(String),
    End,
}

/// What the thread of the connection has of the others.
pub(super) struct Ends {
    pub(super) cuts: mpsc::Receiver<Cut>,
    pub(super) told: Sender<Told>,
    pub(super) room: Room,
    pub(super) ending: oneshot::Receiver<Ending>,
}
