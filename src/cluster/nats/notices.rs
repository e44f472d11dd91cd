//! What has come into the stream of a job's results, without its content: which share each message is
//! about, and who made it. Asks again whatever happens to the server.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::stream::Stream;
use async_nats::{Client, HeaderMap};
use tokio::sync::mpsc;

use super::connection::PAUSE;
use super::pulled::Pulled;
use super::streams;
use crate::cluster::crew::MadeBy;
use crate::cluster::subjects::{self, Kind};

/// What a message says beside its content.
pub(super) const DIGEST: &str = "Passbook-Share";
pub(super) const WORKER: &str = "Passbook-Worker";
pub(super) const THREADS: &str = "Passbook-Threads";
/// The object that holds the content, where that is too large for a message.
pub(super) const OBJECT: &str = "Passbook-Object";

/// How many milliseconds a share may go without a sign of its worker.
pub(super) const LEASE: &str = "Passbook-Lease";

/// So many are taken at once, and so long the server waits for them.
const AT_ONCE: usize = 256;
const WAIT: Duration = Duration::from_secs(3);

/// Something that is said of the stream.
#[derive(Debug)]
pub(super) enum Notice {
    /// A message about a share.
    Message {
        number: u64,
        kind: Kind,
        /// Where it is in the stream.
        sequence: u64,
        made_by: Option<MadeBy>,
    },
    /// All that was there before is told.
    CaughtUp,
}

/// Tells all that is in `rows`, and all that comes, until nobody listens.
pub(super) async fn tell_notices(client: Client, rows: Stream, notices: mpsc::Sender<Notice>) {
    while !notices.is_closed() {
        if let Err(reason) = tell_until_it_fails(&client, &rows, &notices).await {
            log::debug!("no notices: {reason}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn tell_until_it_fails(
    client: &Client,
    rows: &Stream,
    notices: &mpsc::Sender<Notice>,
) -> Result<(), String> {
    let consumer = streams::notices(rows).await?;
    // How many messages were there before; `None` once all of them are told.
    let mut before = Some(consumer.cached_info().num_pending);
    if before == Some(0) {
        before = None;
        if notices.send(Notice::CaughtUp).await.is_err() {
            return Ok(());
        }
    }
    loop {
        let mut pulled = Pulled::ask(client, &consumer, (AT_ONCE, WAIT)).await?;
        let mut is_silent = true;
        while let Some(message) = pulled.next().await {
            let message = message?;
            is_silent = false;
            if let Some(notice) = notice(&message)
                && notices.send(notice).await.is_err()
            {
                return Ok(());
            }
            before = before.map(|left| left.saturating_sub(1));
            if before == Some(0) {
                before = None;
                if notices.send(Notice::CaughtUp).await.is_err() {
                    return Ok(());
                }
            }
        }
        // A server that was away may have forgotten who listens.
        if is_silent {
            consumer.get_info().await.map_err(|error| error.to_string())?;
        }
    }
}

fn notice(message: &Message) -> Option<Notice> {
    let (number, kind) = subjects::about(&message.subject)?;
    let sequence = message.info().ok()?.stream_sequence;
    let made_by = message.headers.as_ref().and_then(made_by);
    Some(Notice::Message { number, kind, sequence, made_by })
}

fn made_by(headers: &HeaderMap) -> Option<MadeBy> {
    let worker = headers.get(WORKER)?.as_str().to_owned();
    let threads = headers.get(THREADS)?.as_str().parse().ok()?;
    Some(MadeBy { worker, threads })
}
