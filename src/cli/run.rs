//! `passbook run`: runs scenarios one after the other and reports each.

use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::args::{Format, RunArgs, Transport};
use super::cleanup;
use super::exit::Exit;
use super::new_file::NewFile;
use super::terminal::Terminal;
use crate::check::{JudgeOptions, StepsKept, Summary};
use crate::model::Shown;
use crate::report::{Assessment, dialect, json, shell, shortfall, text};
use crate::run;
use crate::run::{
    Carrier, Dialect, HistoryOutput, MemoryError, Recording, Run, RunError, RunOptions, RunResult,
    Runner, run_bytes,
};
use crate::scenario::{Scenario, Settings};
use crate::source::expected_results;
use crate::source::is_stdin;
use crate::source::{Clash, Outputs};
use crate::source::{InputError, expect_what_stands_beside, read_scenario, scenario_beside};

/// Runs all scenarios; what is wrong with one does not stop the rest.
pub(super) fn run_scenarios(args: &RunArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    let Some(scenarios) = without_expected_results(&args.scenarios, terminal) else {
        return Ok(Exit::BadInput);
    };
    if let Err(error) = refuse_clashes(args, &scenarios) {
        terminal.diagnostic(&error);
        return Ok(Exit::BadInput);
    }
    if args.history.is_some() {
        cleanup::on_signals()?;
    }
    let mut worst = Exit::default();
    let mut reports = 0_usize;
    for path in scenarios {
        let scenario = match read_whole(path, args) {
            Ok(scenario) => scenario,
            Err(error) => {
                terminal.diagnostic(&error);
                worst = worst.max(Exit::BadInput);
                continue;
            }
        };
        terminal.remarks(&scenario.warnings);
        warn_of_idle_settings(args, &scenario, terminal);
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
        if args.format == Format::Balances {
            tell_what_was_not_done(&run, terminal);
        }
        let summary = assessment.verdict(args.demand());
        if !args.tells_notes() {
            for note in assessment.notes.iter().filter(|note| !note.is_on_verdicts()) {
                terminal.note(&format!("{}: {note}", Shown::name(&scenario.name)));
            }
        }
        if summary == Summary::Violated && args.tells_all() {
            let again = replay(path, &args.replay_options(run.result.config.seed));
            writeln!(terminal.results(), "\n  to see it again: {again}")?;
        }
        worst = worst.max(summary.into());
    }
    Ok(worst)
}

/// Refuses a history that is something that is read: a scenario, or what is expected of it.
fn refuse_clashes(args: &RunArgs, scenarios: &[&Path]) -> Result<(), Clash> {
    let outputs = Outputs::new(args.history.as_deref())?;
    for path in scenarios {
        outputs.refuse(path)?;
        if !is_stdin(path) {
            expected_results(path).iter().try_for_each(|beside| outputs.refuse(beside))?;
        }
    }
    Ok(())
}

/// The scenario at `path` with what is expected of it: in the file beside it, unless it says it.
fn read_whole(path: &Path, args: &RunArgs) -> Result<Scenario, InputError> {
    let document_max = args.document.document_max;
    let mut scenario = read_scenario(path, document_max, args.overrides().event_ids)?;
    if !is_stdin(path) {
        expect_what_stands_beside(path, document_max, &mut scenario)?;
    }
    Ok(scenario)
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
    if scenarios.is_empty() {
        terminal.error(&format!(
            "{} holds an expected result; its scenario is beside it: passbook run {}",
            path.display(),
            shell::file(scenario)
        ));
        return None;
    }
    let path = path.display();
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
    let (recording, steps) = match args.format {
        Format::Text => (text::recording(scenario, args.verbosity()), StepsKept::All),
        Format::Json => (Recording::Off, StepsKept::All),
        Format::Balances | Format::Events | Format::Customers | Format::Classic => {
            (Recording::Off, StepsKept::None)
        }
    };
    let overrides = args.overrides();
    let seed = overrides.seed.or(scenario.settings.seed).unwrap_or_default();
    let judge = JudgeOptions { steps, ..args.witnesses.options() };
    let options = RunOptions { overrides, recording, judging: args.judging(), judge };
    if let Err(refused) = check_memory(args, scenario, &options) {
        terminal.error(&format!("{}: {refused}", scenario.name));
        return Err(Exit::BadInput);
    }
    let history = args.history.as_deref().map(|path| create_history(path, terminal)).transpose()?;
    let (new, history) = history.unzip();
    let run = || run_on(args, scenario, &options, history);
    let run = catch_unwind(AssertUnwindSafe(run)).map(|run| {
        let run = run?;
        new.map_or(Ok(()), NewFile::finish).map_err(RunError::History)?;
        Ok(run)
    });
    let name = Shown::name(&scenario.name);
    let problem = match run {
        Ok(Ok(run)) => return Ok(run),
        Ok(Err(error @ RunError::BalanceOutOfRange { .. })) => {
            terminal.error(&format!("{name}: {error}; use smaller amounts"));
            return Err(Exit::BadInput);
        }
        Ok(Err(RunError::Runtime(error))) => {
            terminal.error(&format!("cannot start the actors' runtime: {error}"));
            return Err(Exit::Internal);
        }
        Ok(Err(RunError::History(error))) => {
            terminal.error(&format!("cannot write the history of {name}: {error}"));
            return Err(Exit::Internal);
        }
        Ok(Err(
            error @ (RunError::NoEndpoint { .. }
            | RunError::NotThere(_)
            | RunError::NotFresh { .. }
            | RunError::Bind(_)),
        )) => {
            terminal.error(&format!("{name}: {error}"));
            return Err(Exit::BadInput);
        }
        Ok(Err(
            error @ (RunError::ActorStopped
            | RunError::Stopped
            | RunError::Standstill
            | RunError::NoRandomness(_)
            | RunError::Edge(_)
            | RunError::Facts(_)),
        )) => error.to_string(),
        Err(_) => "the run panicked".to_owned(),
    };
    let again = replay(path, &args.replay_options(seed));
    terminal.error(&format!("{name}: {problem}"));
    terminal.advice(&[
        "This is a defect of passbook. Please report it with the scenario and what stands above.",
        &format!("To see it again: {again}"),
    ]);
    Err(Exit::Internal)
}

