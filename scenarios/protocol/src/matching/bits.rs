//! A set of small numbers.

/// A set of small numbers: which tests have passed. The first ones, which most protocols do with, cost no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    first: u64,
    more: Vec<u64>,
}

impl Bits {
    /// The empty set, for numbers below `count`.
    #[inline]
    pub(super) fn none(count: usize) -> Self {
        let more = count.div_ceil(WORD).saturating_sub(1);
        Self { first: 0, more: if more == 0 { Vec::new() } else { vec![0; more] } }
    }

    /// Adds a number.
    #[inline]
    pub(super) fn set(&mut self, number: usize) {
        *self.word(number) |= 1 << (number % WORD);
    }

    /// Removes a number.
    #[inline]
    pub(super) fn clear(&mut self, number: usize) {
        *self.word(number) &= !(1 << (number % WORD));
    }

    /// Whether all of another set of the same size are in it.
    #[inline]
    pub(super) fn has_all(&self, others: &Self) -> bool {
        let has = |own: &u64, others: &u64| own & others == *others;
        has(&self.first, &others.first)
            && self.more.iter().zip(&others.more).all(|(own, others)| has(own, others))
    }

    #[inline]
    fn word(&mut self, number: usize) -> &mut u64 {
        if number < WORD { &mut self.first } else { &mut self.more[number / WORD - 1] }
    }
}

const WORD: usize = u64::BITS as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_and_go_in_every_word() {
        let (mut passed, mut asked) = (Bits::none(200), Bits::none(200));
        for number in [0, 63, 64, 199] {
            asked.set(number);
            assert!(!passed.has_all(&asked), "{number}");
            passed.set(number);
            assert!(passed.has_all(&asked), "{number}");
        }
        passed.clear(64);
        assert!(!passed.has_all(&asked));
    }
}
