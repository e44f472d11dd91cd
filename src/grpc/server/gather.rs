//! The body of a request on its way to a service. tonic reserves what a message announces as soon
//! as its first five bytes are there; so a message is handed on when all of it is. Until then it
//! takes as much memory as has arrived, from what all unread requests have together, and so long.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;

use super::limits::Limits;
use crate::grpc::error::CallError;

/// What a call takes whose request has not come whole, beside what has arrived: its stream, and
/// tonic's buffers.
const CALL_BYTES: usize = 16 << 10;

/// For so long a call may have no more than that for nothing. Who sends a request in two pieces is
/// not refused because others have sent half of theirs and no more.
const FREE_TIME: Duration = Duration::from_millis(100);

/// The memory that unread requests of all connections take.
#[derive(Debug, Default)]
pub(super) struct Unread {
    bytes: AtomicUsize,
}

/// What one request takes of it; given back when it is dropped.
#[derive(Debug)]
struct Share {
    unread: Arc<Unread>,
    bytes: usize,
    bytes_max: usize,
}

impl Share {
    /// Takes as much more as makes it `bytes`.
    fn grow_to(&mut self, bytes: usize) -> Result<(), CallError> {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let all = self.unread.bytes.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        self.bytes += more;
        let limit_bytes = self.bytes_max;
        if all > limit_bytes { Err(CallError::UnreadFull { limit_bytes }) } else { Ok(()) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.unread.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A body that hands on whole messages.
#[derive(Debug)]
pub(super) struct Gathered {
    body: Body,
    /// The begin of a message.
    held: Vec<u8>,
    progress: Progress,
    pays: Pays,
    share: Share,
    message_bytes_max: usize,
    body_time_max: Duration,
    idle_time_max: Duration,
    /// Runs while the client is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// No message of it is whole.
    None,
    /// One is. Where more may come, the client may take its time before it begins the next.
    Message,
}

/// What a request takes of its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pays {
    /// Only what is more than every call has for nothing.
    Excess,
    /// All. It has been waited for.
    All,
}

impl Gathered {
    /// `body`, with a share of `unread`.
    pub(super) fn new(body: Body, unread: &Arc<Unread>, limits: &Limits) -> Self {
        let &Limits { message_bytes_max, unread_bytes_max, body_time_max, idle_time_max, .. } =
            limits;
        // One message at least has room.
        let bytes_max = unread_bytes_max.max(message_bytes_max.saturating_add(CALL_BYTES));
        Self {
            body,
            held: Vec::new(),
            progress: Progress::None,
            pays: Pays::Excess,
            share: Share { unread: Arc::clone(unread), bytes: 0, bytes_max },
            message_bytes_max,
            body_time_max,
            idle_time_max,
            timer: None,
        }
    }

    /// What of `bytes` and what is held can be handed on.
    fn take(&mut self, mut bytes: Bytes) -> Result<Option<Bytes>, CallError> {
        if self.held.is_empty() {
            let whole = bytes.split_to(whole(&bytes, self.message_bytes_max));
            self.hold(&bytes)?;
            return Ok(self.hand_on(whole));
        }
        // What is held would keep the buffers of the whole connection alive if it were not copied.
        self.hold(&bytes)?;
        let rest = self.held.split_off(whole(&self.held, self.message_bytes_max));
        let whole = mem::replace(&mut self.held, rest);
        Ok(self.hand_on(whole.into()))
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.held.is_empty() {
            // The time for the next message begins.
            self.timer = None;
        }
        self.pay(self.held.len() + bytes.len())?;
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes a share for `bytes` that are held.
    fn pay(&mut self, bytes: usize) -> Result<(), CallError> {
        self.share.grow_to(match self.pays {
            Pays::Excess => bytes.saturating_sub(CALL_BYTES),
            Pays::All => bytes + CALL_BYTES,
        })
    }

    fn hand_on(&mut self, whole: Bytes) -> Option<Bytes> {
        if whole.is_empty() {
            return None;
        }
        self.progress = Progress::Message;
        self.timer = None;
        Some(whole)
    }

    /// Waits for the client, but not for ever.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<CallError> {
        let limit = match self.progress {
            Progress::Message if self.held.is_empty() => self.idle_time_max,
            Progress::None | Progress::Message => self.body_time_max,
        };
        loop {
            let (pays, free) = (self.pays, limit.min(FREE_TIME));
            let timer = self.timer.get_or_insert_with(|| {
                Box::pin(sleep(match pays {
                    Pays::Excess => free,
                    Pays::All => limit,
                }))
            });
            ready!(timer.as_mut().poll(cx));
            match self.pays {
                Pays::Excess if free < limit => {
                    self.pays = Pays::All;
                    timer.set(sleep(limit - free));
                    if let Err(full) = self.pay(self.held.len()) {
                        return Poll::Ready(full);
                    }
                }
                Pays::Excess | Pays::All => return Poll::Ready(CallError::HalfSent { limit }),
            }
        }
    }
}

/// How many of `bytes`, which begin with a message, are of whole messages.
fn whole(bytes: &[u8], message_bytes_max: usize) -> usize {
    let mut end: usize = 0;
    while let Some((&[is_compressed, a, b, c, d], message)) =
        bytes.get(end..).and_then(<[u8]>::split_first_chunk)
    {
        let announced = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if is_compressed > 1 || announced > message_bytes_max {
            // It is refused for its begin alone.
            return bytes.len();
        }
        if message.len() < announced {
            break;
        }
        end += 5 + announced;
    }
    end
}

impl hyper::body::Body for Gathered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                return self.wait(cx).map(|error| Some(Err(error.into())));
            };
            let bytes = match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => bytes,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                // Whoever reads it sees that the last message is not whole.
                None if !self.held.is_empty() => {
                    let held = mem::take(&mut self.held);
                    return Poll::Ready(Some(Ok(Frame::data(held.into()))));
                }
                None => return Poll::Ready(None),
            };
            match self.take(bytes) {
                Ok(Some(whole)) => return Poll::Ready(Some(Ok(Frame::data(whole)))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    /// A message of `length` bytes.
    fn message(length: u8) -> Vec<u8> {
        let mut message = vec![0, 0, 0, 0, length];
        message.extend(std::iter::repeat_n(7, length.into()));
        message
    }

    fn body(chunks: &[&[u8]]) -> Body {
        let chunks = chunks.iter().map(|chunk| Ok::<_, Status>(Frame::data(chunk.to_vec().into())));
        let chunks: VecDeque<_> = chunks.collect();
        Body::new(StreamBody::new(tokio_stream::iter(chunks)))
    }

    async fn frames(chunks: &[&[u8]], unread: &Arc<Unread>, limits: &Limits) -> Vec<Vec<u8>> {
        let mut body = Gathered::new(body(chunks), unread, limits);
        let mut frames = Vec::new();
        while let Some(frame) = body.frame().await {
            frames.push(frame.unwrap().into_data().unwrap().to_vec());
        }
        frames
    }

    #[actix::test]
    async fn a_message_is_handed_on_when_it_is_whole() {
        let (unread, limits) = (Arc::<Unread>::default(), Limits::default());
        let (one, two) = (message(3), message(200));
        let both = [&one[..], &two].concat();
        for cuts in [vec![], vec![8], vec![1, 2, 3, 4, 5, 6, 7], vec![4, 13], vec![20, 21, 212]] {
            let mut chunks = Vec::new();
            let mut rest = &both[..];
            let mut done = 0;
            for cut in cuts {
                let (chunk, after) = rest.split_at(cut - done);
                chunks.push(chunk);
                (rest, done) = (after, cut);
            }
            chunks.push(rest);
            let frames = frames(&chunks, &unread, &limits).await;
            assert_eq!(frames.concat(), both);
            for frame in &frames {
                assert!([&one, &two, &both].contains(&frame), "{frame:?}");
            }
            assert_eq!(unread.bytes.load(Ordering::Relaxed), 0);
        }
    }

    #[actix::test]
    async fn what_is_refused_for_its_begin_does_not_wait_for_its_end() {
        let limits = Limits { message_bytes_max: 100, ..Limits::default() };
        for begin in [[0, 0, 0, 0, 101], [2, 0, 0, 0, 1]] {
            let frames = frames(&[&begin], &Arc::default(), &limits).await;
            assert_eq!(frames, [begin]);
        }
    }

    #[actix::test]
    async fn the_begin_of_a_message_that_ends_there_is_handed_on_at_the_end() {
        let half = &message(100)[..50];
        assert_eq!(frames(&[half], &Arc::default(), &Limits::default()).await, [half]);
    }

    #[actix::test]
    async fn requests_that_are_not_whole_share_their_memory() {
        let (unread, limits) = (
            Arc::<Unread>::default(),
            Limits { message_bytes_max: 50_000, unread_bytes_max: 100_000, ..Limits::default() },
        );
        let mut large = vec![0, 0, 0, 0xc3, 0x50];
        large.extend([7; 50_000]);
        // 16,384 bytes of each are for nothing.
        let hold = |body: &mut Gathered| body.take(Bytes::copy_from_slice(&large[..48_000]));
        let mut bodies = [1, 2, 3].map(|_| Gathered::new(body(&[]), &unread, &limits));
        for body in &mut bodies {
            assert_eq!(hold(body), Ok(None));
        }
        let mut fourth = Gathered::new(body(&[]), &unread, &limits);
        assert_eq!(hold(&mut fourth), Err(CallError::UnreadFull { limit_bytes: 100_000 }));
        // Small ones need nothing of it, in two pieces either.
        let small = message(100);
        assert_eq!(frames(&[&small[..3], &small[3..]], &unread, &limits).await, [small]);
        drop((bodies, fourth));
        assert_eq!(unread.bytes.load(Ordering::Relaxed), 0);
    }
}
