//! Rates that are let through while others are refused: a limit leaves a plateau, a share that is refused does not.

use reports::format::Limit;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::limits::Z;

/// Seconds of refusals that a plateau without a known limit needs.
const FEWEST_SECONDS: usize = 3;
/// How a limit says that it is only documented: an account may have another one.
const DOCUMENTED: &str = "documented";

/// What was accepted and what was refused with 429 in one second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Second {
    pub(super) at_s: f64,
    pub(super) accepted: f64,
    pub(super) refused: f64,
}

impl Second {
    fn offered(&self) -> f64 {
        self.accepted + self.refused
    }
}

/// A plateau, and the limit that it is at; `None` where that is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plateau {
    pub(super) level: f64,
    pub(super) limit: Option<f64>,
}

/// What was accepted per second while others were refused, if it is a plateau: at the limit, or, where that is not known or only
/// documented, flat while what was offered was not, or more even than chance.
pub(super) fn of(seconds: &[Second], limit: Option<&Limit>) -> Option<Plateau> {
    let refusing: Vec<Second> = seconds.iter().filter(|second| second.refused > 0.0).copied().collect();
    // The first and the last one are cut.
    let inner = match refusing.as_slice() {
        [_, inner @ .., _] if !inner.is_empty() => inner,
        all => all,
    };
    if inner.is_empty() {
        return None;
    }
    let n = inner.len() as f64;
    let level = inner.iter().map(|second| second.accepted).sum::<f64>() / n;
    let known = limit.map(|limit| limit.value).filter(|limit| level >= limit - Z * (limit / n).sqrt());
    let may_be_another = limit.is_none_or(|limit| limit.source == DOCUMENTED);
    let behaves = || inner.len() >= FEWEST_SECONDS && (is_flat(inner, level) || is_even(inner));
    (known.is_some() || (may_be_another && behaves())).then_some(Plateau { level, limit: known })
}

/// Sum of squared misfits over the variance of each second.
fn misfit(seconds: &[Second], expected: impl Fn(&Second) -> f64, variance: impl Fn(&Second) -> f64) -> f64 {
    let of_second = |second: &Second| {
        (second.accepted - expected(second)).powi(2) / variance(second).max(f64::MIN_POSITIVE)
    };
    seconds.iter().map(of_second).sum()
}

/// The share of what was offered that was accepted.
fn share(seconds: &[Second]) -> f64 {
    let offered: f64 = seconds.iter().map(Second::offered).sum();
    seconds.iter().map(|second| second.accepted).sum::<f64>() / offered.max(1.0)
}

/// Whether what is accepted is flat and does not follow what is offered, by Pearson's chi-squared test at 95 %.
fn is_flat(seconds: &[Second], level: f64) -> bool {
    let Ok(law) = ChiSquared::new(seconds.len() as f64 - 1.0) else { return false };
    let (most, share) = (law.inverse_cdf(0.95), share(seconds));
    let follows = |second: &Second| share * second.offered();
    level > 0.0 && misfit(seconds, |_| level, |_| level) <= most && misfit(seconds, follows, follows) > most
}

/// Whether what is accepted is more even than a share refused at random leaves it: its scatter about that share lies below the fifth
/// percentile of a binomial one's.
fn is_even(seconds: &[Second]) -> bool {
    let Ok(law) = ChiSquared::new(seconds.len() as f64 - 1.0) else { return false };
    let share = share(seconds);
    let scatter =
        misfit(seconds, |second| share * second.offered(), |second| share * (1.0 - share) * second.offered());
    share > 0.0 && share < 1.0 && scatter < law.inverse_cdf(0.05)
}

#[cfg(test)]
mod tests {
    use reports::format::LimitKind;

    use super::*;

    fn seconds(counts: &[(f64, f64)]) -> Vec<Second> {
        let second = |(at, (accepted, refused)): (u32, &(f64, f64))| Second {
            at_s: f64::from(at),
            accepted: *accepted,
            refused: *refused,
        };
        (0..).zip(counts).map(second).collect()
    }

    fn limit(value: f64, source: &str) -> Limit {
        Limit { kind: LimitKind::ConnectionsPerSecond, resource: String::new(), value, source: source.into() }
    }

    #[test]
    fn a_limit_is_reached_where_what_is_accepted_stays_at_it() {
        let full = seconds(&[
            (500.0, 0.0),
            (498.0, 300.0),
            (503.0, 500.0),
            (500.0, 400.0),
            (120.0, 3.0),
            (100.0, 0.0),
        ]);
        let found = of(&full, Some(&limit(500.0, "servicequotas"))).expect("a plateau");
        assert_eq!(found, Plateau { level: 501.5, limit: Some(500.0) });
        assert_eq!(of(&full, Some(&limit(1_000.0, "servicequotas"))), None, "far below the limit");
        assert_eq!(
            of(&seconds(&[(10.0, 0.0)]), Some(&limit(10.0, "servicequotas"))),
            None,
            "nothing refused"
        );
    }

    #[test]
    fn without_a_limit_it_is_flat_while_the_offered_load_is_not() {
        let flat = seconds(&[(90.0, 5.0), (100.0, 100.0), (99.0, 200.0), (101.0, 300.0), (90.0, 5.0)]);
        assert!(of(&flat, None).is_some_and(|plateau| plateau.limit.is_none()));
        assert!(of(&flat, Some(&limit(500.0, "documented"))).is_some_and(|plateau| plateau.limit.is_none()));
        // A share of 20 % is refused, whatever is offered.
        let share = seconds(&[(80.0, 20.0), (164.0, 36.0), (310.0, 90.0), (640.0, 160.0), (80.0, 20.0)]);
        assert_eq!(of(&share, None), None);
    }

    #[test]
    fn at_a_steady_load_a_limit_is_more_even_than_chance() {
        let even = seconds(&[
            (19.0, 5.0),
            (19.0, 6.0),
            (19.0, 5.0),
            (18.0, 6.0),
            (20.0, 5.0),
            (19.0, 6.0),
            (19.0, 5.0),
        ]);
        assert!(of(&even, None).is_some());
        let chance = seconds(&[
            (19.0, 5.0),
            (21.0, 4.0),
            (16.0, 8.0),
            (20.0, 5.0),
            (17.0, 8.0),
            (22.0, 3.0),
            (19.0, 5.0),
        ]);
        assert_eq!(of(&chance, None), None);
    }
}
