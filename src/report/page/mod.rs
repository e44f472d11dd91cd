//! A page of HTML with everything in it: no font, no network, and nothing that needs its script.

mod pictures;
mod run;
mod sheet;
mod slices;

pub(crate) use pictures::figure;
pub(crate) use run::{RunPage, write_run};
pub(crate) use sheet::{Sheet, section};
