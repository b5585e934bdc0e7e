//! Times that are drawn: `"2s"`, `"1s to 5s"` (evenly), `"exponential 2s"` (by its mean), `"lognormal 2s p99 10s"` (by
//! its median and 99th percentile).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::keys::duration::PATTERN;
use crate::keys::units;

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// A length of time, drawn anew each time it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Always the same.
    Constant(Duration),
    /// Evenly between two bounds, the lower first.
    Uniform(Duration, Duration),
    /// Exponentially distributed with this mean.
    Exponential(Duration),
    /// Log-normally distributed with this median and this 99th percentile, which is not below the median.
    LogNormal(Duration, Duration),
}

/// The standard deviation of the logarithm of a log-normal draw.
fn sigma(median: Duration, p99: Duration) -> f64 {
    let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / Z99;
    // A median of nothing stays nothing.
    if sigma.is_finite() { sigma } else { 0.0 }
}

impl Draw {
    /// The mean.
    #[must_use]
    pub fn mean(self) -> Duration {
        match self {
            Self::LogNormal(median, p99) => median.mul_f64((sigma(median, p99).powi(2) / 2.0).exp()),
            Self::Constant(value) | Self::Exponential(value) => value,
            Self::Uniform(low, high) => (low + high) / 2,
        }
    }

    /// One draw.
    pub fn sample(self, random: &mut impl Rng) -> Duration {
        match self {
            Self::Constant(value) => value,
            Self::Uniform(low, high) => low + high.saturating_sub(low).mul_f64(random.random()),
            Self::Exponential(mean) => {
                let factor: f64 = Exp1.sample(random);
                mean.mul_f64(factor)
            }
            Self::LogNormal(median, p99) => {
                let normal: f64 = StandardNormal.sample(random);
                median.mul_f64((sigma(median, p99) * normal).exp())
            }
        }
    }
}

impl FromStr for Draw {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let span = |text: &str| {
            units::span(text).map_err(|problem| format!("is not a duration: `{text}` {problem}"))
        };
        if let Some(mean) = text.trim().strip_prefix("exponential ") {
            return span(mean).map(Self::Exponential);
        }
        if let Some(rest) = text.trim().strip_prefix("lognormal ") {
            let (median, p99) =
                rest.split_once(" p99 ").ok_or("has no ` p99 `; write e.g. \"lognormal 2s p99 10s\"")?;
            let (median, p99) = (span(median)?, span(p99)?);
            return ordered(median, p99).map(|()| Self::LogNormal(median, p99));
        }
        let Some((low, high)) = text.split_once(" to ") else { return span(text).map(Self::Constant) };
        let (low, high) = (span(low)?, span(high)?);
        ordered(low, high).map(|()| Self::Uniform(low, high))
    }
}

fn ordered(low: Duration, high: Duration) -> Result<(), String> {
    if low <= high { Ok(()) } else { Err("has a second time below the first".into()) }
}

impl fmt::Display for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = humantime::format_duration;
        match self {
            Self::Constant(value) => write!(f, "{}", shown(*value)),
            Self::Uniform(low, high) => write!(f, "{} to {}", shown(*low), shown(*high)),
            Self::Exponential(mean) => write!(f, "exponential {}", shown(*mean)),
            Self::LogNormal(median, p99) => write!(f, "lognormal {} p99 {}", shown(*median), shown(*p99)),
        }
    }
}

impl<'de> Deserialize<'de> for Draw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Draw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Draw {
    fn schema_name() -> Cow<'static, str> {
        "Draw".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        const SPAN: &str = PATTERN;
        json_schema!({
            "type": "string",
            "pattern": format!(r"^\s*(0|{SPAN}|{SPAN} to {SPAN}|exponential {SPAN}|lognormal {SPAN} p99 {SPAN})$|\$\{{"),
            "x-reads": "draw",
            "examples": ["30s"],
            "description": "A time that is drawn: \"2s\" (always), \"1s to 5s\" (evenly between), \"exponential 2s\" (by its mean) or \"lognormal 2s p99 10s\" (by its median and 99th percentile).",
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn each_form_is_read_shown_and_drawn_with_its_mean() {
        let forms = [
            ("2s", 2.0),
            ("1s to 5s", 3.0),
            ("exponential 2s", 2.0),
            ("0s", 0.0),
            // σ = ln 3 / 2.3263, mean = 2 · exp(σ²/2).
            ("lognormal 2s p99 6s", 2.236),
            ("lognormal 0s p99 6s", 0.0),
        ];
        for (text, mean) in forms {
            let draw: Draw = text.parse().unwrap();
            assert_eq!(draw.to_string(), text);
            assert!((draw.mean().as_secs_f64() - mean).abs() < 1e-3, "{text}");
            let mut random = SmallRng::seed_from_u64(1);
            let sum: f64 = (0..20_000).map(|_| draw.sample(&mut random).as_secs_f64()).sum();
            assert!((sum / 20_000.0 - mean).abs() < 0.06, "{text}: {}", sum / 20_000.0);
        }
    }

    #[test]
    fn a_log_normal_draw_has_its_median_and_its_tail() {
        let draw: Draw = "lognormal 2s p99 10s".parse().unwrap();
        let mut random = SmallRng::seed_from_u64(2);
        let mut drawn: Vec<_> = (0..20_001).map(|_| draw.sample(&mut random).as_secs_f64()).collect();
        drawn.sort_unstable_by(f64::total_cmp);
        assert!((drawn[10_000] - 2.0).abs() < 0.06, "{}", drawn[10_000]);
        assert!((drawn[19_800] - 10.0).abs() < 1.2, "{}", drawn[19_800]);
    }

    #[test]
    fn a_wrong_form_says_what_is_wrong() {
        for (text, said) in [
            ("1s to soon", "soon"),
            ("soon", "soon"),
            ("exponential x", "x"),
            ("5s to 1s", "below the first"),
            ("lognormal 5s", "p99"),
            ("lognormal 5s p99 1s", "below the first"),
        ] {
            let message = text.parse::<Draw>().unwrap_err();
            assert!(message.contains(said), "{message}");
        }
    }
}
