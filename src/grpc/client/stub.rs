//! The way to a branch elsewhere for customers here: an actor that stands where that branch's
//! mailbox would.

use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use tonic::Status;
use tonic::transport::Channel;

use super::classic_stub::ClassicBranch;
use super::problem::CallProblem;
use super::reply::ReplyFields;
use crate::actors::{Answer, Ask};
use crate::bank::{Entry, Passbook, Session};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::bank_service_client::BankServiceClient;
use crate::grpc::seal::Seal;
use crate::grpc::token::{passbook_of, token_of};
use crate::grpc::trailers::{Trailers, request_error_of};
use crate::model::{
    BranchId, CustomerId, Dot, Event, LogPosition, Operation, Outcome, Receipt, RequestError,
    Roster, Write, WriteKind,
};

/// Takes what customers ask of one branch elsewhere, and asks it there.
#[derive(Debug)]
pub struct ClientStub {
    branch: RemoteBranch,
    /// Whether it was told that the branch gives no answer.
    has_warned: bool,
}

/// A branch elsewhere, in the contract in which it is spoken to.
#[derive(Debug, Clone)]
pub enum RemoteBranch {
    /// Package `banking`.
    Classic(ClassicBranch),
    /// Package `passbook.v1`.
    Typed(TypedBranch),
}

/// A branch elsewhere that speaks the typed contract.
#[derive(Debug, Clone)]
pub struct TypedBranch {
    /// The branch.
    pub branch: BranchId,
    /// The way there.
    pub channel: Channel,
    /// With which its bank seals passbooks.
    pub tokens: Seal,
    /// All branches of that bank.
    pub roster: Arc<Roster>,
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
pub struct TypedStub {
    client: BankServiceClient<Channel>,
}

/// What a [`TypedStub`] answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedReply {
    /// How the request ended.
    pub outcome: Outcome,
    /// The passbook to show next, if there is one.
    pub passbook: Option<Vec<u8>>,
}

impl TypedStub {
    /// The branch behind `channel`.
    pub fn new(channel: Channel) -> Self {
        Self { client: BankServiceClient::new(channel) }
    }

    /// Asks what `event` says. An error where it is not known what became of it, or where the
    /// answer makes no sense.
    pub async fn ask(
        &mut self,
        customer: CustomerId,
        event: Event,
        passbook: Option<Vec<u8>>,
    ) -> Result<TypedReply, Status> {
        match call_typed(&mut self.client, customer, event, passbook.clone()).await {
            Ok(Response { balance, passbook, .. }) => {
                let receipt = match event.operation {
                    Operation::Write(_) => Receipt::Written,
                    Operation::Query => {
                        let no_balance = |_| Status::internal(format!("a balance of '{balance}'"));
                        Receipt::Balance(balance.parse().map_err(no_balance)?)
                    }
                };
                Ok(TypedReply { outcome: Ok(receipt), passbook: Some(passbook) })
            }
            Err(status) => match request_error_of(&status) {
                Some((error, Trailers { token, .. })) => {
                    // One that has no room for a passbook leaves the customer with the one it has.
                    Ok(TypedReply { outcome: Err(error), passbook: token.or(passbook) })
                }
                None => Err(status),
            },
        }
    }
}

impl ClientStub {
    /// The way to `branch`.
    pub fn new(branch: RemoteBranch) -> Self {
        Self { branch, has_warned: false }
    }

    /// Says at once, and once, that the branch gives no answer: the report may be far away.
    fn warn_of(&mut self, outcome: &Outcome) {
        if let Err(error @ RequestError::NoAnswer { .. }) = outcome
            && !std::mem::replace(&mut self.has_warned, true)
        {
            log::warn!("{error}");
        }
    }
}

impl RemoteBranch {
    fn id(&self) -> BranchId {
        match self {
            Self::Classic(branch) => branch.id(),
            Self::Typed(branch) => branch.branch,
        }
    }

