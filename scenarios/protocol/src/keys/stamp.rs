//! The shape of a push's stamp. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a stage of a push's way through the backend began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Its name: what began then, e.g. `"stream"`.
    pub name: String,
    /// Pointer to a whole number, or a string of digits: the time since 1970, e.g. `"/trace/stream"`.
    pub at: String,
    /// In which unit it is, and so how fine: `s`, `ms`, `us` or `ns`.
    pub unit: Unit,
    /// What lies between the stamp before it (before the first: the send) and this one, e.g. `"stream_wait"`. Default: `to_` and the name.
    #[serde(default)]
    pub hop: Option<String>,
    /// The Lambda function in which that hop is spent, as in `functions`, e.g. `"OnMessageInserted"`: if it takes longer, that function does.
    /// Default: none.
    #[serde(default)]
    pub function: Option<String>,
}

impl Stamp {
    /// The name of the hop that ends with it.
    #[must_use]
    pub fn hop(&self) -> String {
        self.hop.clone().unwrap_or_else(|| format!("to_{}", self.name))
    }
}

/// The unit of a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanos,
}

impl Unit {
    /// A number of these in microseconds, rounded down; `None` where that is no instant of these centuries.
    #[must_use]
    pub fn micros(self, number: u64) -> Option<i64> {
        let micros = match self {
            Self::Seconds => number.checked_mul(1_000_000)?,
            Self::Millis => number.checked_mul(1_000)?,
            Self::Micros => number,
            Self::Nanos => number / 1_000,
        };
        // 2^53 microseconds are in the year 2255: beyond it there is another unit, not another time.
        (micros < 1 << 53).then_some(micros as i64)
    }

    /// How much later than its number an instant may be, in microseconds.
    #[must_use]
    pub const fn resolution_us(self) -> u32 {
        match self {
            Self::Seconds => 1_000_000,
            Self::Millis => 1_000,
            Self::Micros | Self::Nanos => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_comes_to_microseconds() {
        for (unit, number) in [
            (Unit::Seconds, 1_700_000_000),
            (Unit::Millis, 1_700_000_000_000),
            (Unit::Micros, 1_700_000_000_000_000),
            (Unit::Nanos, 1_700_000_000_000_000_999),
        ] {
            assert_eq!(unit.micros(number), Some(1_700_000_000_000_000), "{unit:?}");
        }
        assert_eq!(Unit::Millis.micros(1_700_000_000_000_000), None, "these were microseconds");
        assert_eq!(Unit::Seconds.micros(u64::MAX), None);
    }
}
