//! `passbook schema`: the JSON Schema of scenario files.

use std::io;

use super::exit::Exit;
use super::terminal::Terminal;

pub(super) fn print_schema(terminal: &mut Terminal) -> io::Result<Exit> {
    // The one seam to `scenario::schema()`.
    terminal.error("the schema is not there yet");
    Ok(Exit::Internal)
}
