//! What the options of a share mean: they are those of a batch that say how a scenario is run, or of a
//! simulation that say how a seed is, and of nothing else. No option of a share names a file, and no variable of the environment stands for any.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, FromArgMatches};

use super::generated_args::parse_words;
use super::load_args::LoadArgs;
use super::option_words::parse_option_words;
use super::row_args::RowArgs;
use crate::batch::{Filter, Generated, Item, Job, Outcome, Overview, RowLines, do_one, unpack};
use crate::cluster::{
    Digest, GivenUp, RESULT_BYTES_MAX, RowsHead, Scenarios, Share, ShareResult, Work, decompress,
};
use crate::model::ByteSize;
use crate::run::{Carrier, MemoryBudget, Runner, run_bytes};
use crate::simulate::{AtFinding, Found, Load, Plan, Seeds, Trial, search};
use crate::source::parse_scenario;

/// The options of a share of a batch.
#[derive(Debug, Args)]
struct BatchShareArgs {
    #[arg(long)]
    filter: Vec<Filter>,

    #[command(flatten)]
    rows: RowArgs,
}

/// The options of a share of a simulation.
#[derive(Debug, Args)]
struct SeedsShareArgs {
    #[arg(long)]
    keep_going: bool,

    /// Each seed runs a scenario that is given.
    #[arg(long)]
    scenario: bool,

    #[command(flatten)]
    load: LoadArgs,
}

/// The options with which workers run the seeds that `load` asks for.
pub(super) fn seeds_options(load: &LoadArgs, keep_going: bool, is_given: bool) -> Vec<String> {
    let flag = |is_set: bool, name: &str| is_set.then(|| name.to_owned());
    let options = load.options(!is_given).join(" ");
    let options = options.split_whitespace().map(str::to_owned);
    let flags = [flag(keep_going, "--keep-going"), flag(is_given, "--scenario")];
    options.chain(flags.into_iter().flatten()).collect()
}

/// The options with which workers make the rows that `rows` and `filters` ask for.
pub(super) fn options(rows: &RowArgs, filters: &[Filter]) -> Vec<String> {
    let options = rows.replay_options();
    let options = options.split_whitespace().map(str::to_owned);
    options.chain(filters.iter().map(|filter| format!("--filter={filter}"))).collect()
}

fn parse<A: Args + FromArgMatches>(options: &[String]) -> Result<A, String> {
    parse_option_words(options).map_err(|error| format!("its options are none: {error}"))
}

/// Runs shares, one after the other.
pub(super) struct ShareRunner {
    /// What all threads of this process may take.
    memory: MemoryBudget,
    runner: Runner,
    /// What was made of the options of the last share: the next one has mostly the same.
    batch: Option<Prepared>,
    generated: Option<(Vec<String>, Generated)>,
    seeds: Option<PreparedSeeds>,
}

/// A simulation whose options are read.
struct PreparedSeeds {
    options: Vec<String>,
    scenario: Option<Digest>,
    trial: Arc<Trial>,
    at_finding: AtFinding,
}

/// A batch whose options are read.
struct Prepared {
    options: Vec<String>,
    memory_max: u64,
    job: Arc<Job>,
}

impl ShareRunner {
    /// One that takes its part of `memory`.
    pub(super) fn new(memory: MemoryBudget) -> Self {
        Self { memory, runner: Runner::default(), batch: None, generated: None, seeds: None }
    }

    /// Runs `share`; its parcel is there if it needs one. An error says why that cannot be done here.
    pub(super) fn run(&mut self, share: &Share, parcel: Option<&[u8]>) -> Result<Vec<u8>, String> {
        match &share.work {
            Work::Batch { options, memory_max, scenarios } => {
                let job = self.job(options, *memory_max)?;
                let items = self.items(scenarios, parcel)?;
                self.rows(&job, items).map(ShareResult::into_bytes)
            }
            &Work::Seeds { ref options, scenario, first, count } => {
                let (trial, at_finding) = self.trial(options, scenario, parcel)?;
                let end = first.saturating_add(count);
                let seeds = Seeds::new(first, end).map_err(|error| error.to_string())?;
                let plan = Plan { seeds, jobs: NonZeroUsize::MIN, at_finding };
                let found = search(plan, &trial, &AtomicBool::new(false), |_| {});
                let found = found.map_err(|error| format!("cannot start a thread: {error}"))?;
                Ok(ShareResult::Found(Box::new(found)).into_bytes())
            }
        }
    }

    fn trial(
        &mut self,
        options: &[String],
        scenario: Option<Digest>,
        parcel: Option<&[u8]>,
    ) -> Result<(Arc<Trial>, AtFinding), String> {
        let is_it = |of: &&PreparedSeeds| of.options == options && of.scenario == scenario;
        if let Some(prepared) = self.seeds.as_ref().filter(is_it) {
            return Ok((Arc::clone(&prepared.trial), prepared.at_finding));
        }
        let SeedsShareArgs { keep_going, load, .. } = parse(options)?;
        let overrides = load.overrides();
        let given = match scenario {
            None => Load::generated(load.size()).map_err(|error| error.to_string())?,
            Some(_) => {
                let parcel = parcel.ok_or("its scenario is not there")?;
                let items = items_of(parcel)?;
                let text = items.into_iter().next().and_then(Item::into_text);
                let (place, text) = text.ok_or("its scenario has no text")?;
                let scenario = parse_scenario(&place, text, overrides.event_ids);
                Load::given(scenario.map_err(|error| error.to_string())?)
            }
        };
        let trial = Arc::new(Trial::new(given, overrides));
        let needed = run_bytes(&trial.load().largest(), trial.options(), Carrier::Mailboxes);
        self.memory.check(needed).map_err(|error| error.to_string())?;
        let at_finding = if keep_going { AtFinding::GoOn } else { AtFinding::Stop };
        let prepared = PreparedSeeds {
            options: options.to_vec(),
            scenario,
            trial: Arc::clone(&trial),
            at_finding,
        };
        self.seeds = Some(prepared);
        Ok((trial, at_finding))
    }

