//! Watching a branch: what it has applied, then what it applies, at the watcher's own pace.

use actix::Addr;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::gate::Gate;
use crate::actors::{BalanceAt, BranchActor, ReadLog, Summarize};

use crate::grpc::error::CallError;
use crate::grpc::proto::v1;
use crate::model::{LogEntry, LogPosition, Money, RequestError};

/// How many writes are taken from a branch at a time, and are kept for a slow watcher.
const CHUNK: usize = 256;

type Item = Result<v1::WatchBranchResponse, Status>;

/// The writes of `branch`, whose log has this length, after the position `after`, until the watcher has
/// enough, the branch stops, or the bank closes. A slow watcher costs a chunk of memory and no more.
pub(super) fn stream(
    (branch, length): (Addr<BranchActor>, watch::Receiver<LogPosition>),
    after: LogPosition,
    gate: watch::Receiver<Gate>,
) -> ReceiverStream<Item> {
    let (sender, receiver) = mpsc::channel(CHUNK);
    tokio::spawn(async move {
        let closing = closing(gate);
        tokio::select! {
            biased;
            () = closing => {}
            () = sender.closed() => {}
            end = follow((&branch, length), after, &sender) => {
                if let Err(error) = end
                    && sender.send(Err(error.into())).await.is_err()
                {
                    log::debug!("a watcher has gone before it was told that its branch stopped");
                }
            }
        }
    });
    ReceiverStream::new(receiver)
}

/// Ends when the bank closes.
pub(super) async fn closing(mut gate: watch::Receiver<Gate>) {
    if gate.wait_for(|&gate| gate == Gate::Draining).await.is_err() {
        log::debug!("the bank has gone");
    }
}

/// Ends when the watcher has gone, or with an error when the branch has.
async fn follow(
    (branch, mut length): (&Addr<BranchActor>, watch::Receiver<LogPosition>),
    after: LogPosition,
    sender: &mpsc::Sender<Item>,
) -> Result<(), CallError> {
    let ended = |_| CallError::ActorStopped;
    // A position beyond the end waits until the log has grown so far.
    if length.wait_for(|&length| length >= after).await.is_err() {
        return Err(stopped(branch).await);
    }
    let mut position = after;
    let mut balance = branch.send(BalanceAt(after)).await.map_err(ended)?;
    loop {
        if length.wait_for(|&length| length > position).await.is_err() {
            return Err(stopped(branch).await);
        }
        let read = ReadLog { after: position, most: CHUNK };
        let read = branch.send(read).await.map_err(ended)?;
        // What was read after it had stopped may be of another log.
        if length.has_changed().is_err() {
            return Err(stopped(branch).await);
        }
        for entry in read {
            position = position.next();
            balance = balance.and_then(|balance| balance.checked_add(entry.write.delta()));
            if sender.send(Ok(response(position, entry, balance))).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// Why a branch does not tell any more how long its log is: it has stopped, and may have started again
/// meanwhile, or is gone.
pub(super) async fn stopped(branch: &Addr<BranchActor>) -> CallError {
    match branch.send(Summarize).await {
        Ok(Ok(_)) => RequestError::DOWN.into(),
        Ok(Err(down)) => down.into(),
        Err(_) => CallError::ActorStopped,
    }
}

fn response(
    position: LogPosition,
    entry: LogEntry,
    balance: Option<Money>,
) -> v1::WatchBranchResponse {
    v1::WatchBranchResponse {
        position: position.get(),
        applied: Some(entry.into()),
        balance: balance.map_or_else(String::new, |balance| balance.to_string()),
    }
}
