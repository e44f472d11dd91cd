//! `passbook batch`: many scenarios at full speed.

mod args;
mod command;
mod decode;
mod files;
mod filter;
mod interrupt;
mod job;
mod lines;
mod reading;
mod resume;
mod screen;

pub(super) use args::BatchArgs;
pub(super) use command::run_batch;
pub(super) use decode::read_all;
pub(super) use files::{expected_results, unpacked};
