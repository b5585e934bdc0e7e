//! How long a player waits before it tries to come back.
//!
//! Full jitter as described in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): the wait before
//! attempt *n* is drawn evenly from 0 to min(cap, base · 2ⁿ). Waits that grow without jitter keep the players of a
//! storm together, and each attempt becomes a storm of its own.

use std::time::Duration;

use protocol::outline::Retry;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use scenarios::plan::disruptions::{Policy, Reconnect};

/// The wait before attempt `attempt` (from 0), by the policy or what the protocol has for the way in which the socket was
/// lost; `None`: the player gives up.
pub(super) fn wait(
    reconnect: &Reconnect,
    retry: Retry,
    attempt: u32,
    dice: &mut SmallRng,
) -> Option<Duration> {
    match retry {
        Retry::No => return None,
        Retry::AtOnce if attempt == 0 => return Some(Duration::ZERO),
        Retry::AtOnce | Retry::Policy => {}
    }
    if reconnect.max_attempts.is_some_and(|most| attempt >= most) {
        return None;
    }
    match reconnect.policy {
        Policy::None => None,
        Policy::Constant => Some(reconnect.base),
        Policy::Exponential => {
            let doubled = reconnect.base.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
            Some(doubled.min(reconnect.cap).mul_f64(dice.random::<f64>()))
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn reconnect(policy: Policy, max_attempts: Option<u32>) -> Reconnect {
        Reconnect { policy, base: Duration::from_millis(100), cap: Duration::from_secs(2), max_attempts }
    }

    #[test]
    fn full_jitter_is_even_between_nothing_and_the_doubled_base() {
        let policy = reconnect(Policy::Exponential, None);
        let mut dice = SmallRng::seed_from_u64(7);
        for (attempt, bound) in
            [(0, 0.1), (1, 0.2), (3, 0.8), (5, 2.0), (31, 2.0), (32, 2.0), (4_000_000_000, 2.0)]
        {
            let waits: Vec<_> = (0..4_000)
                .map(|_| wait(&policy, Retry::Policy, attempt, &mut dice).unwrap().as_secs_f64())
                .collect();
            assert!(waits.iter().all(|wait| *wait <= bound), "attempt {attempt}");
            let mean = waits.iter().sum::<f64>() / waits.len() as f64;
            assert!((mean / bound - 0.5).abs() < 0.03, "attempt {attempt}: {mean} of {bound}");
        }
    }

    #[test]
    fn policies_end_where_they_say() {
        let mut dice = SmallRng::seed_from_u64(7);
        assert_eq!(wait(&reconnect(Policy::None, None), Retry::Policy, 0, &mut dice), None);
        let three = reconnect(Policy::Constant, Some(3));
        let waits: Vec<_> = (0..4).map(|attempt| wait(&three, Retry::Policy, attempt, &mut dice)).collect();
        let base = Some(Duration::from_millis(100));
        assert_eq!(waits, [base, base, base, None]);
        assert_eq!(wait(&reconnect(Policy::Exponential, Some(1)), Retry::Policy, 1, &mut dice), None);
    }
    #[test]
    fn a_protocol_may_say_at_once_or_not_at_all() {
        let mut dice = SmallRng::seed_from_u64(7);
        let base = Some(Duration::from_millis(100));
        let mut waits = |policy: &Reconnect, retry| {
            (0..3).map(|attempt| wait(policy, retry, attempt, &mut dice)).collect::<Vec<_>>()
        };
        let two = reconnect(Policy::Constant, Some(2));
        assert_eq!(waits(&two, Retry::AtOnce), [Some(Duration::ZERO), base, None]);
        assert_eq!(waits(&two, Retry::No), [None, None, None]);
        let none = reconnect(Policy::None, None);
        assert_eq!(waits(&none, Retry::AtOnce), [Some(Duration::ZERO), None, None]);
    }
}
