//! The way to a branch elsewhere for customers here: an actor that stands where that branch's
//! mailbox would.

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};
use tonic::Status;
use tonic::transport::Channel;

use super::convert::{ClassicCall, FieldError, WriteSetText, money_from_float};
use super::proto::banking::branch_client::BranchClient;
use super::proto::banking::{BranchReply, BranchRequest};
use super::proto::v1;
use super::proto::v1::bank_service_client::BankServiceClient;
use super::remote::{Contract, RemoteError};
use super::status::ClassicStatus;
use super::token::{BankMark, passbook_of, token_of};
use super::trailers::{Trailers, request_error_of};
use super::wire::LinkError;
use crate::actors::{Answer, Ask, AwaitSettled, Settled};
use crate::bank::Entry;
use crate::model::{
    BranchId, CustomerId, Event, EventId, LogPosition, Money, Operation, Outcome, Receipt,
    RequestError, Roster, Write, WriteId, WriteKind,
};

/// Takes what customers ask of one branch elsewhere, and asks it there.
#[derive(Debug)]
pub struct CounterLink {
    setup: ClientSetup,
}

/// Which branch it is, and how to speak to it.
#[derive(Debug, Clone)]
pub struct ClientSetup {
    /// The branch.
    pub branch: BranchId,
    /// The way there.
    pub channel: Channel,
    /// In which contract.
    pub contract: Contract,
    /// Which bank its passbooks are of.
    pub mark: BankMark,
    /// All branches of that bank.
    pub roster: Arc<Roster>,
}

/// An answer, but for whom it is.
struct Told {
    outcome: Outcome,
    position: LogPosition,
    balance: Money,
    entry: Entry,
}

/// What the typed responses have in common.
struct Response {
    balance: String,
    position: u64,
    passbook: Vec<u8>,
}

macro_rules! response {
    ($($message:ident),+) => {$(
        impl From<v1::$message> for Response {
            fn from(response: v1::$message) -> Self {
                let v1::$message { balance, position, passbook, .. } = response;
                Self { balance, position, passbook }
            }
        }
    )+};
}

response!(DepositResponse, WithdrawResponse, QueryResponse);

/// How a branch elsewhere stands, as far as the classic contract tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteState {
    /// Its balance.
    pub balance: Money,
    /// One customer's write set there.
    pub write_set: Vec<EventId>,
}

/// Asks the branch behind `channel` for its balance and the write set of `customer`.
pub async fn read_state(
    channel: Channel,
    customer: CustomerId,
) -> Result<RemoteState, RemoteError> {
    let request = BranchRequest::try_from(ClassicCall::ReadWriteSet { customer })
        .map_err(LinkError::Unsayable)?;
    let reply = BranchClient::new(channel).msg_delivery(request).await.map_err(LinkError::from)?;
    let BranchReply { write_sets, balance, .. } = reply.into_inner();
    let write_set = match WriteSetText::parse(&write_sets).map_err(LinkError::from)? {
        WriteSetText::Absent => Vec::new(),
        WriteSetText::Events(events) => events,
    };
    let balance = money_from_float(balance)
        .map_err(|problem| RemoteError::Balance { found: balance, problem })?;
    Ok(RemoteState { balance, write_set })
}

async fn call_typed(
    client: &mut BankServiceClient<Channel>,
    customer: CustomerId,
    Event { id, branch, operation }: Event,
    passbook: Option<Vec<u8>>,
) -> Result<Response, Status> {
    let (branch_id, customer_id, event_id) = (branch.get(), customer.get(), Some(id.get()));
    Ok(match operation {
        Operation::Query => {
            let request = v1::QueryRequest { branch_id, customer_id, event_id, passbook };
            client.query(request).await?.into_inner().into()
        }
        Operation::Write(Write { kind: WriteKind::Deposit, amount }) => {
            let amount = amount.to_string();
            let request = v1::DepositRequest { branch_id, customer_id, event_id, amount, passbook };
            client.deposit(request).await?.into_inner().into()
        }
        Operation::Write(Write { kind: WriteKind::Withdraw, amount }) => {
            let amount = amount.to_string();
            let request =
                v1::WithdrawRequest { branch_id, customer_id, event_id, amount, passbook };
            client.withdraw(request).await?.into_inner().into()
        }
    })
}

/// A branch elsewhere as a customer meets it who is no actor, and to whom the passbook is a token
/// that is shown as it came. Typed contract.
#[derive(Debug, Clone)]
pub struct TypedCounter {
    client: BankServiceClient<Channel>,
}

/// What a [`TypedCounter`] answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedReply {
    /// How the request ended.
    pub outcome: Outcome,
    /// The passbook to show next.
    pub passbook: Vec<u8>,
}

impl TypedCounter {
    /// The branch behind `channel`.
    pub fn new(channel: Channel) -> Self {
        Self { client: BankServiceClient::new(channel) }
    }

    /// Asks what `event` says. An error where nothing tells what became of it, or where the answer
    /// makes no sense.
    pub async fn ask(
        &mut self,
        customer: CustomerId,
        event: Event,
        passbook: Option<Vec<u8>>,
    ) -> Result<TypedReply, Status> {
        match call_typed(&mut self.client, customer, event, passbook).await {
            Ok(Response { balance, passbook, .. }) => {
                let receipt = match event.operation {
                    Operation::Write(_) => Receipt::Written,
                    Operation::Query => {
                        let no_balance = |_| Status::internal(format!("a balance of '{balance}'"));
                        Receipt::Balance(balance.parse().map_err(no_balance)?)
                    }
                };
                Ok(TypedReply { outcome: Ok(receipt), passbook })
            }
            Err(status) => match request_error_of(&status) {
                Some((error, Trailers { token, .. })) => {
                    Ok(TypedReply { outcome: Err(error), passbook: token })
                }
                None => Err(status),
            },
        }
    }
}

