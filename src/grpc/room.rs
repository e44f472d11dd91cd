//! How much an error may say. Its trailers are headers of HTTP/2, and a client that gets more of
//! them than it accepts sees no error at all, or another one.

use http_body_util::BodyExt;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, Response};

/// How large all trailers of an error are together, as HTTP/2 counts them. Clients accept 8 KiB or
/// more; under 4 KiB stays room for what proxies add.
const TRAILER_BYTES_MAX: usize = 3584;

/// What HTTP/2 counts for a header beside its name and value (RFC 9113, section 6.5.2).
const HEADER_BYTES: usize = 32;

/// How much of each text is told: as much of this as fits.
const TEXT_BYTES_MAX: [usize; 4] = [1024, 512, 256, 128];

/// Whether the trailers of `status` are small enough.
pub(super) fn fits(status: &Status) -> bool {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        return false;
    }
    let size = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + HEADER_BYTES
    };
    trailers.iter().map(size).sum::<usize>() <= TRAILER_BYTES_MAX
}

/// What `make` makes with as long texts as fit.
pub(super) fn fitted(make: impl Fn(Cut) -> Status) -> Status {
    let [most @ .., least] = TEXT_BYTES_MAX.map(Cut);
    most.into_iter().map(&make).find(fits).unwrap_or_else(|| make(least))
}

/// The same for an answer of a service that is not ours and repeats what a client sent.
pub(super) fn cut_message(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    cut_header(&mut head.headers);
    let body = body.map_frame(|mut frame| {
        if let Some(trailers) = frame.trailers_mut() {
            cut_header(trailers);
        }
        frame
    });
    Response::from_parts(head, Body::new(body))
}

/// Cuts the message of an error, which is percent-encoded there.
fn cut_header(trailers: &mut HeaderMap) {
    let [bytes_max, ..] = TEXT_BYTES_MAX;
    let Some(message) = trailers.get_mut(Status::GRPC_MESSAGE) else { return };
    let Some((begin, _)) = message.as_bytes().split_at_checked(bytes_max) else { return };
    // Not within the three bytes that stand for one.
    let whole = match begin {
        [whole @ .., b'%'] | [whole @ .., b'%', _] => whole,
        whole => whole,
    };
    if let Ok(cut) = HeaderValue::from_bytes(whole) {
        *message = cut;
    }
}

/// How many bytes of a text are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut(usize);

impl Cut {
    /// `text`, or its beginning and how much is left out.
    pub(super) fn cut(self, text: &str) -> String {
        let Self(bytes_max) = self;
        if text.len() <= bytes_max {
            return text.to_owned();
        }
        let begin = &text[..text.floor_char_boundary(bytes_max)];
        format!("{begin}… ({} bytes more)", text.len() - begin.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::convert::{FieldError, FieldProblem};
    use crate::grpc::status::CallError;

    #[test]
    fn what_a_client_sent_is_told_as_far_as_it_fits() {
        // Percent-encoding makes three bytes of each of these.
        for letter in ["x", "ß", "水", "%", "\u{1}"] {
            for times in [1, 300, 1000, 100_000] {
                let (expected, found) = ("\"query\"", letter.repeat(times));
                let error = FieldError::new("type", FieldProblem::Word { expected, found });
                let status = Status::from(CallError::from(error));
                assert!(fits(&status), "{letter} {times}");
                assert!(status.message().starts_with("type: expected"), "{}", status.message());
            }
        }
    }

    #[test]
    fn a_message_is_not_cut_within_a_letter_of_three_bytes() {
        for before in 0..4 {
            let mut message = "x".repeat(before);
            message += &"%C3%9F".repeat(1000);
            let value = HeaderValue::try_from(message).unwrap();
            let name = HeaderName::from_static("grpc-message");
            let mut trailers = HeaderMap::from_iter([(name, value)]);
            cut_header(&mut trailers);
            let cut = trailers["grpc-message"].to_str().unwrap();
            assert!((1022..=1024).contains(&cut.len()), "{}", cut.len());
            assert_eq!(cut[before..].len() % 3, 0);
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(Cut(3).cut("abc"), "abc");
        assert_eq!(Cut(3).cut("abcde"), "abc… (2 bytes more)");
        assert_eq!(Cut(3).cut("aßß"), "aß… (2 bytes more)");
    }
}
