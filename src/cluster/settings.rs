//! How the server is reached, and what a job asks of it, as plain values.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::digest::Digest;
use super::error::ClusterError;
use super::job_name::JobName;
use crate::model::ByteSize;

/// How the server is reached. What is secret in it is not shown.
#[derive(Debug, Clone)]
pub(crate) struct ServerSettings {
    /// Where it is.
    pub(crate) urls: ServerUrls,
    /// Whose certificates are believed beside those of the system.
    pub(crate) ca: Option<PathBuf>,
    /// The certificate that shows who this is, and its key.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    /// How this client says who it is.
    pub(crate) login: Login,
    /// So long the server may be away before the command gives up.
    pub(crate) patience: Duration,
    /// So long a share may go without a sign of its worker before another gets it; `None` for what the
    /// server was told before.
    pub(crate) lease: Option<Duration>,
}

/// The address of a server, or several with commas between, without user and password: addresses are told in
/// errors, and others see arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrls(String);

impl ServerUrls {
    /// Those that were given. An error shows nothing of them: what is no address may be a secret.
    pub(crate) fn new(given: &Secret) -> Result<Self, ClusterError> {
        if given.told().contains('@') {
            let told = "--nats has no user and no password: others see arguments; use --nats-user \
                        with PASSBOOK_NATS_PASSWORD, or PASSBOOK_NATS_TOKEN";
            return Err(ClusterError::Settings(told.to_owned()));
        }
        Ok(Self(given.told().to_owned()))
    }

    /// One by one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(str::trim)
    }
}

impl fmt::Display for ServerUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a client says who it is.
#[derive(Debug, Clone)]
pub(crate) enum Login {
    /// It does not.
    Nobody,
    /// A user and a password.
    User { name: String, password: Secret },
    /// A token.
    Token(Secret),
    /// A file with a JWT and a seed, as `nsc` writes it.
    Credentials(Secret),
    /// The seed of an NKey.
    NKey(Secret),
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// Without white space around it.
    pub(crate) fn trimmed(self) -> Self {
        Self(self.0.trim().to_owned())
    }

    pub(super) fn told(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A job as it is begun, or gone on with.
#[derive(Debug, Clone)]
pub(crate) struct JobSettings {
    pub(crate) name: JobName,
    /// What tells it from a job with other arguments.
    pub(crate) digest: Digest,
    /// What people are told that it does.
    pub(crate) command: String,
    /// How much its results may take at the server at once.
    pub(crate) store_max: ByteSize,
}

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WorkerSettings {
    /// How many shares it runs at once.
    pub(crate) threads: std::num::NonZeroUsize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_not_shown() {
        let login = Login::User { name: "ann".to_owned(), password: Secret::new("s3cr3t".into()) };
        assert_eq!(format!("{login:?}"), r#"User { name: "ann", password: Secret }"#);
    }

    #[test]
    fn no_address_has_a_user() {
        for text in [
            "nats://ann:s3cr3t@10.0.0.1:4222",
            "nats://s3cr3t@10.0.0.1",
            "ann:s3cr3t@[",
            "nats://ann:s3cr3t@host:port",
            "nats://10.0.0.1:4222, :// s3cr3t@",
        ] {
            let told = ServerUrls::new(&Secret::new(text.to_owned())).unwrap_err().to_string();
            assert!(told.contains("others see arguments") && !told.contains("s3cr3t"), "{told}");
        }
        let urls = ServerUrls::new(&Secret::new("nats://a:1, tls://b".to_owned())).unwrap();
        assert_eq!(urls.iter().collect::<Vec<_>>(), ["nats://a:1", "tls://b"]);
    }
}
