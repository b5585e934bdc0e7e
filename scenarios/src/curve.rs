//! Arrivals as a pure function of an index.
//!
//! A plan's load is a chain of straight lines: at offset *t* the load factor is ℓ(t). An operation with base
//! rate *r* has called for N(t) = r · ∫₀ᵗ ℓ(u) du arrivals by *t*, and its arrival *i* (from 0) is due at
//! N⁻¹(i + ½). The half centres each arrival in its interval, so that a hold of 1 s at 10/s has its arrivals at
//! 50, 150, …, 950 ms and every stretch gets the arrivals of its own area, to within one.
//!
//! Inside one line from a to b over d seconds, ∫ is a·x + (b − a)·x² / 2d; its inverse is the root
//! x = 2A / (a + √(a² + 2(b − a)A/d)), which stays stable where a = b and where a = 0.

use std::time::Duration;

/// One straight piece of the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Length in seconds, above zero.
    pub seconds: f64,
    /// Load factor at its start.
    pub from: f64,
    /// Load factor at its end.
    pub to: f64,
}

impl Line {
    fn area(&self) -> f64 {
        self.seconds * f64::midpoint(self.from, self.to)
    }

    /// Offset within the line at which its area has reached `area`.
    fn inverse(&self, area: f64) -> f64 {
        if area <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.seconds;
        let root = (self.from * self.from + 2.0 * slope * area).max(0.0).sqrt();
        (2.0 * area / (self.from + root)).min(self.seconds)
    }
}

/// The load over the whole plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Each line with its start offset in seconds and the area before it.
    lines: Vec<(f64, f64, Line)>,
    start: f64,
    area: f64,
}

impl Curve {
    /// A curve that begins `start` after the run's start.
    #[must_use]
    pub fn new(start: Duration, lines: &[Line]) -> Self {
        let (mut at, mut area) = (0.0, 0.0);
        let mut placed = Vec::with_capacity(lines.len());
        for line in lines.iter().filter(|line| line.seconds > 0.0) {
            placed.push((at, area, *line));
            at += line.seconds;
            area += line.area();
        }
        Self { lines: placed, start: start.as_secs_f64(), area }
    }

    /// Number of arrivals of an operation with this base rate (per second).
    #[must_use]
    pub fn arrivals(&self, rate: f64) -> u64 {
        // A product like 0.1 × 30 that falls short of a whole number by rounding must not lose an arrival.
        (self.area * rate + 1e-9).floor() as u64
    }

    /// When arrival `index` of an operation with this base rate is due, from the run's start; `None` past the end.
    #[must_use]
    pub fn due(&self, rate: f64, index: u64) -> Option<Duration> {
        if index >= self.arrivals(rate) {
            return None;
        }
        let area = (index as f64 + 0.5) / rate;
        let after = self.lines.partition_point(|(_, before, _)| *before <= area);
        let (at, before, line) = self.lines.get(after.checked_sub(1)?)?;
        Some(Duration::from_secs_f64(self.start + at + line.inverse(area - before)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hold(seconds: f64, load: f64) -> Line {
        Line { seconds, from: load, to: load }
    }

    #[test]
    fn a_hold_spaces_arrivals_evenly_and_centred() {
        let curve = Curve::new(Duration::from_secs(2), &[hold(1.0, 1.0)]);
        let due: Vec<_> = (0..10).map(|index| curve.due(10.0, index).unwrap().as_millis()).collect();
        assert_eq!(due, [2050, 2150, 2250, 2350, 2450, 2550, 2650, 2750, 2850, 2950]);
        assert_eq!(curve.due(10.0, 10), None);
    }

    #[test]
    fn a_ramp_from_nothing_follows_the_square_root() {
        // N(t) = 10 t² / 2·10 for a ramp 0→1 over 10 s at 10/s: arrival i is due at √(2 (i + ½)).
        let curve = Curve::new(Duration::ZERO, &[Line { seconds: 10.0, from: 0.0, to: 1.0 }]);
        assert_eq!(curve.arrivals(10.0), 50);
        for index in [0_u64, 1, 7, 49] {
            let expected = (2.0 * (index as f64 + 0.5)).sqrt();
            assert!((curve.due(10.0, index).unwrap().as_secs_f64() - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn silence_between_two_holds_gets_no_arrival() {
        let curve = Curve::new(Duration::ZERO, &[hold(1.0, 1.0), hold(5.0, 0.0), hold(1.0, 1.0)]);
        let late = curve.due(4.0, 4).unwrap().as_secs_f64();
        assert!((late - 6.125).abs() < 1e-9, "{late}");
    }

    proptest! {
        #[test]
        fn every_stretch_gets_the_arrivals_of_its_area(
            lines in prop::collection::vec((0.1_f64..20.0, 0.0_f64..5.0, 0.0_f64..5.0), 1..6),
            rate in 0.5_f64..200.0,
        ) {
            let lines: Vec<_> = lines.into_iter().map(|(seconds, from, to)| Line { seconds, from, to }).collect();
            let curve = Curve::new(Duration::ZERO, &lines);
            let due: Vec<_> = (0..curve.arrivals(rate)).map(|i| curve.due(rate, i).unwrap().as_secs_f64()).collect();
            prop_assert!(due.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "arrivals go forward");
            let (mut at, mut area) = (0.0, 0.0);
            for line in &lines {
                at += line.seconds;
                area += line.area();
                let arrived = due.iter().filter(|due| **due <= at).count() as f64;
                prop_assert!((arrived - area * rate).abs() <= 1.0, "{arrived} by {at} s, {} planned", area * rate);
            }
        }
    }
}
