//! Running a scenario that a client sends to `passbook serve`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use miette::Diagnostic;

use crate::grpc::{
    Expectation, InputFault, InputPlace, ScenarioDone, ScenarioFault, ScenarioJob, ScenarioLimits,
    Scenarios,
};
use crate::report::{Assessment, json};
use crate::run::{
    Carrier, MemoryBudget, MemoryError, Recording, RunError, RunOptions, run_bytes,
    run_unless_stopped, text_bytes,
};
use crate::scenario::{Scenario, ScenarioError, Settings, Source};

/// Runs scenarios of clients within `limits`, all together in what is left of `memory`.
pub(super) fn run_for_clients(limits: ScenarioLimits, memory: MemoryBudget) -> Scenarios {
    let run = move |job, stop: &AtomicBool| run_for_client(job, &limits, &memory, stop);
    Scenarios::new(limits, Arc::new(run))
}

/// Runs `job` on a bank of its own, in virtual time, until `stop` is set.
fn run_for_client(
    job: ScenarioJob,
    limits: &ScenarioLimits,
    memory: &MemoryBudget,
    stop: &AtomicBool,
) -> Result<ScenarioDone, ScenarioFault> {
    let too_large = |error: MemoryError| ScenarioFault::TooLarge(error.to_string());
    let reading = memory.try_take(text_bytes(job.text.len())).map_err(too_large)?;
    let scenario = Scenario::parse(&Source::new("scenario", job.text))
        .map_err(|error| ScenarioFault::Input(told(&error)))?;
    let overrides = Settings {
        propagation: job.propagation,
        guarantees: job.guarantees,
        overdraft: job.overdraft,
        customers: job.customers,
        queries: job.queries,
        seed: job.seed,
        ..Settings::default()
    };
    let options = RunOptions { overrides, recording: Recording::Facts, ..RunOptions::default() };
    check_events(&scenario, limits)?;
    let needed = run_bytes(&scenario, &options, Carrier::Mailboxes);
    drop(reading);
    let share = memory.try_take(needed).map_err(too_large)?;
    let run = run_unless_stopped(&scenario, &options, stop).map_err(|error| match error {
        RunError::BalanceOutOfRange { .. } => {
            let problem = error.to_string();
            ScenarioFault::Input(InputFault { place: None, problem, help: None })
        }
        RunError::ActorStopped
        | RunError::Stopped
        | RunError::Standstill
        | RunError::Facts(_)
        | RunError::History(_)
        | RunError::FaultsOverSockets
        | RunError::DiskForgets
        | RunError::NoNemesis
        | RunError::Impossible(_)
        | RunError::Bind(_)
        | RunError::NoRandomness(_)
        | RunError::Edge(_)
        | RunError::NoEndpoint { .. }
        | RunError::NotThere(_)
        | RunError::NotFresh { .. } => ScenarioFault::Run(error.to_string()),
    })?;
    drop(scenario);
    let go_on = || match stop.load(Ordering::Relaxed) {
        true => Err(ScenarioFault::Run(RunError::Stopped.to_string())),
        false => Ok(()),
    };
    go_on()?;
    let assessment = Assessment::of(&run.result);
    go_on()?;
    let mut report = Vec::new();
    json::write(&mut report, &run.result, &assessment)
        .map_err(|error| ScenarioFault::Run(error.to_string()))?;
    let mut json =
        String::from_utf8(report).map_err(|error| ScenarioFault::Run(error.to_string()))?;
    json.truncate(json.trim_end().len());
    let expectation = match &assessment.differences {
        None => Expectation::None,
        Some(differences) if differences.is_empty() => Expectation::Met,
        Some(_) => Expectation::NotMet,
    };
    let (name, seed) = (run.result.scenario, run.result.config.seed);
    let (facts, memory) = (run.facts, Box::new(share));
    Ok(ScenarioDone { name, seed, facts, expectation, json, memory })
}

/// A run takes time for each event at each branch, and something for a branch without.
fn check_events(scenario: &Scenario, limits: &ScenarioLimits) -> Result<(), ScenarioFault> {
    let branches = scenario.roster.len();
    let events = scenario.visits.iter().map(|visit| visit.events.len()).sum::<usize>();
    let most = limits.events_max;
    match u64::try_from(branches.saturating_mul(events.max(1))) {
        Ok(steps) if steps <= most => Ok(()),
        Ok(_) | Err(_) => Err(ScenarioFault::TooManyEvents { branches, events, most }),
    }
}

fn told(error: &ScenarioError) -> InputFault {
    InputFault {
        place: Some(InputPlace { line: error.line(), column: error.column() }),
        problem: error.summary(),
        help: error.help().map(|help| help.to_string()),
    }
}
