//! The run's clock: microseconds since the start of the plan, on a monotonic clock, with the start in UTC.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Microseconds since the run's start.
pub type Micros = u64;

/// Maps between the monotonic clock, the run's axis and UTC. Cheap to clone; stands at 0 until it is started.
///
/// UTC is read once, at the start: a step of the system clock during the run moves no measurement.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<OnceLock<(Instant, Timestamp)>>);

impl Clock {
    /// Starts the clock, with its zero `lead` in the future. A clock starts once; later calls change nothing.
    pub fn start_in(&self, lead: Duration) {
        let lead_utc = SignedDuration::try_from(lead).unwrap_or(SignedDuration::ZERO);
        self.0.get_or_init(|| (Instant::now() + lead, Timestamp::now() + lead_utc));
    }

    /// Microseconds since the start; 0 before it.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.0.get().map_or(0, |(start, _)| micros(start.elapsed()))
    }

    /// The monotonic instant of an offset; now, before the clock has started.
    #[must_use]
    pub fn instant(&self, offset: Micros) -> Instant {
        self.0.get().map_or_else(Instant::now, |(start, _)| *start + Duration::from_micros(offset))
    }

    /// The UTC instant of an offset; now, before the clock has started.
    #[must_use]
    pub fn utc(&self, offset: Micros) -> Timestamp {
        let offset = SignedDuration::from_micros(i64::try_from(offset).unwrap_or(i64::MAX));
        self.0
            .get()
            .map_or_else(Timestamp::now, |(_, start)| start.checked_add(offset).unwrap_or(Timestamp::MAX))
    }
}

/// A duration in whole microseconds.
#[must_use]
pub fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
