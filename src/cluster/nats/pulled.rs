//! The messages of one request to pull. A request is forgotten with the connection that it came by, which nobody
//! tells: without a look it would be waited for until long after its end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::Batch;
use futures_util::{FutureExt, StreamExt};

use crate::run::with_causes;

/// So often it is looked whether the connection is the same.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a request brings.
pub(super) struct Pulled {
    batch: Batch,
    client: Client,
    /// Which connection it came by.
    connection: u64,
}

impl Pulled {
    /// Asks for up to `most` messages, for which the server waits up to `wait`.
    pub(super) async fn ask(
        client: &Client,
        consumer: &PullConsumer,
        (most, wait): (usize, Duration),
    ) -> Result<Self, String> {
        let connection = connection(client);
        let asked = consumer.batch().max_messages(most).expires(wait).messages().await;
        let batch = asked.map_err(|error| with_causes(&error))?;
        Ok(Self { batch, client: client.clone(), connection })
    }

    /// The next message; `None` at the end, and when no more can come.
    pub(super) async fn next(&mut self) -> Option<Result<Message, String>> {
        loop {
            let next = tokio::time::timeout(LOOK_EVERY, self.batch.next()).await;
            let next = match next {
                Ok(next) => next,
                Err(_) if connection(&self.client) == self.connection => continue,
                // What came before the connection broke is taken all the same.
                Err(_) => self.batch.next().now_or_never().flatten(),
            };
            return next.map(|message| message.map_err(|error| error.to_string()));
        }
    }
}

/// The number of the connection that there is, or was last.
fn connection(client: &Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}
