//! Where the time goes: what each transport adds to the one below it.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::name::adds;
use super::statistics::Verdict;
use crate::compare::measure::Transport;

/// The mean latency of a request over the highest transport, taken apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Ladder {
    /// In nanoseconds.
    pub(crate) total_ns: f64,
    /// From the bottom to the top; together they are exactly the total.
    pub(crate) steps: Vec<Step>,
}

/// What one thing adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Step {
    /// What it is.
    pub(crate) name: String,
    /// In nanoseconds; below zero where the higher transport takes less time.
    pub(crate) adds_ns: f64,
    /// Of the total, in thousandths; together they are 1,000.
    #[serde(rename = "share", serialize_with = "write_share")]
    pub(crate) thousandths: f64,
    /// Whether it is not more than chance may do: the rounds do not tell this transport from the
    /// one below it.
    pub(crate) within_noise: bool,
    /// The transports that were not measured and would tell its parts apart.
    pub(crate) merged: Vec<Transport>,
}

/// One transport on the ladder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rung {
    pub(crate) transport: Transport,
    pub(crate) mean_ns: f64,
    /// Against the rung below.
    pub(crate) verdict: Option<Verdict>,
}

impl Ladder {
    /// `rungs` are ascending and different. A `codec` of zero was not measured.
    pub(crate) fn of(rungs: &[Rung], codec: Duration) -> Self {
        let codec_ns = exact(codec.as_secs_f64() * 1e9);
        let mut steps = Vec::new();
        let mut below: Option<Rung> = None;
        for &rung in rungs {
            let mut adds_ns = exact(rung.mean_ns) - below.map_or(0.0, |rung| exact(rung.mean_ns));
            let is_first_with_codec = rung.transport > Transport::Mailbox
                && below.is_none_or(|rung| rung.transport == Transport::Mailbox);
            if is_first_with_codec && codec_ns > 0.0 {
                adds_ns -= codec_ns;
                steps.push(Step::new("encoding and decoding".to_owned(), codec_ns));
            }
            let merged: Vec<Transport> = Transport::ALL
                .into_iter()
                .filter(|other| below.is_none_or(|below| *other > below.transport))
                .filter(|other| *other < rung.transport)
                .collect();
            let parts = merged.iter().chain([&rung.transport]);
            let mut names: Vec<&str> = parts.map(|transport| adds(*transport)).collect();
            if is_first_with_codec && codec_ns == 0.0 {
                names.insert(usize::from(below.is_none()), "encoding and decoding");
            }
            let step = Step::new(together(&names), adds_ns);
            let within_noise = rung.verdict == Some(Verdict::NoDifference);
            steps.push(Step { merged, within_noise, ..step });
            below = Some(rung);
        }
        let total_ns = below.map_or(0.0, |top| exact(top.mean_ns));
        share_out(&mut steps, total_ns);
        Self { total_ns, steps }
    }

    /// The step that adds most, the bottom of the ladder aside.
    pub(crate) fn largest(&self) -> Option<&Step> {
        let above = self.steps.iter().skip(1);
        above.max_by(|one, other| one.adds_ns.total_cmp(&other.adds_ns))
    }
}

impl Step {
    fn new(name: String, adds_ns: f64) -> Self {
        Self { name, adds_ns, thousandths: 0.0, within_noise: false, merged: Vec::new() }
    }

    /// Of the total.
    pub(crate) fn share(&self) -> f64 {
        self.thousandths / 1_000.0
    }

    pub(crate) fn merged_names(&self) -> Vec<String> {
        self.merged.iter().map(|transport| transport.word().to_owned()).collect()
    }
}

fn write_share<S: Serializer>(thousandths: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(thousandths / 1_000.0)
}

/// The name of what is the same for all transports.
fn together(parts: &[&str]) -> String {
    match parts {
        [first, _, .., last] => format!("{first} through {last}"),
        few => few.join(" + "),
    }
}

/// To the nearest 1,024th of a nanosecond: on that grid, sums and differences of floats are exact
/// up to some hours.
fn exact(ns: f64) -> f64 {
    (ns * 1024.0).round() / 1024.0
}

