//! `passbook run`: runs scenarios one after the other and reports each.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::args::{Format, RunArgs, Transport, is_stdin};
use super::exit::Exit;
use super::input::{read_scenario, scenario_beside};
use super::terminal::Terminal;
use crate::check::Summary;
use crate::report::{Assessment, dialect, json, shell, text};
use crate::runner::{
    self, Carrier, Dialect, HistoryOutput, MemoryError, Recording, Run, RunError, RunOptions,
    Runner, run_bytes,
};
use crate::scenario::{Scenario, Settings};

/// Runs all scenarios; what is wrong with one does not stop the rest.
pub(super) fn run_scenarios(args: &RunArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    let Some(scenarios) = without_expected_results(&args.scenarios, terminal) else {
        return Ok(Exit::BadInput);
    };
    let mut worst = Exit::default();
    let mut reports = 0_usize;
    for path in scenarios {
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
        if has_lag(&scenario) && !args.is_simulated() {
            let name = &scenario.name;
            terminal.warning(&format!(
                "{name}: lag is not simulated here; messages take what they take"
            ));
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

/// The files that are to be run. The others are told of; `None` if there is nothing else.
fn without_expected_results<'a>(
    paths: &'a [PathBuf],
    terminal: &mut Terminal,
) -> Option<Vec<&'a Path>> {
    let mut scenarios = Vec::with_capacity(paths.len());
    let mut expected = Vec::new();
    for path in paths {
        match scenario_beside(path) {
            Some(scenario) => expected.push((path, scenario)),
            None => scenarios.push(path.as_path()),
        }
    }
    let Some((path, scenario)) = expected.first() else { return Some(scenarios) };
    let (path, scenario) = (path.display(), scenario.display());
    if scenarios.is_empty() {
        terminal.error(&format!(
            "{path} holds an expected result; its scenario is beside it: passbook run {scenario}"
        ));
        return None;
    }
    let what = match expected.len() {
        1 => format!("{path} holds an expected result"),
        files => format!("{files} files hold expected results, such as {path}"),
    };
    terminal.note(&format!("{what}; passed over"));
    Some(scenarios)
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
    if let Err(refused) = check_memory(args, scenario, &options) {
        terminal.error(&format!("{}: {refused}", scenario.name));
        return Err(Exit::BadInput);
    }
    let history = args.history.as_deref().map(|path| create_history(path, terminal)).transpose()?;
    let run = || run_on(args, scenario, &options, history);
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
        Ok(Err(
            error @ (RunError::NoEndpoint { .. } | RunError::Remote { .. } | RunError::Bind(_)),
        )) => {
            terminal.error(&format!("{}: {error}", scenario.name));
            return Err(Exit::BadInput);
        }
        Ok(Err(
            error @ (RunError::ActorStopped
            | RunError::Standstill
            | RunError::Edge(_)
            | RunError::Facts(_)),
        )) => error.to_string(),
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

/// Whether the run fits; where its branches live elsewhere, little of it is here.
fn check_memory(
    args: &RunArgs,
    scenario: &Scenario,
    options: &RunOptions,
) -> Result<(), MemoryError> {
    let carrier = match args.transport {
        _ if !args.connect.is_empty() => return Ok(()),
        Transport::Mailbox => Carrier::Mailboxes,
        Transport::Grpc => Carrier::Connections,
    };
    args.memory.budget().check(run_bytes(scenario, options, carrier))
}

/// Whether the scenario says that messages take time.
fn has_lag(scenario: &Scenario) -> bool {
    let Settings { latency, links, .. } = &scenario.settings;
    latency.is_some() || !links.is_empty()
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

/// Runs a scenario on whatever carries its messages.
fn run_on(
    args: &RunArgs,
    scenario: &Scenario,
    options: &RunOptions,
    history: Option<HistoryOutput>,
) -> Result<Run, RunError> {
    if args.connect.is_empty() {
        return match args.transport {
            Transport::Mailbox => Runner::new()?.run(scenario, options, history),
            Transport::Grpc => runner::run_over_grpc(scenario, options, history),
        };
    }
    let endpoints = args.connect.iter().map(|peer| (peer.id, peer.endpoint.clone())).collect();
    runner::run_connected(scenario, options, &endpoints)
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
    format!("passbook run {options} {}", shell::word(&path.display().to_string()))
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
