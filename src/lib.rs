//! passbook: a simulated distributed bank of actors, for client-centric consistency.
//!
//! Branches replicate one account, and customers go from branch to branch. The crate runs such a
//! bank, keeps the four session guarantees of Terry et al. (1994) for each customer, or breaks them
//! on purpose, and judges from a recorded history whether they were kept.
//!
//! What it is used for, each with an example in `examples/`:
//!
//! - **The judge** ([`judge()`], [`check`]) says of any [`history`] whether each guarantee holds, and
//!   shows two operations and a write where one does not. It knows nothing of the bank, so a history
//!   of any replicated store will do: `judge_your_history.rs`.
//! - **The bank** ([`Branch`], [`bank`]) is one replica as a pure state machine: inputs in, effects
//!   out, no I/O and no clock: `drive_a_branch.rs`. What a client carries to keep its guarantees is a
//!   [`Passbook`]: `enforce_with_a_token.rs`.
//! - **A run** (`run`) sends the customers of a [`Scenario`] through a bank of actors, in virtual
//!   time or over sockets: `run_a_scenario.rs`.
//!
//! Without default features the crate is the judge, the bank and the scenarios, with no actor
//! framework, no gRPC and no async runtime; the feature `grpc` adds runs and the gRPC edge, and
//! `cli`, the default, the program. `docs/STABILITY.md` says which part of it all may change, and
//! `docs/ARCHITECTURE.md` what is where.
//!
//! A history told by hand, and judged:
//!
//! ```
//! use passbook::model::{BranchId, CustomerId, Roster, Write};
//! use passbook::{Case, Header, HistoryBuilder, JudgeOptions, Money, Overall, Property, judge};
//!
//! let (near, far) = (BranchId::new(1)?, BranchId::new(2)?);
//! let customer = CustomerId::new(1)?;
//! let deposit = Write::deposit("400".parse()?);
//!
//! let bank = Header::new("two branches", Roster::new([near, far])?, Money::ZERO);
//! let mut history = HistoryBuilder::new(&bank);
//! let id = history.writes(customer, near, deposit); // acknowledged
//! history.reads(customer, far, Money::ZERO); // and asked for elsewhere, too early
//! history.applies(far, id, deposit); // in the end it is everywhere
//!
//! let verdicts = judge(Case::of(&bank), JudgeOptions::default(), history.facts())?;
//! let verdict = verdicts.of(Property::ReadYourWrites).expect("judged of every history");
//! assert_eq!(verdict.summary(), Overall::Violated);
//! let witness = verdict.witness().expect("what is violated has a witness");
//! assert!(witness.sentence.starts_with("customer 1 deposited 400 at branch 1 (event 1)"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "grpc")]
pub mod actors;
pub mod bank;
#[cfg(feature = "cli")]
pub mod batch;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
#[cfg_attr(
    not(feature = "nats"),
    expect(dead_code, reason = "the shell around the server is left out, and nothing else")
)]
mod cluster;
#[cfg(feature = "cli")]
pub mod compare;
#[cfg(feature = "grpc")]
pub mod grpc;
pub mod history;
pub mod model;
pub mod network;
#[cfg(feature = "grpc")]
pub mod report;
#[cfg(feature = "grpc")]
pub mod run;
pub mod scenario;
#[cfg(feature = "cli")]
pub mod simulate;
#[cfg(feature = "cli")]
pub mod source;
#[cfg(feature = "grpc")]
pub mod storage;

pub use bank::{Branch, Passbook};
pub use check::{
    Case, Judge, JudgeOptions, Overall, Property, Verdict, Verdicts, judge, judge_cut_off,
};
pub use history::{Fact, Header, HistoryBuilder, Recorded};
pub use model::Money;
pub use scenario::Scenario;
