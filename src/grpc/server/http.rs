//! What comes to a port and is HTTP, but no gRPC: other methods, other content types, and what
//! browsers ask before they let a page from elsewhere call (CORS).

use std::ops::ControlFlow;
use std::sync::Arc;

use tonic::body::Body;
use tonic::codegen::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CONTENT_TYPE, ORIGIN, VARY,
};
use tonic::codegen::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version,
};

use super::layers::Around;
use super::origin::Origin;
use crate::grpc::trailers::{BALANCE_TRAILER, PASSBOOK_TRAILER, POSITION_TRAILER, REASON_TRAILER};

/// How long a browser may keep the answer to a preflight, in seconds: a day.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("86400");

const POST: HeaderValue = HeaderValue::from_static("POST");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Lets gRPC and gRPC-web through, and nothing else.
#[derive(Debug, Clone)]
pub(super) struct GrpcAlone {
    /// Which pages a browser may let call; none of them by default.
    pub(super) origins: Arc<[Origin]>,
}

impl Around for GrpcAlone {
    type Kept = Caller;

    fn before(&self, request: &Request<Body>) -> ControlFlow<Response<Body>, Caller> {
        let caller = Caller::of(request, &self.origins);
        match no_grpc(request, &caller) {
            None => ControlFlow::Continue(caller),
            Some(response) => ControlFlow::Break(caller.exposing(response)),
        }
    }

    fn after(caller: Caller, response: Response<Body>) -> Response<Body> {
        caller.exposing(response)
    }
}

/// Whether a page from elsewhere calls.
pub(super) enum Caller {
    /// No page, or one whose browser gets no leave from this server.
    Other,
    /// A page that may: what is said to its browser.
    Page { allowed: HeaderValue },
}

impl Caller {
    fn of(request: &Request<Body>, origins: &[Origin]) -> Self {
        if origins.is_empty() {
            return Self::Other;
        }
        let asked = request.headers().get(ORIGIN);
        let allowed = asked.and_then(|asked| origins.iter().find_map(|own| own.allows(asked)));
        allowed.map_or(Self::Other, |allowed| Self::Page { allowed })
    }

    /// `response`, with what lets the page read it.
    fn exposing(&self, mut response: Response<Body>) -> Response<Body> {
        if let Self::Page { allowed } = self {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed());
            headers.append(VARY, HeaderValue::from_name(ORIGIN));
        }
        response
    }
}

/// What a page may read of an answer: all that gRPC and this bank say beside the message.
fn exposed() -> HeaderValue {
    let names = [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "grpc-encoding",
        "grpc-accept-encoding",
        PASSBOOK_TRAILER,
        BALANCE_TRAILER,
        POSITION_TRAILER,
        REASON_TRAILER,
    ];
    HeaderValue::try_from(names.join(", ")).expect("names of headers")
}

/// The answer to `request` where it is no gRPC.
fn no_grpc(request: &Request<Body>, caller: &Caller) -> Option<Response<Body>> {
    let headers = request.headers();
    if request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return Some(preflight(headers, caller));
    }
    if request.method() != Method::POST {
        let response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "this port speaks gRPC and gRPC-web, which use POST; try grpcurl -plaintext HOST:PORT list",
        );
        return Some(with(response, [(ALLOW, POST)]));
    }
    match Kind::of(headers) {
        Kind::GrpcWeb => None,
        Kind::Grpc if request.version() == Version::HTTP_2 => None,
        Kind::Grpc => Some(plain(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "gRPC needs HTTP/2; over HTTP/1.1 this port speaks gRPC-web",
        )),
        Kind::Other => Some(plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content-type must be application/grpc, application/grpc+proto, \
             application/grpc-web or application/grpc-web-text",
        )),
    }
}

/// What a browser is told that asks whether a page from elsewhere may call.
fn preflight(headers: &HeaderMap, caller: &Caller) -> Response<Body> {
    match caller {
        Caller::Other => plain(
            StatusCode::FORBIDDEN,
            "pages of this origin may not call; passbook serve --cors-origin ORIGIN lets them",
        ),
        Caller::Page { .. } => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            // Metadata has any name, so whatever the page wants to send it may send.
            let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
            let asked = asked.map(|names| (ACCESS_CONTROL_ALLOW_HEADERS, names.clone()));
            let always =
                [(ACCESS_CONTROL_ALLOW_METHODS, POST), (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE)];
            with(response, always.into_iter().chain(asked))
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(format!("{text}\n")));
    *response.status_mut() = status;
    with(response, [(CONTENT_TYPE, PLAIN_TEXT)])
}

fn with(
    mut response: Response<Body>,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Response<Body> {
    response.headers_mut().extend(headers);
    response
}

/// What the content type says that a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grpc,
    GrpcWeb,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let text = text.unwrap_or_default();
        // tonic takes gRPC-web in these words alone.
        let web = ["", "+proto", "-text", "-text+proto"];
        if text.strip_prefix("application/grpc-web").is_some_and(|form| web.contains(&form)) {
            return Self::GrpcWeb;
        }
        let name = text.split(';').next().unwrap_or_default().trim();
        let grpc = ["application/grpc", "application/grpc+proto"];
        if grpc.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Self::Grpc;
        }
        Self::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_grpc_or_it_is_not() {
        let kind = |text: &'static str| {
            Kind::of(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]))
        };
        for text in ["application/grpc", "application/grpc+proto", "Application/gRPC; charset=x"] {
            assert_eq!(kind(text), Kind::Grpc, "{text}");
        }
        for text in ["application/grpc-web", "application/grpc-web-text+proto"] {
            assert_eq!(kind(text), Kind::GrpcWeb, "{text}");
        }
        for text in [
            "application/json",
            "application/grpc+json",
            "application/grpcx",
            "application/grpc-web; charset=x",
            "",
            "text",
        ] {
            assert_eq!(kind(text), Kind::Other, "{text}");
        }
        assert_eq!(Kind::of(&HeaderMap::new()), Kind::Other);
    }
}
