//! What streams, subjects and buckets are called on the server.

use super::job_name::JobName;

/// The stream that shares of all jobs wait in, and the consumer that workers pull from.
pub(super) const SHARES: &str = "PASSBOOK_SHARES";
pub(super) const SHARES_SUBJECTS: &str = "passbook.shares.>";
pub(super) const WORKERS: &str = "passbook-workers";

/// The stream of a job's results begins with this.
pub(super) const ROWS_PREFIX: &str = "PASSBOOK_ROWS_";

/// Where share `number` of `job` waits.
pub(super) fn share(job: &JobName, number: u64) -> String {
    format!("passbook.shares.{job}.{number}")
}

/// Where all shares of `job` wait.
pub(super) fn shares(job: &JobName) -> String {
    format!("passbook.shares.{job}.>")
}

/// The stream of the results of `job`.
pub(super) fn rows_stream(job: &JobName) -> String {
    format!("{ROWS_PREFIX}{job}")
}

/// All that it holds.
pub(super) fn all_rows(job: &JobName) -> String {
    format!("passbook.rows.{job}.>")
}

/// Where the one result of a share is.
pub(super) fn rows(job: &JobName, number: u64) -> String {
    format!("passbook.rows.{job}.{number}")
}

/// Where a worker says that it could not run a share; `unique` is told by no other.
pub(super) fn failure(job: &JobName, number: u64, unique: &str) -> String {
    format!("passbook.rows.{job}.{number}.failed.{unique}")
}

/// Which share a message in the stream of results is about, and whether it is a failure.
pub(super) fn about(subject: &str) -> Option<(u64, Kind)> {
    let mut tokens = subject.strip_prefix("passbook.rows.")?.split('.').skip(1);
    let number = tokens.next()?.parse().ok()?;
    match tokens.next() {
        None => Some((number, Kind::Result)),
        Some("failed") => Some((number, Kind::Failure)),
        Some(_) => None,
    }
}

/// What a message in the stream of results is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Result,
    Failure,
}

/// Where it is asked whether somebody gathers the results of `job`.
pub(super) fn coordinator(job: &JobName) -> String {
    format!("passbook.coordinator.{job}")
}

/// The bucket of the inputs of `job`, and of results too large for a message.
pub(super) fn bucket(job: &JobName) -> String {
    format!("passbook-{job}")
}

/// The stream of that bucket, as object stores of NATS call it.
pub(super) fn bucket_stream(job: &JobName) -> String {
    format!("OBJ_{}", bucket(job))
}

/// Where the bytes of an object in it are, as object stores of NATS call it.
pub(super) fn chunks(job: &JobName, object: &str) -> String {
    format!("$O.{}.C.{object}", bucket(job))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_says_which_share_it_is_about() {
        let job: JobName = "night-7".parse().unwrap();
        assert_eq!(about(&rows(&job, 12)), Some((12, Kind::Result)));
        assert_eq!(about(&failure(&job, 12, "x")), Some((12, Kind::Failure)));
        for other in ["passbook.rows.night", "passbook.rows.night.x", "other.rows.night.1"] {
            assert_eq!(about(other), None, "{other}");
        }
        assert_eq!(about("passbook.rows.night.1.odd"), None);
    }
}
