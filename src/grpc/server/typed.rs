//! The typed contract, served: parse, send, map.

use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::gateway::Gateway;
use super::pages::{self, Reading};
use super::scenario::ScenarioJob;
use super::scenarios::Scenarios;
use super::{statistics, watch};
use crate::actors::{
    BranchState, BranchSummary, Call, Inspect, PassbookSource, Submitted, Summarize, Watch,
};
use crate::bank::Passbook;
use crate::grpc::convert::{self, version_entries};
use crate::grpc::error::CallError;
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::bank_service_server::BankService;
use crate::grpc::token::{passbook_of, token_of};
use crate::grpc::trailers::{Trailers, status_of};
use crate::model::number::count;
use crate::model::{BranchId, LogPosition, Operation, Receipt, Write, WriteKind};

/// The typed service of the whole bank.
#[derive(Clone)]
pub(super) struct TypedService {
    gateway: Gateway,
    /// A new customer's passbook.
    blank: Passbook,
    scenarios: Scenarios,
}

impl std::fmt::Debug for TypedService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedService").field("gateway", &self.gateway).finish_non_exhaustive()
    }
}

impl TypedService {
    /// The service behind `gateway`; scenarios are run by `scenarios`.
    pub(super) fn new(gateway: Gateway, scenarios: Scenarios) -> Self {
        let blank = Passbook::new(&gateway.bank().roster);
        Self { gateway, blank, scenarios }
    }

    /// What a customer asks. What all requests have in common is a query; what all responses have,
    /// a deposit's.
    async fn ask(
        &self,
        asked: v1::QueryRequest,
        operation: Operation,
    ) -> Result<v1::DepositResponse, Status> {
        let call = self.call(asked, operation).map_err(Status::from)?;
        let brought = self.gateway.serve(call).await.map_err(Status::from)?;
        let Submitted { event, outcome, balance, position, passbook } = brought;
        let bank = self.gateway.bank();
        let token = token_of(&passbook, &bank.keys.tokens, &bank.roster);
        let balance = match outcome {
            Ok(Receipt::Balance(balance)) => balance,
            Ok(Receipt::Written) => balance,
            Err(error) => {
                let trailers = Trailers { token: Some(token), balance, position };
                return Err(status_of(error, &trailers));
            }
        };
        Ok(v1::DepositResponse {
            event_id: event.get(),
            balance: balance.to_string(),
            position: position.get(),
            passbook: token,
        })
    }

    fn call(&self, asked: v1::QueryRequest, operation: Operation) -> Result<Call, CallError> {
        let v1::QueryRequest { branch_id, customer_id, event_id, passbook } = asked;
        let bank = self.gateway.bank();
        let event = event_id.map(|id| convert::event_id("event_id", id)).transpose()?;
        let passbook = match passbook {
            Some(token) => passbook_of(&token, &bank.keys.tokens, &bank.roster)?,
            None => self.blank.clone(),
        };
        Ok(Call {
            branch: convert::branch_id("branch_id", branch_id)?,
            customer: convert::customer_id("customer_id", customer_id)?,
            event: event.into(),
            operation,
            passbook: PassbookSource::Carried(passbook),
        })
    }

    fn write(kind: WriteKind, amount: &str) -> Result<Operation, Status> {
        let amount = convert::amount("amount", amount).map_err(CallError::from)?;
        Ok(Operation::Write(Write { kind, amount }))
    }

    async fn summarize(&self, branch: BranchId) -> Result<v1::BranchSummary, CallError> {
        Ok(self.summary(&self.gateway.ask(branch, Summarize).await?))
    }

    /// The balance is left out where it is out of range.
    fn summary(&self, summary: &BranchSummary) -> v1::BranchSummary {
        let BranchSummary { id, balance, version, position, .. } = summary;
        v1::BranchSummary {
            branch_id: id.get(),
            balance: balance.map_or_else(String::new, |balance| balance.to_string()),
            version: Some(version_entries(version, &self.gateway.bank().roster)),
            position: position.get(),
        }
    }
}

fn branch_id(number: u32) -> Result<BranchId, CallError> {
    convert::branch_id("branch_id", number).map_err(CallError::from)
}

#[tonic::async_trait]
impl BankService for TypedService {
    type ReadBranchStream = ReceiverStream<Result<v1::ReadBranchResponse, Status>>;
    type WatchBranchStream = ReceiverStream<Result<v1::WatchBranchResponse, Status>>;
    type RunScenarioStream = ReceiverStream<Result<v1::RunScenarioResponse, Status>>;

    async fn deposit(
        &self,
        request: Request<v1::DepositRequest>,
    ) -> Result<Response<v1::DepositResponse>, Status> {
        let v1::DepositRequest { branch_id, customer_id, event_id, amount, passbook } =
            request.into_inner();
        let write = Self::write(WriteKind::Deposit, &amount)?;
        let asked = v1::QueryRequest { branch_id, customer_id, event_id, passbook };
        self.ask(asked, write).await.map(Response::new)
    }

