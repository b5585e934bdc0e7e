//! The load over the plan, its area and the inverse of that.
//!
//! A plan's load is a chain of pieces, straight lines and sine waves: at offset *t* the load factor is ℓ(t). An
//! operation with base rate *r* has called for N(t) = r · ∫₀ᵗ ℓ(u) du arrivals by *t*. With evenly spaced arrivals
//! its arrival *i* (from 0) is due at N⁻¹(i + ½): the half centres each arrival in its interval, so that a hold of
//! 1 s at 10/s has its arrivals at 50, 150, …, 950 ms and every stretch gets the arrivals of its own area, to within
//! one. Random arrivals go through the same inverse ([`crate::plan::arrivals`]).
//!
//! Inside a line from a to b over d seconds, ∫ is a·x + (b − a)·x² / 2d; its inverse is the root
//! x = 2A / (a + √(a² + 2(b − a)A/d)), which stays stable where a = b and where a = 0. Inside a wave of mean m,
//! amplitude α and period p, ∫ is m·x + α·p/2π · (1 − cos(2πx/p)); it never falls, since α ≤ m, and is inverted by
//! Newton's method inside a bracket that halves where a step would leave it (W. Press et al., "Numerical Recipes",
//! 3rd ed., §9.4, `rtsafe`), to a nanosecond.

use std::f64::consts::TAU;
use std::time::Duration;

/// How near the inverse of a wave comes to the truth, in seconds.
const TOLERANCE: f64 = 1e-9;

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

/// A piece of the load that swings round a mean, upwards first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// Length in seconds, above zero.
    pub seconds: f64,
    /// Load factor round which it swings.
    pub mean: f64,
    /// How far it swings, at most the mean.
    pub amplitude: f64,
    /// Length of one swing in seconds, above zero.
    pub period: f64,
}

/// A piece of the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Piece {
    /// A straight line.
    Line(Line),
    /// A sine wave.
    Wave(Wave),
}

impl Line {
    /// A constant load.
    #[must_use]
    pub const fn level(seconds: f64, load: f64) -> Self {
        Self { seconds, from: load, to: load }
    }

    fn area_to(&self, x: f64) -> f64 {
        x * (self.from + (self.to - self.from) * x / (2.0 * self.seconds))
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

impl Wave {
    fn at(&self, x: f64) -> f64 {
        self.mean + self.amplitude * (TAU * x / self.period).sin()
    }

    fn area_to(&self, x: f64) -> f64 {
        self.mean * x + self.amplitude * self.period / TAU * (1.0 - (TAU * x / self.period).cos())
    }

    /// Offset within the wave at which its area has reached `area`.
    fn inverse(&self, area: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.seconds);
        let mut x = (area / self.mean).clamp(low, high);
        while high - low > TOLERANCE {
            let over = self.area_to(x) - area;
            if over > 0.0 {
                high = x;
            } else {
                low = x;
            }
            let step = over / self.at(x);
            let next = x - step;
            if next.is_finite() && next > low && next < high {
                x = next;
                if step.abs() < TOLERANCE / 2.0 {
                    break;
                }
            } else {
                x = f64::midpoint(low, high);
            }
        }
        x
    }
}

impl From<Line> for Piece {
    fn from(line: Line) -> Self {
        Self::Line(line)
    }
}

impl From<Wave> for Piece {
    fn from(wave: Wave) -> Self {
        Self::Wave(wave)
    }
}

impl Piece {
    /// Its length.
    #[must_use]
    pub const fn seconds(&self) -> f64 {
        match self {
            Self::Line(line) => line.seconds,
            Self::Wave(wave) => wave.seconds,
        }
    }

    /// Load factor at an offset within the piece.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        match self {
            Self::Line(line) => line.from + (line.to - line.from) * x / line.seconds,
            Self::Wave(wave) => wave.at(x),
        }
    }

    fn area_to(&self, x: f64) -> f64 {
        match self {
            Self::Line(line) => line.area_to(x),
            Self::Wave(wave) => wave.area_to(x),
        }
    }

    fn inverse(&self, area: f64) -> f64 {
        match self {
            Self::Line(line) => line.inverse(area),
            Self::Wave(wave) => wave.inverse(area),
        }
    }
}

/// The load over the whole plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Each piece with its start offset in seconds and the area before it.
    pieces: Vec<(f64, f64, Piece)>,
    start: f64,
    area: f64,
}

impl Curve {
    /// A curve that begins `start` after the run's start.
    #[must_use]
    pub fn new(start: Duration, pieces: &[Piece]) -> Self {
        let (mut at, mut area) = (0.0, 0.0);
        let mut placed = Vec::with_capacity(pieces.len());
        for piece in pieces.iter().filter(|piece| piece.seconds() > 0.0) {
            placed.push((at, area, *piece));
            at += piece.seconds();
            area += piece.area_to(piece.seconds());
        }
        Self { pieces: placed, start: start.as_secs_f64(), area }
    }

    /// The whole area: load factor times seconds.
    #[must_use]
    pub const fn area(&self) -> f64 {
        self.area
    }

    /// Where it begins, from the run's start.
    #[must_use]
    pub fn start(&self) -> Duration {
        Duration::from_secs_f64(self.start)
    }

