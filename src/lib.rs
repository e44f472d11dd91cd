//! passbook: a simulated distributed bank of actors, for client-centric consistency.
//!
//! Branches replicate one account; customers go from branch to branch. `docs/ARCHITECTURE.md`
//! says what is where, and which module may import which.

#[cfg(feature = "grpc")]
pub mod actors;
pub mod bank;
#[cfg(feature = "cli")]
pub mod batch;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
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
pub mod source;
