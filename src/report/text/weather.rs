//! What went wrong on purpose.

use std::io::{self, Write};

use super::closing::heading;
use crate::report::elide::Limit;
use crate::report::palette::{BAD, NO, QUIET};
use crate::report::table::{Cell, write_table};
use crate::report::weather::{struck, struck_nothing};
use crate::report::words::{listed, span};
use crate::run::{RunResult, WeatherReport};

/// How often each kind of fault struck, what struck nothing, and whether the bank did not settle.
pub(super) fn write(out: &mut dyn Write, result: &RunResult, limit: Limit) -> io::Result<()> {
    let Some(weather) = &result.weather else { return Ok(()) };
    let WeatherReport { struck: counted, has_settled, .. } = &**weather;
    heading(out, "What went wrong")?;
    let (counted, idle) = (struck(&counted.counts), struck_nothing(result));
    let said = if counted.is_empty() { "nothing".to_owned() } else { counted.join(", ") };
    let row = |label: &str, value: String| vec![Cell::new(QUIET, label), Cell::plain(value)];
    let mut rows = vec![row("struck", said)];
    if !idle.is_empty() {
        rows.push(row("struck nothing", listed(&idle, limit)));
    }
    write_table(out, 2, &rows)?;
    if !has_settled {
        let within = result.config.settle_limit;
        let within = within.map_or(String::new(), |limit| format!(" within {}", span(limit)));
        writeln!(out, "\n  {BAD}{NO} the bank did not settle{within}{BAD:#}")?;
    }
    Ok(())
}
