//! What went wrong on purpose in a run: in words, and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::words::{count, grouped};
use crate::model::Time;
use crate::network::{FaultCounts, FaultKind, Faults, NemesisKind, Rate, Struck};
use crate::run::{RunResult, WeatherReport};

/// How often each kind of fault struck, if any did: `12 messages lost`.
pub(crate) fn struck(counts: &FaultCounts) -> Vec<String> {
    let kinds = FaultKind::ALL.into_iter().map(|kind| (kind, counts.of(kind)));
    kinds.filter(|(_, times)| *times > 0).map(|(kind, times)| struck_by(kind, times)).collect()
}

fn struck_by(kind: FaultKind, times: u64) -> String {
    match kind {
        FaultKind::Loss => format!("{} lost", count(times, "message")),
        FaultKind::Duplicate => format!("{} doubled", count(times, "message")),
        FaultKind::Reorder => format!("{} late", count(times, "message")),
        FaultKind::Partition => format!("{} lost to partitions", count(times, "message")),
        FaultKind::Crash if times == 1 => "1 crash".to_owned(),
        FaultKind::Crash => format!("{} crashes", grouped(times)),
        FaultKind::Amnesia => format!("{} with loss of memory", grouped(times)),
        FaultKind::Slow => format!("{} handled late", count(times, "input")),
        FaultKind::Torn => format!("{} torn", count(times, "disk write")),
        FaultKind::Unsynced => format!("{} undone", count(times, "disk write")),
    }
}

/// What was asked for and struck nothing: of the schedule first, then of what chance may bring.
pub(super) fn struck_nothing(result: &RunResult) -> Vec<String> {
    let (Some(faults), Some(weather)) = (&result.config.faults, &result.weather) else {
        return Vec::new();
    };
    let WeatherReport { struck, idle, .. } = &**weather;
    let of_schedule = idle.iter().map(ToString::to_string);
    let by_chance = asked_of_chance(faults).into_iter().filter(|kind| struck.counts.of(*kind) == 0);
    of_schedule.chain(by_chance.map(|kind| format!("{kind} by chance"))).collect()
}

fn asked_of_chance(faults: &Faults) -> Vec<FaultKind> {
    let rates = faults.rates;
    let of_messages = [
        (FaultKind::Loss, rates.loss),
        (FaultKind::Duplicate, rates.duplicate),
        (FaultKind::Reorder, rates.reorder),
    ];
    let mut asked: Vec<_> = of_messages
        .into_iter()
        .filter(|(_, rate)| *rate > Rate::default())
        .map(|(kind, _)| kind)
        .collect();
    let kinds = faults.nemesis.iter().flat_map(|nemesis| &nemesis.kinds);
    asked.extend(kinds.map(|kind| match kind {
        NemesisKind::Partition => FaultKind::Partition,
        NemesisKind::Crash => FaultKind::Crash,
        NemesisKind::Amnesia => FaultKind::Amnesia,
        NemesisKind::Slow => FaultKind::Slow,
    }));
    asked
}

/// The same as JSON.
#[derive(Serialize)]
pub(super) struct Weather<'a> {
    struck: &'a FaultCounts,
    /// When each kind did so first.
    first_us: BTreeMap<&'static str, Time>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    struck_nothing: Vec<String>,
    last_request_us: Time,
}

impl<'a> Weather<'a> {
    /// Nothing where nothing was to go wrong.
    pub(super) fn of(result: &'a RunResult) -> Option<Self> {
        let WeatherReport { struck, last_request_at, .. } = result.weather.as_deref()?;
        let Struck { counts, first } = struck;
        Some(Self {
            struck: counts,
            first_us: first.iter().map(|(kind, at)| (kind.word(), *at)).collect(),
            struck_nothing: struck_nothing(result),
            last_request_us: *last_request_at,
        })
    }
}
