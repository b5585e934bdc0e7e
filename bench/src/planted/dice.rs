//! What a seed draws.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// Strengths of a fault, as multiples of the capacity that it leaves.
const STRENGTHS: [f64; 3] = [1.05, 1.3, 2.0];

/// The draws of one case and seed.
pub(super) struct Dice {
    rng: StdRng,
    seed: u64,
}

impl Dice {
    pub(super) fn of(case: &str, seed: u64) -> Self {
        let number = case.bytes().fold(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self { rng: StdRng::seed_from_u64(number), seed }
    }

    /// One of several.
    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.rng).expect("there is something to choose from")
    }

    /// A number, to two places.
    pub(super) fn number(&mut self, within: Range<f64>) -> f64 {
        (self.rng.random_range(within) * 100.0).round() / 100.0
    }

    /// A whole number.
    pub(super) fn whole(&mut self, within: Range<u32>) -> u32 {
        self.rng.random_range(within)
    }

    /// A strength: in turn, so that few seeds have them all.
    pub(super) fn strength(&mut self) -> f64 {
        let turn = self.seed as usize + self.whole(0..1) as usize;
        STRENGTHS[turn % STRENGTHS.len()]
    }
}
