//! The arguments that let things go wrong on purpose.

use std::time::Duration;

use clap::Args;

use crate::network::{Latency, Nemesis, NemesisKinds, Rates, parse_span, show_span};
use crate::scenario::{FoulWeather, NemesisSettings};

/// What goes wrong between branches, and with them.
#[derive(Debug, Clone, Args)]
pub(super) struct FaultArgs {
    /// What may happen to any message between branches, and how often: some of loss=0.02,
    /// duplicate=0.01 and reorder, or none [default: as the scenario says, else none]
    #[arg(long, value_name = "RATES", env = "PASSBOOK_FAULTS", hide_env_values = true)]
    faults: Option<Rates>,

    /// What a nemesis does at times of its own: some of partition, crash (a branch stops, and keeps
    /// all), amnesia (it keeps nothing) and slow [default: as the scenario says, else nothing]
    #[arg(long, value_name = "KINDS", env = "PASSBOOK_NEMESIS", hide_env_values = true)]
    nemesis: Option<NemesisKinds>,

    /// How often it strikes, on average [default: as the scenario says, else 50ms]
    #[arg(long, value_name = "SPAN", value_parser = Nemesis::parse_interval)]
    #[arg(env = "PASSBOOK_NEMESIS_INTERVAL", hide_env_values = true)]
    nemesis_interval: Option<Duration>,

    /// How long each strike lasts, on average [default: as the scenario says, else 20ms]
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    #[arg(env = "PASSBOOK_NEMESIS_DURATION", hide_env_values = true)]
    nemesis_duration: Option<Duration>,
}

/// The same, with what is simulated around it: customers that take their time, and an end in which
/// all is well again.
#[derive(Debug, Clone, Args)]
pub(super) struct FoulWeatherArgs {
    #[command(flatten)]
    faults: FaultArgs,

    /// How long customers wait before each of their events: none, constant:20ms, uniform:1ms..50ms
    /// or exponential:10ms [default: as the scenario says, else none]
    #[arg(long, value_name = "LATENCY", env = "PASSBOOK_THINK", hide_env_values = true)]
    think: Option<Latency>,

    /// How long the bank may take to settle when nothing goes wrong any more [default: as the
    /// scenario says, else 1min]
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    #[arg(env = "PASSBOOK_SETTLE_LIMIT", hide_env_values = true)]
    settle_limit: Option<Duration>,
}

impl FaultArgs {
    /// Whether anything is said.
    pub(super) fn are_given(&self) -> bool {
        self.foul_weather() != FoulWeather::default()
    }

    /// What overrides a scenario's own.
    pub(super) fn foul_weather(&self) -> FoulWeather {
        FoulWeather {
            rates: self.faults,
            nemesis: NemesisSettings {
                kinds: self.nemesis.clone(),
                interval: self.nemesis_interval,
                duration: self.nemesis_duration,
            },
            ..FoulWeather::default()
        }
    }

    /// The options of a command line that says the same again.
    pub(super) fn options(&self) -> Vec<String> {
        let Self { faults, nemesis, nemesis_interval, nemesis_duration } = self;
        let span = |name: &str, span: &Option<Duration>| {
            span.map(|span| format!("--nemesis-{name} {}", show_span(span)))
        };
        let mut options = Vec::new();
        options.extend(faults.map(|faults| format!("--faults {faults}")));
        options.extend(nemesis.as_ref().map(|kinds| format!("--nemesis {kinds}")));
        options.extend(span("interval", nemesis_interval));
        options.extend(span("duration", nemesis_duration));
        options
    }
}

impl FoulWeatherArgs {
    /// What goes wrong.
    pub(super) const fn faults(&self) -> &FaultArgs {
        &self.faults
    }

    /// What overrides a scenario's own, if anything does.
    pub(super) fn overrides(&self) -> Option<Box<FoulWeather>> {
        let Self { faults, think, settle_limit } = self;
        let (think, settle_limit) = (*think, *settle_limit);
        let foul_weather = FoulWeather { think, settle_limit, ..faults.foul_weather() };
        (foul_weather != FoulWeather::default()).then(|| Box::new(foul_weather))
    }

    /// The options of a command line that says the same again.
    pub(super) fn options(&self) -> Vec<String> {
        let Self { faults, think, settle_limit } = self;
        let mut options = faults.options();
        options.extend(think.map(|think| format!("--think {think}")));
        options.extend(settle_limit.map(|limit| format!("--settle-limit {}", show_span(limit))));
        options
    }
}
