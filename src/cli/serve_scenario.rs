//! Running a scenario that a client sends to `passbook serve`.

use std::sync::Arc;

use miette::Diagnostic;

use crate::grpc::{
    Expectation, InputFault, InputPlace, ScenarioDone, ScenarioFault, ScenarioJob, ScenarioRunner,
};
use crate::report::{Assessment, json};
use crate::runner::{
    self, Carrier, MemoryBudget, MemoryError, Recording, RunError, RunOptions, run_bytes,
    text_bytes,
};
use crate::scenario::{Scenario, ScenarioError, Settings, Source};

/// Runs scenarios of clients, all together in what is left of `memory`.
pub(super) fn run_for_clients(memory: &Arc<MemoryBudget>) -> Arc<ScenarioRunner> {
    let memory = Arc::clone(memory);
    Arc::new(move |job| run_for_client(job, &memory))
}

/// Runs `job` on a bank of its own, in virtual time.
fn run_for_client(job: ScenarioJob, memory: &MemoryBudget) -> Result<ScenarioDone, ScenarioFault> {
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
    drop(reading);
    let needed = run_bytes(&scenario, &options, Carrier::Mailboxes);
    let _running = memory.try_take(needed).map_err(too_large)?;
    let run = runner::run(&scenario, &options).map_err(|error| match error {
        RunError::BalanceOutOfRange { .. } => {
            let problem = error.to_string();
            ScenarioFault::Input(InputFault { place: None, problem, help: None })
        }
        RunError::ActorStopped
        | RunError::Standstill
        | RunError::Facts(_)
        | RunError::History(_)
        | RunError::Runtime(_)
        | RunError::Bind(_)
        | RunError::NoRandomness(_)
        | RunError::Edge(_)
        | RunError::NoEndpoint { .. }
        | RunError::NotThere(_)
        | RunError::NotFresh { .. } => ScenarioFault::Run(error.to_string()),
    })?;
    let assessment = Assessment::of(&run.result);
    let mut report = Vec::new();
    json::write(&mut report, &run.result, &assessment)
        .map_err(|error| ScenarioFault::Run(error.to_string()))?;
    let json = String::from_utf8(report).map_err(|error| ScenarioFault::Run(error.to_string()))?;
    let expectation = match &assessment.differences {
        None => Expectation::None,
        Some(differences) if differences.is_empty() => Expectation::Met,
        Some(_) => Expectation::NotMet,
    };
    let (name, seed) = (run.result.scenario, run.result.config.seed);
    Ok(ScenarioDone { name, seed, facts: run.facts, expectation, json: json.trim_end().to_owned() })
}

fn told(error: &ScenarioError) -> InputFault {
    InputFault {
        place: Some(InputPlace { line: error.line(), column: error.column() }),
        problem: error.summary(),
        help: error.help().map(|help| help.to_string()),
    }
}
