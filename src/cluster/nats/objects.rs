//! What is too large for a message, in the object store of a job: inputs by their digest, and results.

use std::io;
use std::time::Duration;

use async_nats::jetstream::object_store::{GetErrorKind, ObjectInfo, ObjectMetadata, ObjectStore};
use futures_util::StreamExt;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::connection::{Link, PAUSE};
use super::patience::Patience;
use super::streams;
use crate::cluster::{ClusterError, Digest, JobName, subjects};
use crate::run::with_causes;

/// So many bytes of an object are in a message, or as many as the server takes.
const CHUNK_BYTES: usize = 128 << 10;
/// So long the server has for the next bytes of an object, and so often it is looked in between whether they are there.
const BYTES_LIMIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is there under a name.
#[derive(Debug)]
pub(super) enum Object {
    Whole(Vec<u8>),
    /// Nothing.
    Missing,
    /// Not what was put there, and how that is known.
    Damaged(String),
}

impl Object {
    /// The parcel that is called `digest`, else why it is none.
    pub(super) fn into_parcel(self, digest: Digest) -> Result<Vec<u8>, String> {
        match self {
            Self::Whole(bytes) if Digest::of(&bytes) == digest => Ok(bytes),
            Self::Whole(_) => Err("its input at the NATS server is not what it was".to_owned()),
            Self::Missing => Err("its input is not at the NATS server any more".to_owned()),
            Self::Damaged(reason) => {
                Err(format!("its input at the NATS server is damaged: {reason}"))
            }
        }
    }
}

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

    /// What is there under `name`. Asks again as long as there is patience.
    pub(super) async fn get(
        &mut self,
        name: &str,
        patience: &mut Patience,
    ) -> Result<Object, ClusterError> {
        loop {
            match self.get_once(name).await {
                Ok(object) => {
                    patience.restore();
                    return Ok(object);
                }
                Err(reason) => patience.fail(reason)?,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What is there under `name`; an error where the server does not say now.
    async fn get_once(&mut self, name: &str) -> Result<Object, String> {
        let bucket = self.bucket().await?;
        let mut object = match bucket.get(name).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(Object::Missing),
            Err(error) => {
                self.bucket = None;
                return Err(with_causes(&error));
            }
        };
        let (mut bytes, mut silent_for) = (Vec::new(), Duration::ZERO);
        while silent_for < BYTES_LIMIT {
            match timeout(LOOK_EVERY, object.read_buf(&mut bytes)).await {
                Ok(Ok(0)) => return Ok(Object::Whole(bytes)),
                Ok(Ok(_)) => silent_for = Duration::ZERO,
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    return Ok(Object::Damaged(error.to_string()));
                }
                Ok(Err(error)) => return Err(error.to_string()),
                // Bytes that are gone are waited for without end.
                Err(_) => {
                    silent_for += LOOK_EVERY;
                    let (all, there) = (object.info().chunks, self.chunks(object.info()).await?);
                    if there < all {
                        let told = format!("{there} of {all} parts of it are there");
                        return Ok(Object::Damaged(told));
                    }
                }
            }
        }
        Err(format!("nothing of an object came for {BYTES_LIMIT:?}"))
    }

    /// How many messages with bytes of an object are there.
    async fn chunks(&self, about: &ObjectInfo) -> Result<usize, String> {
        let name = subjects::bucket_stream(&self.job);
        let chunks = subjects::chunks(&self.job, &about.nuid);
        let stream = self.link.context.get_stream_no_info(name).await;
        let stream = stream.map_err(|error| with_causes(&error))?;
        let counted = stream.info_with_subjects(&chunks).await;
        let mut counted = counted.map_err(|error| with_causes(&error))?;
        let mut there = 0;
        while let Some(counted) = counted.next().await {
            there += counted.map_err(|error| with_causes(&error))?.1;
        }
        Ok(there)
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
