//! A small set of numbers.

use smallvec::{SmallVec, smallvec};

/// A small set of numbers: which tests have passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(SmallVec<[u64; 2]>);

impl Bits {
    /// The empty set, for numbers below `count`.
    pub(super) fn none(count: usize) -> Self {
        Self(smallvec![0; count.div_ceil(64)])
    }

    /// Adds a number.
    pub(super) fn set(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    /// Removes a number.
    pub(super) fn clear(&mut self, number: usize) {
        self.0[number / 64] &= !(1 << (number % 64));
    }

    /// Whether all of another set of the same size are in it.
    pub(super) fn has_all(&self, others: &Self) -> bool {
        self.0.iter().zip(&others.0).all(|(own, others)| own & others == *others)
    }
}
