//! The streams of shares and of results: their limits, and how they are found or made.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind,
};
use async_nats::jetstream::object_store::{self, ObjectStore};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{self, ErrorCode};

use super::connection::{Link, PAUSE};
use super::patience::Patience;
use crate::cluster::share::SHARE_BYTES_MAX;
use crate::cluster::{ClusterError, Digest, JobName, JobSettings, subjects};
use crate::model::ByteSize;
use crate::run::with_causes;

/// What is left of a job that nobody goes on with is gone after so long.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// All shares that wait, of all jobs: some ten thousands.
const SHARES_BYTES: i64 = 64 << 20;
/// So many shares may be in the hands of workers.
const IN_HANDS_MAX: i64 = 1 << 20;

/// So long a share goes without a sign of its worker where nobody says otherwise.
const LEASE: Duration = Duration::from_secs(30);

/// What marks a stream as ours.
const MARK: &str = "passbook";
const MARK_DIGEST: &str = "passbook-arguments";
const MARK_COMMAND: &str = "passbook-command";

/// The stream that shares wait in. Made if it is not there.
pub(super) async fn shares(link: &Link, patience: &mut Patience) -> Result<Stream, ClusterError> {
    let config = Config {
        name: subjects::SHARES.to_owned(),
        subjects: vec![subjects::SHARES_SUBJECTS.to_owned()],
        retention: RetentionPolicy::WorkQueue,
        max_bytes: SHARES_BYTES,
        max_message_size: i32::try_from(SHARE_BYTES_MAX + (4 << 10)).unwrap_or(i32::MAX),
        metadata: [(MARK.to_owned(), "shares".to_owned())].into(),
        description: Some("shares of passbook's jobs, for its workers".to_owned()),
        ..one_a_subject()
    };
    Ok(find_or_make(link, config, "shares", patience).await?.0)
}

