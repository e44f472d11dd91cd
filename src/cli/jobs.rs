//! `passbook jobs`: what a NATS server holds of batches and simulations, and how it is taken away.

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::nats_args::NatsArgs;
use super::terminal::Terminal;
use crate::cluster::{JobName, JobState, list_jobs, remove_job};
use crate::model::{ByteSize, Shown};
use crate::report::words::grouped;

const EXAMPLES: &str = "\
Examples:
  passbook jobs --nats nats://10.0.0.1:4222                 what there is
  passbook jobs --nats nats://10.0.0.1:4222 remove night    all of it goes, and who runs it ends";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::JOBS))]
pub(super) struct JobsArgs {
    /// What to do, if more than to list them
    #[arg(value_name = "ACTION", value_enum, requires = "name")]
    action: Option<Action>,

    /// Which job
    #[arg(value_name = "NAME")]
    name: Option<JobName>,

    #[command(flatten)]
    nats: NatsArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Take it away
    Remove,
}

/// Lists jobs, or removes one.
pub(super) fn run_jobs(args: &JobsArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let server = args.nats.needed()?;
    if let (Some(Action::Remove), Some(name)) = (args.action, &args.name) {
        remove_job(&server, name)?;
        return Ok(Exit::Holds);
    }
    let jobs = list_jobs(&server)?;
    if jobs.is_empty() {
        terminal.note("there is no job");
    }
    for job in jobs {
        writeln!(terminal.results(), "{}", told(&job))?;
    }
    Ok(Exit::Holds)
}

/// A job on a line.
fn told(job: &JobState) -> String {
    let JobState { name, command, is_run, shares, results, bytes } = job;
    let run = if *is_run { "runs" } else { "waits" };
    let [shares, results] = [*shares, *results].map(grouped);
    let bytes = ByteSize::new(*bytes);
    let command = Shown::new(command);
    format!("{name}\t{run}\t{shares} shares, {results} results ({bytes})\t{command}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_a_line_whatever_its_command_says() {
        let job = JobState {
            name: "night".parse().unwrap(),
            command: "passbook batch a\n\u{1b}[2J".to_owned(),
            is_run: true,
            shares: 1200,
            results: 3,
            bytes: 2048,
        };
        let line = "night\truns\t1,200 shares, 3 results (2KiB)\tpassbook batch a\\n\\u{1b}[2J";
        assert_eq!(told(&job), line);
    }
}
