//! Recorded facts of a run: the one interface between running, judging and reporting.
//!
//! A [`Fact`] says what happened, never why or whether it should have. Knows no actor and no bank.

mod fact;
mod request;

pub use fact::{Fact, MessageBody, Recorded};
pub use request::RequestResult;
