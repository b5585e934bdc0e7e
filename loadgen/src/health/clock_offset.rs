//! How far another process's clock is from this one's, and how sure that is.
//!
//! An exchange as in NTP (D. Mills, RFC 5905, §8): a question leaves at t₀, is received at t₁ and answered at t₂ by the
//! other clock, and the answer is back at t₃. The other clock is ahead by ((t₁ − t₀) + (t₂ − t₃)) / 2, and wherever the
//! way out and the way back took their time, the truth lies within half of the round trip (t₃ − t₀) − (t₂ − t₁) of that.
//! Of many exchanges the one with the shortest round trip says most, so only that one is kept.

use std::time::Duration;

/// The best exchange so far, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// How far the other clock is ahead.
    pub ahead_ns: i64,
    /// The truth lies within so much of it.
    pub error_ns: i64,
}

/// The four instants of an exchange: the first and the last by this clock, the others by the other one.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// The question left.
    pub asked: Duration,
    /// It was received.
    pub received: Duration,
    /// The answer left.
    pub answered: Duration,
    /// The answer was received.
    pub returned: Duration,
}

impl Offset {
    /// What one exchange says.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        let Exchange { asked, received, answered, returned } = *exchange;
        let out = nanos(received) - nanos(asked);
        let home = nanos(answered) - nanos(returned);
        let round_trip = (nanos(returned) - nanos(asked)) - (nanos(answered) - nanos(received));
        // Rounded up: the truth must not fall out by a nanosecond.
        Self { ahead_ns: (out + home) / 2, error_ns: (round_trip + 1) / 2 + 1 }
    }

    /// The better of this and an earlier one.
    #[must_use]
    pub fn or_better(self, earlier: Option<Self>) -> Self {
        earlier.filter(|earlier| earlier.error_ns <= self.error_ns).unwrap_or(self)
    }

    /// Whether both may be one and the same clock.
    #[must_use]
    pub const fn may_be_none(self) -> bool {
        self.ahead_ns.abs() <= self.error_ns
    }
}

fn nanos(instant: Duration) -> i64 {
    i64::try_from(instant.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_truth_lies_within_the_stated_error(
            ahead in -1_000_000_i64..1_000_000,
            ways in prop::collection::vec((1_u64..500_000, 0_u64..100_000, 1_u64..500_000), 1..20),
        ) {
            let base = 10_000_000_u64;
            let other = |at: u64| Duration::from_nanos(at.checked_add_signed(ahead).unwrap());
            let mut best: Option<Offset> = None;
            for (out, thinking, home) in ways {
                let (received, answered) = (base + out, base + out + thinking);
                let exchange = Exchange {
                    asked: Duration::from_nanos(base),
                    received: other(received),
                    answered: other(answered),
                    returned: Duration::from_nanos(answered + home),
                };
                let offset = Offset::of(&exchange);
                prop_assert!((offset.ahead_ns - ahead).abs() <= offset.error_ns, "{offset:?}");
                prop_assert!(best.is_none_or(|best| offset.or_better(Some(best)).error_ns <= best.error_ns));
                best = Some(offset.or_better(best));
            }
            prop_assert!(best.is_some_and(|best| (best.ahead_ns - ahead).abs() <= best.error_ns));
        }
    }

    #[test]
    fn one_clock_may_be_none_and_another_may_not() {
        let exchange = |ahead: u64| Exchange {
            asked: Duration::from_nanos(1_000),
            received: Duration::from_nanos(1_400 + ahead),
            answered: Duration::from_nanos(1_500 + ahead),
            returned: Duration::from_nanos(2_000),
        };
        assert!(Offset::of(&exchange(0)).may_be_none());
        assert!(!Offset::of(&exchange(5_000)).may_be_none());
    }
}
