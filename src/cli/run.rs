//! `passbook run`: runs scenarios one after the other and reports each.

use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::connect_args::{LATENCY, idle_settings};
use super::exit::{Exit, Failure};
use super::kept_history::write_page;
use super::new_file::{NewFile, OutputFile};
use super::run_args::{Format, RunArgs, Transport};
use super::signal;
use super::terminal::Terminal;
use crate::check::{JudgeOptions, Overall, StepsKept};
use crate::model::{Dialect, Shown};
use crate::report::diagram::Diagram;
use crate::report::page::RunPage;
use crate::report::text::Telling;
use crate::report::{Assessment, Width, dialect, json, shell, shortfall, text};
use crate::run::{
    self, Carrier, HistoryOutput, MemoryError, Recording, Run, RunError, RunOptions, RunResult,
    Runner, run_bytes,
};
use crate::scenario::Scenario;
use crate::source::{
    Clash, InputError, Outputs, Place, expect_what_stands_beside, expected_results, read_scenario,
    scenario_beside,
};

/// Runs all scenarios; what is wrong with one does not stop the rest.
pub(super) fn run_scenarios(args: &RunArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let scenarios = without_expected_results(&args.scenarios, terminal)?;
    refuse_clashes(args, &scenarios)?;
    let mut worst = Exit::default();
    let mut reports = 0_usize;
    for place in scenarios {
        terminal.before_reading(place, "a scenario");
        let scenario = match read_whole(place, args) {
            Ok(scenario) => scenario,
            Err(error) => {
                worst = worst.max(Failure::from(error).tell(terminal)?);
                continue;
            }
        };
        terminal.remarks(&scenario.warnings);
        warn_of_idle_settings(args, &scenario, terminal);
        let page = args.export_html.as_deref().map(OutputFile::create).transpose();
        let done = page.and_then(|page| Ok((run_one(args, place, &scenario)?, page)));
        let (run, page) = match done {
            Ok(done) => done,
            Err(failure) => {
                worst = worst.max(failure.tell(terminal)?);
                continue;
            }
        };
        let assessment = Assessment::of(&run.result);
        if reports > 0 && args.format == Format::Text {
            writeln!(terminal.results())?;
        }
        reports += 1;
        let width = terminal.width();
        report(terminal.results(), args, &run, &assessment, width)?;
        if args.format == Format::Balances {
            tell_what_was_not_done(&run, terminal);
        }
        if args.needs_facts() {
            draw(args, (place, &scenario), &run, page, terminal)?;
        }
        let summary = assessment.verdict(args.demand());
        if !args.tells_notes() {
            for note in assessment.notes.iter().filter(|note| !note.is_on_verdicts()) {
                terminal.note(&format!("{}: {note}", Shown::name(&scenario.name)));
            }
        }
        if summary == Overall::Violated && args.tells_all() {
            let again = replay(place, &args.replay_options(run.result.config.seed));
            writeln!(terminal.results(), "\n  to see it again: {again}")?;
        }
        // Whatever ends the next one, this one is told.
        terminal.flush()?;
        worst = worst.max(summary.into());
    }
    Ok(worst)
}

/// Draws what happened, below the report and on a page.
fn draw(
    args: &RunArgs,
    (place, scenario): (&Place, &Scenario),
    run: &Run,
    page: Option<OutputFile>,
    terminal: &mut Terminal,
) -> io::Result<()> {
    let header = run::header(scenario, &run.result.config);
    let verdicts = run.result.verdicts.as_deref();
    let mut diagram = Diagram::of(&header, &run.facts);
    if let Some(verdicts) = verdicts {
        diagram.point_out(verdicts);
    }
    if args.diagram.is_wanted() {
        let width = terminal.width();
        writeln!(terminal.results())?;
        args.diagram.draw(terminal.results(), &diagram, width)?;
    }
    if let Some(file) = page {
        let command = replay(place, &args.replay_options(run.result.config.seed));
        let (header, diagram, command) = (&header, &diagram, command.as_str());
        let page = RunPage { program: "passbook run", header, verdicts, diagram, command };
        write_page(file, &page)?;
    }
    Ok(())
}

/// Refuses a history that is something that is read: a scenario, or what is expected of it.
fn refuse_clashes(args: &RunArgs, scenarios: &[&Place]) -> Result<(), Clash> {
    let outputs =
        Outputs::new(args.history.as_deref().into_iter().chain(args.export_html.as_deref()))?;
    for place in scenarios {
        outputs.refuse(place.path())?;
        if let Some(path) = place.whole_file() {
            expected_results(path).iter().try_for_each(|beside| outputs.refuse(beside))?;
        }
    }
    Ok(())
}

/// The scenario at `place` with what is expected of it: in the file beside it, unless it says it.
fn read_whole(place: &Place, args: &RunArgs) -> Result<Scenario, InputError> {
    let document_max = args.document.document_max;
    let mut scenario = read_scenario(place, document_max, args.overrides().event_ids)?;
    expect_what_stands_beside(place, document_max, &mut scenario)?;
    Ok(scenario)
}

