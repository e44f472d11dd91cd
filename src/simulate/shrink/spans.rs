//! The spans of time in a scenario, and the scenario with one of them shorter. Knows no run.

use std::time::Duration;

use crate::model::number::micros;
use crate::model::{BranchId, Time};
use crate::network::{Crash, Fate, FaultKind, Latency, Partition, ScheduledFault, Slowness};
use crate::scenario::Scenario;

const MS_US: u64 = 1_000;

/// One span of time of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// How long messages take of which nothing else is said.
    Latency,
    /// How long the customer of this visit waits before this event of it.
    Pause { visit: usize, event: usize },
    /// How long it is from the start to the beginning of the fault that stands here in the schedule.
    /// The fault lasts as long, whenever it begins.
    Moment(usize),
    /// How long the fault lasts.
    Length(usize),
    /// How much later the slow branch handles each input; or how long the message takes.
    Delay(usize),
    /// How long its copy takes.
    CopyDelay(usize),
}

impl Span {
    /// All spans of `scenario` that are not zero.
    pub(super) fn all(scenario: &Scenario) -> Vec<Self> {
        let mut spans = vec![Self::Latency];
        for (visit, of) in scenario.visits.iter().enumerate() {
            spans.extend((0..of.after.len()).map(|event| Self::Pause { visit, event }));
        }
        let faults = scenario.settings.foul_weather.as_ref().map_or(0, |of| of.schedule.len());
        let of_fault = [Self::Moment, Self::Length, Self::Delay, Self::CopyDelay];
        spans.extend((0..faults).flat_map(|place| of_fault.map(|of| of(place))));
        spans.retain(|span| !span.of(scenario).is_zero());
        spans
    }

    /// How long it is; zero where there is none.
    pub(super) fn of(self, scenario: &Scenario) -> Duration {
        let fault = |place: usize| scenario.settings.foul_weather.as_ref()?.schedule.get(place);
        let lasts = |place| fault(place).and_then(ScheduledFault::span);
        let span = match self {
            Self::Latency => scenario.settings.latency.map(Latency::extent),
            Self::Pause { visit, event } => {
                scenario.visits.get(visit).and_then(|of| of.after.get(event).copied().flatten())
            }
            Self::Moment(place) => lasts(place).map(|(at, _)| at.since(Time::START)),
            Self::Length(place) => lasts(place).map(|(at, until)| until.since(at)),
            Self::Delay(place) => fault(place).and_then(|fault| delays(fault)[0]),
            Self::CopyDelay(place) => fault(place).and_then(|fault| delays(fault)[1]),
        };
        span.unwrap_or_default()
    }

    /// `scenario` where it is as long as `span`; `None` where that cannot be.
    pub(super) fn set(self, scenario: &Scenario, span: Duration) -> Option<Scenario> {
        let mut other = scenario.clone();
        match self {
            Self::Latency => {
                let latency = if span.is_zero() { Latency::None } else { Latency::Constant(span) };
                other.settings.latency = Some(latency);
            }
            Self::Pause { visit, event } => {
                *other.visits.get_mut(visit)?.after.get_mut(event)? =
                    Some(span).filter(|span| !span.is_zero());
            }
            Self::Moment(place)
            | Self::Length(place)
            | Self::Delay(place)
            | Self::CopyDelay(place) => {
                let schedule = &mut other.settings.foul_weather.as_mut()?.schedule;
                self.set_of(schedule.get_mut(place)?, span)?;
                if overlaps(schedule, place) {
                    return None;
                }
            }
        }
        Some(other)
    }

    fn set_of(self, fault: &mut ScheduledFault, span: Duration) -> Option<()> {
        match self {
            Self::Moment(_) => {
                let (at, until) = moments(fault)?;
                let lasts = until.since(*at);
                *at = Time::START.after(span);
                *until = at.after(lasts);
            }
            Self::Length(_) => {
                let (at, until) = moments(fault)?;
                *until = at.after(span);
            }
            Self::Delay(_) => *delays_mut(fault).0? = span,
            Self::CopyDelay(_) => *delays_mut(fault).1? = span,
            Self::Latency | Self::Pause { .. } => return None,
        }
        // What lasts for no time, or delays by none, is no fault.
        let is_none = match fault {
            ScheduledFault::Slow(slowness) => slowness.delay.is_zero(),
            ScheduledFault::Message { .. } => return Some(()),
            ScheduledFault::Partition(_) | ScheduledFault::Crash(_) => false,
        };
        let lasts = fault.span().is_some_and(|(at, until)| at < until);
        (lasts && !is_none).then_some(())
    }
}

/// `scenario` where each span is half as long, in whole milliseconds and at least one; `None` where none
/// is shorter by that, or that cannot be.
pub(super) fn halved(scenario: &Scenario) -> Option<Scenario> {
    let half = |span: Duration| Duration::from_millis(micros(span).div_ceil(2 * MS_US));
    let mut other = None;
    for span in Span::all(scenario) {
        let shorter = half(span.of(scenario));
        if shorter < span.of(scenario) {
            other = Some(span.set(other.as_ref().unwrap_or(scenario), shorter)?);
        }
    }
    other
}

