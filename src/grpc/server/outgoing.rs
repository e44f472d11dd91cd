//! A stream on its way to a client: what is produced waits for the client to read it, and little is
//! kept of it meanwhile.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::grpc::error::CallError;

/// What a stream brings.
pub(super) type Item<T> = Result<T, Status>;

/// What `produce` sends, and at last the error with which it ends, if it does. Up to `kept` items
/// are kept for a slow client; a client that has gone shows as a closed channel.
pub(super) fn stream<T, P>(
    kept: usize,
    produce: impl FnOnce(mpsc::Sender<Item<T>>) -> P,
) -> ReceiverStream<Item<T>>
where
    T: Send + 'static,
    P: Future<Output = Result<(), CallError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(kept + 1);
    // So that there is room for it also where nothing is read.
    let last = sender.clone().try_reserve_owned().expect("nothing is in the channel yet");
    let produced = produce(sender);
    tokio::spawn(async move {
        if let Err(error) = produced.await {
            drop(last.send(Err(error.into())));
        }
    });
    ReceiverStream::new(receiver)
}
