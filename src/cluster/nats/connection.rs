//! A connection to the server, and what is told where there is none.

use std::io;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, ServerAddr};

use super::patience::Patience;
use crate::cluster::{ClusterError, Login, ServerSettings, ServerUrls};
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
    let (url, addresses) = (settings.urls.to_string(), addresses(&settings.urls)?);
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
            return Err(no_address(&reason));
        }
        log::debug!("no connection yet: {reason}");
        if patience.fail(&reason).is_err() {
            return Err(ClusterError::Unreachable { url, reason });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn addresses(urls: &ServerUrls) -> Result<Vec<ServerAddr>, ClusterError> {
    let parsed = urls.iter().map(str::parse).collect::<Result<_, io::Error>>();
    parsed.map_err(|error| no_address(&error.to_string()))
}

/// What was given is not shown: it may be a part of a secret.
fn no_address(reason: &str) -> ClusterError {
    ClusterError::Settings(format!("--nats: {reason}; write it as nats://10.0.0.1:4222"))
}

fn options(settings: &ServerSettings, name: &str) -> Result<ConnectOptions, ClusterError> {
    let mut options = ConnectOptions::new()
        .name(name)
        .request_timeout(Some(ANSWER_LIMIT))
        .connection_timeout(ANSWER_LIMIT)
        .ping_interval(PING_EVERY)
        // It asks before the first attempt too.
        .reconnect_delay_callback(|attempts| if attempts > 1 { PAUSE } else { Duration::ZERO });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Secret;

    #[test]
    fn of_what_is_no_address_nothing_is_shown() {
        for text in ["nats://ann:s3cr3t", "ann:s3cr3t", "nats://ann:s3cr3t%4010.0.0.1", "http://a"]
        {
            let urls = ServerUrls::new(&Secret::new(text.to_owned())).unwrap();
            let told = addresses(&urls).unwrap_err().to_string();
            assert!(told.starts_with("--nats: ") && !told.contains("s3cr3t"), "{told}");
        }
    }
}
