//! Hops: where the time of a delivery goes, stage by stage of the backend; of runs with `trace = true`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::Latency;

/// The deliveries of a traced run, split at the stamps that the backend put into its pushes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hops {
    /// The backend's clock against the generator's; absent where no delivery was split.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clock: Option<HopClock>,
    /// By push, as the protocol names them: those that can have stamps.
    pub deliveries: BTreeMap<String, DeliveryHops>,
}

/// The backend's clock against the generator's, from the deliveries themselves: no hop takes less than no time, so that each
/// delivery bounds the offset from both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HopClock {
    /// How far the backend's clock is ahead, in microseconds: the middle of what is possible. It is taken out of the hops that
    /// cross from one clock to the other.
    pub offset_us: f64,
    /// How far off that may be: half of what is possible. It is in the first hop with one sign and in the last with the other, and
    /// in their sum not at all.
    pub error_us: f64,
    /// The backend's clock is ahead by no less than this.
    pub least_us: f64,
    /// The backend's clock is ahead by no more than this.
    pub most_us: f64,
    /// Whether one offset explains all deliveries. False where `least_us` is above `most_us`: machines of the backend differ in their
    /// clocks by at least the difference, or a clock was set during the run.
    pub consistent: bool,
}

impl HopClock {
    /// From the bounds of the offset.
    #[must_use]
    pub fn between(least_us: f64, most_us: f64) -> Self {
        Self {
            offset_us: f64::midpoint(least_us, most_us),
            error_us: (most_us - least_us).abs() / 2.0,
            least_us,
            most_us,
            consistent: least_us <= most_us,
        }
    }
}

/// The hops of one kind of delivery.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryHops {
    /// Deliveries that were received without all of their stamps: they are in no hop.
    pub incomplete: u64,
    /// From the send to the receipt, of the deliveries that were split: its mean is the sum of the hops' means.
    pub whole_us: Latency,
    /// The first and the last hop together: exact, whatever the clocks say.
    pub crossing_us: Latency,
    /// Mean of all deliveries, split or not, minus the sum of the hops' means: what the hops do not account for, in microseconds.
    /// 0 but for rounding where all were split.
    pub unaccounted_us: f64,
    /// The hops in the order of the way.
    pub hops: Vec<Hop>,
}

/// One hop.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// Its name, e.g. `stream_wait`.
    pub name: String,
    /// What it begins with: `send`, or the name of a stamp.
    pub from: String,
    /// What it ends with: the name of a stamp, or `receipt`.
    pub to: String,
    /// The function in which it is spent, as the protocol calls it; empty: none, or the protocol does not say.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub function: String,
    /// Whether it begins by one clock and ends by the other. The others begin and end by clocks of the backend, which may be
    /// those of two machines.
    pub crosses_clocks: bool,
    /// How long it took, the clocks' offset taken out. The mean is exact but for `error_us`, and may be below zero by that; a quantile that
    /// would be is 0. Means add up, quantiles do not.
    pub time_us: Latency,
    /// Its mean as a share of the mean of `whole_us`.
    pub share: f64,
    /// How far off its mean may be: by the clocks, where it crosses them, and by stamps that are coarser than a microsecond.
    pub error_us: f64,
    /// Deliveries in which it comes out below zero, which no hop is: a measure of `error_us`, and of clocks of the backend that differ.
    pub below_zero: u64,
}

/// A hop in one second, of the pushes that were received in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HopSecond {
    /// Deliveries that were split.
    pub count: u64,
    /// Mean in microseconds by the clocks as they stand. The first hop has `clock.offset_us` of the summary too much, the last has it too
    /// little: [`Hop::in_second`] takes it out.
    pub mean_us: f64,
}

impl Hop {
    /// What stands for the send in [`from`](Self::from).
    pub const SEND: &str = "send";
    /// What stands for the receipt in [`to`](Self::to).
    pub const RECEIPT: &str = "receipt";

    /// How far this hop is moved to take the offset of the clocks out, in microseconds.
    #[must_use]
    pub fn shift(from: &str, to: &str, clock: &HopClock) -> f64 {
        if from == Self::SEND {
            -clock.offset_us
        } else if to == Self::RECEIPT {
            clock.offset_us
        } else {
            0.0
        }
    }

    /// Its mean in a second in microseconds, the offset of the clocks taken out.
    #[must_use]
    pub fn in_second(&self, second: &HopSecond, clock: &HopClock) -> f64 {
        second.mean_us + Self::shift(&self.from, &self.to, clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_the_middle_of_what_is_possible() {
        let clock = HopClock::between(-3_000.0, 5_000.0);
        assert_eq!((clock.offset_us, clock.error_us, clock.consistent), (1_000.0, 4_000.0, true));
        let torn = HopClock::between(10.0, -10.0);
        assert_eq!((torn.offset_us, torn.error_us, torn.consistent), (0.0, 10.0, false));
    }

    #[test]
    fn a_second_is_moved_as_the_whole_is() {
        let clock = HopClock::between(900.0, 1_100.0);
        let second = HopSecond { count: 1, mean_us: 1_500.0 };
        let hop = |from: &str, to: &str| Hop { from: from.into(), to: to.into(), ..Hop::default() };
        assert_eq!(hop(Hop::SEND, "gateway").in_second(&second, &clock), 500.0);
        assert_eq!(hop("gateway", "route").in_second(&second, &clock), 1_500.0);
        assert_eq!(hop("posted", Hop::RECEIPT).in_second(&second, &clock), 2_500.0);
    }
}
