//! The classic output dialects: one line of JSON, and nothing else.

use std::io::{self, Write};

use crate::scenario::Output;

/// Writes `output` as one line: `[{"id":1,"balance":400}]`.
pub fn write(out: &mut dyn Write, output: &Output) -> io::Result<()> {
    serde_json::to_writer(&mut *out, output)?;
    writeln!(out)
}