/// The files that are to be run. The others are told of.
fn without_expected_results<'a>(
    places: &'a [Place],
    terminal: &mut Terminal,
) -> Result<Vec<&'a Place>, Failure> {
    let mut scenarios = Vec::with_capacity(places.len());
    let mut expected = Vec::new();
    for place in places {
        match place.whole_file().and_then(scenario_beside) {
            Some(scenario) => expected.push((place, scenario)),
            None => scenarios.push(place),
        }
    }
    let Some((place, scenario)) = expected.first() else { return Ok(scenarios) };
    if scenarios.is_empty() {
        return Err(Failure::bad_input(format!(
            "{place} holds an expected result; its scenario is beside it: passbook run {}",
            shell::file(scenario)
        )));
    }
    let what = match expected.len() {
        1 => format!("{place} holds an expected result"),
        files => format!("{files} files hold expected results, such as {place}"),
    };
    terminal.note(&format!("{what}; passed over"));
    Ok(scenarios)
}

/// Runs one scenario. A defect of this program is told with the command that shows it again.
fn run_one(args: &RunArgs, place: &Place, scenario: &Scenario) -> Result<Run, Failure> {
    let (recording, steps) = match args.format {
        Format::Text => (text::recording(scenario, args.verbosity()), StepsKept::All),
        Format::Json => (Recording::Off, StepsKept::All),
        Format::Balances | Format::Events | Format::Customers | Format::Classic => {
            (Recording::Off, StepsKept::None)
        }
    };
    let recording = if args.needs_facts() { Recording::Facts } else { recording };
    let overrides = args.overrides();
    let seed = overrides.seed.or(scenario.settings.seed).unwrap_or_default();
    let judge = JudgeOptions { steps, ..args.witnesses.options() };
    let judging = args.judging();
    let options = RunOptions { overrides, recording, judging, judge, ..RunOptions::default() };
    let checked = check_memory(args, scenario, &options);
    checked.map_err(|refused| Failure::bad_input(format!("{}: {refused}", scenario.name)))?;
    let history = args.history.as_deref().map(create_history).transpose()?;
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
        Ok(Err(error)) => match error {
            RunError::BalanceOutOfRange { .. } => {
                let message = format!("{name}: {error}; use smaller amounts");
                return Err(Failure::bad_input(message));
            }
            RunError::History(error) => {
                let message = format!("cannot write the history of {name}: {error}");
                return Err(Failure::internal(message));
            }
            RunError::FaultsOverSockets
            | RunError::DiskForgets
            | RunError::NoNemesis
            | RunError::Impossible(_)
            | RunError::NoEndpoint { .. }
            | RunError::NotThere(_)
            | RunError::NotFresh { .. }
            | RunError::Bind(_) => return Err(Failure::bad_input(format!("{name}: {error}"))),
            RunError::ActorStopped
            | RunError::Stopped
            | RunError::Standstill
            | RunError::NoRandomness(_)
            | RunError::Edge(_)
            | RunError::Facts(_) => error.to_string(),
        },
        Err(_) => "the run panicked".to_owned(),
    };
    let again = replay(place, &args.replay_options(seed));
    Err(Failure::Defect { message: format!("{name}: {problem}"), again })
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

/// The file that a history goes to, empty.
fn create_history(path: &Path) -> Result<(NewFile, HistoryOutput), Failure> {
    let (new, file) = NewFile::create(path).map_err(|error| {
        Failure::bad_input(format!("cannot write the history {}: {error}", path.display()))
    })?;
    new.keep_lines();
    Ok((new, Box::new(BufWriter::with_capacity(1 << 16, signal::Lines(file)))))
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
        (None, Transport::Mailbox) => Runner::default().run(scenario, options, history),
        (None, Transport::Grpc) => run::run_over_grpc(scenario, options, history),
    }
}

fn report(
    out: &mut dyn Write,
    args: &RunArgs,
    run: &Run,
    assessment: &Assessment,
    width: Width,
) -> io::Result<()> {
    let result = &run.result;
    match args.format {
        Format::Text => {
            let (verbosity, order) = (args.verbosity(), args.by.into());
            text::write(out, run, assessment, &Telling { verbosity, order, width })
        }
        Format::Json => json::write(out, result, assessment),
        Format::Balances => dialect::write(out, &result.output(Dialect::Balances)),
        Format::Events => dialect::write(out, &result.output(Dialect::Events)),
        Format::Customers => dialect::write(out, &result.output(Dialect::Customers)),
        Format::Classic => dialect::write(out, &result.output(Dialect::Classic)),
    }
}

/// A command line for a shell that runs the scenario at `place` again.
fn replay(place: &Place, options: &[String]) -> String {
    shell::replay(place.argument(), &options.join(" "))
}
