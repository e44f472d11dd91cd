//! Reading a branch in pages, however long its apply log is. Each page is one short message to the
//! branch, which serves others between two of them.

use actix::Addr;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::gateway::Gateway;
use super::outgoing::{self, Item};
use super::watch::{closing, stopped};
use crate::actors::{BranchActor, ReadLog};
use crate::grpc::convert;
use crate::grpc::error::CallError;
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::read_branch_response::Item as Read;
use crate::model::LogPosition;

/// How many writes a page has at most.
const PAGE_WRITES_MAX: usize = 500;

/// How many pages are kept for a client that is slow to read them.
const KEPT: usize = 1;

/// What is read of a branch.
pub(super) struct Reading {
    /// Who has it.
    pub(super) branch: Addr<BranchActor>,
    /// Ends when it stops: what it has when it starts again may be another log.
    pub(super) length: watch::Receiver<LogPosition>,
    /// How it stands. What it applies later is not read.
    pub(super) summary: v1::BranchSummary,
    /// Pages begin after this position.
    pub(super) after: LogPosition,
    /// How many writes a page has at most; 0: as many as it may.
    pub(super) page_writes_max: u32,
}

/// The summary and the pages of `reading`, until the bank closes. Ends early, with an error, where
/// a page is not read in the time that a call may take.
pub(super) fn stream(
    reading: Reading,
    gateway: Gateway,
) -> ReceiverStream<Item<v1::ReadBranchResponse>> {
    outgoing::stream(KEPT, move |sender| async move {
        let gate = gateway.bank().gate.clone();
        let pages = Pages { sender, gateway };
        tokio::select! {
            biased;
            () = closing(gate) => Err(CallError::Draining),
            read = pages.send_all(reading) => read,
        }
    })
}

struct Pages {
    sender: mpsc::Sender<Item<v1::ReadBranchResponse>>,
    gateway: Gateway,
}

impl Pages {
    async fn send_all(&self, reading: Reading) -> Result<(), CallError> {
        let Reading { branch, length, summary, after, page_writes_max } = reading;
        let end = summary.position;
        let most = match usize::try_from(page_writes_max) {
            Ok(asked @ 1..PAGE_WRITES_MAX) => asked,
            Ok(_) | Err(_) => PAGE_WRITES_MAX,
        };
        if self.send(Read::Branch(summary)).await?.is_gone() {
            return Ok(());
        }
        let mut position = after;
        while position.get() < end {
            let left = usize::try_from(end - position.get()).unwrap_or(usize::MAX);
            let turn = self.gateway.turn().await?;
            let read = ReadLog { after: position, most: most.min(left) };
            let log = branch.send(read).await.map_err(|_| CallError::ActorStopped)?;
            if length.has_changed().is_err() {
                return Err(stopped(&branch).await);
            }
            let page = v1::BranchPage {
                from_position: position.next().get(),
                events: convert::branch_events(&log),
                write_sets: convert::write_sets(&log),
            };
            drop(turn);
            position = log.iter().fold(position, |position, _| position.next());
            if self.send(Read::Page(page)).await?.is_gone() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn send(&self, item: Read) -> Result<Reader, CallError> {
        let response = v1::ReadBranchResponse { item: Some(item) };
        let limit = self.gateway.limits().call_time_max;
        let sent = tokio::time::timeout(limit, self.sender.send(Ok(response))).await;
        let sent = sent.map_err(|_| CallError::TimeOver { limit })?;
        Ok(if sent.is_ok() { Reader::Here } else { Reader::Gone })
    }
}

/// Whether anybody reads on.
enum Reader {
    Here,
    Gone,
}

impl Reader {
    fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }
}