impl CounterLink {
    /// The way to the branch in `setup`.
    pub fn new(setup: ClientSetup) -> Self {
        Self { setup }
    }
}

impl ClientSetup {
    async fn ask(&self, ask: &Ask) -> Told {
        match self.contract {
            Contract::Typed => match self.ask_typed(ask).await {
                Ok(response) => self.read(response, ask.operation),
                Err(status) => self.read_error(&status, ask.operation),
            },
            Contract::Classic => match self.ask_classic(ask).await {
                Ok(told) => told,
                Err(status) => self.read_error(&status, ask.operation),
            },
        }
    }

    async fn ask_typed(&self, ask: &Ask) -> Result<Response, Status> {
        let mut client = BankServiceClient::new(self.channel.clone());
        let event = Event { id: ask.event, branch: self.branch, operation: ask.operation };
        let passbook = ask.session.as_ref().map(|session| token_of(&session.passbook, self.mark));
        call_typed(&mut client, ask.customer, event, passbook).await
    }

    fn read(&self, response: Response, operation: Operation) -> Told {
        let Response { balance, position, passbook } = response;
        let (Ok(balance), Ok(passbook)) =
            (balance.parse(), passbook_of(&passbook, self.mark, &self.roster))
        else {
            return self.no_answer(operation);
        };
        let outcome = Ok(match operation {
            Operation::Query => Receipt::Balance(balance),
            Operation::Write(_) => Receipt::Written,
        });
        let (position, entry) = (LogPosition::new(position), Entry::Passbook(passbook));
        Told { outcome, position, balance, entry }
    }

    fn read_error(&self, status: &Status, operation: Operation) -> Told {
        let Some((error, Trailers { token, balance, position })) = request_error_of(status) else {
            let branch = self.branch;
            log::warn!("branch {branch}: {}: {}", status.code(), status.message());
            return self.no_answer(operation);
        };
        let passbook = passbook_of(&token, self.mark, &self.roster);
        let entry = passbook.map_or(Entry::Nothing, Entry::Passbook);
        Told { outcome: Err(error), position, balance, entry }
    }

    /// Nothing that says what became of the request: a write may have taken effect.
    fn no_answer(&self, operation: Operation) -> Told {
        let branches = vec![self.branch];
        let error = match operation {
            Operation::Write(_) => RequestError::OutcomeUnknown { unconfirmed_by: branches },
            Operation::Query => RequestError::Unavailable { congested: branches },
        };
        let (position, balance) = (LogPosition::default(), Money::ZERO);
        Told { outcome: Err(error), position, balance, entry: Entry::Nothing }
    }

    async fn ask_classic(&self, ask: &Ask) -> Result<Told, Status> {
        let Ask { customer, event, .. } = *ask;
        let call = match ask.operation {
            Operation::Query => ClassicCall::Query { customer, event: Some(event) },
            Operation::Write(write) => {
                ClassicCall::Write { id: WriteId { customer, event }, write }
            }
        };
        let request = BranchRequest::try_from(call)
            .map_err(|error: FieldError| Status::invalid_argument(error.to_string()))?;
        let mut client = BranchClient::new(self.channel.clone());
        let reply = client.msg_delivery(request).await?.into_inner();
        let done = ClassicStatus::from_number(reply.status) == Some(ClassicStatus::Done);
        let mut balance = money_from_float(reply.balance);
        if let (Operation::Query, Ok(Money::ZERO)) = (ask.operation, balance) {
            // Some branches leave the balance out here, and tell it only beside a write set.
            let state = read_state(self.channel.clone(), customer).await;
            balance = balance.map(|zero| state.map_or(zero, |state| state.balance));
        }
        let outcome = match (ask.operation, done, balance) {
            (Operation::Write(_), true, _) => Ok(Receipt::Written),
            (Operation::Query, true, Ok(balance)) => Ok(Receipt::Balance(balance)),
            (Operation::Write(_) | Operation::Query, _, _) => {
                return Ok(self.no_answer(ask.operation));
            }
        };
        let (position, balance) = (LogPosition::default(), balance.unwrap_or_default());
        Ok(Told { outcome, position, balance, entry: Entry::Nothing })
    }
}

impl Actor for CounterLink {
    type Context = Context<Self>;
}

impl Handler<Ask> for CounterLink {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        let setup = self.setup.clone();
        let asked = async move {
            let Told { outcome, position, balance, entry } = setup.ask(&ask).await;
            let (request, branch) = (ask.request, setup.branch);
            let waited = None;
            ask.reply_to.send(Answer {
                request,
                branch,
                outcome,
                position,
                balance,
                entry,
                waited,
            });
        };
        ctx.spawn(asked.into_actor(self));
    }
}

impl Handler<AwaitSettled> for CounterLink {
    type Result = ();

    /// The wire has no word for it. With sync propagation a reply says it already.
    fn handle(&mut self, AwaitSettled { reply_to }: AwaitSettled, _: &mut Self::Context) {
        reply_to.send(Settled);
    }
}
