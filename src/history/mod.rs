//! Recorded facts of a run: the one interface between running, judging and reporting.
//!
//! A [`Fact`] says what happened, never why or whether it should have. A [`Writer`] turns facts
//! into a history file, a [`Reader`] turns the file into facts again; `docs/HISTORY.md` is the
//! format. Knows no actor, no bank and no file system.

mod builder;
mod error;
mod fact;
mod header;
mod lamport;
mod line;
mod lines;
mod outcome;
mod reader;
mod request;
mod writer;

pub use builder::HistoryBuilder;
pub use error::{HistoryError, HistoryProblem};
pub use fact::{Fact, MessageBody, Process, Recorded};
pub use header::{Header, Terms};
pub use lamport::Lamport;
pub use lines::{DOCUMENT_MAX, LineEnd, Lines};
pub use reader::{Entry, Extent, Reader};
pub use request::RequestResult;
pub use writer::Writer;