    async fn ask(&self, ask: &Ask) -> ReplyFields {
        match self {
            Self::Classic(branch) => branch.ask(ask).await,
            Self::Typed(branch) => branch.ask(ask).await,
        }
    }
}

impl TypedBranch {
    async fn ask(&self, ask: &Ask) -> ReplyFields {
        match self.ask_typed(ask).await {
            Ok(response) => self.read(response, ask.operation),
            Err(status) => self.read_error(&status, ask),
        }
    }

    async fn ask_typed(&self, ask: &Ask) -> Result<Response, Status> {
        let mut client = BankServiceClient::new(self.channel.clone());
        let event = Event { id: ask.event, branch: self.branch, operation: ask.operation };
        let passbook = ask
            .session
            .as_ref()
            .map(|session| token_of(&session.passbook, &self.tokens, &self.roster));
        call_typed(&mut client, ask.customer, event, passbook).await
    }

    fn read(&self, response: Response, operation: Operation) -> ReplyFields {
        let Response { balance, position, passbook } = response;
        let (Ok(balance), Ok(passbook)) =
            (balance.parse(), passbook_of(&passbook, &self.tokens, &self.roster))
        else {
            let reason = "no balance, or no passbook of this bank".to_owned();
            return ReplyFields::no_answer(self.branch, &CallProblem::Malformed { reason });
        };
        let outcome = Ok(match operation {
            Operation::Query => Receipt::Balance(balance),
            Operation::Write(_) => Receipt::Written,
        });
        let (position, entry) = (LogPosition::new(position), Entry::Passbook(passbook));
        ReplyFields { outcome, position, balance, entry }
    }

    fn read_error(&self, status: &Status, ask: &Ask) -> ReplyFields {
        let Some((error, Trailers { token, balance, position })) = request_error_of(status) else {
            return ReplyFields::no_answer(self.branch, &CallProblem::from(status));
        };
        let passbook = match token {
            Some(token) => Some(passbook_of(&token, &self.tokens, &self.roster)),
            // There was no room for it. The session goes on without any.
            None => is_loss(&error).then(|| Ok(Passbook::new(&self.roster))),
        };
        let entry = match passbook {
            Some(Ok(passbook)) => match &ask.session {
                Some(Session { passbook: shown, .. }) if is_loss(&error) => {
                    Entry::Lost(left_of(shown, &passbook, &self.roster))
                }
                Some(_) | None => Entry::Passbook(passbook),
            },
            Some(Err(_)) | None => Entry::Nothing,
        };
        ReplyFields { outcome: Err(error), position, balance, entry }
    }
}

fn is_loss(error: &RequestError) -> bool {
    matches!(error, RequestError::WritesLost { .. })
}

/// Of each life in the passbook that was `shown` the last write in the one that came back.
fn left_of(shown: &Passbook, back: &Passbook, roster: &Roster) -> Vec<Dot> {
    let lives = [&shown.writes, &shown.reads].map(|shown| shown.last_dots(roster)).concat();
    let left = |dot: Dot| {
        let origin = roster.origin(dot)?;
        let sequence = back.writes.get(origin).max(back.reads.get(origin));
        Some(Dot { sequence, ..dot })
    };
    lives.into_iter().filter_map(left).collect()
}

impl Actor for ClientStub {
    type Context = Context<Self>;
}

impl Handler<Ask> for ClientStub {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        let remote = self.branch.clone();
        let asked = async move {
            let told = remote.ask(&ask).await;
            (ask, told)
        };
        ctx.spawn(asked.into_actor(self).map(|(ask, told), link, _| {
            let ReplyFields { outcome, position, balance, entry } = told;
            link.warn_of(&outcome);
            let (request, branch, waited) = (ask.request, link.branch.id(), None);
            ask.reply_to.send(Answer {
                request,
                branch,
                outcome,
                position,
                balance,
                entry,
                waited,
            });
        }));
    }
}