    async fn withdraw(
        &self,
        request: Request<v1::WithdrawRequest>,
    ) -> Result<Response<v1::WithdrawResponse>, Status> {
        let v1::WithdrawRequest { branch_id, customer_id, event_id, amount, passbook } =
            request.into_inner();
        let write = Self::write(WriteKind::Withdraw, &amount)?;
        let asked = v1::QueryRequest { branch_id, customer_id, event_id, passbook };
        let v1::DepositResponse { event_id, balance, position, passbook } =
            self.ask(asked, write).await?;
        Ok(Response::new(v1::WithdrawResponse { event_id, balance, position, passbook }))
    }

    async fn query(
        &self,
        request: Request<v1::QueryRequest>,
    ) -> Result<Response<v1::QueryResponse>, Status> {
        let v1::DepositResponse { balance, position, passbook, .. } =
            self.ask(request.into_inner(), Operation::Query).await?;
        Ok(Response::new(v1::QueryResponse { balance, position, passbook }))
    }

    async fn list_branches(
        &self,
        _: Request<v1::ListBranchesRequest>,
    ) -> Result<Response<v1::ListBranchesResponse>, Status> {
        self.gateway.refuse_if_draining()?;
        let bank = self.gateway.bank();
        let mut branches = Vec::with_capacity(bank.branches.len());
        for &branch in bank.branches.keys() {
            branches.push(self.summarize(branch).await?);
        }
        let elsewhere = bank.roster.ids().iter().filter(|id| !bank.branches.contains_key(id));
        let elsewhere_branch_ids = elsewhere.map(|id| id.get()).collect();
        Ok(Response::new(v1::ListBranchesResponse { branches, elsewhere_branch_ids }))
    }

    async fn get_branch(
        &self,
        request: Request<v1::GetBranchRequest>,
    ) -> Result<Response<v1::GetBranchResponse>, Status> {
        self.gateway.refuse_if_draining()?;
        let request = request.into_inner();
        let branch = branch_id(request.branch_id)?;
        let view = convert::branch_view("view", request.view).map_err(CallError::from)?;
        let (summary, log, writes_left_out, _turn) = match view {
            v1::BranchView::Brief => (self.summarize(branch).await?, Vec::new(), 0, None),
            v1::BranchView::Unspecified | v1::BranchView::Full => {
                let turn = self.gateway.turn().await?;
                let most = self.gateway.limits().log_entries_max;
                let BranchState { summary, log } =
                    self.gateway.ask(branch, Inspect { most }).await?;
                let given = count(log.len());
                let left_out = summary.position.get() - given;
                (self.summary(&summary), log, left_out, Some(turn))
            }
        };
        let (write_sets, events) = (convert::write_sets(&log), convert::branch_events(&log));
        let v1::BranchSummary { branch_id, balance, version, .. } = summary;
        Ok(Response::new(v1::GetBranchResponse {
            branch_id,
            balance,
            version,
            write_sets,
            events,
            writes_left_out,
        }))
    }

    async fn read_branch(
        &self,
        request: Request<v1::ReadBranchRequest>,
    ) -> Result<Response<Self::ReadBranchStream>, Status> {
        self.gateway.refuse_if_draining()?;
        let v1::ReadBranchRequest { branch_id: number, from_position, page_writes_max } =
            request.into_inner();
        let id = branch_id(number)?;
        let reading = Reading {
            branch: self.gateway.branch(id)?.clone(),
            length: self.gateway.ask(id, Watch).await?,
            summary: self.summarize(id).await?,
            after: LogPosition::new(from_position.saturating_sub(1)),
            page_writes_max,
        };
        Ok(Response::new(pages::stream(reading, self.gateway.clone())))
    }

    async fn watch_branch(
        &self,
        request: Request<v1::WatchBranchRequest>,
    ) -> Result<Response<Self::WatchBranchStream>, Status> {
        self.gateway.refuse_if_draining()?;
        let v1::WatchBranchRequest { branch_id: number, from_position } = request.into_inner();
        let branch = branch_id(number)?;
        let length = self.gateway.ask(branch, Watch).await?;
        let branch = self.gateway.branch(branch)?.clone();
        let after = LogPosition::new(from_position.saturating_sub(1));
        let gate = self.gateway.bank().gate.clone();
        Ok(Response::new(watch::stream((branch, length), after, gate)))
    }

    async fn get_statistics(
        &self,
        _: Request<v1::GetStatisticsRequest>,
    ) -> Result<Response<v1::GetStatisticsResponse>, Status> {
        Ok(Response::new(statistics::of(&self.gateway).await?))
    }

    async fn run_scenario(
        &self,
        request: Request<v1::RunScenarioRequest>,
    ) -> Result<Response<Self::RunScenarioStream>, Status> {
        let job = ScenarioJob::try_from(request.into_inner()).map_err(CallError::from)?;
        self.gateway.refuse_if_draining()?;
        let gate = self.gateway.bank().gate.clone();
        Ok(Response::new(self.scenarios.run(job, gate).await?))
    }
}
