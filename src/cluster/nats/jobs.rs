//! The jobs that a server holds.

use futures_util::TryStreamExt;
use tokio::runtime::Builder;

use super::connection::{Link, connect};
use super::coordinator::{clear_up, is_run};
use super::streams;
use crate::cluster::{ClusterError, Ending, JobName, JobState, ServerSettings, subjects};
use crate::model::number::count;
use crate::run::with_causes;

/// All jobs, by name.
pub(crate) fn list_jobs(server: &ServerSettings) -> Result<Vec<JobState>, ClusterError> {
    on_a_runtime(async {
        let link = connect(server, "passbook jobs").await?;
        let mut jobs = Vec::new();
        let mut streams = link.context.streams();
        while let Some(info) = streams.try_next().await.map_err(|error| refused(&error))? {
            let Some(name) = info.config.name.strip_prefix(subjects::ROWS_PREFIX) else { continue };
            let Some((command, _)) = streams::about_job(&info.config) else { continue };
            let Ok(name) = name.parse::<JobName>() else { continue };
            let (is_run, shares) = (is_run(&link, &name).await, shares(&link, &name).await?);
            let (results, bytes) = (info.state.messages, info.state.bytes);
            jobs.push(JobState { name, command, is_run, shares, results, bytes });
        }
        jobs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(jobs)
    })
}

/// Takes job `name` away, with all that is at the server of it. Whoever gathers it ends.
pub(crate) fn remove_job(server: &ServerSettings, name: &JobName) -> Result<(), ClusterError> {
    on_a_runtime(async {
        let link = connect(server, "passbook jobs").await?;
        let stream = link.context.get_stream(subjects::rows_stream(name)).await;
        let not_removed = |reason| ClusterError::Server { what: format!("remove {name}"), reason };
        let is_ours = match stream {
            Ok(stream) => streams::about_job(&stream.cached_info().config).is_some(),
            Err(error) if streams::is_missing(&error) => false,
            Err(error) => return Err(not_removed(with_causes(&error))),
        };
        if !is_ours {
            return Err(ClusterError::NoJob { name: name.to_string() });
        }
        clear_up(&link, name, Ending::Done).await.map_err(not_removed)
    })
}

async fn shares(link: &Link, job: &JobName) -> Result<u64, ClusterError> {
    let stream = match link.context.get_stream(subjects::SHARES).await {
        Ok(stream) => stream,
        Err(error) if streams::is_missing(&error) => return Ok(0),
        Err(error) => return Err(refused(&error)),
    };
    let info = stream.info_with_subjects(subjects::shares(job)).await;
    let info = info.map_err(|error| refused(&error))?;
    let subjects: Vec<_> = info.try_collect().await.map_err(|error| refused(&error))?;
    Ok(count(subjects.len()))
}

fn refused(error: &(dyn std::error::Error + 'static)) -> ClusterError {
    ClusterError::Server { what: "list its streams".to_owned(), reason: with_causes(error) }
}

fn on_a_runtime<T>(
    future: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(ClusterError::Thread)?.block_on(future)
}
