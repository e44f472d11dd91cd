//! What is too large for a message, in the object store of a job: inputs by their digest, and results.

use async_nats::jetstream::object_store::{ObjectMetadata, ObjectStore};
use tokio::io::AsyncReadExt;

use super::connection::Link;
use super::streams;
use crate::cluster::JobName;
use crate::run::with_causes;

/// So many bytes of an object are in a message, or as many as the server takes.
const CHUNK_BYTES: usize = 128 << 10;

/// The objects of a job.
#[derive(Clone)]
pub(super) struct Objects {
    pub(super) link: Link,
    job: JobName,
    bucket: Option<ObjectStore>,
    /// What was put there last.
    last: Option<String>,
}

impl Objects {
    pub(super) const fn new(link: Link, job: JobName) -> Self {
        Self { link, job, bucket: None, last: None }
    }

    async fn bucket(&mut self) -> Result<&ObjectStore, String> {
        if self.bucket.is_none() {
            self.bucket = Some(streams::bucket(&self.link, &self.job).await?);
        }
        self.bucket.as_ref().ok_or_else(|| "no bucket".to_owned())
    }

    /// Puts `bytes` there under `name`, unless something is there under it.
    pub(super) async fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        if self.last.as_deref() == Some(name) {
            return Ok(());
        }
        let bucket = self.bucket().await?;
        if bucket.info(name).await.is_ok_and(|info| !info.deleted) {
            return Ok(());
        }
        let mut source = bytes;
        let payload_max = self.link.client.server_info().max_payload;
        let about = ObjectMetadata {
            name: name.to_owned(),
            chunk_size: Some(CHUNK_BYTES.min(payload_max)),
            ..ObjectMetadata::default()
        };
        let bucket = self.bucket().await?;
        match bucket.put(about, &mut source).await {
            Ok(_) => {
                self.last = Some(name.to_owned());
                Ok(())
            }
            Err(error) => {
                self.bucket = None;
                Err(with_causes(&error))
            }
        }
    }

    /// What is there under `name`.
    pub(super) async fn get(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let bucket = self.bucket().await?;
        let mut object = match bucket.get(name).await {
            Ok(object) => object,
            Err(error) => {
                self.bucket = None;
                return Err(with_causes(&error));
            }
        };
        let mut bytes = Vec::new();
        object.read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    /// Nobody needs what is there under `name`.
    pub(super) async fn delete(&mut self, name: &str) {
        let deleted = match self.bucket().await {
            Ok(bucket) => bucket.delete(name).await.map_err(|error| with_causes(&error)),
            Err(reason) => Err(reason),
        };
        if let Err(reason) = deleted {
            log::debug!("{name} is left in the object store: {reason}");
        }
    }
}
