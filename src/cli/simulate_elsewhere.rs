//! Searches seeds on the workers of a NATS server: cuts them into shares, and adds up in their order what
//! each came to.

use std::fmt::Display;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::crew_view::CrewView;
use super::exit::Failure;
use super::share_args::{ShareRunner, seeds_options};
use super::simulate_args::SimulateArgs;
use super::terminal::Terminal;
use crate::cluster::{
    Arrived, ClusterError, Coordination, Cut, Cuts, Digest, Ending, JobName, JobSettings, Next,
    ServerSettings, Share, ShareResult, ShareSizes, Work, compress, coordinate,
};
use crate::report::shell;
use crate::simulate::{AtFinding, Course, Found, Plan, ProgressView, Seeds, Stopped};

/// So long nothing happens before somebody looks whether the search is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Searches as `plan` says; what each seed runs is in `parcel` where it is given, and has up to so many
/// `events`.
pub(super) fn search_elsewhere(
    args: &SimulateArgs,
    (plan, parcel, events): (Plan, Option<Vec<u8>>, u64),
    server: ServerSettings,
    (interrupt, terminal): (&CancellationToken, &mut Terminal),
) -> Result<(Found, Course), Failure> {
    let parcel = parcel.as_deref().map(compress);
    let settings = job(args, plan, parcel.as_deref())?;
    let budget = args.load.memory.budget();
    let give_up = move |share: &Share, parcel: Option<&[u8]>, reason: &str| {
        ShareRunner::new(budget.clone()).give_up(share, parcel, reason)
    };
    let cutter = Cutter {
        job: settings.name.clone(),
        options: seeds_options(&args.load, args.keep_going, parcel.is_some()),
        sizes: ShareSizes::of_seeds(events),
        scenario: parcel.as_deref().map(Digest::of),
        parcel,
    };
    let (cuts, mut coordination) = coordinate(server, settings, Arc::new(give_up))?;
    cutter.start(plan.seeds, cuts)?;
    let mut view = ProgressView::open(plan.seeds, args.progress_every);
    let mut crew = CrewView::default();
    let gathered = gather(plan, &mut coordination, (&mut view, &mut crew), (interrupt, terminal));
    let ending = match &gathered {
        Ok((_, None | Some(Stopped::Violation))) => Ending::Done,
        Ok((_, Some(Stopped::Interrupted | Stopped::Time))) | Err(_) => Ending::Kept,
    };
    let ended = coordination.end(ending);
    let wall = view.close();
    let (found, stopped) = gathered?;
    ended?;
    Ok((found, Course { seeds: plan.seeds, stopped, wall, jobs: crew.threads_most() }))
}

/// The job that `args` ask for.
fn job(args: &SimulateArgs, plan: Plan, parcel: Option<&[u8]>) -> Result<JobSettings, Failure> {
    let mut words = vec!["simulate".to_owned(), env!("CARGO_PKG_VERSION").to_owned()];
    words.extend(seeds_options(&args.load, args.keep_going, parcel.is_some()));
    words.push(plan.seeds.to_string());
    words.extend(parcel.map(|parcel| Digest::of(parcel).to_string()));
    let digest = Digest::of(words.join("\n").as_bytes());
    let name = match &args.nats.job {
        Some(name) => name.parse::<JobName>().map_err(Failure::bad_input)?,
        None => JobName::of(digest),
    };
    let scenario = args.scenario.as_ref().map(|place| shell::file(place.to_string()));
    let scenario = scenario.map_or(String::new(), |file| format!(" {file}"));
    let command = format!("passbook simulate{scenario} --seeds {}", plan.seeds);
    Ok(JobSettings { name, digest, command, store_max: args.nats.store_max })
}

/// Adds up what comes, until there is no more or the search is to stop.
fn gather(
    plan: Plan,
    coordination: &mut Coordination,
    (view, crew): (&mut ProgressView, &mut CrewView),
    (interrupt, terminal): (&CancellationToken, &mut Terminal),
) -> Result<(Found, Option<Stopped>), Failure> {
    let (mut found, mut gathered) = (Found::default(), 0);
    while !interrupt.is_cancelled() {
        match coordination.next_within(LOOK_EVERY)? {
            Next::Share(arrived) => {
                crew.did(&arrived);
                gathered += arrived.share.count();
                found.append(read(*arrived)?);
                if plan.at_finding == AtFinding::Stop && !found.findings.is_empty() {
                    let is_early = found.tally.seeds < plan.seeds.count();
                    return Ok((found, is_early.then_some(Stopped::Violation)));
                }
            }
            Next::Warning(text) => terminal.warning(&text),
            Next::NotYet => {}
            Next::End if gathered == plan.seeds.count() => return Ok((found, None)),
            // Not all were cut.
            Next::End => return Err(ClusterError::Panicked.into()),
        }
        if let Some(told) = view.look(&found.tally) {
            terminal.note(&format!("{told}; {}", crew.told()));
        }
    }
    Ok((found, Some(Stopped::Interrupted)))
}

fn read(arrived: Arrived) -> Result<Found, Failure> {
    let number = arrived.share.number;
    let damaged = |problem: &dyn Display| {
        Failure::internal(format!("the result of share {number} is damaged: {problem}"))
    };
    match ShareResult::from_bytes(&arrived.result).map_err(|error| damaged(&error))? {
        ShareResult::Found(found) => Ok(*found),
        ShareResult::Rows { .. } => Err(damaged(&"it is of scenarios")),
    }
}

/// Cuts seeds into shares.
struct Cutter {
    job: JobName,
    options: Vec<String>,
    sizes: ShareSizes,
    scenario: Option<Digest>,
    parcel: Option<Vec<u8>>,
}

impl Cutter {
    /// Starts a thread that cuts `seeds`.
    fn start(self, seeds: Seeds, cuts: Cuts) -> Result<(), Failure> {
        let main = move || {
            let mut first = seeds.first();
            let mut number = 0;
            while first < seeds.end() {
                let count = self.sizes.after(first - seeds.first()).min(seeds.end() - first);
                let (options, scenario) = (self.options.clone(), self.scenario);
                let work = Work::Seeds { options, scenario, first, count };
                let share = Share::new(self.job.clone(), number, work);
                let cut = Cut { share, parcel: self.parcel.clone(), held: Vec::new() };
                if cuts.send(cut).is_err() {
                    return;
                }
                first += count;
                number += 1;
            }
        };
        let spawned = thread::Builder::new().name("seeds-cutter".to_owned()).spawn(main);
        spawned.map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
        Ok(())
    }
}
