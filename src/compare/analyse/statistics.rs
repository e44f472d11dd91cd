//! How many times as long one transport takes as another, and how sure that is.
//!
//! A round is the unit: requests within one are not independent of each other. All is done in
//! logarithms, where a ratio is a difference and a stray slow round weighs less.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::student;
use crate::model::number::{float_len, whole};

/// Of the interval that is shown.
const SHOWN: f64 = 0.95;
/// Of the interval that a verdict asks. Wider than the one that is shown, because several
/// transports are looked at once, and an alarm in twenty comparisons would be one too many.
const VERDICT: f64 = 0.99;

/// A smaller difference of logarithms comes from the floats, and not from a clock.
const ROUNDING: f64 = 1e-9;

/// More degrees of freedom than these change nothing any more.
const FREEDOM_MOST: u64 = 1_000;

/// The latencies of one transport's rounds, in the order in which they were run.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    logs: Vec<f64>,
    /// The place of each among the rounds of all transports.
    places: Vec<usize>,
}

/// How many times as long as something else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The best guess: of the geometric means over rounds.
    pub estimate: f64,
    /// What holds the true ratio 95 times of 100; `None` with fewer than two rounds.
    pub interval: Option<Interval>,
    /// What to make of it.
    pub verdict: Verdict,
}

/// From one ratio to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Whether one thing takes longer than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It takes less time.
    Faster,
    /// It takes more time.
    Slower,
    /// What is seen could be chance.
    NoDifference,
    /// There are too few rounds to see anything: one says nothing of chance.
    Undecided,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::NoDifference => "no difference",
            Self::Undecided => "undecided",
        })
    }
}

impl Interval {
    /// Whether `value` is in it.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl Sample {
    /// Of rounds with their places and a mean latency of so many nanoseconds each; what is no
    /// latency is left out.
    pub(super) fn of(means_ns: impl IntoIterator<Item = (usize, f64)>) -> Self {
        let usable = means_ns.into_iter().filter(|(_, ns)| ns.is_finite() && *ns > 0.0);
        let mut rounds: Vec<(usize, f64)> = usable.collect();
        rounds.sort_by_key(|(place, _)| *place);
        let (places, logs) = rounds.into_iter().map(|(place, ns)| (place, libm::log(ns))).unzip();
        Self { logs, places }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// The geometric mean, in nanoseconds.
    pub(super) fn center_ns(&self) -> f64 {
        libm::exp(mean(&self.logs))
    }

    /// How far a round is from the others, as a share: the standard deviation of the logarithms.
    pub(super) fn spread(&self) -> Option<f64> {
        (self.logs.len() > 1).then(|| libm::exp(libm::sqrt(variance(&self.logs))) - 1.0)
    }

    /// How many times as long as `base` this takes, measured together. Where the two had their
    /// turns one by one, each round is compared with the one of `base` in the same turn: what slows
    /// the machine down for a while slows both, and is no noise.
    pub(super) fn beside(&self, base: &Self) -> Ratio {
        if !self.takes_turns_with(base) {
            return self.against(base);
        }
        let pairs = self.logs.iter().zip(&base.logs);
        Ratio::of(&[&pairs.map(|(one, other)| one - other).collect::<Vec<_>>()])
    }

    /// Whether both had their first round before either had its second, and so on. If not, pairs
    /// would share what came between, and not be independent of each other.
    fn takes_turns_with(&self, other: &Self) -> bool {
        let turns = || self.places.iter().zip(&other.places);
        self.places.len() == other.places.len()
            && turns().zip(turns().skip(1)).all(|(now, next)| now.0.max(now.1) < next.0.min(next.1))
    }

    /// How many times as long as `base` this takes, where nothing ties their rounds together.
    pub(super) fn against(&self, base: &Self) -> Ratio {
        let negative: Vec<f64> = base.logs.iter().map(|log| -log).collect();
        Ratio::of(&[&self.logs, &negative])
    }
}

impl Ratio {
    /// Of the sum of the groups' means; values of different groups are independent.
    ///
    /// Student's interval. Of two groups its degrees of freedom are Welch's ("The Generalization of
    /// 'Student's' Problem when Several Different Population Variances are Involved", 1947), as one
    /// transport's rounds may differ more than another's.
    fn of(groups: &[&[f64]]) -> Self {
        let center: f64 = groups.iter().map(|group| mean(group)).sum();
        let estimate = libm::exp(center);
        let Some(error) = StandardError::of(groups) else {
            return Self { estimate, interval: None, verdict: Verdict::Undecided };
        };
        let around = |confidence| {
            let reach = student::quantile(confidence, error.freedom) * error.size;
            (center - reach, center + reach)
        };
        let verdict = match around(VERDICT) {
            (low, _) if low > ROUNDING => Verdict::Slower,
            (_, high) if high < -ROUNDING => Verdict::Faster,
            _ => Verdict::NoDifference,
        };
        let (low, high) = around(SHOWN);
        let interval = Some(Interval { low: libm::exp(low), high: libm::exp(high) });
        Self { estimate, interval, verdict }
    }
}

/// How far the sum of some groups' means is from the true one, typically.
#[derive(Debug, Clone, Copy)]
struct StandardError {
    size: f64,
    /// The degrees of freedom, rounded down.
    freedom: u64,
}

impl StandardError {
    /// `None` where a group has fewer than two values.
    fn of(groups: &[&[f64]]) -> Option<Self> {
        let (mut square, mut welch, mut least) = (0.0, 0.0, f64::INFINITY);
        for group in groups {
            if group.len() < 2 {
                return None;
            }
            let freedom = float_len(group.len() - 1);
            let part = variance(group) / float_len(group.len());
            square += part;
            welch += part * part / freedom;
            least = least.min(freedom);
        }
        let freedom = if welch > 0.0 { square * square / welch } else { least };
        Some(Self { size: libm::sqrt(square), freedom: whole(freedom).clamp(1, FREEDOM_MOST) })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / float_len(values.len())
}

/// Of the values around their own mean; at least two.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    squares / (float_len(values.len() - 1))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use rand_pcg::Pcg64Mcg;
    use rand_pcg::rand_core::{Rng, SeedableRng};

