//! From arguments to a command, and from its result to an exit code.

use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::CommandFactory;

use super::args::{Cli, Command};
use super::batch::run_batch;
use super::check::check_history;
use super::compare::compare_transports;
use super::completions::print_completions;
use super::convert::convert_history;
use super::draw::draw;
use super::exit::{Exit, Failure};
use super::generate::generate;
use super::health::ask_health;
use super::jobs::run_jobs;
use super::man::write_pages;
use super::merge::merge_results;
use super::run::run_scenarios;
use super::schema::print_schema;
use super::secret::make_secret;
use super::serve::serve;
use super::signal;
use super::simulate::simulate;
use super::terminal::{Terminal, heed_forced_color, print_usage};
use super::worker::run_worker;
use crate::model::Shown;

/// Runs the program with `args`, the first of which is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    heed_forced_color();
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::parse_checked(args.clone()) {
        Ok(cli) => cli,
        Err(error) => return answer_usage(&in_shown_words(&args).unwrap_or(error)).into(),
    };
    let mut terminal = Terminal::new(cli.color);
    terminal.start_logging();
    match catch_unwind(AssertUnwindSafe(|| execute(&cli.command, &mut terminal))) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => output_lost(&error, &mut terminal).into(),
        Err(_) => {
            terminal.error("this is a defect of passbook; please report it with what stands above");
            Exit::Internal.into()
        }
    }
}

fn execute(command: &Command, terminal: &mut Terminal) -> io::Result<Exit> {
    signal::start()?;
    let done = match command {
        Command::Run(args) => run_scenarios(args, terminal),
        Command::Batch(args) => run_batch(args, terminal),
        Command::Simulate(args) => simulate(args, terminal),
        Command::Worker(args) => run_worker(args, terminal),
        Command::Jobs(args) => run_jobs(args, terminal),
        Command::Check(args) => check_history(args, terminal),
        Command::Draw(args) => draw(args, terminal),
        Command::Convert(args) => convert_history(args, terminal),
        Command::Merge(args) => merge_results(args, terminal),
        Command::Serve(args) => serve(args, terminal),
        Command::Health(args) => ask_health(args, terminal),
        Command::Secret(args) => make_secret(args),
        Command::Compare(args) => compare_transports(args, terminal),
        Command::Generate(args) => generate(args, terminal),
        Command::Completions(args) => {
            print_completions(args, Cli::command(), terminal).map_err(Failure::from)
        }
        Command::Man(args) => write_pages(args, Cli::command()),
        Command::Schema(args) => print_schema(args, terminal).map_err(Failure::from),
    };
    let exit = done.or_else(|failure| failure.tell(terminal))?;
    terminal.flush()?;
    Ok(signal::heard().map_or(exit, |ended| ended.max(exit)))
}

/// What is wrong with `args`, said of the same arguments as a person is shown them: they may be
/// names of files, and are quoted.
fn in_shown_words(args: &[OsString]) -> Option<clap::Error> {
    let shown = |arg: &OsString| OsString::from(Shown::new(&arg.to_string_lossy()).to_string());
    Cli::parse_checked(args.iter().map(shown)).err()
}

/// Prints help, the version, or what is wrong with the arguments, and says how the program ends.
fn answer_usage(answer: &clap::Error) -> Exit {
    let exit = if answer.use_stderr() { Exit::BadInput } else { Exit::Holds };
    match print_usage(answer) {
        Ok(()) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(_) => Exit::Internal,
    }
}

/// Nobody reads on: that is the reader's choice and ends the program quietly. Anything else that
/// keeps results from being written is an error.
fn output_lost(error: &io::Error, terminal: &mut Terminal) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Holds;
    }
    terminal.error(&format!("cannot write the results: {error}"));
    Exit::Internal
}
