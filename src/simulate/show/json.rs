//! A simulation as JSON, for programs.

use std::io::{self, Write};

use crate::simulate::Summary;

/// Writes `summary` on one line.
pub fn write_json(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    serde_json::to_writer(&mut *out, summary)?;
    out.write_all(b"\n")
}
