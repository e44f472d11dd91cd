//! `passbook batch` as a shell sees it: many scenarios in, a row of each out.

mod again;
pub(crate) mod fixture;
mod histories;
mod inputs;
mod listed;
mod outputs;
mod results;
mod resume;
mod selection;
mod size;
mod stopping;