/// How long the message takes, and its copy; or how much later a slow branch handles its inputs.
const fn delays(fault: &ScheduledFault) -> [Option<Duration>; 2] {
    match fault {
        ScheduledFault::Slow(slowness) => [Some(slowness.delay), None],
        ScheduledFault::Message { fate, .. } => match fate {
            Fate::Lost => [None, None],
            Fate::Arrives(after) => [Some(*after), None],
            Fate::ArrivesTwice(after, again) => [Some(*after), Some(*again)],
        },
        ScheduledFault::Partition(_) | ScheduledFault::Crash(_) => [None, None],
    }
}

const fn delays_mut(fault: &mut ScheduledFault) -> (Option<&mut Duration>, Option<&mut Duration>) {
    match fault {
        ScheduledFault::Slow(slowness) => (Some(&mut slowness.delay), None),
        ScheduledFault::Message { fate, .. } => match fate {
            Fate::Lost => (None, None),
            Fate::Arrives(after) => (Some(after), None),
            Fate::ArrivesTwice(after, again) => (Some(after), Some(again)),
        },
        ScheduledFault::Partition(_) | ScheduledFault::Crash(_) => (None, None),
    }
}

const fn moments(fault: &mut ScheduledFault) -> Option<(&mut Time, &mut Time)> {
    match fault {
        ScheduledFault::Partition(Partition { at, until, .. })
        | ScheduledFault::Crash(Crash { at, until, .. })
        | ScheduledFault::Slow(Slowness { at, until, .. }) => Some((at, until)),
        ScheduledFault::Message { .. } => None,
    }
}

/// Whether the same happens to the same branch as what stands at `place`, at the same time: such a
/// schedule is refused.
fn overlaps(schedule: &[ScheduledFault], place: usize) -> bool {
    let Some((branch, (at, until))) = on_branch(&schedule[place]) else { return false };
    let others = schedule.iter().enumerate().filter(|&(other, _)| other != place);
    others.filter_map(|(_, fault)| on_branch(fault)).any(|(other, (other_at, other_until))| {
        other == branch && other_at < until && at < other_until
    })
}

/// What happens to which branch, and when.
fn on_branch(fault: &ScheduledFault) -> Option<((FaultKind, BranchId), (Time, Time))> {
    let what = match fault {
        ScheduledFault::Crash(crash) => (FaultKind::Crash, crash.branch),
        ScheduledFault::Slow(slowness) => (FaultKind::Slow, slowness.branch),
        ScheduledFault::Partition(_) | ScheduledFault::Message { .. } => return None,
    };
    Some((what, fault.span()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::shrink::fixture::{asked, crash, ms, partition, scenario, schedule, slow};

    #[test]
    fn each_span_that_is_not_zero_can_be_told_and_made_shorter() {
        let twice = asked(1, Fate::ArrivesTwice(ms(7), ms(8)));
        let all = scenario(vec![crash(1, 0, 2), slow(2, ms(5), 3, 9), twice]);
        let spans = Span::all(&all);
        let told: Vec<_> = spans.iter().map(|span| span.of(&all).as_millis()).collect();
        assert_eq!(told, [3, 4, 5, 6, 2, 3, 6, 5, 7, 8]);
        for span in spans {
            let shorter = span.set(&all, ms(1)).unwrap();
            assert_eq!(span.of(&shorter), ms(1), "{span:?}");
            let others = Span::all(&all).into_iter().filter(|other| *other != span);
            for other in others {
                assert_eq!(other.of(&shorter), other.of(&all), "{span:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_fault_that_begins_earlier_ends_earlier_and_is_not_in_the_way_of_another() {
        let all = scenario(vec![crash(1, 2, 4), crash(1, 8, 10), crash(2, 8, 10)]);
        let set = |span: Span, to| span.set(&all, ms(to)).map(|set| schedule(&set));
        let earlier = vec![crash(1, 2, 4), crash(1, 4, 6), crash(2, 8, 10)];
        assert_eq!(set(Span::Moment(1), 4), Some(earlier));
        assert_eq!(set(Span::Moment(1), 3), None);
        assert!(set(Span::Moment(2), 3).is_some());
    }

    #[test]
    fn what_lasts_for_no_time_or_delays_by_none_is_no_fault() {
        let all = scenario(vec![partition(&[&[1], &[2]], false), slow(1, ms(5), 3, 9)]);
        assert_eq!(Span::Length(0).set(&all, ms(0)), None);
        assert_eq!(Span::Delay(1).set(&all, ms(0)), None);
        assert_eq!(Span::Delay(0).set(&all, ms(1)), None);
        let pause = Span::Pause { visit: 0, event: 0 };
        assert_eq!(pause.set(&all, ms(0)).unwrap().visits[0].after, [None, None]);
        let latency = Span::Latency.set(&all, ms(0)).unwrap().settings.latency;
        assert_eq!(latency, Some(Latency::None));
    }

    #[test]
    fn all_spans_are_halved_down_to_one_millisecond() {
        let halved = halved(&scenario(vec![crash(1, 0, 2), crash(1, 3, 4)])).unwrap();
        assert_eq!(halved.settings.latency, Some(Latency::Constant(ms(2))));
        let after: Vec<_> = halved.visits.iter().flat_map(|visit| visit.after.clone()).collect();
        assert_eq!(after, [Some(ms(2)), None, Some(ms(3)), Some(ms(3))]);
        assert_eq!(schedule(&halved), [crash(1, 0, 1), crash(1, 2, 3)]);
        let mut least = scenario(vec![crash(1, 0, 1)]);
        least.visits.clear();
        least.settings.latency = None;
        assert_eq!(super::halved(&least), None);
    }
}