/// What workers pull from. Made if it is not there; with a `lease` it gets that.
pub(super) async fn workers(
    shares: &Stream,
    lease: Option<Duration>,
    patience: &mut Patience,
) -> Result<PullConsumer, ClusterError> {
    let config = pull::Config {
        durable_name: Some(subjects::WORKERS.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: lease.unwrap_or(LEASE),
        max_deliver: -1,
        max_ack_pending: IN_HANDS_MAX,
        ..pull::Config::default()
    };
    loop {
        if lease.is_none()
            && let Ok(consumer) = shares.get_consumer(subjects::WORKERS).await
        {
            return Ok(consumer);
        }
        match shares.create_consumer(config.clone()).await {
            Ok(consumer) => return Ok(consumer),
            Err(error) => patience.fail(with_causes(&error))?,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The stream of the results of a job, begun or gone on with.
pub(super) async fn rows(
    link: &Link,
    job: &JobSettings,
    patience: &mut Patience,
) -> Result<Stream, ClusterError> {
    let (name, digest) = (&job.name, job.digest.to_string());
    let metadata = [
        (MARK.to_owned(), "rows".to_owned()),
        (MARK_DIGEST.to_owned(), digest.clone()),
        (MARK_COMMAND.to_owned(), job.command.clone()),
    ];
    let config = Config {
        name: subjects::rows_stream(name),
        subjects: vec![subjects::all_rows(name)],
        retention: RetentionPolicy::Limits,
        max_bytes: i64::try_from(job.store_max.bytes()).unwrap_or(i64::MAX),
        metadata: metadata.into(),
        description: Some(format!("results of passbook's job {name}")),
        ..one_a_subject()
    };
    let (stream, config) = find_or_make(link, config, "rows", patience).await?;
    if config.metadata.get(MARK_DIGEST) != Some(&digest) {
        let command = config.metadata.get(MARK_COMMAND).cloned().unwrap_or_default();
        return Err(ClusterError::OtherJob { name: name.to_string(), command });
    }
    Ok(stream)
}

/// What tells who gathers a job's results that something came: without what came.
pub(super) async fn notices(rows: &Stream) -> Result<PullConsumer, String> {
    let config = pull::Config {
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::None,
        headers_only: true,
        inactive_threshold: Duration::from_secs(300),
        ..pull::Config::default()
    };
    rows.create_consumer(config).await.map_err(|error| with_causes(&error))
}

/// The bucket of a job. Made if it is not there.
pub(super) async fn bucket(link: &Link, job: &JobName) -> Result<ObjectStore, String> {
    let name = subjects::bucket(job);
    if let Ok(bucket) = link.context.get_object_store(&name).await {
        return Ok(bucket);
    }
    let config = object_store::Config {
        bucket: name,
        max_age: KEPT_FOR,
        storage: StorageType::File,
        num_replicas: 1,
        description: Some(format!("inputs of passbook's job {job}")),
        ..object_store::Config::default()
    };
    link.context.create_object_store(config).await.map_err(|error| with_causes(&error))
}

/// One message a subject, and what comes later is refused.
fn one_a_subject() -> Config {
    Config {
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        max_messages_per_subject: 1,
        max_age: KEPT_FOR,
        storage: StorageType::File,
        num_replicas: 1,
        allow_direct: true,
        ..Config::default()
    }
}

/// The stream with the name of `config`, which must be marked as `kind`, or a new one.
async fn find_or_make(
    link: &Link,
    config: Config,
    kind: &str,
    patience: &mut Patience,
) -> Result<(Stream, Config), ClusterError> {
    let name = config.name.clone();
    loop {
        let failed = match link.context.get_stream(&name).await {
            Ok(stream) => {
                let found = stream.cached_info().config.clone();
                if found.metadata.get(MARK).map(String::as_str) != Some(kind) {
                    return Err(ClusterError::ForeignStream { name });
                }
                return Ok((stream, found));
            }
            Err(error) if is_missing(&error) => {
                match link.context.create_stream(config.clone()).await {
                    Ok(stream) => {
                        let made = stream.cached_info().config.clone();
                        return Ok((stream, made));
                    }
                    Err(error) => not_made(link, &config, &error)?,
                }
            }
            Err(error) => {
                if let GetStreamErrorKind::JetStream(error) = error.kind() {
                    heed(link, "find its streams", &error)?;
                }
                with_causes(&error)
            }
        };
        log::debug!("the stream {name}: {failed}");
        if let Err(error) = patience.fail(&failed) {
            let is_absent = ["no responders", "resource does not exist"];
            return Err(if is_absent.iter().any(|said| failed.contains(said)) {
                ClusterError::NoJetStream { url: link.url.clone() }
            } else {
                error
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether there is no such stream.
pub(super) fn is_missing(error: &GetStreamError) -> bool {
    matches!(
        error.kind(),
        GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND
    )
}

/// Why a stream could not be made, if to try again may help.
fn not_made(
    link: &Link,
    config: &Config,
    error: &CreateStreamError,
) -> Result<String, ClusterError> {
    let name = config.name.clone();
    if let CreateStreamErrorKind::JetStream(error) = error.kind() {
        if error.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP {
            let subjects = config.subjects.join(", ");
            return Err(ClusterError::ForeignStream {
                name: format!("with the subjects {subjects}"),
            });
        }
        if error.error_code() != ErrorCode::STREAM_NAME_EXIST {
            heed(link, &format!("make the stream {name}"), &error)?;
        }
    }
    Ok(with_causes(error))
}

/// What the server's API says that no waiting mends is an error.
fn heed(link: &Link, what: &str, error: &jetstream::Error) -> Result<(), ClusterError> {
    let code = error.error_code();
    let (url, reason) = (link.url.clone(), error.to_string());
    if [ErrorCode::JETSTREAM_NOT_ENABLED, ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT]
        .contains(&code)
    {
        return Err(ClusterError::NoJetStream { url });
    }
    if is_full(code) {
        return Err(ClusterError::Full { what: "a stream".to_owned(), reason });
    }
    // 5xx: the server is not ready.
    if error.code() >= 500 && code != ErrorCode::STREAM_CREATE {
        return Ok(());
    }
    Err(ClusterError::Server { what: what.to_owned(), reason })
}

/// Whether the server says that it has no room.
pub(super) fn is_full(code: ErrorCode) -> bool {
    [
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ErrorCode::STREAM_MAX_STREAM_BYTES_EXCEEDED,
        ErrorCode::MAXIMUM_STREAMS_LIMIT,
    ]
    .contains(&code)
}

/// What a stream of results says of its job.
pub(super) fn about_job(config: &Config) -> Option<(String, Option<Digest>)> {
    (config.metadata.get(MARK).map(String::as_str) == Some("rows")).then(|| {
        let command = config.metadata.get(MARK_COMMAND).cloned().unwrap_or_default();
        (command, config.metadata.get(MARK_DIGEST).and_then(|text| text.parse().ok()))
    })
}

/// How many of the largest messages fit into `store`.
pub(super) fn window_of(store: ByteSize, payload_max: usize) -> usize {
    let payload = u64::try_from(payload_max).unwrap_or(u64::MAX).max(1);
    let messages = store.bytes() / payload;
    usize::try_from(messages.saturating_sub(2)).unwrap_or(usize::MAX).clamp(1, WINDOW_MOST)
}

/// More shares are in play at once for no store.
const WINDOW_MOST: usize = 1 << 16;
