//! What a batch came to, as a person reads it.

use std::io::{self, Write};

use super::{Overview, Summary};

/// Writes what a batch came to, with ANSI colour. `options` stand after `passbook run` in a command
/// that runs one of its scenarios again: empty, or such as `--propagation async`.
pub fn write_text(
    out: &mut dyn Write,
    overview: &Overview,
    summary: &Summary,
    options: &str,
) -> io::Result<()> {
    let (slowest, failures) = (overview.slowest().len(), overview.failures().len());
    writeln!(out, "{} {slowest} {failures} {options}", summary.rows)
}