/// Thousandths that add up, by the largest remainders.
fn share_out(steps: &mut [Step], total_ns: f64) {
    if total_ns <= 0.0 {
        return;
    }
    let mut missing = 1_000.0;
    let mut remainders = Vec::with_capacity(steps.len());
    for (place, step) in steps.iter_mut().enumerate() {
        let share = step.adds_ns / total_ns * 1_000.0;
        step.thousandths = share.floor();
        missing -= step.thousandths;
        remainders.push((place, share - share.floor()));
    }
    remainders.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    for (place, _) in remainders {
        if missing >= 1.0 {
            steps[place].thousandths += 1.0;
            missing -= 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{GrpcMemory, GrpcTcp, GrpcUnix, Mailbox, Processes};

    fn ladder(rungs: &[(Transport, f64)], codec_ns: u64) -> Ladder {
        let rung = |&(transport, mean_ns)| Rung { transport, mean_ns, verdict: None };
        let rungs: Vec<Rung> = rungs.iter().map(rung).collect();
        Ladder::of(&rungs, Duration::from_nanos(codec_ns))
    }

    fn told(ladder: &Ladder) -> Vec<(&str, f64, f64)> {
        let steps = ladder.steps.iter();
        steps.map(|step| (step.name.as_str(), step.adds_ns, step.thousandths)).collect()
    }

    #[test]
    fn each_step_is_what_it_adds_to_the_one_before() {
        let all = [
            (Mailbox, 500.0),
            (GrpcMemory, 41_500.0),
            (GrpcUnix, 45_000.0),
            (GrpcTcp, 60_000.0),
            (Processes, 100_000.0),
        ];
        assert_eq!(
            told(&ladder(&all, 1_000)),
            [
                ("actors and mailboxes", 500.0, 5.0),
                ("encoding and decoding", 1_000.0, 10.0),
                ("HTTP/2 and wake-ups", 40_000.0, 400.0),
                ("a socket", 3_500.0, 35.0),
                ("TCP", 15_000.0, 150.0),
                ("processes apart", 40_000.0, 400.0),
            ]
        );
    }

    #[test]
    fn what_was_not_measured_is_one_step_with_what_stands_above_it() {
        let tcp = ladder(&[(Mailbox, 500.0), (GrpcTcp, 10_000.0)], 1_000);
        assert_eq!(
            told(&tcp),
            [
                ("actors and mailboxes", 500.0, 50.0),
                ("encoding and decoding", 1_000.0, 100.0),
                ("HTTP/2 and wake-ups through TCP", 8_500.0, 850.0),
            ]
        );
        assert_eq!(tcp.steps[2].merged, [GrpcMemory, GrpcUnix]);
        assert_eq!(
            told(&ladder(&[(GrpcMemory, 10_000.0), (GrpcUnix, 12_500.0)], 0)),
            [
                ("actors and mailboxes through HTTP/2 and wake-ups", 10_000.0, 800.0),
                ("a socket", 2_500.0, 200.0),
            ]
        );
        assert_eq!(
            told(&ladder(&[(Mailbox, 500.0)], 9)),
            [("actors and mailboxes", 500.0, 1_000.0)]
        );
    }

    #[test]
    fn a_higher_transport_that_takes_less_time_is_a_step_down() {
        let steps = ladder(&[(GrpcUnix, 80.0), (GrpcTcp, 60.0)], 0);
        assert_eq!(steps.steps[1].adds_ns, -20.0);
        assert_eq!(steps.steps[1].thousandths, -333.0);
        assert_eq!(steps.steps[0].thousandths, 1_333.0);
    }

    #[test]
    fn steps_and_shares_add_up_exactly_whatever_was_measured() {
        let mut state = 7_u64;
        let mut any_ns = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 40).unwrap()) / 7.3
        };
        for subset in 1_usize..32 {
            for _ in 0..50 {
                let measured = Transport::ALL.into_iter().enumerate();
                let rungs: Vec<(Transport, f64)> = measured
                    .filter(|(bit, _)| subset >> bit & 1 == 1)
                    .map(|(_, transport)| (transport, any_ns() + 1.0))
                    .collect();
                let ladder = ladder(&rungs, 1_234);
                let top = rungs.last().unwrap().1;
                assert!((ladder.total_ns - top).abs() <= 1.0 / 2_048.0);
                assert_eq!(
                    ladder.steps.iter().map(|step| step.adds_ns).sum::<f64>(),
                    ladder.total_ns
                );
                assert_eq!(ladder.steps.iter().map(|step| step.thousandths).sum::<f64>(), 1_000.0);
            }
        }
    }
}