/// Whether the run fits; where its branches live elsewhere, little of it is here.
fn check_memory(
    args: &RunArgs,
    scenario: &Scenario,
    options: &RunOptions,
) -> Result<(), MemoryError> {
    let carrier = match args.transport {
        _ if args.connect.is_given() => return Ok(()),
        Transport::Mailbox => Carrier::Mailboxes,
        Transport::Grpc => Carrier::Connections,
    };
    args.memory.budget().check(run_bytes(scenario, options, carrier))
}

/// A row of balances cannot say that the bank did not do all that it was asked.
fn tell_what_was_not_done(run: &Run, terminal: &mut Terminal) {
    let RunResult { scenario, customers, .. } = &run.result;
    let mut told = customers.iter().filter_map(|of| Some((of.id, shortfall(of)?)));
    if let Some((customer, text)) = told.next() {
        let more = match told.count() {
            0 => String::new(),
            more => format!(" (and {more} more customers)"),
        };
        let scenario = Shown::name(scenario);
        terminal.note(&format!("{scenario}: customer {customer}: {text}{more}"));
    }
}

/// Says which of the scenario's own settings, and of the branches of `--connect`, do nothing here.
fn warn_of_idle_settings(args: &RunArgs, scenario: &Scenario, terminal: &mut Terminal) {
    let name = Shown::name(&scenario.name);
    let idle = idle_settings(&scenario.settings);
    if let Some(connection) = args.connect.connection() {
        if !idle.is_empty() {
            let idle = idle.join(", ");
            terminal.warning(&format!(
                "{name}: what the scenario says of {idle} does nothing to branches that run elsewhere"
            ));
        }
        let strangers = connection.endpoints.keys();
        for stranger in strangers.filter(|&&id| scenario.roster.index(id).is_none()) {
            terminal.warning(&format!("{name}: no branch {stranger}; its --connect does nothing"));
        }
    } else if idle.contains(&LATENCY) && !args.is_simulated() {
        terminal
            .warning(&format!("{name}: lag is not simulated here; messages take what they take"));
    }
}

const LATENCY: &str = "latency";

/// What the scenario says that only a bank of ours heeds.
fn idle_settings(settings: &Settings) -> Vec<&'static str> {
    let Settings { propagation, guarantees, customer_guarantees, .. } = settings;
    let Settings { overdraft, latency, links, wait_limit, seed, .. } = settings;
    [
        ("propagation", propagation.is_some()),
        ("guarantees", guarantees.is_some() || !customer_guarantees.is_empty()),
        ("overdraft", overdraft.is_some()),
        (LATENCY, latency.is_some() || !links.is_empty()),
        ("the wait limit", wait_limit.is_some()),
        ("the seed", seed.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_said)| is_said.then_some(name))
    .collect()
}

/// The file that a history goes to, empty.
fn create_history(path: &Path, terminal: &mut Terminal) -> Result<(NewFile, HistoryOutput), Exit> {
    match NewFile::create(path) {
        Ok((new, file)) => Ok((new, Box::new(BufWriter::with_capacity(1 << 16, file)))),
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
    match (args.connect.connection(), args.transport) {
        (Some(connection), _) => run::run_connected(scenario, options, &connection),
        (None, Transport::Mailbox) => Runner::new()?.run(scenario, options, history),
        (None, Transport::Grpc) => run::run_over_grpc(scenario, options, history),
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
        Format::Classic => dialect::write(out, &result.output(Dialect::Classic)),
    }
}

/// A command line for a shell that runs the scenario at `path` again.
fn replay(path: &Path, options: &[String]) -> String {
    let options = shell::options(&options.join(" "));
    if is_stdin(path) {
        return format!("passbook run {options} - < the-same-input");
    }
    format!("passbook run {options} {}", shell::file(path))
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
