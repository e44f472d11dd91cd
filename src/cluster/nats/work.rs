//! What a worker does with the result of a share: it is stored once, or compared with what is stored, before
//! the share is done.

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{GetStreamErrorKind, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::DirectGetErrorKind;
use serde::{Deserialize, Serialize};

use super::connection::{Link, PAUSE};
use super::notices::{DIGEST, OBJECT, THREADS, WORKER};
use super::objects::{Object, Objects};
use super::patience::Patience;
use crate::cluster::crew::MadeBy;
use crate::cluster::result::{Difference, difference};
use crate::cluster::{ClusterError, JobName, Share, subjects};
use crate::run::with_causes;

/// What a message has beside its content.
const HEADERS_BYTES: usize = 4 << 10;

/// What a worker says of a share that it could not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureReport {
    /// It cannot be run there.
    Failed { worker: String, reason: String },
    /// It came to something else than before.
    Differs { worker: String, difference: Difference },
}

/// What became of a result.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It, or the same, is stored.
    Done,
    /// Nobody wants it: the job is removed.
    Removed,
    /// Another result is stored that must be the same, and is not.
    Differs(Difference),
    /// It cannot be stored now, and why.
    NotNow(String),
}

/// How a worker brings results to the server.
#[derive(Clone)]
pub(super) struct Bringer {
    pub(super) link: Link,
    pub(super) me: MadeBy,
    /// What the largest message holds.
    pub(super) payload_max: usize,
}

/// What the server says to a result.
enum Answer {
    Stored,
    /// There is one already.
    Refused,
    NoStream,
    Full(String),
    Unknown(String),
}

impl Bringer {
    /// Brings the result of `share`. Tries again as long as the server is away.
    pub(super) async fn deliver(
        &self,
        share: &Share,
        result: Vec<u8>,
        patience: &mut Patience,
    ) -> Result<Delivery, ClusterError> {
        let subject = subjects::rows(&share.job, share.number);
        let mut objects = Objects::new(self.link.clone(), share.job.clone());
        let object = (result.len() + HEADERS_BYTES > self.payload_max)
            .then(|| format!("{}.{}", share.number, self.link.client.new_inbox()));
        loop {
            if let Some(name) = &object
                && let Err(reason) = objects.put(name, &result).await
            {
                self.wait(patience, &reason).await?;
                continue;
            }
            let mut headers = self.headers(share);
            let payload = match &object {
                Some(name) => {
                    headers.insert(OBJECT, name.as_str());
                    Vec::new()
                }
                None => result.clone(),
            };
            match self.publish(&subject, headers, payload).await {
                Answer::Stored => return Ok(Delivery::Done),
                Answer::Refused => {
                    if let Some(compared) = self.compare(share, &result, patience).await? {
                        if let Some(name) = &object {
                            objects.delete(name).await;
                        }
                        return Ok(compared);
                    }
                }
                Answer::Full(reason) => return Ok(Delivery::NotNow(reason)),
                Answer::NoStream => {
                    if self.is_removed(&share.job).await {
                        return Ok(Delivery::Removed);
                    }
                    self.wait(patience, "no stream of results").await?;
                }
                Answer::Unknown(reason) => self.wait(patience, &reason).await?,
            }
        }
    }

    /// Says that `share` could not be run here.
    pub(super) async fn report(
        &self,
        share: &Share,
        report: &FailureReport,
        patience: &mut Patience,
    ) -> Result<(), ClusterError> {
        let unique = self.link.client.new_inbox().replace('.', "-");
        let subject = subjects::failure(&share.job, share.number, &unique);
        let payload = serde_json::to_vec(report).expect("a report is JSON");
        loop {
            match self.publish(&subject, self.headers(share), payload.clone()).await {
                Answer::Stored | Answer::Refused | Answer::Full(_) => return Ok(()),
                Answer::NoStream if self.is_removed(&share.job).await => return Ok(()),
                Answer::NoStream => self.wait(patience, "no stream of results").await?,
                Answer::Unknown(reason) => self.wait(patience, &reason).await?,
            }
        }
    }

    async fn wait(&self, patience: &mut Patience, reason: &str) -> Result<(), ClusterError> {
        patience.fail(reason)?;
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    fn headers(&self, share: &Share) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(DIGEST, share.digest().to_string());
        headers.insert(WORKER, self.me.worker.as_str());
        headers.insert(THREADS, self.me.threads.to_string());
        headers
    }

    async fn publish(&self, subject: &str, headers: HeaderMap, payload: Vec<u8>) -> Answer {
        let message = PublishMessage::build().headers(headers).payload(payload.into());
        let sent = self.link.context.send_publish(subject.to_owned(), message).await;
        match sent {
            Ok(acknowledged) => match acknowledged.await {
                Ok(_) => Answer::Stored,
                Err(error) => answer(&error),
            },
            Err(error) => answer(&error),
        }
    }

    /// What is stored of `share` against `result`; `None` where that is not known.
    async fn compare(
        &self,
        share: &Share,
        result: &[u8],
        patience: &mut Patience,
    ) -> Result<Option<Delivery>, ClusterError> {
        let stream = subjects::rows_stream(&share.job);
        let Ok(rows) = self.link.context.get_stream_no_info(stream).await else {
            return Ok(None);
        };
        let subject = subjects::rows(&share.job, share.number);
        let stored = match rows.direct_get_last_for_subject(subject).await {
            Ok(stored) => stored,
            // It was taken in the meantime.
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                return Ok(Some(Delivery::Done));
            }
            Err(error) => {
                self.wait(patience, &with_causes(&error)).await?;
                return Ok(None);
            }
        };
        let digest = share.digest().to_string();
        if stored.headers.get(DIGEST).is_none_or(|of| of.as_str() != digest) {
            let reason = "a result of other arguments is stored".to_owned();
            return Ok(Some(Delivery::NotNow(reason)));
        }
        let content = match stored.headers.get(OBJECT) {
            None => stored.payload.to_vec(),
            Some(name) => {
                let mut objects = Objects::new(self.link.clone(), share.job.clone());
                match objects.get(name.as_str(), patience).await? {
                    Object::Whole(content) => content,
                    // It was taken in the meantime.
                    Object::Missing => return Ok(Some(Delivery::Done)),
                    // Whoever takes it finds that too, and has the share run again.
                    Object::Damaged(reason) => {
                        let reason = format!("the result that is stored is damaged: {reason}");
                        return Ok(Some(Delivery::NotNow(reason)));
                    }
                }
            }
        };
        Ok(Some(difference(&content, result).map_or(Delivery::Done, Delivery::Differs)))
    }

    /// Whether the server knows of no such job.
    async fn is_removed(&self, job: &JobName) -> bool {
        let found = self.link.context.get_stream(subjects::rows_stream(job)).await;
        found.is_err_and(|error| match error.kind() {
            GetStreamErrorKind::JetStream(error) => {
                error.error_code() == ErrorCode::STREAM_NOT_FOUND
            }
            GetStreamErrorKind::EmptyName
            | GetStreamErrorKind::Request
            | GetStreamErrorKind::InvalidStreamName => false,
        })
    }
}

fn answer(error: &PublishError) -> Answer {
    let reason = with_causes(error);
    if reason.contains("maximum messages per subject") {
        Answer::Refused
    } else if reason.contains("maximum bytes exceeded") || reason.contains("resource") {
        Answer::Full(reason)
    } else if error.kind() == PublishErrorKind::StreamNotFound {
        Answer::NoStream
    } else {
        Answer::Unknown(reason)
    }
}
