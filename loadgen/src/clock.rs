//! The run's clock: microseconds since the start of the plan, on a monotonic clock, with the start in UTC.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use nix::time::{ClockId, clock_gettime};

/// Seconds since 1970, as tokens state their expiry.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Milliseconds since 1970, as protocols state instants.
pub(crate) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// Microseconds since the run's start.
pub type Micros = u64;

/// Maps between the monotonic clock, the run's axis and UTC. Cheap to clone; stands at 0 until it is started.
///
/// UTC is read once, at the start: a step of the system clock during the run moves no measurement.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<OnceLock<(Instant, Timestamp)>>);

impl Clock {
    /// Starts the clock with its zero at an instant of [`monotonic`], so that processes of one machine share it. A clock
    /// starts once; later calls change nothing.
    pub fn start_at(&self, zero: Duration) {
        self.0.get_or_init(|| {
            let read = || {
                let (before, reading, after) = (Instant::now(), monotonic(), Instant::now());
                (after - before, before, reading)
            };
            // Of some readings the one that was interrupted least.
            let (apart, before, reading) = (0..7).fold(read(), |best, _| best.min(read()));
            let now = before + apart / 2;
            let utc = Timestamp::now();
            let ahead = zero.saturating_sub(reading);
            let behind = reading.saturating_sub(zero);
            let start = now.checked_sub(behind).unwrap_or(now) + ahead;
            (start, utc + signed(ahead) - signed(behind))
        });
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

    /// The same in microseconds since 1970.
    #[must_use]
    pub fn epoch_us(&self, offset: Micros) -> i64 {
        self.utc(offset).as_microsecond()
    }
}

/// The system's monotonic clock, which all processes of a machine share.
#[must_use]
pub fn monotonic() -> Duration {
    // Every Linux has this clock.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// A duration in whole microseconds.
#[must_use]
pub fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_start_at_one_instant_agree() {
        for zero in [monotonic() + Duration::from_secs(2), monotonic() - Duration::from_millis(300)] {
            let clocks = [Clock::default(), Clock::default()];
            clocks.iter().for_each(|clock| clock.start_at(zero));
            let [one, other] = clocks.map(|clock| clock.instant(5_000_000));
            let apart = one.max(other) - one.min(other);
            // Two reads of a clock that take a tenth of a microsecond; the rest is for a busy machine.
            assert!(apart < Duration::from_millis(1), "{apart:?}");
        }
    }
}
