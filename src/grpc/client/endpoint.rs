//! Where a branch elsewhere is, and which contract it speaks.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
pub use tonic::transport::Channel;
use tonic::transport::Endpoint as TonicEndpoint;

use super::problem::Absence;
use crate::grpc::without_user_info;

/// The address of a branch elsewhere. Nothing is connected until something is sent.
#[derive(Debug, Clone)]
pub struct Endpoint {
    address: String,
    endpoint: TonicEndpoint,
}

/// Which contract a branch elsewhere speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// Package `banking`: knows no origins and sequences.
    Classic,
    /// Package `passbook.v1`.
    Typed,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// It asks for TLS.
    #[error("'{found}' asks for TLS, which is not spoken yet; write http:// in its place")]
    Tls {
        /// The text, without a user.
        found: String,
    },
    /// It is none at all, not whole, or has a user.
    #[error("'{found}' is no address of a branch; write it as http://127.0.0.1:50051")]
    Form {
        /// The text, without a user.
        found: String,
    },
}

impl Endpoint {
    /// The branch at `address`, such as `http://127.0.0.1:50051`.
    pub fn new(address: &str) -> Result<Self, EndpointError> {
        let found = || without_user_info(address);
        // Nothing asks for a user, and an address is told in errors and logs.
        if address.contains('@') {
            return Err(EndpointError::Form { found: found() });
        }
        let endpoint = TonicEndpoint::from_shared(address.to_owned())
            .map_err(|_| EndpointError::Form { found: found() })?;
        let uri = endpoint.uri();
        if uri.scheme_str() == Some("https") {
            return Err(EndpointError::Tls { found: found() });
        }
        if uri.scheme_str() != Some("http") || uri.port().is_none() {
            return Err(EndpointError::Form { found: found() });
        }
        Ok(Self { address: address.to_owned(), endpoint: endpoint.tcp_nodelay(true) })
    }

    /// As it was written.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it is: a name, or an address.
    pub fn host(&self) -> &str {
        let host = self.endpoint.uri().host().unwrap_or_default();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// Whether it is on this machine, as far as its address says.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// A channel to it, connected within `limit`.
    pub async fn connect(&self, limit: Duration) -> Result<Channel, Absence> {
        let connected = timeout(limit, self.endpoint.connect()).await;
        let late = |_| Absence::OutOfReach { reason: format!("no connection within {limit:?}") };
        connected.map_err(late)?.map_err(|error| Absence::of_connection(&error))
    }

    /// A channel to it, which connects when it is used and again whenever it is broken. Called
    /// where a runtime runs.
    pub fn channel(&self) -> Channel {
        self.endpoint.connect_lazy()
    }

    /// What speaks there, where calls come to `absence`; it is waited for up to `limit`.
    pub(super) async fn find_out(&self, absence: Absence, limit: Duration) -> Absence {
        let protocol = match absence {
            Absence::OutOfReach { .. } => self.protocol(limit).await,
            Absence::NothingListens
            | Absence::NoSuchHost
            | Absence::NotGrpc { .. }
            | Absence::NoService => None,
        };
        protocol.map_or(absence, |protocol| Absence::NotGrpc { protocol })
    }

    /// What speaks there, where it does not speak gRPC; `None` where no connection can be had. It
    /// is waited for up to `limit`.
    async fn protocol(&self, limit: Duration) -> Option<&'static str> {
        let authority = self.endpoint.uri().authority()?.as_str();
        let connected = timeout(limit, TcpStream::connect(authority)).await;
        let mut stream = connected.ok()?.ok()?;
        let asked = timeout(limit, answer_to_http1(&mut stream, authority)).await;
        let answer = asked.ok().and_then(Result::ok).unwrap_or_default();
        Some(protocol_of(&answer).unwrap_or("an unknown protocol"))
    }
}

/// The beginning of what comes back for a request of HTTP/1.1.
async fn answer_to_http1(stream: &mut TcpStream, host: &str) -> io::Result<Vec<u8>> {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = vec![0; 1024];
    let length = stream.read(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

/// What program answers so to a request of HTTP/1.1.
fn protocol_of(answer: &[u8]) -> Option<&'static str> {
    // The first byte of a TLS record: an alert, or a handshake.
    const TLS: [u8; 2] = [0x15, 0x16];
    match answer {
        [first, ..] if TLS.contains(first) => Some("TLS"),
        // So a server of HTTPS tells whom it takes for a lost browser.
        _ if answer.starts_with(b"HTTP/1.") && contains(answer, b"HTTPS") => Some("TLS"),
        _ if answer.starts_with(b"HTTP/1.0") => Some("HTTP/1.0"),
        _ if answer.starts_with(b"HTTP/1.") => Some("HTTP/1.1"),
        _ => None,
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_is_known_by_its_first_bytes() {
        for (answer, protocol) in [
            (&b"HTTP/1.1 404 Not Found\r\n"[..], Some("HTTP/1.1")),
            (b"HTTP/1.0 200 OK\r\n", Some("HTTP/1.0")),
            (
                b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.",
                Some("TLS"),
            ),
            (&[0x15, 3, 1, 0, 2, 2, 70], Some("TLS")),
            (b"SSH-2.0-OpenSSH_9.2", None),
            (b"", None),
        ] {
            assert_eq!(protocol_of(answer), protocol, "{answer:?}");
        }
    }

    #[test]
    fn an_address_is_plain_http_with_a_port() {
        assert_eq!(
            Endpoint::new("http://localhost:50051").unwrap().address(),
            "http://localhost:50051"
        );
        let tls = Endpoint::new("https://bank.example:443").unwrap_err().to_string();
        assert!(tls.contains("TLS, which is not spoken yet"), "{tls}");
        for found in ["localhost:50051", "http://localhost", "", "50051"] {
            let error = Endpoint::new(found).unwrap_err();
            assert_eq!(error, EndpointError::Form { found: found.to_owned() });
        }
        for secret in ["http://ann:s3cr3t@host:1", "https://ann:s3cr3t@host:1", "ann:s3cr3t@"] {
            let told = Endpoint::new(secret).unwrap_err().to_string();
            assert!(told.contains("***@") && !told.contains("s3cr3t"), "{told}");
        }
    }
}
