//! What a batch would run, without running it.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::Shown;

/// A scenario that would be run.
#[derive(Debug, Serialize)]
pub(crate) struct Listing {
    /// Its place in the whole input, from 1.
    pub(super) number: u64,
    /// Where it stands.
    pub(super) place: String,
    /// What it is called; `None` if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

impl Listing {
    /// Its place, a tab and its name.
    pub(crate) fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { place, name, .. } = self;
        match name {
            Some(name) => writeln!(out, "{place}\t{}", Shown::name(name)),
            None => writeln!(out, "{place}"),
        }
    }

    /// The same as a line of JSON.
    pub(crate) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }
}
