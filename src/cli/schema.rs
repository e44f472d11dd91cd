//! `passbook schema`: the JSON Schema of scenario files.

use std::io;

use super::exit::Exit;
use super::terminal::Terminal;
use crate::scenario;

pub(super) fn print_schema(terminal: &mut Terminal) -> io::Result<Exit> {
    let out = terminal.results();
    serde_json::to_writer_pretty(&mut *out, &scenario::schema())?;
    writeln!(out)?;
    Ok(Exit::Holds)
}