    /// How long it is.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.pieces.iter().map(|(_, _, piece)| piece.seconds()).sum())
    }

    /// The load factor at an offset from the run's start; 0 outside the curve.
    #[must_use]
    pub fn at(&self, offset: Duration) -> f64 {
        let x = offset.as_secs_f64() - self.start;
        let after = self.pieces.partition_point(|(at, _, _)| *at <= x);
        let piece = after.checked_sub(1).and_then(|index| self.pieces.get(index));
        piece.filter(|(at, _, piece)| x - at < piece.seconds()).map_or(0.0, |(at, _, piece)| piece.at(x - at))
    }

    /// The area up to an offset from the run's start.
    #[must_use]
    pub fn area_until(&self, offset: Duration) -> f64 {
        let x = offset.as_secs_f64() - self.start;
        let after = self.pieces.partition_point(|(at, _, _)| *at <= x);
        let Some((at, before, piece)) = after.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return 0.0;
        };
        before + piece.area_to((x - at).min(piece.seconds()))
    }

    /// When the area has reached `area`, from the run's start.
    #[must_use]
    pub fn when(&self, area: f64) -> Option<Duration> {
        let after = self.pieces.partition_point(|(_, before, _)| *before <= area);
        let (at, before, piece) = self.pieces.get(after.checked_sub(1)?)?;
        Some(Duration::from_secs_f64(self.start + at + piece.inverse(area - before)))
    }

    /// Number of evenly spaced arrivals of an operation with this base rate (per second).
    #[must_use]
    pub fn arrivals(&self, rate: f64) -> u64 {
        // A product like 0.1 × 30 that falls short of a whole number by rounding must not lose an arrival.
        (self.area * rate + 1e-9).floor() as u64
    }

    /// When evenly spaced arrival `index` of an operation with this base rate is due, from the run's start; `None`
    /// past the end.
    #[must_use]
    pub fn due(&self, rate: f64, index: u64) -> Option<Duration> {
        if index >= self.arrivals(rate) {
            return None;
        }
        self.when((index as f64 + 0.5) / rate)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hold(seconds: f64, load: f64) -> Piece {
        Line::level(seconds, load).into()
    }

    fn pieces() -> impl Strategy<Value = Vec<Piece>> {
        let line = (0.1_f64..20.0, 0.0_f64..5.0, 0.0_f64..5.0)
            .prop_map(|(seconds, from, to)| Piece::Line(Line { seconds, from, to }));
        let wave = (0.1_f64..20.0, 0.01_f64..5.0, 0.0_f64..=1.0, 0.2_f64..30.0).prop_map(
            |(seconds, mean, swing, period)| {
                Piece::Wave(Wave { seconds, mean, amplitude: mean * swing, period })
            },
        );
        prop::collection::vec(prop_oneof![line, wave], 1..6)
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
        let curve = Curve::new(Duration::ZERO, &[Line { seconds: 10.0, from: 0.0, to: 1.0 }.into()]);
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

    #[test]
    fn whole_swings_of_a_wave_have_the_area_of_their_mean() {
        let wave = Wave { seconds: 30.0, mean: 2.0, amplitude: 2.0, period: 10.0 };
        let curve = Curve::new(Duration::ZERO, &[wave.into()]);
        assert!((curve.area() - 60.0).abs() < 1e-9);
        // A quarter of a swing: 2 · 2.5 + 2 · 10/2π.
        let quarter = curve.area_until(Duration::from_millis(2_500));
        assert!((quarter - (5.0 + 20.0 / TAU)).abs() < 1e-9, "{quarter}");
    }

    proptest! {
        #[test]
        fn every_stretch_gets_the_arrivals_of_its_area(pieces in pieces(), rate in 0.5_f64..200.0) {
            let curve = Curve::new(Duration::ZERO, &pieces);
            let due: Vec<_> = (0..curve.arrivals(rate)).map(|i| curve.due(rate, i).unwrap().as_secs_f64()).collect();
            prop_assert!(due.windows(2).all(|pair| pair[0] <= pair[1] + 1e-8), "arrivals go forward");
            let (mut at, mut area) = (0.0, 0.0);
            for piece in &pieces {
                at += piece.seconds();
                area += piece.area_to(piece.seconds());
                let arrived = due.iter().filter(|due| **due <= at).count() as f64;
                prop_assert!((arrived - area * rate).abs() <= 1.0 + 1e-6, "{arrived} by {at} s, {} planned", area * rate);
            }
        }

        /// The inverse undoes the area, to less than a microsecond wherever the load is not next to nothing.
        #[test]
        fn the_inverse_undoes_the_area(pieces in pieces(), share in 0.0_f64..1.0) {
            let curve = Curve::new(Duration::from_secs(3), &pieces);
            let area = curve.area() * share;
            prop_assume!(area > 0.0);
            let when = curve.when(area).unwrap();
            let back = curve.area_until(when);
            // A nanosecond of `Duration` and one of tolerance, at a load of at most 10.
            prop_assert!((back - area).abs() < 1e-7, "{area} → {when:?} → {back}");
        }
    }
}
