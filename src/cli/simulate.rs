//! `passbook simulate`: tries many seeds, and shows the lowest with a finding.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};
use super::generate::refused;
use super::new_file::{NewFile, OutputFile, lost};
use super::signal::{self, Ending};
use super::simulate_args::{SimulateArgs, SimulateFormat};
use super::simulate_elsewhere::search_elsewhere;
use super::terminal::Terminal;
use crate::batch::parcel_of;
use crate::model::number::count;
use crate::report::shell;
use crate::run::{Carrier, RunConfig, run_bytes};
use crate::scenario::Scenario;
use crate::simulate::{
    AtFinding, Course, Finding, Found, Load, Plan, ProgressView, ShrunkRow, Stopped, Summary,
    Tally, Trial, search, write_json, write_junit, write_text,
};
use crate::source::{Outputs, Place, parse_scenario, read_text};

/// Runs the seeds that `args` ask for.
pub(super) fn simulate(args: &SimulateArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let plan = args.plan().map_err(|error| Failure::bad_input(format!("--seed: {error}")))?;
    if args.nats.server.is_given() {
        args.load.document.check_for_job()?;
    }
    let outputs = Outputs::new(args.outputs())?;
    if let Some(place) = &args.scenario {
        outputs.refuse(place.path())?;
    }
    let (load, parcel) = load(args, terminal)?;
    let trial = Trial::new(load, args.load.overrides());
    check(args, plan, &trial)?;
    let output = args.output.as_deref().map(OutputFile::create).transpose()?;
    let json = args.export_json.as_deref().map(OutputFile::create).transpose()?;
    let junit = args.export_junit.as_deref().map(OutputFile::create).transpose()?;
    let interrupt = signal::listen(Ending::Open)
        .map_err(|error| Failure::internal(format!("cannot listen for signals: {error}")))?;
    let visits = trial.load().largest().visits;
    let events = visits.iter().map(|visit| count(visit.events.len())).sum();
    let (found, course) = match args.nats.server.settings()? {
        Some(server) => {
            search_elsewhere(args, (plan, parcel, events), server, (&interrupt, terminal))?
        }
        None => run(args, plan, &trial, &interrupt, terminal)?,
    };
    let mut summary = Summary::new(&found, course, |seed| args.replay(seed));
    summary.shrunk = shrunk(args, &trial, &found, output, terminal);
    match args.format {
        SimulateFormat::Text => write_text(terminal.results(), &summary)?,
        SimulateFormat::Json => write_json(terminal.results(), &summary)?,
    }
    if let Some(mut file) = json {
        write_json(&mut file, &summary)?;
        file.finish()?;
    }
    if let Some(mut file) = junit {
        write_junit(&mut file, &summary)?;
        file.finish()?;
    }
    Ok(exit(&found))
}

/// What is left of the first finding, in a file of its own. Where there is none it is told why.
fn shrunk(
    args: &SimulateArgs,
    trial: &Trial,
    found: &Found,
    output: Option<OutputFile>,
    terminal: &mut Terminal,
) -> Option<ShrunkRow> {
    let violation = found.findings.iter().find_map(|(seed, finding)| match finding {
        Finding::Violated(violated) => Some((*seed, violated)),
        Finding::Failed { .. } => None,
    });
    let (seed, violated) = violation?;
    // A defect in a smaller run must not take the summary with it.
    let shrunk = match catch_unwind(AssertUnwindSafe(|| trial.shrunk(seed, violated))) {
        Ok(Ok(shrunk)) => shrunk,
        Ok(Err(error)) => {
            terminal.warning(&format!("seed {seed} cannot be shrunk: {error}"));
            return None;
        }
        Err(_) => {
            terminal.warning(&format!("seed {seed} cannot be shrunk: a run panicked"));
            return None;
        }
    };
    Some(match write_scenario(args, output, (seed, &shrunk.scenario)) {
        Ok(path) => {
            let again = shell::replay(&path, "");
            ShrunkRow::new(&shrunk, Some(path.display().to_string()), again)
        }
        Err(error) => {
            terminal.warning(&format!("the shrunk scenario is not kept: {error}"));
            ShrunkRow::new(&shrunk, None, args.replay(seed))
        }
    })
}

