//! Asks a bank elsewhere, through `grpc.health.v1`, whether it takes requests.

use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::endpoint::Endpoint;
use super::problem::{Absence, CallProblem};

/// Why a bank elsewhere takes no requests. Reads on from its address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HealthProblem {
    /// It gives no answer.
    #[error(transparent)]
    NoAnswer(#[from] CallProblem),
    /// It speaks gRPC and is not asked so.
    #[error("has no service grpc.health.v1.Health")]
    NoService,
    /// It says so itself.
    #[error("takes no requests now: it says {}", .said.as_str_name())]
    NotServing {
        /// What it says.
        said: ServingStatus,
    },
}

/// Whether the whole of what listens at `endpoint` takes requests; it is waited for up to `limit`.
pub async fn check_health(endpoint: &Endpoint, limit: Duration) -> Result<(), HealthProblem> {
    let asked = timeout(limit, ask(endpoint, limit)).await;
    let answer = asked.unwrap_or(Err(CallProblem::Late { limit }.into()));
    match answer {
        Err(HealthProblem::NoAnswer(CallProblem::Absent(absence))) => {
            Err(CallProblem::Absent(endpoint.find_out(absence, limit).await).into())
        }
        answer => answer,
    }
}

async fn ask(endpoint: &Endpoint, limit: Duration) -> Result<(), HealthProblem> {
    let channel = endpoint.connect(limit).await.map_err(CallProblem::from)?;
    let asked = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    let said = asked.map_err(|status| {
        let problem = CallProblem::from(&status);
        if problem == CallProblem::Absent(Absence::NoService) {
            return HealthProblem::NoService;
        }
        problem.into()
    })?;
    match said.into_inner().status() {
        ServingStatus::Serving => Ok(()),
        said @ (ServingStatus::Unknown
        | ServingStatus::NotServing
        | ServingStatus::ServiceUnknown) => Err(HealthProblem::NotServing { said }),
    }
}
