//! `passbook compare`: times a scenario over several transports, side by side.

use std::io;
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::compare_args::CompareArgs;
use super::compare_output::Variant;
use super::exit::Exit;
use super::terminal::Terminal;
use crate::compare::{CompareError, CompareOptions, Comparison, Progress, compare, compare_bytes};
use crate::model::number::count;
use crate::model::{Propagation, Shown};
use crate::scenario::Scenario;
use crate::scenario::generate::Generator;
use crate::source::read_scenario;

/// Compares, and prints what was measured.
pub(super) fn compare_transports(args: &CompareArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    let propagations = args.propagations();
    let variant = |&propagation: &Option<Propagation>| {
        Variant(propagation.filter(|_| propagations.len() > 1))
    };
    let variants: Vec<Variant> = propagations.iter().map(variant).collect();
    if let Err(error) = args.output.refuse_clashes(args.scenario.as_deref(), &variants) {
        terminal.diagnostic(&error);
        return Ok(Exit::BadInput);
    }
    let Some(scenario) = scenario(args, terminal) else { return Ok(Exit::BadInput) };
    terminal.remarks(&scenario.warnings);
    if scenario.settings.latency.is_some() || !scenario.settings.links.is_empty() {
        let name = Shown::name(&scenario.name);
        terminal
            .warning(&format!("{name}: lag is not simulated here; messages take what they take"));
    }
    let program = std::env::current_exe()?;
    let stop = stop_on_signal()?;
    let mut comparisons = Vec::with_capacity(propagations.len());
    for (propagation, variant) in propagations.into_iter().zip(variants) {
        let options = args.options(propagation, program.clone(), stop.clone());
        if let Err(refused) = args.memory.budget().check(compare_bytes(&scenario, &options)) {
            terminal.error(&format!("{}: {refused}", Shown::name(&scenario.name)));
            return Ok(Exit::BadInput);
        }
        match args.output.prepare(variant, args.document.document_max, terminal) {
            Ok(earlier) => comparisons.push((options, variant, earlier)),
            Err(exit) => return Ok(exit),
        }
    }
    let mut worst = Exit::Holds;
    for (place, (options, variant, earlier)) in comparisons.into_iter().enumerate() {
        let comparison = match run(&scenario, &options) {
            Ok(comparison) => comparison,
            Err(error) => {
                terminal.error(&describe(&error));
                return Ok(exit_of(&error));
            }
        };
        if place > 0 && args.output.is_text() {
            writeln!(terminal.results())?;
        }
        worst = worst.max(args.output.show(&comparison, earlier, variant, terminal)?);
        terminal.flush()?;
    }
    Ok(worst)
}

/// What is to be compared; `None` if there is nothing, which is told.
fn scenario(args: &CompareArgs, terminal: &mut Terminal) -> Option<Scenario> {
    match &args.scenario {
        Some(path) => match read_scenario(path, args.document.document_max, None) {
            Ok(scenario) => Some(scenario),
            Err(error) => {
                terminal.diagnostic(&error);
                None
            }
        },
        None => match Generator::new(args.generated()) {
            Ok(generator) => Some(generator.scenario(1)),
            Err(error) => {
                terminal.error(&error.to_string());
                None
            }
        },
    }
}

/// Compares, and shows on a terminal how far it is.
fn run(scenario: &Scenario, options: &CompareOptions) -> Result<Comparison, CompareError> {
    let style =
        ProgressStyle::with_template("{wide_bar}  {msg}").expect("every comparison reads it");
    let bar = ProgressBar::new(1).with_style(style);
    let comparison = compare(scenario, options, &mut |progress| match progress {
        Progress::WarmingUp(transport) => {
            bar.set_message(format!("warming up: {}", transport.name()));
        }
        Progress::Round { transport, number, of } => {
            bar.set_length(count(of));
            bar.set_position(count(number - 1));
            bar.set_message(format!("round {number} of {of}: {}", transport.name()));
        }
    });
    bar.finish_and_clear();
    comparison
}

/// An error and all that is behind it.
fn describe(error: &CompareError) -> String {
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_told = cause.to_string();
        if !told.contains(&cause_told) {
            told = format!("{told}: {cause_told}");
        }
        source = cause.source();
    }
    told
}

fn exit_of(error: &CompareError) -> Exit {
    match error {
        CompareError::NoTransports
        | CompareError::NoRounds
        | CompareError::NoCopies
        | CompareError::NoRequests
        | CompareError::Rate { .. }
        | CompareError::Ids { .. }
        | CompareError::TooMany { .. }
        | CompareError::QueriesWait => Exit::BadInput,
        CompareError::Stopped => Exit::Undecided,
        CompareError::NoProgram
        | CompareError::NoRandomness(_)
        | CompareError::Runtime(_)
        | CompareError::Door(_)
        | CompareError::Folder { .. }
        | CompareError::Process { .. }
        | CompareError::Unanswered { .. }
        | CompareError::NoState { .. }
        | CompareError::Unsettled { .. }
        | CompareError::Balance { .. }
        | CompareError::Answers { .. }
        | CompareError::BankEnded(_) => Exit::Internal,
    }
}

/// Ends comparisons on SIGINT, SIGTERM or SIGHUP: a process that died of them would leave the processes of
/// its branches behind.
fn stop_on_signal() -> io::Result<watch::Receiver<()>> {
    let (stop, stopped) = watch::channel(());
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let [mut interrupt, mut terminate, mut hang_up] = runtime.block_on(async {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hang_up] = kinds.map(signal);
        Ok::<_, io::Error>([interrupt?, terminate?, hang_up?])
    })?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        });
        drop(stop);
    })?;
    Ok(stopped)
}
