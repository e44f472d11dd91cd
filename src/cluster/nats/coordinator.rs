//! Whoever gathers a job: opens it at the server, gathers its results, and clears up.

use std::time::Duration;

use async_nats::Request;
use async_nats::client::RequestErrorKind;
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::connection::{Link, connect};
use super::ends::{Ends, Told};
use super::gathering::{Gathering, Queue};
use super::notices::tell_notices;
use super::patience::Patience;
use super::streams;
use crate::cluster::{
    ClusterError, Ending, GiveUp, JobName, JobSettings, ServerSettings, subjects,
};
use crate::run::with_causes;

/// Notices that wait.
const NOTICES: usize = 1024;
/// So long whoever runs a job may take to say so.
const ASK_LIMIT: Duration = Duration::from_secs(2);

/// Runs a job to its end.
pub(super) async fn coordinate(
    server: ServerSettings,
    job: JobSettings,
    give_up: GiveUp,
    ends: Ends,
) -> Result<(), ClusterError> {
    let name = job.name.clone();
    let Ends { cuts, told, room, mut ending } = ends;
    let opened = tokio::select! {
        opened = open(&server, &job) => opened?,
        // Nothing of it is at the server yet.
        _ = &mut ending => return Ok(()),
    };
    let Opened { link, shares, rows, lease, patience } = opened;
    let (tell, notices) = mpsc::channel(NOTICES);
    tokio::spawn(tell_notices(link.client.clone(), rows.clone(), tell));
    let ahead_max = streams::window_of(job.store_max, link.client.server_info().max_payload);
    let queue = Queue { link: link.clone(), job: name.clone(), shares, rows, give_up, lease };
    let told_end = told.clone();
    let mut gathering = Gathering::new(queue, (cuts, notices), (told, room), (patience, ahead_max));
    let ended = tokio::select! {
        ended = gathering.gather() => {
            ended?;
            if told_end.send(Told::End).is_err() {
                log::debug!("nobody waits for the end of the job");
            }
            ending.await
        }
        ended = &mut ending => ended,
    };
    // Whoever went away without a word may come back.
    let ending = ended.unwrap_or(Ending::Kept);
    if let Err(reason) = clear_up(&link, &name, ending).await {
        log::warn!("the NATS server was not cleared of job {name}: {reason}");
    }
    Ok(())
}

/// A job that is open at the server.
struct Opened {
    link: Link,
    shares: Stream,
    rows: Stream,
    lease: Duration,
    patience: Patience,
}

async fn open(server: &ServerSettings, job: &JobSettings) -> Result<Opened, ClusterError> {
    let name = &job.name;
    let link = connect(server, &format!("passbook job {name}")).await?;
    let mut patience = Patience::new(server.patience);
    if is_run(&link, name).await {
        return Err(ClusterError::Running { name: name.to_string() });
    }
    say_that_it_runs(&link, name).await?;
    let shares = streams::shares(&link, &mut patience).await?;
    let workers = streams::workers(&shares, server.lease, &mut patience).await?;
    let lease = workers.cached_info().config.ack_wait;
    let rows = streams::rows(&link, job, &mut patience).await?;
    Ok(Opened { link, shares, rows, lease, patience })
}

/// Whether another process gathers this job.
pub(super) async fn is_run(link: &Link, job: &JobName) -> bool {
    let request = Request::new().timeout(Some(ASK_LIMIT));
    match link.client.send_request(subjects::coordinator(job), request).await {
        Ok(_) => true,
        Err(error) => {
            let kind = error.kind();
            log::debug!("job {job}: {error}");
            kind == RequestErrorKind::TimedOut
        }
    }
}

async fn say_that_it_runs(link: &Link, job: &JobName) -> Result<(), ClusterError> {
    let subscribed = link.client.subscribe(subjects::coordinator(job)).await;
    let mut asked = subscribed.map_err(|error| ClusterError::Server {
        what: format!("take questions about job {job}"),
        reason: with_causes(&error),
    })?;
    let client = link.client.clone();
    tokio::spawn(async move {
        while let Some(question) = asked.next().await {
            if let Some(reply) = question.reply
                && let Err(error) = client.publish(reply, "here".into()).await
            {
                log::debug!("not told that the job is run: {error}");
            }
        }
    });
    Ok(())
}

/// Takes away what is at the server: all that waits, and with [`Ending::Done`] all else too.
pub(super) async fn clear_up(link: &Link, job: &JobName, ending: Ending) -> Result<(), String> {
    let context = &link.context;
    match context.get_stream(subjects::SHARES).await {
        Ok(shares) => {
            let purged = shares.purge().filter(subjects::shares(job)).await;
            purged.map_err(|error| with_causes(&error))?;
        }
        Err(error) => log::debug!("no stream of shares: {error}"),
    }
    if ending == Ending::Done {
        context
            .delete_stream(subjects::rows_stream(job))
            .await
            .map_err(|error| with_causes(&error))?;
        // Most jobs have none.
        if let Err(error) = context.delete_object_store(subjects::bucket(job)).await {
            log::debug!("no bucket: {error}");
        }
    }
    Ok(())
}
