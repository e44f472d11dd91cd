//! What the server holds of a job: parcels, results and objects, brought, got and deleted. Tries again as
//! long as there is patience.

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};
use futures_util::future::join_all;
use serde::de::IgnoredAny;
use serde_json::json;

use super::connection::PAUSE;
use super::notices::OBJECT;
use super::objects::{Object, Objects};
use super::patience::Patience;
use crate::cluster::{ClusterError, Digest};
use crate::run::with_causes;

/// The server's side of a job.
pub(super) struct Storage {
    pub(super) rows: Stream,
    pub(super) objects: Objects,
    pub(super) patience: Patience,
}

impl Storage {
    /// Puts a parcel into the object store, unless it is there.
    pub(super) async fn bring(
        &mut self,
        parcel: &[u8],
        digest: Digest,
    ) -> Result<(), ClusterError> {
        loop {
            match self.objects.put(&digest.to_string(), parcel).await {
                Ok(()) => {
                    self.patience.restore();
                    return Ok(());
                }
                Err(reason) if reason.contains("maximum bytes") => {
                    let what = "the inputs of this job".to_owned();
                    return Err(ClusterError::Full { what, reason });
                }
                Err(reason) => self.patience.fail(reason)?,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What a message holds, or the object that it names; `None` where that is not whole any more.
    pub(super) async fn content(
        &mut self,
        message: StreamMessage,
    ) -> Result<Option<Vec<u8>>, ClusterError> {
        let Some(name) = message.headers.get(OBJECT) else {
            return Ok(Some(message.payload.to_vec()));
        };
        let name = name.as_str().to_owned();
        let object = self.object(&name).await?;
        self.objects.delete(&name).await;
        Ok(match object {
            Object::Whole(content) => Some(content),
            Object::Missing | Object::Damaged(_) => None,
        })
    }

    pub(super) async fn object(&mut self, name: &str) -> Result<Object, ClusterError> {
        self.objects.get(name, &mut self.patience).await
    }

    pub(super) async fn message(
        &mut self,
        sequence: u64,
    ) -> Result<Option<StreamMessage>, ClusterError> {
        loop {
            match self.rows.direct_get(sequence).await {
                Ok(message) => return Ok(Some(message)),
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => return Ok(None),
                Err(error) => self.patience.fail(with_causes(&error))?,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Deletes messages; what cannot be deleted now is left in `needless`.
    pub(super) async fn delete(&self, needless: &mut Vec<u64>) {
        let (context, rows) = (&self.objects.link.context, &self.rows.cached_info().config.name);
        let deleted = needless.iter().map(async |sequence| {
            // `Stream::delete_message` has the server write chance over the message, half of all that it does.
            let delete = json!({ "seq": sequence, "no_erase": true });
            let asked = context.request(format!("STREAM.MSG.DELETE.{rows}"), &delete).await;
            match asked {
                // What is not there need not be deleted, says an API error.
                Ok(Response::<IgnoredAny>::Ok(_) | Response::Err { .. }) => None,
                Err(_) => Some(*sequence),
            }
        });
        *needless = join_all(deleted).await.into_iter().flatten().collect();
    }
}
