//! Where the NATS server is, and how this program says who it is there. What is secret comes from a file or
//! a variable, for others see arguments.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::exit::{Exit, Failure};
use crate::cluster::{ClusterError, Login, Secret, ServerSettings, ServerUrls};
use crate::model::ByteSize;
use crate::network::parse_span;

/// Far more than a file with a secret takes.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Variables that hold what is secret.
const PASSWORD: &str = "PASSBOOK_NATS_PASSWORD";
const TOKEN: &str = "PASSBOOK_NATS_TOKEN";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "On NATS")]
pub(super) struct NatsArgs {
    /// The NATS server with JetStream, such as nats://10.0.0.1:4222 or tls://nats.example; several with
    /// commas between
    #[arg(long = "nats", value_name = "URL")]
    #[arg(env = "PASSBOOK_NATS_URL", hide_env_values = true)]
    url: Option<Secret>,

    /// Believe certificates that those in this file vouch for, too (PEM)
    #[arg(long = "nats-ca", value_name = "FILE", hide_short_help = true)]
    #[arg(env = "PASSBOOK_NATS_CA", hide_env_values = true)]
    ca: Option<PathBuf>,

    /// Show this certificate to the server (PEM)
    #[arg(long = "nats-cert", value_name = "FILE", hide_short_help = true)]
    #[arg(env = "PASSBOOK_NATS_CERT", hide_env_values = true, requires = "key")]
    certificate: Option<PathBuf>,

    /// The key of that certificate (PEM)
    #[arg(long = "nats-key", value_name = "FILE", hide_short_help = true)]
    #[arg(env = "PASSBOOK_NATS_KEY", hide_env_values = true, requires = "certificate")]
    key: Option<PathBuf>,

    /// Connect as this user; the password is in PASSBOOK_NATS_PASSWORD. A token is in
    /// PASSBOOK_NATS_TOKEN
    #[arg(long = "nats-user", value_name = "NAME", hide_short_help = true)]
    #[arg(env = "PASSBOOK_NATS_USER", hide_env_values = true)]
    user: Option<String>,

    /// Connect with this file of credentials: a JWT and the seed of an NKey
    #[arg(long = "nats-creds", value_name = "FILE", hide_short_help = true)]
    #[arg(env = "PASSBOOK_NATS_CREDS", hide_env_values = true)]
    credentials: Option<PathBuf>,

    /// Connect with the NKey whose seed is in this file
    #[arg(long = "nats-nkey", value_name = "FILE", hide_short_help = true)]
    #[arg(env = "PASSBOOK_NATS_NKEY", hide_env_values = true)]
    nkey: Option<PathBuf>,

    /// How long the server may be away before the command gives up
    #[arg(long = "nats-patience", value_name = "SPAN", default_value = "1min")]
    #[arg(value_parser = parse_span, hide_short_help = true)]
    #[arg(env = "PASSBOOK_NATS_PATIENCE", hide_env_values = true)]
    patience: Duration,

    /// How long a share may go without a sign of its worker before another worker gets it [default:
    /// as the server was told before, else 30s]
    #[arg(long = "nats-lease", value_name = "SPAN", value_parser = parse_span)]
    #[arg(hide_short_help = true, env = "PASSBOOK_NATS_LEASE", hide_env_values = true)]
    lease: Option<Duration>,
}

/// What whoever asks for a job says beside that.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "On NATS")]
pub(super) struct JobArgs {
    #[command(flatten)]
    pub(super) server: NatsArgs,

    /// What the job is called there: the same command with the same name goes on with it [default:
    /// the hash of the arguments]
    #[arg(long, value_name = "NAME", requires = "url")]
    pub(super) job: Option<String>,

    /// How much the results of the job may take at the server at once; so many shares are in play
    #[arg(long = "nats-store-max", value_name = "SIZE", default_value = "512MiB")]
    #[arg(hide_short_help = true, env = "PASSBOOK_NATS_STORE_MAX", hide_env_values = true)]
    pub(super) store_max: ByteSize,
}

impl NatsArgs {
    /// Whether a server is named.
    pub(super) const fn is_given(&self) -> bool {
        self.url.is_some()
    }

    /// How the server is reached; `None` where none is named.
    pub(super) fn settings(&self) -> Result<Option<ServerSettings>, Failure> {
        let Some(url) = &self.url else { return Ok(None) };
        Ok(Some(ServerSettings {
            urls: ServerUrls::new(url)?,
            ca: self.ca.clone(),
            certificate: self.certificate.clone().zip(self.key.clone()),
            login: self.login()?,
            patience: self.patience,
            lease: self.lease,
        }))
    }

    /// The same of a command that does nothing without a server.
    pub(super) fn needed(&self) -> Result<ServerSettings, Failure> {
        let told = "say where the NATS server is: --nats URL, or PASSBOOK_NATS_URL";
        self.settings()?.ok_or_else(|| Failure::bad_input(told))
    }

    fn login(&self) -> Result<Login, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut logins = Vec::new();
        if let Some(name) = self.user.clone() {
            let password = variable(PASSWORD).ok_or_else(|| {
                Failure::bad_input(format!("--nats-user {name} needs its password in {PASSWORD}"))
            })?;
            logins.push(Login::User { name, password: Secret::new(password) });
        }
        if let Some(token) = variable(TOKEN) {
            logins.push(Login::Token(Secret::new(token)));
        }
        if let Some(path) = &self.credentials {
            logins.push(Login::Credentials(read(path)?));
        }
        if let Some(path) = &self.nkey {
            logins.push(Login::NKey(read(path)?.trimmed()));
        }
        if logins.len() > 1 {
            return Err(Failure::bad_input(format!(
                "say in one way who connects: --nats-user, {TOKEN}, --nats-creds or --nats-nkey"
            )));
        }
        Ok(logins.pop().unwrap_or(Login::Nobody))
    }
}

/// The secret in the file at `path`.
fn read(path: &Path) -> Result<Secret, Failure> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        File::open(path)?.take(SECRET_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error| {
        Failure::bad_input(format!("cannot read the credentials in {}: {error}", path.display()))
    })?;
    Ok(Secret::new(text))
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        let exit = match &error {
            ClusterError::Settings(_)
            | ClusterError::Refused { .. }
            | ClusterError::NoJetStream { .. }
            | ClusterError::ForeignStream { .. }
            | ClusterError::OtherJob { .. }
            | ClusterError::Running { .. }
            | ClusterError::NoJob { .. }
            | ClusterError::Server { .. }
            | ClusterError::Share(_) => Exit::BadInput,
            ClusterError::Unreachable { .. }
            | ClusterError::Gone { .. }
            | ClusterError::Full { .. }
            | ClusterError::Removed { .. } => Exit::Unavailable,
            ClusterError::Differs { .. }
            | ClusterError::GivenUp { .. }
            | ClusterError::Thread(_)
            | ClusterError::Panicked => Exit::Internal,
        };
        Self::Message { message: error.to_string(), exit }
    }
}
