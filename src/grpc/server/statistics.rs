//! What a process has counted, and how much of each limit is taken: for the operator of the bank.

use std::convert::Infallible;
use std::time::Duration;

use super::connections::ConnectionCounts;
use super::gateway::Gateway;
use super::limit_log::{Limit, LimitLog};
use crate::actors::{BranchSummary, CountRemembered, Remembered, Summarize};
use crate::bank::Congestion;
use crate::grpc::client::{LinkState, ReadLink};
use crate::grpc::error::CallError;
use crate::grpc::proto::v1;
use crate::model::LogPosition;
use crate::model::number::count;

/// The counts of `gateway`.
pub(super) async fn of(gateway: &Gateway) -> Result<v1::GetStatisticsResponse, CallError> {
    let admission = gateway.admission();
    let (links, summaries) = (links(gateway).await?, summaries(gateway).await?);
    let (hits, remembered) = hits(gateway).await?;
    let taken = LimitsInUse { links: &links, summaries: &summaries, remembered };
    let calls = admission.calls().filter(|&(_, calls)| calls > 0);
    let errors = admission.refusals().filter(|&(_, calls)| calls > 0);
    Ok(v1::GetStatisticsResponse {
        connections: Some(connections(gateway.connections().counts())),
        calls: calls
            .map(|(called, calls)| v1::CallStatistics { method: called.name().to_owned(), calls })
            .collect(),
        errors: errors
            .map(|(reason, calls)| v1::ErrorStatistics { reason: reason.word().to_owned(), calls })
            .collect(),
        limits: hits
            .into_iter()
            .map(|(limit, hits)| {
                let (taken, max) = taken.of(limit, gateway);
                let (name, flag) = (limit.word().to_owned(), limit.flag().to_owned());
                v1::LimitStatistics { name, flag, hits, taken, max }
            })
            .collect(),
        peers: links
            .iter()
            .map(|link| v1::PeerStatistics {
                branch_id: link.here.get(),
                peer_branch_id: link.peer.get(),
                kept: count(link.kept),
                congested: link.congestion == Congestion::Full,
            })
            .collect(),
        logs: summaries
            .iter()
            .map(|branch| v1::LogStatistics {
                branch_id: branch.id.get(),
                writes: branch.came.get(),
                writes_max: branch.log_max.map(LogPosition::get),
            })
            .collect(),
    })
}

fn connections(counts: &ConnectionCounts) -> v1::ConnectionStatistics {
    v1::ConnectionStatistics {
        accepted: counts.accepted(),
        open: count(counts.open()),
        refused: counts.refused_in_all(),
        refused_of_address: counts.refused_of_address(),
        closed_idle: counts.closed_idle(),
        closed_for_room: counts.closed_for_room(),
        closed_unread: counts.closed_unread(),
    }
}

/// What is taken of limits.
struct LimitsInUse<'a> {
    links: &'a [LinkState],
    summaries: &'a [BranchSummary],
    remembered: Remembered,
}

impl LimitsInUse<'_> {
    /// How much of `limit` is taken, and how much there is.
    fn of(&self, limit: Limit, gateway: &Gateway) -> (Option<u64>, Option<u64>) {
        let limits = gateway.limits();
        match limit {
            Limit::Message => (None, Some(count(limits.message_bytes_max))),
            Limit::Waiting => {
                (Some(count(gateway.admission().waiting())), Some(count(limits.waiting_max)))
            }
            Limit::Kept => (
                self.links.iter().map(|link| count(link.kept)).max(),
                self.links.iter().map(|link| count(link.kept_max)).max(),
            ),
            Limit::Log => (
                self.summaries.iter().map(|branch| branch.came.get()).max(),
                self.summaries
                    .iter()
                    .filter_map(|branch| branch.log_max)
                    .max()
                    .map(LogPosition::get),
            ),
            Limit::PeerWaiting => (None, Some(count(limits.peer_waiting_max))),
            Limit::Sessions => {
                let Remembered { customers, most, .. } = self.remembered;
                (Some(count(customers)), most.map(count))
            }
            Limit::CallTime
            | Limit::Scenarios
            | Limit::ScenarioMemory
            | Limit::ScenarioEvents
            | Limit::ScenarioTime
            | Limit::BodyTime => (None, None),
            Limit::Connections => (
                Some(count(gateway.connections().counts().open())),
                Some(count(limits.connections_max)),
            ),
            Limit::AddressConnections => (None, Some(count(limits.address_connections_max))),
            Limit::Unread => (None, Some(count(limits.unread_bytes_max))),
        }
    }
}

/// Says which limits were hit.
#[derive(Debug)]
pub struct LimitTeller<T> {
    gateway: Gateway,
    log: LimitLog,
    tell: T,
}

impl<T: FnMut(&str)> LimitTeller<T> {
    /// Of the limits of `gateway`; `tell` gets each line.
    pub fn new(gateway: Gateway, tell: T) -> Self {
        Self { gateway, log: LimitLog::default(), tell }
    }

    /// Says after each `period` which limits were hit in it, and nothing where none was.
    pub async fn tell_each(&mut self, period: Duration) -> Infallible {
        loop {
            tokio::time::sleep(period).await;
            self.tell().await;
        }
    }

    /// Says which limits were hit since it said so last, and nothing where none was.
    pub async fn tell(&mut self) {
        // Without its actors the bank has ended.
        if let Ok((hits, _)) = hits(&self.gateway).await
            && let Some(line) = self.log.line(&hits)
        {
            (self.tell)(&line);
        }
    }
}

/// How often each limit was hit, and what the registry says of its own.
async fn hits(gateway: &Gateway) -> Result<(Vec<(Limit, u64)>, Remembered), CallError> {
    let remembered = gateway.bank().registry.send(CountRemembered).await;
    let remembered = remembered.map_err(|_| CallError::ActorStopped)?;
    let connections = gateway.connections().counts();
    let of = |(limit, hits)| match limit {
        Limit::Sessions => (limit, remembered.forgotten),
        Limit::Connections => (limit, connections.refused_in_all()),
        Limit::AddressConnections => (limit, connections.refused_of_address()),
        Limit::Message
        | Limit::Waiting
        | Limit::CallTime
        | Limit::Kept
        | Limit::Log
        | Limit::PeerWaiting
        | Limit::Scenarios
        | Limit::ScenarioMemory
        | Limit::ScenarioEvents
        | Limit::ScenarioTime
        | Limit::Unread
        | Limit::BodyTime => (limit, hits),
    };
    Ok((gateway.admission().hits().map(of).collect(), remembered))
}

async fn links(gateway: &Gateway) -> Result<Vec<LinkState>, CallError> {
    let mut links = Vec::new();
    for link in &gateway.bank().links {
        links.push(link.send(ReadLink).await.map_err(|_| CallError::ActorStopped)?);
    }
    Ok(links)
}

/// Of the branches that are up.
async fn summaries(gateway: &Gateway) -> Result<Vec<BranchSummary>, CallError> {
    let mut summaries = Vec::new();
    for branch in gateway.bank().branches.values() {
        summaries.extend(branch.send(Summarize).await.map_err(|_| CallError::ActorStopped)?);
    }
    Ok(summaries)
}