/// Writes what is left of a seed to `output`, else to a file that is named after the seed, unless that
/// is the scenario that was given. Gives where it is.
fn write_scenario(
    args: &SimulateArgs,
    output: Option<OutputFile>,
    (seed, scenario): (u64, &Scenario),
) -> io::Result<PathBuf> {
    let mut text = serde_json::to_vec_pretty(scenario)?;
    text.push(b'\n');
    let Some(mut file) = output else {
        let path = PathBuf::from(format!("simulated-{seed}.json"));
        let given = args.scenario.iter().map(Place::path);
        let outputs = Outputs::new([path.as_path()]).map_err(io::Error::other)?;
        given.into_iter().try_for_each(|given| outputs.refuse(given)).map_err(io::Error::other)?;
        NewFile::write(&path, &text).map_err(|error| lost(&path, &error))?;
        return Ok(path);
    };
    let path = file.path().to_owned();
    file.write_all(&text)?;
    file.finish()?;
    Ok(path)
}

/// What each seed runs, and the same as it is brought to other machines where it is given.
fn load(args: &SimulateArgs, terminal: &mut Terminal) -> Result<(Load, Option<Vec<u8>>), Failure> {
    let Some(place) = &args.scenario else {
        let load = Load::generated(args.load.size()).map_err(|error| refused(&error))?;
        return Ok((load, None));
    };
    terminal.before_reading(place, "a scenario");
    let (event_ids, document_max) =
        (args.load.overrides().event_ids, args.load.document.document_max);
    let text = read_text(place, document_max)?;
    let parcel = parcel_of(place.clone(), text.clone(), document_max);
    let scenario = parse_scenario(place, text, event_ids)?;
    terminal.remarks(&scenario.warnings);
    Ok((Load::given(scenario), Some(parcel)))
}

/// Refuses what no bank can carry out, and what takes more memory than is allowed, in all threads
/// together.
fn check(args: &SimulateArgs, plan: Plan, trial: &Trial) -> Result<(), Failure> {
    let largest = trial.load().largest();
    let config = RunConfig::checked(&largest.settings, &args.load.overrides());
    let config = config.map_err(Failure::bad_input)?;
    config.check_faults(&largest.roster).map_err(Failure::bad_input)?;
    let bytes = run_bytes(&largest, trial.options(), Carrier::Mailboxes);
    let all = bytes.saturating_mul(count(plan.jobs.get()));
    args.load.memory.budget().check(all).map_err(Failure::bad_input)
}

/// Searches, and shows how far it is.
fn run(
    args: &SimulateArgs,
    plan: Plan,
    trial: &Trial,
    interrupt: &CancellationToken,
    terminal: &mut Terminal,
) -> Result<(Found, Course), Failure> {
    let stop = AtomicBool::new(false);
    let mut view = ProgressView::open(plan.seeds, args.progress_every);
    let begun = now();
    let watch = |tally: &Tally| {
        let is_over = args.time.is_some_and(|time| begun.elapsed() >= time);
        if is_over || interrupt.is_cancelled() {
            stop.store(true, Ordering::Relaxed);
        }
        if let Some(told) = view.look(tally) {
            terminal.note(&told);
        }
    };
    let found = search(plan, trial, &stop, watch)
        .map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
    let wall = view.close();
    let stopped = if interrupt.is_cancelled() {
        Some(Stopped::Interrupted)
    } else if stop.load(Ordering::Relaxed) {
        Some(Stopped::Time)
    } else {
        let is_early = found.tally.seeds < plan.seeds.count();
        (is_early && plan.at_finding == AtFinding::Stop).then_some(Stopped::Violation)
    };
    let jobs = count(plan.jobs.get());
    Ok((found, Course { seeds: plan.seeds, stopped, wall, jobs }))
}

/// How the program ends.
fn exit(found: &Found) -> Exit {
    let of = |(_, finding): &(u64, Finding)| match finding {
        Finding::Violated(_) => Exit::Violated,
        Finding::Failed { .. } => Exit::Internal,
    };
    let worst = found.findings.iter().map(of).max();
    worst.unwrap_or(if found.tally.has_tested() { Exit::Holds } else { Exit::Undecided })
}

#[expect(clippy::disallowed_methods, reason = "the summary tells how long it took")]
fn now() -> Instant {
    Instant::now()
}
