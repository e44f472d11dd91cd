//! A customer that carries its passbook from branch to branch, and asks again where it gets no answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use passbook::model::{CustomerId, EventId, Money, Random, WriteId};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::process::{channel, typed};

/// What a customer asked, and what it was told.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) customer: CustomerId,
    pub(crate) asked: Vec<Asked>,
    /// The writes that it was told are refused.
    pub(crate) refused: Vec<WriteId>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) branch: u16,
    pub(crate) event: EventId,
    /// By how much the balance is to change; `None`: it asks for the balance.
    pub(crate) delta: Option<i64>,
    pub(crate) told: Told,
}

/// What it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is done, where the log was so long; the balance, to who asked for it.
    Done { position: u64, balance: Money },
    /// Nothing, or that nothing was done.
    Nothing,
}

impl Session {
    pub(crate) fn answered(&self) -> usize {
        self.asked.iter().filter(|asked| asked.told != Told::Nothing).count()
    }

    pub(crate) fn given_up(&self) -> usize {
        self.asked.len() - self.answered()
    }
}

/// What becomes of a request.
enum Outcome {
    Done { position: u64, balance: String, passbook: Vec<u8> },
    Refused,
    NoAnswer,
}

pub(crate) struct Client {
    session: Session,
    banks: Vec<BankServiceClient<Channel>>,
    chance: Random,
    passbook: Option<Vec<u8>>,
    event: u32,
}

impl Client {
    pub(crate) fn new(customer: u32, ports: Vec<u16>, chance: Random) -> Self {
        let bank = |port: u16| typed(channel(&format!("127.0.0.1:{port}")));
        let customer = CustomerId::new(customer.into()).unwrap();
        Self {
            session: Session { customer, asked: Vec::new(), refused: Vec::new() },
            banks: ports.into_iter().map(bank).collect(),
            chance,
            passbook: None,
            event: 0,
        }
    }

    /// Asks until `is_over`, and then until its last request is answered.
    pub(crate) async fn ask_until(mut self, is_over: Rc<Cell<bool>>) -> Session {
        while !is_over.get() {
            self.event += 1;
            let amount = i64::try_from(1 + self.chance.below(9)).unwrap();
            let delta = match self.chance.below(4) {
                0 => None,
                1 => Some(-amount),
                _ => Some(amount),
            };
            let mut branch = self.chance.below(3);
            while !self.ask(u16::try_from(branch).unwrap(), delta).await {
                branch = (branch + 1) % 3;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::time::sleep(Duration::from_millis(self.chance.below(8))).await;
        }
        self.session
    }

    /// Whether it was answered.
    async fn ask(&mut self, branch: u16, delta: Option<i64>) -> bool {
        let outcome = tokio::time::timeout(Duration::from_secs(5), self.call(branch, delta)).await;
        let event = EventId::new(self.event.into()).unwrap();
        let mut asked = Asked { branch: branch + 1, event, delta, told: Told::Nothing };
        let is_answered = match outcome.unwrap_or(Outcome::NoAnswer) {
            Outcome::Done { position, balance, passbook } => {
                self.passbook = Some(passbook);
                asked.told = Told::Done { position, balance: balance.parse().unwrap() };
                true
            }
            Outcome::Refused => {
                let customer = self.session.customer;
                self.session.refused.push(WriteId { customer, event });
                true
            }
            Outcome::NoAnswer => false,
        };
        self.session.asked.push(asked);
        is_answered
    }

    async fn call(&mut self, branch: u16, delta: Option<i64>) -> Outcome {
        let (branch_id, passbook) = (u32::from(branch) + 1, self.passbook.clone());
        let (customer_id, event_id) = (self.session.customer.get(), Some(self.event));
        let bank = &mut self.banks[usize::from(branch)];
        let amount = delta.map_or(String::new(), |delta| delta.abs().to_string());
        let called = match delta {
            None => {
                let request = v1::QueryRequest { branch_id, customer_id, event_id, passbook };
                let told = bank.query(request).await.map(tonic::Response::into_inner);
                told.map(|told| (told.position, told.balance, told.passbook))
            }
            Some(delta) if delta > 0 => {
                let request =
                    v1::DepositRequest { branch_id, customer_id, event_id, amount, passbook };
                let told = bank.deposit(request).await.map(tonic::Response::into_inner);
                told.map(|told| (told.position, told.balance, told.passbook))
            }
            Some(_) => {
                let request =
                    v1::WithdrawRequest { branch_id, customer_id, event_id, amount, passbook };
                let told = bank.withdraw(request).await.map(tonic::Response::into_inner);
                told.map(|told| (told.position, told.balance, told.passbook))
            }
        };
        match called {
            Ok((position, balance, passbook)) => Outcome::Done { position, balance, passbook },
            Err(status) => self.without(status),
        }
    }

    fn without(&mut self, status: Status) -> Outcome {
        if let Some(passbook) = status.metadata().get_bin("passbook-bin") {
            self.passbook = Some(passbook.to_bytes().unwrap().to_vec());
        }
        if status.code() == Code::FailedPrecondition {
            return Outcome::Refused;
        }
        let asks_again = [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::Unknown,
            Code::Cancelled,
            Code::Aborted,
            Code::ResourceExhausted,
        ];
        let customer = self.session.customer;
        assert!(asks_again.contains(&status.code()), "customer {customer} is told {status:?}");
        Outcome::NoAnswer
    }
}
