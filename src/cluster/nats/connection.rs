//! A connection to the server, and what is told where there is none.

use std::io;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, ServerAddr};

use super::patience::Patience;
use crate::cluster::{ClusterError, Login, ServerSettings};
use crate::run::with_causes;

/// So long the server has for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// So often a silent server is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Between two attempts.
pub(super) const PAUSE: Duration = Duration::from_millis(250);

/// A connection.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) url: String,
}

/// Connects as `settings` say, under `name`. A server that is not there yet is waited for.
pub(super) async fn connect(settings: &ServerSettings, name: &str) -> Result<Link, ClusterError> {
    let url = settings.url.clone();
    let addresses = url
        .split(',')
        .map(|address| address.trim().parse::<ServerAddr>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| ClusterError::Settings(format!("--nats {url}: {error}")))?;
    if addresses.iter().any(|address| address.username().is_some() || address.password().is_some())
    {
        let told = "--nats has no user and no password: others see arguments; use --nats-user with \
                    PASSBOOK_NATS_PASSWORD, or PASSBOOK_NATS_TOKEN";
        return Err(ClusterError::Settings(told.to_owned()));
    }
    let mut patience = Patience::new(settings.patience);
    loop {
        let error = match options(settings, name)?.connect(addresses.clone()).await {
            Ok(client) => {
                let context = jetstream::new(client.clone());
                return Ok(Link { client, context, url });
            }
            Err(error) => error,
        };
        let reason = with_causes(&error);
        let kind = error.kind();
        let is_refused = [
            ConnectErrorKind::Authentication,
            ConnectErrorKind::AuthorizationViolation,
            ConnectErrorKind::Tls,
        ];
        if is_refused.contains(&kind) {
            return Err(ClusterError::Refused { url, reason });
        }
        if kind == ConnectErrorKind::ServerParse {
            return Err(ClusterError::Settings(format!("--nats {url}: {reason}")));
        }
        log::debug!("no connection yet: {reason}");
        if patience.fail(&reason).is_err() {
            return Err(ClusterError::Unreachable { url, reason });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn options(settings: &ServerSettings, name: &str) -> Result<ConnectOptions, ClusterError> {
    let mut options = ConnectOptions::new()
        .name(name)
        .request_timeout(Some(ANSWER_LIMIT))
        .connection_timeout(ANSWER_LIMIT)
        .ping_interval(PING_EVERY)
        .reconnect_delay_callback(|_| PAUSE);
    if let Some(ca) = &settings.ca {
        options = options.add_root_certificates(ca.clone()).require_tls(true);
    }
    if let Some((certificate, key)) = &settings.certificate {
        let (certificate, key) = (certificate.clone(), key.clone());
        options = options.add_client_certificate(certificate, key).require_tls(true);
    }
    Ok(match &settings.login {
        Login::Nobody => options,
        Login::User { name, password } => {
            options.user_and_password(name.clone(), password.told().to_owned())
        }
        Login::Token(token) => options.token(token.told().to_owned()),
        Login::NKey(seed) => options.nkey(seed.told().to_owned()),
        Login::Credentials(text) => {
            options.credentials(text.told()).map_err(|error: io::Error| {
                ClusterError::Settings(format!("--nats-creds: not a file of credentials: {error}"))
            })?
        }
    })
}

impl Link {
    /// An error if the connection has been away for too long. `patience` is with it alone.
    pub(super) fn look(&self, patience: &mut Patience) -> Result<(), ClusterError> {
        match self.client.connection_state() {
            State::Connected => {
                patience.restore();
                Ok(())
            }
            State::Pending | State::Disconnected => patience.fail("no connection"),
        }
    }
}

/// What the server's API said, where `error` comes of that.
pub(super) fn api_error<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a jetstream::Error> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        at = error.source();
    }
    None
}
