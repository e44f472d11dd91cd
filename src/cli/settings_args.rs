//! The arguments that override what scenarios say of how to run them.

use std::time::Duration;

use clap::Args;

use super::fault_args::FoulWeatherArgs;
use super::number::whole;
use super::words::one_of;
use crate::model::{
    CustomerOrder, Durability, EventIds, Guarantees, Overdraft, Propagation, QueryTiming, Seed,
};
use crate::network::{Latency, parse_span, show_span};
use crate::scenario::Settings;

#[derive(Debug, Args)]
pub(super) struct SettingsArgs {
    #[command(flatten)]
    pub(super) common: CommonSettingsArgs,

    /// When customers make their visits [default: as the scenario says, else in-order]
    #[arg(long, value_name = "ORDER", value_parser = one_of::<CustomerOrder>())]
    #[arg(env = "PASSBOOK_CUSTOMERS", hide_env_values = true)]
    customers: Option<CustomerOrder>,
}

/// Those of every command that runs scenarios, whatever else it has.
#[derive(Debug, Args)]
pub(super) struct CommonSettingsArgs {
    /// How a write reaches the other branches [default: as the scenario says, else sync]
    #[arg(long, value_name = "WHEN", value_parser = one_of::<Propagation>())]
    #[arg(env = "PASSBOOK_PROPAGATION", hide_env_values = true)]
    propagation: Option<Propagation>,

    /// What every customer is promised: all, none, or some of ryw,mr,mw,wfr [default: as the
    /// scenario says, else all]
    #[arg(long, value_name = "SET", env = "PASSBOOK_GUARANTEES", hide_env_values = true)]
    guarantees: Option<Guarantees>,

    /// How long messages between branches take, on every link: none, constant:20ms,
    /// uniform:1ms..50ms or exponential:10ms [default: as the scenario says, else none]
    #[arg(long, value_name = "LATENCY", env = "PASSBOOK_LATENCY", hide_env_values = true)]
    pub(super) latency: Option<Latency>,

    /// How long a request waits for what its customer is promised, before it fails [default: as the
    /// scenario says, else 10s]
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    #[arg(env = "PASSBOOK_WAIT_LIMIT", hide_env_values = true)]
    wait_limit: Option<Duration>,

    #[command(flatten)]
    pub(super) weather: FoulWeatherArgs,

    /// What to do with a withdrawal that the balance does not cover [default: as the scenario says,
    /// else allow]
    #[arg(long, value_name = "POLICY", value_parser = one_of::<Overdraft>())]
    #[arg(env = "PASSBOOK_OVERDRAFT", hide_env_values = true)]
    overdraft: Option<Overdraft>,

    /// Give each branch a simulated disk: what rests on a write is said when it is on that, and a crash
    /// keeps what was synced [default: as the scenario says, else there is none]
    #[arg(long)]
    disk: bool,

    /// Send each query only when all propagation has settled; with concurrent customers, when all
    /// stand at a query or have ended
    #[arg(long)]
    settle_before_query: bool,

    /// What becomes of the ids of a customer's events [default: as the scenario says, else
    /// renumber]
    #[arg(long, value_name = "HOW", value_parser = one_of::<EventIds>())]
    #[arg(env = "PASSBOOK_EVENT_IDS", hide_env_values = true)]
    event_ids: Option<EventIds>,

    /// What the run draws its chances from
    #[arg(long, value_name = "NUMBER", env = "PASSBOOK_SEED", hide_env_values = true)]
    #[arg(value_parser = whole::<u64>(0..=u64::MAX))]
    seed: Option<u64>,
}

impl CommonSettingsArgs {
    /// What overrides the scenarios' own settings.
    pub(super) fn overrides(&self) -> Settings {
        Settings {
            propagation: self.propagation,
            guarantees: self.guarantees,
            latency: self.latency,
            foul_weather: self.weather.overrides(),
            wait_limit: self.wait_limit,
            overdraft: self.overdraft,
            durability: self.disk.then_some(Durability::Disk),
            queries: self.settle_before_query.then_some(QueryTiming::AfterSettling),
            event_ids: self.event_ids,
            seed: self.seed.map(Seed),
            ..Settings::default()
        }
    }

    /// The options of a command line that does the same again, but for the seed.
    pub(super) fn options(&self) -> Vec<String> {
        let Settings { propagation, guarantees, latency, wait_limit, .. } = self.overrides();
        let Settings { overdraft, durability, queries, event_ids, .. } = self.overrides();
        let mut options = Vec::new();
        options.extend(propagation.map(|propagation| format!("--propagation {propagation}")));
        options.extend(guarantees.map(|guarantees| format!("--guarantees {guarantees}")));
        options.extend(latency.map(|latency| format!("--latency {latency}")));
        options.extend(wait_limit.map(|limit| format!("--wait-limit {}", show_span(limit))));
        options.extend(self.weather.options());
        options.extend(overdraft.map(|overdraft| format!("--overdraft {overdraft}")));
        options.extend(durability.map(|_| "--disk".to_owned()));
        options.extend(queries.map(|_| "--settle-before-query".to_owned()));
        options.extend(event_ids.map(|event_ids| format!("--event-ids {event_ids}")));
        options
    }
}

impl SettingsArgs {
    /// What overrides the scenarios' own settings.
    pub(super) fn overrides(&self) -> Settings {
        Settings { customers: self.customers, ..self.common.overrides() }
    }

    /// The options of a command line that does the same again, but for the seed.
    pub(super) fn options(&self) -> Vec<String> {
        let mut options = self.common.options();
        options.extend(self.customers.map(|customers| format!("--customers {customers}")));
        options
    }
}
