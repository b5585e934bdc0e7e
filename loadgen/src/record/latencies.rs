//! Latencies: an HdrHistogram that grows, and travels between processes without loss.

use std::fmt;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use serde::de::Visitor;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::clock::Micros;

/// The longest latency that is recorded; longer ones count as this.
pub(super) const A_DAY: Micros = 86_400_000_000;

/// Latencies in microseconds: three significant digits, growing as needed.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    #[allow(clippy::expect_used, reason = "3 is a precision that the histogram takes")]
    fn default() -> Self {
        Self(Histogram::new(3).expect("three significant digits"))
    }
}

impl Latencies {
    /// Records one latency; below a microsecond counts as one, above a day as a day.
    pub fn record(&mut self, micros: Micros) {
        // `record` grows the histogram (`saturating_record` would not), and up to a day it always can.
        let recorded = self.0.record(micros.clamp(1, A_DAY));
        debug_assert!(recorded.is_ok());
    }

    /// The histogram.
    #[must_use]
    pub const fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Serialize for Latencies {
    /// As HdrHistogram's own V2 encoding, which keeps every bucket's count; nothing at all when empty.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut encoded = Vec::new();
        if !self.0.is_empty() {
            V2Serializer::new().serialize(&self.0, &mut encoded).map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_bytes(&encoded)
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Encoded;
        impl Visitor<'_> for Encoded {
            type Value = Latencies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an encoded histogram")
            }

            fn visit_bytes<E: serde::de::Error>(self, mut encoded: &[u8]) -> Result<Latencies, E> {
                // Added to one of ours, which may grow; a decoded one may not.
                let mut latencies = Latencies::default();
                if !encoded.is_empty() {
                    let decoded: Histogram<u64> =
                        Deserializer::new().deserialize(&mut encoded).map_err(E::custom)?;
                    latencies.0.add(&decoded).map_err(E::custom)?;
                }
                Ok(latencies)
            }
        }
        deserializer.deserialize_bytes(Encoded)
    }
}

impl Tally for Latencies {
    fn merge(&mut self, other: &Self) {
        // Fails only where a histogram may not grow, and these may.
        let merged = self.0.add(&other.0);
        debug_assert!(merged.is_ok());
    }

    fn clear(&mut self) {
        self.0.reset();
    }
}
