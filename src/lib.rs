//! passbook: a simulated distributed bank of actors, for client-centric consistency.
//!
//! Branches replicate one account; customers go from branch to branch. `docs/ARCHITECTURE.md`
//! tells what is where, and which module may import which.

pub mod actors;
pub mod bank;
pub mod batch;
pub mod check;
pub mod cli;
pub mod compare;
pub mod grpc;
pub mod history;
pub mod model;
pub mod network;
pub mod report;
pub mod run;
pub mod scenario;
pub mod source;
