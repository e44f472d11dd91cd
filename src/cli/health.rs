//! `passbook health`: whether a served bank takes requests, for whoever watches over it.

use std::time::Duration;

use clap::Args;
use tokio::runtime::Builder;

use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::terminal::Terminal;
use crate::grpc::{Endpoint, check_health};
use crate::network::parse_span;

const EXAMPLES: &str = "\
Examples:
  passbook health http://127.0.0.1:50051
  passbook health --limit 500ms http://bank.example:50051";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::HEALTH))]
pub(super) struct HealthArgs {
    /// Where the bank listens
    #[arg(value_name = "URL", value_parser = Endpoint::new)]
    bank: Endpoint,

    /// How long the answer may take
    #[arg(long, value_name = "SPAN", default_value = "2s", value_parser = parse_span)]
    limit: Duration,
}

/// Asks, and tells what is wrong where it does not take requests.
pub(super) fn ask_health(args: &HealthArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let HealthArgs { bank, limit } = args;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::internal)?;
    if let Err(problem) = runtime.block_on(check_health(bank, *limit)) {
        let message = format!("{} {problem}", bank.address());
        return Err(Failure::Message { message, exit: Exit::Violated });
    }
    writeln!(terminal.results(), "{} takes requests", bank.address())?;
    Ok(Exit::Holds)
}
