//! Chances from a seed: the same seed gives the same chances on every machine, for ever.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::model::Seed;
use crate::model::number::float;

/// A stream of chances.
#[derive(Debug, Clone)]
pub struct Random {
    generator: Pcg64Mcg,
}

impl Random {
    /// The stream for one of the numbered parts that are drawn from `seed`. Each has its own, so
    /// that one part can be drawn without those before it.
    pub fn of_part(seed: Seed, part: u64) -> Self {
        // Neighbouring seeds must not give neighbouring streams, so the seed is drawn from first.
        let noise = Pcg64Mcg::seed_from_u64(seed.0).next_u64();
        Self { generator: Pcg64Mcg::seed_from_u64(noise ^ part) }
    }

    /// The stream for a part of what is drawn from `seed` for one purpose: those of one purpose do not
    /// shift those of another.
    pub fn of_purpose(seed: Seed, purpose: u32, part: u64) -> Self {
        // Parts without a purpose are links and customers: none is as high.
        let own = Self::of_part(seed, u64::MAX - u64::from(purpose)).generator.next_u64();
        Self::of_part(Seed(own), part)
    }

    /// A whole number from 0 to `end`, itself not included; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.generator.next_u64().carrying_mul(end, 0).1
    }

    /// A number above 0, at most 1.
    pub fn fraction(&mut self) -> f64 {
        (float(self.generator.next_u64() >> 32) + 1.0) / (f64::from(u32::MAX) + 1.0)
    }
}
