//! A bank that is open for one test, and clients of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use passbook::bank::{BranchConfig, Timeouts};
use passbook::grpc::proto::banking::branch_client::BranchClient;
use passbook::grpc::proto::banking::{BranchReply, BranchRequest};
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use passbook::grpc::seal::{BankKeys, BankSecret};
use passbook::grpc::{Channel, EdgeError, Limits, Origin, Scenarios, Services};
use passbook::model::{
    BranchId, Durability, GuaranteePolicy, Life, Money, Overdraft, Propagation, Roster, Seed,
};
use passbook::network::LinkLatencies;
use passbook::run::{LinkOptions, LiveBank, LiveOptions};
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Endpoint, Uri};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Longer than anything here takes; only a defect takes as long.
const LIMIT: Duration = Duration::from_secs(30);

/// The life in which its branches are.
pub(crate) const LIFE: Life = Life::new(5);

/// A bank behind in-memory connections.
pub(crate) struct TestBank {
    pub(crate) bank: LiveBank,
    pub(crate) served: JoinHandle<Result<(), EdgeError>>,
    pub(crate) close: oneshot::Sender<()>,
    way_in: mpsc::UnboundedSender<io::Result<DuplexStream>>,
}

/// Runs a test where actors live.
pub(crate) fn in_system<T>(test: impl Future<Output = T>) -> T {
    actix::System::new().block_on(async {
        tokio::time::timeout(LIMIT, test).await.expect("a test ends in half a minute")
    })
}

pub(crate) fn branch(id: u32) -> BranchId {
    BranchId::new(i64::from(id)).expect("a fit number")
}

/// A bank of `branches` that all live here; each has 100.
pub(crate) fn bank_of(branches: u32) -> LiveOptions {
    let roster = Arc::new(Roster::new((1..=branches).map(branch)).expect("branches"));
    let opening_balance = Money::from_minor(10_000);
    LiveOptions {
        keys: BankKeys::new(&BankSecret::public(), "test", &roster, opening_balance),
        roster,
        opening_balance,
        life: LIFE,
        branch: BranchConfig {
            durability: Durability::Memory,
            propagation: Propagation::Sync,
            overdraft: Overdraft::Reject,
            timeouts: Timeouts {
                confirm_limit: Some(Duration::from_millis(300)),
                wait_limit: Some(Duration::from_millis(300)),
                ..Timeouts::default()
            },
            log_max: None,
            kept_max: None,
        },
        guarantees: GuaranteePolicy::default(),
        latencies: LinkLatencies::default(),
        faults: None,
        seed: Seed::default(),
        elsewhere: BTreeMap::new(),
        // Whoever is there is found, however busy the machine is.
        links: LinkOptions { return_limit: Duration::from_secs(20), ..LinkOptions::default() },
        sessions_max: 1000,
    }
}

impl TestBank {
    /// Opens `options` behind one listener for all branches.
    pub(crate) fn open(options: &LiveOptions) -> Self {
        Self::with(options, Limits::default(), None)
    }

    pub(crate) fn with(options: &LiveOptions, limits: Limits, branch: Option<BranchId>) -> Self {
        Self::for_pages(options, limits, branch, &[])
    }

    /// The same, for pages in browsers from `origins` too.
    pub(crate) fn for_pages(
        options: &LiveOptions,
        limits: Limits,
        branch: Option<BranchId>,
        origins: &[Origin],
    ) -> Self {
        let bank = LiveBank::open(options, Vec::new());
        let (gateway, scenarios) = (bank.gateway().clone(), Scenarios::none());
        let services = Services { gateway, scenarios, limits, origins: origins.into() };
        let (way_in, connections) = mpsc::unbounded_channel();
        let (close, closed) = oneshot::channel();
        let served = actix_rt::spawn(async move {
            let closed = async { assert!(closed.await.is_ok(), "a bank is closed in order") };
            let connections = UnboundedReceiverStream::new(connections);
            services.serve_incoming(connections, branch, closed).await
        });
        Self { bank, served, close, way_in }
    }

    /// One end of a new connection.
    pub(crate) fn wire(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        self.way_in.send(Ok(theirs)).expect("the bank is open");
        ours
    }

    /// A channel through a connection of its own.
    pub(crate) async fn channel(&self) -> Channel {
        self.channel_of(Endpoint::from_static("http://in-memory")).await
    }

    /// The same with the settings of `endpoint`. The bank serves by then.
    async fn channel_of(&self, endpoint: Endpoint) -> Channel {
        // Or closes, which is as well.
        drop(self.bank.gateway().enter_gate().await);
        let mut wire = Some(self.wire());
        let connector = tower::service_fn(move |_: Uri| {
            let wire = wire.take().map(TokioIo::new);
            std::future::ready(wire.ok_or_else(|| io::Error::other("one connection")))
        });
        endpoint.connect_with_connector(connector).await.expect("the bank is open")
    }

    /// A client that lets the server send little ahead of what it reads.
    pub(crate) async fn slow(&self) -> Typed {
        let endpoint = Endpoint::from_static("http://in-memory").initial_stream_window_size(1024);
        Typed(BankServiceClient::new(self.channel_of(endpoint).await))
    }