    use super::*;

    /// Rounds of two transports, each with its place among all.
    type Pair = (Vec<(usize, f64)>, Vec<(usize, f64)>);

    struct Draws(Pcg64Mcg);

    impl Draws {
        fn from(seed: u64) -> Self {
            Self(Pcg64Mcg::seed_from_u64(seed))
        }

        /// Above 0, at most 1.
        fn fraction(&mut self) -> f64 {
            let steps = u32::try_from(self.0.next_u64() >> 32).unwrap();
            (f64::from(steps) + 1.0) / (f64::from(u32::MAX) + 1.0)
        }

        fn normal(&mut self) -> f64 {
            libm::sqrt(-2.0 * libm::log(self.fraction())) * libm::cos(TAU * self.fraction())
        }
    }

    fn alike(ns: f64, rounds: usize) -> Sample {
        Sample::of((0..rounds).map(|place| (place, ns)))
    }

    /// First the one, then the other.
    fn in_turn(rounds: usize, mut pair: impl FnMut() -> (f64, f64)) -> Pair {
        let pairs = (0..rounds).map(|turn| {
            let (one, other) = pair();
            ((2 * turn, one), (2 * turn + 1, other))
        });
        pairs.unzip()
    }

    /// Around 50 µs with so much noise.
    fn normal(draws: &mut Draws, rounds: usize, noise: f64) -> Pair {
        let mut round = || 50_000.0 * (1.0 + noise * draws.normal());
        in_turn(rounds, || (round(), round()))
    }

    /// The machine gets slower and faster again beneath both, by far more than they differ.
    fn drifting(draws: &mut Draws, rounds: usize) -> Pair {
        let mut level = libm::log(50_000.0);
        in_turn(rounds, || {
            level += 0.2 * draws.normal();
            let mut round = || libm::exp(level + 0.03 * draws.normal());
            (round(), round())
        })
    }

    /// The same, where which of the two is next is drawn anew each time.
    fn shuffled(draws: &mut Draws, rounds: usize) -> Pair {
        let mut level = libm::log(50_000.0);
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for place in 0..2 * rounds {
            level += 0.2 * draws.normal();
            let left = (float_len(rounds - one.len()), float_len(rounds - other.len()));
            let is_one = draws.fraction() <= left.0 / (left.0 + left.1) && left.0 > 0.0;
            let next = if is_one { &mut one } else { &mut other };
            next.push((place, libm::exp(level + 0.03 * draws.normal())));
        }
        (one, other)
    }

    /// Most rounds are alike, and one in six takes up to ten times as long.
    fn heavy(draws: &mut Draws, rounds: usize) -> Pair {
        let mut round = || {
            let stall = if draws.fraction() < 1.0 / 6.0 { 9.0 * draws.fraction() } else { 0.0 };
            50_000.0 * (1.0 + 0.02 * draws.normal() + stall)
        };
        in_turn(rounds, || (round(), round()))
    }

    fn samples((one, other): Pair) -> (Sample, Sample) {
        (Sample::of(one), Sample::of(other))
    }

    /// The same, and the first takes so many times as long.
    fn longer(times: f64, (one, other): Pair) -> (Sample, Sample) {
        (Sample::of(one.into_iter().map(|(place, ns)| (place, ns * times))), Sample::of(other))
    }

