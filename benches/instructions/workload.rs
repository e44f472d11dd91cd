//! What is counted: each workload does a piece of work once or several times.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use passbook::check::{self, Case, JudgeOptions, Verdicts};
use passbook::grpc::Endpoint;
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use passbook::model::{CustomerOrder, Propagation, Seed};
use passbook::run::{Judging, Recording, RunOptions, Runner};
use passbook::scenario::Scenario;
use passbook::scenario::generate::{Between, GenerateOptions, Generator};
use tokio::runtime::Builder;

use super::bank;
use super::scenarios::{deposits, parse, run};

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Three events at two branches: read, run, judged, written as a row.
    ClassicJudged,
    /// The same, not judged.
    Classic,
    /// 60,000 deposits at two branches, judged.
    ManyEventsAtTwo,
    /// The same at ten.
    ManyEventsAtTen,
    /// 300 deposits at a thousand branches, judged.
    ManyBranches,
    /// Three branches, two customers with ten events each, and messages that take their time;
    /// judged.
    Lag,
    /// A deposit over gRPC and TCP, client and server together.
    GrpcDeposit,
    /// A fact that the judge takes, and its share of the verdicts.
    FactJudged,
}

/// How often a workload is done in the shorter and in the longer of two processes. What they differ
/// by is what the work itself needs, without the start of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) few: usize,
    pub(crate) many: usize,
}

impl Workload {
    pub(crate) const ALL: [Self; 8] = [
        Self::ClassicJudged,
        Self::Classic,
        Self::ManyEventsAtTwo,
        Self::ManyEventsAtTen,
        Self::ManyBranches,
        Self::Lag,
        Self::GrpcDeposit,
        Self::FactJudged,
    ];

    /// Its name in the table and in the file of counts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ClassicJudged => "classic-judged",
            Self::Classic => "classic",
            Self::ManyEventsAtTwo => "60000-events-2-branches",
            Self::ManyEventsAtTen => "60000-events-10-branches",
            Self::ManyBranches => "300-writes-1000-branches",
            Self::Lag => "lag-3-branches-2x10-events",
            Self::GrpcDeposit => "grpc-deposit",
            Self::FactJudged => "fact-judged",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.name() == name)
    }

    pub(crate) const fn times(self) -> Times {
        match self {
            Self::ClassicJudged | Self::Classic | Self::Lag => Times { few: 100, many: 600 },
            Self::ManyEventsAtTwo | Self::ManyEventsAtTen | Self::ManyBranches => {
                Times { few: 0, many: 1 }
            }
            Self::GrpcDeposit => Times { few: 300, many: 1_300 },
            Self::FactJudged => Times { few: 0, many: FACTS_TIMES },
        }
    }

    /// Of how many pieces the work of one time consists.
    pub(crate) fn pieces(self) -> usize {
        match self {
            Self::FactJudged => facts().1.len(),
            Self::ClassicJudged
            | Self::Classic
            | Self::ManyEventsAtTwo
            | Self::ManyEventsAtTen
            | Self::ManyBranches
            | Self::Lag
            | Self::GrpcDeposit => 1,
        }
    }

    /// Does the work `times` times.
    pub(crate) fn work(self, times: usize) {
        let judged = |text: &str| run(text, Judging::On, times);
        let classic = include_str!("../../input/monotonic_writes.json");
        let written = match self {
            Self::ClassicJudged => judged(classic),
            Self::Classic => run(classic, Judging::Off, times),
            Self::ManyEventsAtTwo => judged(&deposits(2, 60_000)),
            Self::ManyEventsAtTen => judged(&deposits(10, 60_000)),
            Self::ManyBranches => judged(&deposits(1_000, 300)),
            Self::Lag => judged(&with_lag(10)),
            Self::GrpcDeposit => deposit(times),
            Self::FactJudged => judge(times),
        };
        std::hint::black_box(written);
    }
}

/// How often the facts of a run are judged.
const FACTS_TIMES: usize = 10;

/// Two customers of `events` events each at three branches, with lag.
fn with_lag(events: u32) -> String {
    let exactly = |number| Between::only(NonZeroU32::new(number).expect("above 0"));
    let options = GenerateOptions {
        seed: Seed(7),
        branches: exactly(3),
        customers: exactly(2),
        events: exactly(events),
        propagation: Some(Propagation::Async),
        latency: Some("uniform:1ms..20ms".parse().expect("a latency")),
        customer_order: Some(CustomerOrder::Concurrent),
        ..GenerateOptions::default()
    };
    let scenario = Generator::new(options).expect("options that fit").scenario(1);
    serde_json::to_string(&scenario).expect("a scenario can be written")
}

/// A run with lag, and what happened in it.
fn facts() -> (Scenario, Vec<passbook::history::Recorded>) {
    let scenario = parse(&with_lag(1_000));
    let options = RunOptions { recording: Recording::Facts, ..RunOptions::default() };
    let run = Runner::default().run(&scenario, &options, None);
    let facts = run.expect("it runs to its end").facts;
    (scenario, facts)
}

fn judge(times: usize) -> usize {
    let (scenario, facts) = facts();
    let case = Case::new(Arc::clone(&scenario.roster), scenario.opening_balance);
    let verdicts = |_| check::judge(case.clone(), JudgeOptions::default(), &facts);
    (0..times)
        .map(verdicts)
        .map(|verdicts| verdicts.expect("a history that a run can have"))
        .map(|verdicts: Verdicts| verdicts.iter().count())
        .sum()
}

/// One call after the other.
fn deposit(times: usize) -> usize {
    let address = bank::start(1);
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let endpoint = Endpoint::new(&format!("http://{address}")).expect("an address");
        let channel = endpoint.connect(Duration::from_secs(10)).await.expect("it listens");
        let mut client = BankServiceClient::new(channel);
        for _ in 0..times {
            let request = v1::DepositRequest {
                branch_id: 1,
                customer_id: 1,
                event_id: None,
                amount: "1".to_owned(),
                passbook: None,
            };
            client.deposit(request).await.expect("it answers");
        }
    });
    times
}
