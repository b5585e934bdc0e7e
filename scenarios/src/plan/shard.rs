//! A worker's part of a plan: several workers together do exactly the plan, each arrival once.
//!
//! Arrivals are pure functions of their index, so a worker needs no other worker to know its part: it takes every
//! `count`-th index. Player *p*'s connect is arrival *p*, so that players are split the same way.

/// Worker `index` of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// The whole plan in one worker.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Worker `index` (from 0) of `count`; `None` where there is no such worker.
    #[must_use]
    pub const fn new(index: u32, count: u32) -> Option<Self> {
        if index < count { Some(Self { index, count }) } else { None }
    }

    /// Whether an arrival, or a player, belongs to this worker.
    #[must_use]
    pub const fn has(self, index: u64) -> bool {
        index % self.count as u64 == self.index as u64
    }

    /// The first index of this worker.
    #[must_use]
    pub const fn first(self) -> u64 {
        self.index as u64
    }

    /// From one of its indices to the next.
    #[must_use]
    pub const fn step(self) -> u64 {
        self.count as u64
    }

    /// How many of the indices from `first` up to, but without, `end` belong to this worker.
    #[must_use]
    pub const fn within(self, first: u64, end: u64) -> u64 {
        self.below(end).saturating_sub(self.below(first))
    }

    const fn below(self, end: u64) -> u64 {
        end.saturating_sub(self.index as u64).div_ceil(self.count as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_counted_as_it_is_shared() {
        for count in 1..5 {
            for index in 0..count {
                let shard = Shard::new(index, count).unwrap();
                for (first, end) in [(0, 0), (0, 1), (3, 17), (5, 5), (9, 4)] {
                    let mine = (first..end).filter(|index| shard.has(*index)).count() as u64;
                    assert_eq!(shard.within(first, end), mine, "{shard:?} {first}..{end}");
                }
            }
        }
        assert_eq!(Shard::new(3, 3), None);
    }
}