    fn alarms(repetitions: u64, mut verdict: impl FnMut(u64) -> Verdict) -> u64 {
        let is_alarm = |seed: &u64| verdict(*seed) != Verdict::NoDifference;
        u64::try_from((0..repetitions).filter(is_alarm).count()).unwrap()
    }

    const REPETITIONS: u64 = 300;
    /// Far below what is promised, 5 of 100: so that a hundred repetitions anywhere keep to it.
    const ALARMS_MOST: u64 = REPETITIONS * 25 / 1_000;

    #[test]
    fn the_same_transport_twice_is_no_difference() {
        type Make = fn(&mut Draws, usize) -> Pair;
        let kinds: [(&str, Make); 5] = [
            ("quiet", |draws, rounds| normal(draws, rounds, 0.01)),
            ("noisy", |draws, rounds| normal(draws, rounds, 0.1)),
            ("drifting", drifting),
            ("drifting and shuffled", shuffled),
            ("heavy", heavy),
        ];
        for (name, make) in kinds {
            for rounds in [5, 10, 30] {
                let alarms = alarms(REPETITIONS, |seed| {
                    let (one, other) = samples(make(&mut Draws::from(seed), rounds));
                    one.beside(&other).verdict
                });
                assert!(alarms <= ALARMS_MOST, "{name}, {rounds} rounds: {alarms}");
            }
        }
    }

    #[test]
    fn the_same_transport_in_another_comparison_is_no_difference() {
        type Make = fn(&mut Draws, usize) -> Pair;
        let kinds: [Make; 2] = [|draws, rounds| normal(draws, rounds, 0.05), heavy];
        for make in kinds {
            for (now, then) in [(5, 5), (5, 20), (10, 10)] {
                let alarms = alarms(REPETITIONS, |seed| {
                    let draws = &mut Draws::from(seed);
                    let (now, then) = (make(draws, now).0, make(draws, then).1);
                    Sample::of(now).against(&Sample::of(then)).verdict
                });
                assert!(alarms <= ALARMS_MOST, "{now} rounds and {then}: {alarms}");
            }
        }
    }

    #[test]
    fn a_difference_of_a_tenth_is_found_in_little_noise() {
        for (rounds, found_least) in [(8, 285), (10, 297), (30, 300)] {
            for times in [1.1, 1.0 / 1.1] {
                let found = alarms(REPETITIONS, |seed| {
                    let pair = normal(&mut Draws::from(seed), rounds, 0.03);
                    let (now, base) = longer(times, pair);
                    let verdict = now.beside(&base).verdict;
                    let wrong = if times > 1.0 { Verdict::Faster } else { Verdict::Slower };
                    assert_ne!(verdict, wrong);
                    verdict
                });
                assert!(found >= found_least, "{found} with {rounds} rounds");
            }
        }
    }

    #[test]
    fn an_interval_holds_the_true_ratio_as_often_as_it_says() {
        for rounds in [5, 10, 30] {
            let holding = (0..REPETITIONS).filter(|seed| {
                let pair = normal(&mut Draws::from(*seed), rounds, 0.05);
                let (now, base) = longer(130.0, pair);
                now.beside(&base).interval.unwrap().contains(130.0)
            });
            let holding = holding.count();
            // 285 are promised, and chance takes away up to seven of them.
            assert!(holding >= 278, "{holding} of {REPETITIONS} with {rounds} rounds");
        }
    }

    #[test]
    fn a_drift_beneath_both_does_not_hide_a_difference() {
        let found = alarms(100, |seed| {
            let (slow, fast) = longer(1.1, drifting(&mut Draws::from(seed), 10));
            slow.beside(&fast).verdict
        });
        assert!(found >= 95, "{found}");
    }

    #[test]
    fn a_single_round_says_nothing() {
        let ratio = alike(200.0, 1).beside(&alike(100.0, 1));
        assert!((ratio.estimate - 2.0).abs() < 1e-12);
        assert_eq!((ratio.interval, ratio.verdict), (None, Verdict::Undecided));
    }

    #[test]
    fn rounds_that_are_all_alike_leave_no_doubt() {
        let verdict =
            |one: f64, other: f64, rounds| alike(one, 5).against(&alike(other, rounds)).verdict;
        assert_eq!(verdict(200.0, 100.0, 5), Verdict::Slower);
        assert_eq!(verdict(100.0, 200.0, 7), Verdict::Faster);
        assert_eq!(verdict(100.0, 100.0, 7), Verdict::NoDifference);
    }

    #[test]
    fn what_is_no_latency_is_no_round() {
        let sample = Sample::of((0..).zip([f64::NAN, 0.0, -1.0, f64::INFINITY, 100.0]));
        assert!((sample.center_ns() - 100.0).abs() < 1e-9);
        assert_eq!(sample.spread(), None);
        assert!(Sample::of([(0, f64::NAN)]).is_empty());
    }
}
