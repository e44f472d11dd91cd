//! Where a page in a browser may come from that calls the bank.

use std::str::FromStr;

use thiserror::Error;
use tonic::codegen::http::{HeaderValue, Uri};

use crate::grpc::without_user_info;

/// Pages of one origin, or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// All.
    Any,
    /// Those of this one, as browsers write it.
    One(HeaderValue),
}

/// Text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{found}' is no origin; write it as browsers do, such as https://example.org:8443, or * for all"
)]
pub struct OriginError {
    found: String,
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        written(text).map(Self::One).ok_or_else(|| OriginError { found: without_user_info(text) })
    }
}

/// The origin `text` as browsers write it: in small letters, and without the port that the scheme
/// has anyway.
fn written(text: &str) -> Option<HeaderValue> {
    let text = text.to_ascii_lowercase();
    let uri: Uri = text.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str());
    // Nothing comes after an origin's authority, no user before its host, and no pattern is in it.
    if text != format!("{scheme}://{authority}") || authority.contains(['@', '*']) {
        return None;
    }
    let usual_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = authority.strip_suffix(usual_port).unwrap_or(authority);
    HeaderValue::try_from(format!("{scheme}://{authority}")).ok()
}

impl Origin {
    /// What the browser of a page of `origin` is told, if that page may call.
    pub(super) fn allows(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::One(own) => (own == origin).then(|| own.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (text, expected) in [
            ("https://example.org", "https://example.org"),
            ("HTTPS://Example.Org", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://example.org:80", "http://example.org"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("https://example.org:80", "https://example.org:80"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            let expected = Origin::One(HeaderValue::from_static(expected));
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!("*".parse(), Ok(Origin::Any));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for found in [
            "",
            "example.org",
            "example.org:80",
            "https://example.org/",
            "https://example.org/page",
            "https://me@example.org",
            "https://",
            "https://*",
            "null",
            "https://a b",
        ] {
            let error = OriginError { found: found.replace("https://me@", "***@") };
            assert_eq!(found.parse::<Origin>(), Err(error), "{found}");
        }
    }
}