    pub(crate) async fn typed(&self) -> Typed {
        Typed(BankServiceClient::new(self.channel().await))
    }

    pub(crate) async fn classic(&self) -> Classic {
        Classic(BranchClient::new(self.channel().await))
    }
}

/// A client of the typed contract.
#[derive(Clone)]
pub(crate) struct Typed(pub(crate) BankServiceClient<Channel>);

/// What a test asks: branch, customer and event id.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) u32, pub(crate) u32, pub(crate) Option<u32>);

impl Typed {
    pub(crate) async fn deposit(
        &mut self,
        at: At,
        amount: &str,
        passbook: Option<&[u8]>,
    ) -> Result<v1::DepositResponse, Status> {
        let At(branch_id, customer_id, event_id) = at;
        let (amount, passbook) = (amount.to_owned(), passbook.map(<[u8]>::to_vec));
        let request = v1::DepositRequest { branch_id, customer_id, event_id, amount, passbook };
        Ok(self.0.deposit(request).await?.into_inner())
    }

    pub(crate) async fn withdraw(
        &mut self,
        at: At,
        amount: &str,
    ) -> Result<v1::WithdrawResponse, Status> {
        let At(branch_id, customer_id, event_id) = at;
        let amount = amount.to_owned();
        let request =
            v1::WithdrawRequest { branch_id, customer_id, event_id, amount, passbook: None };
        Ok(self.0.withdraw(request).await?.into_inner())
    }

    pub(crate) async fn query(
        &mut self,
        at: At,
        passbook: Option<&[u8]>,
    ) -> Result<v1::QueryResponse, Status> {
        let At(branch_id, customer_id, event_id) = at;
        let passbook = passbook.map(<[u8]>::to_vec);
        let request = v1::QueryRequest { branch_id, customer_id, event_id, passbook };
        Ok(self.0.query(request).await?.into_inner())
    }

    pub(crate) async fn get(&mut self, branch_id: u32) -> Result<v1::GetBranchResponse, Status> {
        let view = v1::BranchView::Full.into();
        let request = v1::GetBranchRequest { branch_id, view };
        Ok(self.0.get_branch(request).await?.into_inner())
    }

    /// Waits until the branch holds so many writes.
    pub(crate) async fn holds(&mut self, branch_id: u32, writes: usize) -> v1::GetBranchResponse {
        loop {
            let state = self.get(branch_id).await.expect("it answers");
            if state.events.len() >= writes {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A client of the classic contract.
#[derive(Clone)]
pub(crate) struct Classic(pub(crate) BranchClient<Channel>);

impl Classic {
    /// Sends `request` to the branch that the metadata names.
    pub(crate) async fn send_to(
        &mut self,
        branch: &str,
        request: BranchRequest,
    ) -> Result<BranchReply, Status> {
        let mut request = tonic::Request::new(request);
        request.metadata_mut().insert("branch", branch.parse().expect("ASCII"));
        Ok(self.0.msg_delivery(request).await?.into_inner())
    }

    /// Sends `request` to the listener's own branch.
    pub(crate) async fn send(&mut self, request: BranchRequest) -> BranchReply {
        self.0.msg_delivery(request).await.expect("a reply").into_inner()
    }

    /// Sends `request` to the listener's own branch, which answers with 400; the reason in its
    /// trailers.
    pub(crate) async fn reason(&mut self, request: BranchRequest) -> String {
        let response = self.0.msg_delivery(request).await.expect("a reply");
        let reason = response.metadata().get("passbook-reason").cloned();
        assert_eq!(response.into_inner().status, 400, "{reason:?}");
        reason.expect("a reason").to_str().expect("ASCII").to_owned()
    }
}

/// A write by customer 1.
pub(crate) fn write(interface: &str, event_id: i32, money: f32) -> BranchRequest {
    BranchRequest {
        r#type: "customer".to_owned(),
        interface: interface.to_owned(),
        money,
        id: 1,
        event_id,
        customer_id: 1,
        ..BranchRequest::default()
    }
}

/// A write by customer 1 that the branch `from` hands on.
pub(crate) fn relayed(from: i32, event_id: i32, money: f32) -> BranchRequest {
    BranchRequest { r#type: "branch".to_owned(), id: from, ..write("deposit", event_id, money) }
}

pub(crate) fn read_writes() -> BranchRequest {
    BranchRequest { customer_id: 1, read_writes: true, ..BranchRequest::default() }
}

pub(crate) fn reply(status: i32, write_sets: &str, balance: f32) -> BranchReply {
    BranchReply { status, write_sets: write_sets.to_owned(), balance }
}

/// Code and reason of an error.
#[track_caller]
pub(crate) fn assert_told<T: std::fmt::Debug>(
    answer: Result<T, Status>,
    code: Code,
    reason: &str,
) -> Status {
    let status = answer.expect_err("an error");
    let info = status.get_details_error_info();
    let found = info.map(|info| info.reason).unwrap_or_default();
    assert_eq!((status.code(), found.as_str()), (code, reason), "{status:?}");
    status
}

/// What the error's details say under `key`.
pub(crate) fn told(status: &Status, key: &str) -> String {
    let info = status.get_details_error_info().expect("details");
    info.metadata.get(key).cloned().unwrap_or_default()
}
