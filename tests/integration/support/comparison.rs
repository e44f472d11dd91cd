//! Comparisons that nobody measured: rounds and latencies drawn from a seed, so that what a report
//! should say is known.

use std::f64::consts::TAU;
use std::time::Duration;

use passbook::compare::{
    Comparison, Histogram, Latencies, Load, Machine, Measured, Round, Subject, Transport,
};
use passbook::model::{Money, Propagation, Seed};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

const ROUNDS: usize = 10;
const REQUESTS: u32 = 3_000;

/// A bank that deposits, withdraws and queries over `transports`, a request of which takes about so
/// many nanoseconds; rounds differ by `noise`.
pub(crate) fn comparison(transports: &[(Transport, f64)], noise: f64, seed: u64) -> Comparison {
    let mut draws = Draws(Pcg64Mcg::seed_from_u64(seed));
    let measured = transports.iter().enumerate().map(|(place, &(transport, ns))| {
        measured(transport, ns, noise, (place, transports.len()), &mut draws)
    });
    Comparison {
        subject: Subject {
            scenario: "monotonic_writes".to_owned(),
            seed: Seed(7),
            propagation: Propagation::Sync,
            branches: 2,
            customers: 1,
            requests: 3,
        },
        load: Load::Closed,
        machine: Machine {
            system: "linux x86_64".to_owned(),
            processor: Some("AMD EPYC 9R14".to_owned()),
            threads: 2,
        },
        measured: measured.collect(),
        codec: Duration::from_nanos(1_100),
    }
}

/// The five transports, with latencies as two cores had them.
pub(crate) fn whole_ladder() -> Comparison {
    let transports = [
        (Transport::Mailbox, 480.0),
        (Transport::GrpcMemory, 48_000.0),
        (Transport::GrpcUnix, 52_000.0),
        (Transport::GrpcTcp, 63_000.0),
        (Transport::Processes, 88_000.0),
    ];
    comparison(&transports, 0.02, 1)
}

fn measured(
    transport: Transport,
    ns: f64,
    noise: f64,
    (place, transports): (usize, usize),
    draws: &mut Draws,
) -> Measured {
    let mut latencies = Latencies::default();
    let rounds = (0..ROUNDS).map(|round| {
        let around = ns * libm::exp(noise * draws.normal());
        let (mut sum, mut all) = (0.0, Histogram::default());
        for request in 0..REQUESTS {
            let kind = match request % 3 {
                0 => &mut latencies.deposit,
                1 => &mut latencies.withdraw,
                _ => &mut latencies.query,
            };
            // A query asks one branch, a write waits for the other one too.
            let factor = if request % 3 == 2 { 0.6 } else { 1.1 };
            let tail = if draws.fraction() < 0.004 { 1.0 + 12.0 * draws.fraction() } else { 1.0 };
            let took = around * factor * tail * libm::exp(0.12 * draws.normal());
            let took_ns = whole(took);
            kind.record(took_ns);
            all.record(took_ns);
            sum += took;
            if request % 3 < 2 {
                latencies.propagation.record(whole(took * 0.7));
            }
        }
        let elapsed = Duration::from_secs_f64(sum * 1e-9);
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).expect("a fit number");
        let is_mailbox = transport == Transport::Mailbox;
        Round {
            place: round * transports + place,
            requests: u64::from(REQUESTS),
            elapsed_ns: nanos(elapsed),
            mean_ns: sum / f64::from(REQUESTS),
            median_ns: all.quantile_ns(0.5),
            processor_ns: Some(nanos(elapsed.mul_f64(0.9))),
            context_switches: Some(if is_mailbox { 2 } else { u64::from(REQUESTS) * 4 }),
            messages: Some(u64::from(REQUESTS) * 10 / 3),
            bytes: (!is_mailbox).then_some(u64::from(REQUESTS) * 412),
        }
    });
    let rounds = rounds.collect();
    Measured { transport, rounds, latencies, balance: Money::ZERO }
}

fn whole(ns: f64) -> u64 {
    u64::try_from(Duration::from_secs_f64(ns * 1e-9).as_nanos()).expect("a fit number")
}

struct Draws(Pcg64Mcg);

impl Draws {
    /// Above 0, at most 1.
    fn fraction(&mut self) -> f64 {
        let steps = u32::try_from(self.0.next_u64() >> 32).expect("a fit number");
        (f64::from(steps) + 1.0) / (f64::from(u32::MAX) + 1.0)
    }

    fn normal(&mut self) -> f64 {
        libm::sqrt(-2.0 * libm::log(self.fraction())) * libm::cos(TAU * self.fraction())
    }
}