    /// What `share` becomes that is given up because of `reason`. An error says why it becomes nothing.
    pub(super) fn give_up(
        &mut self,
        share: &Share,
        parcel: Option<&[u8]>,
        reason: &str,
    ) -> GivenUp {
        let given_up =
            |what: &str| format!("given up, for five workers could not run {what}: {reason}");
        match &share.work {
            Work::Batch { options, memory_max, scenarios } => {
                let reason = given_up("it");
                let job = self.job(options, *memory_max)?;
                let mut rows = Rows::default();
                for item in self.items(scenarios, parcel)? {
                    rows.take(job.given_up(item, &reason))?;
                }
                Ok(rows.into_result().into_bytes())
            }
            Work::Seeds { first, count, .. } => {
                let found = Found::failed(*first, *count, given_up(&share.told()));
                Ok(ShareResult::Found(Box::new(found)).into_bytes())
            }
        }
    }

    fn job(&mut self, options: &[String], memory_max: u64) -> Result<Arc<Job>, String> {
        let is_it = |of: &&Prepared| of.options == options && of.memory_max == memory_max;
        if let Some(Prepared { job, .. }) = self.batch.as_ref().filter(is_it) {
            return Ok(Arc::clone(job));
        }
        let BatchShareArgs { filter, rows } = parse(options)?;
        let allowed = Some(MemoryBudget::new(ByteSize::new(memory_max)));
        let job = Job { allowed, ..rows.job(filter, self.memory.clone(), RowLines::Wanted) };
        let job = Arc::new(job);
        let prepared = Prepared { options: options.to_vec(), memory_max, job: Arc::clone(&job) };
        self.batch = Some(prepared);
        Ok(job)
    }

    fn items(&mut self, scenarios: &Scenarios, parcel: Option<&[u8]>) -> Result<Vec<Item>, String> {
        match scenarios {
            Scenarios::Generated { options, first, count } => {
                let generated = self.generated(options)?;
                let end = first.saturating_add(*count);
                Ok(generated.items(*first, end.saturating_sub(1)).collect())
            }
            Scenarios::Parcel { .. } => {
                let parcel = parcel.ok_or("its input is not there")?;
                items_of(parcel)
            }
        }
    }

    fn generated(&mut self, options: &[String]) -> Result<&Generated, String> {
        if self.generated.as_ref().is_none_or(|(of, _)| of != options) {
            let wanted = parse_words(options.to_vec())
                .map_err(|error| format!("its options of generate are none: {error}"))?;
            let generator = Arc::new(wanted.generator().map_err(|error| error.to_string())?);
            let (first, count) = (wanted.args.first, wanted.args.count);
            self.generated = Some((options.to_vec(), Generated { generator, first, count }));
        }
        self.generated.as_ref().map(|(_, made)| made).ok_or_else(|| "none".to_owned())
    }

    fn rows(&mut self, job: &Job, items: Vec<Item>) -> Result<ShareResult, String> {
        let mut rows = Rows::default();
        let run = |runner: &mut Runner, item: &mut Item| job.run(runner, item);
        let panicked = |item: Item, message: &str| job.panicked(item, message);
        for item in items {
            rows.take(do_one(&run, &panicked, item, &mut self.runner))?;
        }
        Ok(rows.into_result())
    }
}

/// The scenarios in `parcel`, as it was sent.
fn items_of(parcel: &[u8]) -> Result<Vec<Item>, String> {
    let damaged = |error: &dyn Display| format!("its input is damaged: {error}");
    let parcel = decompress(parcel).map_err(|error| damaged(&error))?;
    unpack(&parcel).map_err(|error| damaged(&error))
}

/// The rows of a share, as they are gathered.
#[derive(Default)]
struct Rows {
    overview: Overview,
    filtered_out: u64,
    lines: Vec<u8>,
}

impl Rows {
    fn take(&mut self, outcome: Outcome) -> Result<(), String> {
        match outcome {
            Outcome::Row { row, line, .. } => {
                self.overview.add(&row);
                self.lines.extend(line);
                if self.lines.len() > RESULT_BYTES_MAX {
                    return Err(format!("its rows are more than {RESULT_BYTES_MAX} bytes"));
                }
            }
            Outcome::FilteredOut => self.filtered_out += 1,
            Outcome::Mismatch(error) => return Err(error.to_string()),
            Outcome::TooLargeHere(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    fn into_result(self) -> ShareResult {
        let about = RowsHead { overview: self.overview, filtered_out: self.filtered_out };
        ShareResult::Rows { about, lines: self.lines }
    }
}
