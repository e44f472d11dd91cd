//! `passbook schema`: the JSON Schemas of what passbook reads and writes.

use std::io;

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::exit_codes::ExitCodes;
use super::terminal::Terminal;
use crate::scenario;

#[derive(Debug, Args)]
#[command(after_help = ExitCodes::PRINTS.to_string())]
pub(super) struct SchemaArgs {
    /// What it is the schema of
    #[arg(value_name = "FORMAT", value_enum, default_value_t)]
    of: SchemaOf,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SchemaOf {
    /// A scenario, in every dialect
    #[default]
    Scenario,
    /// A line of what `batch` writes
    Row,
    /// What `run` and `check` print with `--format json`
    Report,
    /// A line of what `run --history` records
    History,
    /// What `compare` prints with `--format json`
    Comparison,
    /// What `simulate` prints with `--format json`
    Simulation,
}

/// Prints the schema that `args` ask for.
pub(super) fn print_schema(args: &SchemaArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    let schema = match args.of {
        SchemaOf::Scenario => &scenario::schema(),
        SchemaOf::Row => include_str!("../../docs/schema/row.json"),
        SchemaOf::Report => include_str!("../../docs/schema/report.json"),
        SchemaOf::History => include_str!("../../docs/schema/history.json"),
        SchemaOf::Comparison => include_str!("../../docs/schema/comparison.json"),
        SchemaOf::Simulation => include_str!("../../docs/schema/simulation.json"),
    };
    terminal.results().write_all(schema.as_bytes())?;
    Ok(Exit::Holds)
}
