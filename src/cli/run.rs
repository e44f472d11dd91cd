//! `passbook run`: runs scenarios one after the other and reports each.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::args::{Format, RunArgs, is_stdin};
use super::exit::Exit;
use super::input::read_scenario;
use super::terminal::Terminal;
use crate::check::Summary;
use crate::report::{Assessment, dialect, json, text};
use crate::runner::{self, Dialect, HistoryOutput, Recording, Run, RunError, RunOptions};
use crate::scenario::Scenario;

/// Runs all scenarios; what is wrong with one does not stop the rest.
pub(super) fn run_scenarios(args: &RunArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    let mut worst = Exit::default();
    let mut reports = 0_usize;
    for path in &args.scenarios {
        let scenario = match read_scenario(path) {
            Ok(scenario) => scenario,
            Err(error) => {
                terminal.diagnostic(&error);
                worst = worst.max(Exit::BadInput);
                continue;
            }
        };
        for warning in &scenario.warnings {
            terminal.warning(&warning.message);
        }
        let run = match run_one(args, path, &scenario, terminal) {
            Ok(run) => run,
            Err(exit) => {
                worst = worst.max(exit);
                continue;
            }
        };
        let assessment = Assessment::of(&run.result);
        if reports > 0 && args.format == Format::Text {
            writeln!(terminal.results())?;
        }
        reports += 1;
        report(terminal.results(), args, &run, &assessment)?;
        let summary = assessment.verdict(args.demand());
        if summary == Summary::Violated && args.tells_all() {
            let again = replay(path, &args.replay_options(run.result.config.seed));
            writeln!(terminal.results(), "\n  to see it again: {again}")?;
        }
        worst = worst.max(summary.into());
    }
    Ok(worst)
}

/// Runs one scenario. A defect of this program is told with the command that shows it again.
fn run_one(
    args: &RunArgs,
    path: &Path,
    scenario: &Scenario,
    terminal: &mut Terminal,
) -> Result<Run, Exit> {
    let recording = match args.format {
        Format::Text => text::recording(scenario, args.verbosity()),
        Format::Balances | Format::Events | Format::Customers | Format::Json => Recording::Off,
    };
    let overrides = args.overrides();
    let seed = overrides.seed.or(scenario.settings.seed).unwrap_or_default();
    let options = RunOptions { overrides, recording, judging: args.judging() };
    let history = args.history.as_deref().map(|path| create_history(path, terminal)).transpose()?;
    let run = || match history {
        Some(history) => runner::run_with_history(scenario, &options, history),
        None => runner::run(scenario, &options),
    };
    let problem = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(run)) => return Ok(run),
        Ok(Err(error @ RunError::BalanceOutOfRange { .. })) => {
            terminal.error(&format!("{}: {error}; use smaller amounts", scenario.name));
            return Err(Exit::BadInput);
        }
        Ok(Err(RunError::Runtime(error))) => {
            terminal.error(&format!("cannot start the actors' runtime: {error}"));
            return Err(Exit::Internal);
        }
        Ok(Err(RunError::History(error))) => {
            terminal.error(&format!("cannot write the history of {}: {error}", scenario.name));
            return Err(Exit::Internal);
        }
        Ok(Err(error @ (RunError::ActorStopped | RunError::Standstill | RunError::Facts(_)))) => {
            error.to_string()
        }
        Err(_) => "the run panicked".to_owned(),
    };
    let again = replay(path, &args.replay_options(seed));
    terminal.error(&format!(
        "{}: {problem}\n\n  This is a defect of passbook. Please report it with the scenario and \
         what stands above.\n  To see it again: {again}",
        scenario.name
    ));
    Err(Exit::Internal)
}

/// The file that a history goes to, empty.
fn create_history(path: &Path, terminal: &mut Terminal) -> Result<HistoryOutput, Exit> {
    match File::create(path) {
        Ok(file) => Ok(Box::new(BufWriter::with_capacity(1 << 16, file))),
        Err(error) => {
            terminal.error(&format!("cannot write the history {}: {error}", path.display()));
            Err(Exit::BadInput)
        }
    }
}

fn report(
    out: &mut dyn Write,
    args: &RunArgs,
    run: &Run,
    assessment: &Assessment,
) -> io::Result<()> {
    let result = &run.result;
    match args.format {
        Format::Text => text::write(out, run, assessment, args.verbosity()),
        Format::Json => json::write(out, result, assessment),
        Format::Balances => dialect::write(out, &result.output(Dialect::Balances)),
        Format::Events => dialect::write(out, &result.output(Dialect::Events)),
        Format::Customers => dialect::write(out, &result.output(Dialect::Customers)),
    }
}

/// A command line for a shell that runs the scenario at `path` again.
fn replay(path: &Path, options: &[String]) -> String {
    let options = options.join(" ");
    if is_stdin(path) {
        return format!("passbook run {options} - < the-same-input");
    }
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    if path.chars().all(is_plain) {
        format!("passbook run {options} {path}")
    } else {
        format!("passbook run {options} '{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_can_be_pasted_into_a_shell() {
        let options = ["--seed 1".to_owned()];
        let line = |path: &str| replay(Path::new(path), &options);
        assert_eq!(line("input/a.json"), "passbook run --seed 1 input/a.json");
        assert_eq!(line("it's a.json"), r"passbook run --seed 1 'it'\''s a.json'");
        assert_eq!(line("-"), "passbook run --seed 1 - < the-same-input");
    }
}
