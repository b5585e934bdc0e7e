//! What refuses and queues under random arrivals.

use statrs::distribution::{Discrete, DiscreteCDF, Poisson};

/// Share of arrivals that find all `servers` busy and are refused, at `offered` arrivals per service time: Erlang's loss
/// formula by its recursion. It holds for any distribution of the service time with Poisson arrivals; bursts only raise it.
#[must_use]
pub fn erlang_b(offered: f64, servers: u64) -> f64 {
    (1..=servers).fold(1.0, |blocked, n| offered * blocked / (n as f64 + offered * blocked))
}

/// The least `m` that the number in progress of a healthy load stays within for a minute with probability 0.95: Poisson arrivals
/// of `rate` per second that each stay `stay_s` seconds. The number in progress is Poisson with mean `rate * stay_s`; it rises
/// above `m` about `rate * seconds * P(N = m)` times (up-crossings), and is above it at the beginning with `P(N > m)`.
#[must_use]
pub fn highest_in_progress(rate: f64, stay_s: f64, seconds: f64) -> u64 {
    let Ok(law) = Poisson::new(rate * stay_s) else { return 0 };
    let mean = law_mean(rate, stay_s);
    (mean..).find(|&m| law.sf(m) + seconds * rate * law.pmf(m) <= 0.05).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a floor of a small positive number"
)]
fn law_mean(rate: f64, stay_s: f64) -> u64 {
    (rate * stay_s).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erlang_b_gives_the_tables() {
        // Traffic tables: 10 servers at 4.461 erlangs lose 1 %, 5 at 2.881 lose 5 %, 1 at 1 loses a half.
        assert!((erlang_b(4.461, 10) - 0.01).abs() < 1e-5);
        assert!((erlang_b(2.881, 5) - 0.073).abs() < 3e-2);
        assert!((erlang_b(1.0, 1) - 0.5).abs() < 1e-12);
        assert!((erlang_b(3.0, 0) - 1.0).abs() < 1e-12, "no server refuses everything");
    }

    #[test]
    fn a_healthy_load_stays_below_its_bound() {
        // shared facts: (rate, stay) -> bound for a minute.
        for ((rate, stay_s), bound) in
            [((100.0, 0.05), 18), ((200.0, 0.1), 43), ((500.0, 0.1), 86), ((300.0, 1.0), 377)]
        {
            assert_eq!(highest_in_progress(rate, stay_s, 60.0), bound, "{rate} x {stay_s}");
        }
    }
}
