//! Axes: the position of a value, and the ticks with their labels.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::unit::Unit;
use crate::human;

/// One axis of a chart.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// Smallest and largest value shown.
    pub(super) range: Range<f64>,
    pub(super) title: String,
    /// Value and label, ascending.
    ticks: Vec<(f64, String)>,
    log: bool,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    /// Pixel of a value; one outside of the axis lies at its end.
    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let position = |value: f64| if self.log { value.log10() } else { value };
        let (start, end) = (position(self.range.start), position(self.range.end));
        let share = (position(value.clamp(self.range.start, self.range.end)) - start) / (end - start);
        first + (f64::from(last - first) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    /// The label of a tick.
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(tick, _)| tick == value);
        tick.map_or_else(|| Self::format(value), |(_, label)| label.clone())
    }
}

impl Axis {
    /// Seconds since the run's start, with at most `most` steps of a length that clocks have.
    pub(super) fn time(end_s: f64, most: usize) -> Self {
        const STEPS: [f64; 18] = [
            1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0,
            7200.0, 14_400.0, 21_600.0,
        ];
        let end_s = end_s.max(1.0);
        let fits = |step: &f64| end_s / step <= most as f64;
        let step = STEPS.into_iter().find(fits).unwrap_or((end_s / most as f64 / 86_400.0).ceil() * 86_400.0);
        let ticks = steps(0.0, end_s, step).map(|t| (t, human::clock(t))).collect();
        let title = if end_s < 3600.0 { "time since start (m:ss)" } else { "time since start (h:mm:ss)" };
        Self { range: 0.0..end_s, ticks, title: title.into(), log: false }
    }

    /// From zero to a round number above `max`.
    pub(super) fn linear(max: f64, unit: Unit, most: usize) -> Self {
        // Some room above, for the names of the phases.
        let max = if max > 0.0 { max * 1.08 } else { 1.0 };
        // Binary units have binary round numbers.
        let base: f64 = if unit == Unit::Bytes { 1024.0_f64.powf(max.log(1024.0).floor()) } else { 1.0 };
        let whole = matches!(unit, Unit::Count(_));
        let rough = max / base / most as f64;
        let decade = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * decade).find(|step| *step >= rough);
        let step = step.unwrap_or(rough).max(if whole { 1.0 } else { 0.0 }) * base;
        let end = (max / step).ceil() * step;
        let ticks = steps(0.0, end, step).map(|value| (value, unit.tick(value))).collect();
        Self { range: 0.0..end, ticks, title: unit.axis_title().into(), log: false }
    }

    /// Around the values between `low` and `high`, without zero unless it is near: a change of a few per cent must be seen.
    pub(super) fn around(low: f64, high: f64, unit: Unit, most: usize) -> Self {
        let spread = if high > low { high - low } else { high.abs().max(1.0) * 0.1 };
        // Room for the names of the changes above.
        let (low, high) = (low - spread * 0.1, high + spread * 0.3);
        let low = if low < spread * 0.2 && low > -spread { 0.0 } else { low };
        // Binary units have binary round numbers.
        let base = if unit == Unit::Bytes { 1024.0_f64.powf(high.max(1.0).log(1024.0).floor()) } else { 1.0 };
        let rough = (high - low) / base / most as f64;
        let decade = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * decade).find(|step| *step >= rough);
        let step = step.unwrap_or(rough) * base;
        let start = (low / step).floor() * step;
        let end = (high / step).ceil() * step;
        let ticks = steps(start, end, step).map(|value| (value, unit.tick_beside(value, step))).collect();
        Self { range: start..end, ticks, title: unit.axis_title().into(), log: false }
    }

    /// Places from 0, one for each label; as many of them as `most` are shown.
    pub(super) fn places(labels: &[String], title: &str, most: usize) -> Self {
        let every = labels.len().div_ceil(most.max(1)).max(1);
        let shown = labels.iter().enumerate().step_by(every);
        let ticks = shown.map(|(place, label)| (place as f64, label.clone())).collect();
        let last = labels.len().saturating_sub(1).max(1) as f64;
        Self { range: -0.5..last + 0.5, ticks, title: title.into(), log: false }
    }

    /// Logarithmic between the 1-2-5 numbers around `min` and `max`; linear where these are less than three times apart, as a
    /// logarithmic axis would have two ticks only.
    pub(super) fn log(min: f64, max: f64, unit: Unit) -> Self {
        if max < min.max(1.0) * 3.0 { Self::linear(max, unit, 5) } else { Self::decades(min, max, unit) }
    }

    /// Logarithmic in any case, with finer ticks where `min` and `max` are close.
    pub(super) fn decades(min: f64, max: f64, unit: Unit) -> Self {
        const FINE: [f64; 8] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0];
        let min = min.max(1.0);
        let max = max.max(min * 1.5);
        let mantissas: &[f64] = if max < min * 3.0 { &FINE } else { &[1.0, 2.0, 5.0] };
        let first = min.log10().floor() as i32;
        let last = max.log10().ceil() as i32;
        let within = |value: &f64| *value >= min / 2.5 && *value <= max * 2.5;
        let all = (first..=last).flat_map(|e| mantissas.iter().map(move |m| m * 10.0_f64.powi(e)));
        let candidates: Vec<f64> = all.filter(within).collect();
        let start = candidates.iter().copied().filter(|v| *v <= min).fold(min, |_, v| v);
        let end = candidates.iter().copied().find(|v| *v >= max).unwrap_or(max);
        let every_decade = max / min > 300.0;
        let is_decade = |value: f64| (value.log10() - value.log10().round()).abs() < 1e-9;
        let ticks = candidates
            .into_iter()
            .filter(|v| (start..=end).contains(v) && (!every_decade || is_decade(*v)))
            .map(|v| (v, unit.tick(v)))
            .collect();
        Self { range: start..end, ticks, title: format!("{}, log scale", unit.axis_title()), log: true }
    }

    /// First and last value, and whether they are `log` or `linear`.
    pub(super) fn scale(&self) -> String {
        format!("{} {} {}", self.range.start, self.range.end, if self.log { "log" } else { "linear" })
    }

    /// Round numbers around `low` and `high`, with zero among them.
    pub(super) fn signed(low: f64, high: f64, title: &str) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let rough = ((high - low) / 6.0).max(1e-6);
        let decade = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * decade).find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let (start, end) = ((low / step).floor() * step, (high / step).ceil().max(1.0) * step);
        let label = |value: f64| {
            let sign = if value < -step / 2.0 { "−" } else { "" };
            format!("{sign}{}", human::plain(value.abs(), 3))
        };
        // Zero itself, whatever the sum of steps says.
        let exact = |value: f64| if value.abs() < step / 2.0 { 0.0 } else { value };
        let ticks = steps(start, end, step).map(exact).map(|value| (value, label(value))).collect();
        Self { range: start..end, ticks, title: title.into(), log: false }
    }

    /// Quantiles by their number of nines: 90 % is 1, 99 % is 2.
    pub(super) fn nines(most: f64) -> Self {
        let named = [(0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")];
        let rare = [(0.99999, "99.999 %"), (0.999_999, "99.9999 %"), (0.999_999_9, "99.99999 %")];
        let ticks = named
            .into_iter()
            .chain(rare)
            .map(|(quantile, label)| (nines(quantile), label.to_owned()))
            .filter(|(position, _)| *position <= most + 1e-9)
            .collect();
        Self { range: 0.0..most, ticks, title: "percentile (each step has one nine more)".into(), log: false }
    }
}

/// A quantile's place on the nines axis.
pub(super) fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

/// The quantile at a place on the nines axis.
pub(super) fn quantile(nines: f64) -> f64 {
    1.0 - 10.0_f64.powf(-nines)
}

fn steps(start: f64, end: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..)
        .map(move |index| start + f64::from(index) * step)
        .take_while(move |value| *value <= end + step * 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        assert_eq!(labels(&Axis::linear(87.0, Unit::PerSecond, 5)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&Axis::linear(0.0, Unit::Count("sockets"), 5)), ["0", "1"]);
        assert_eq!(labels(&Axis::linear(0.7, Unit::PerSecond, 5)), ["0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(
            labels(&Axis::log(1200.0, 45_000.0, Unit::Duration)),
            ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms"]
        );
        assert_eq!(
            labels(&Axis::log(120.0, 4_500_000.0, Unit::Duration)),
            ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]
        );
        assert_eq!(labels(&Axis::log(40_000.0, 90_000.0, Unit::Duration))[..2], ["0", "20 ms"]);
        assert_eq!(labels(&Axis::decades(160e3, 205e3, Unit::Duration)), ["150 ms", "200 ms", "250 ms"]);
        assert_eq!(Axis::time(7200.0, 6).title, "time since start (h:mm:ss)");
        assert_eq!(labels(&Axis::time(300.0, 6)), ["0:00", "1:00", "2:00", "3:00", "4:00", "5:00"]);
        assert_eq!(labels(&Axis::nines(2.5)), ["50 %", "90 %", "99 %"]);
        assert_eq!(labels(&Axis::linear(150.0 * 1024.0 * 1024.0, Unit::Bytes, 4)).last(), Some(&"200 MiB"));
    }

    #[test]
    fn a_signed_axis_has_zero_among_its_ticks() {
        let axis = Axis::signed(-3.1, 12.0, "difference, %");
        assert_eq!(labels(&axis), ["−5", "0", "5", "10", "15"]);
        assert_eq!(labels(&Axis::signed(0.0, 0.0, "")).first(), Some(&"0"));
    }

    #[test]
    fn an_axis_around_values_shows_their_differences() {
        let axis = Axis::around(1_000.0, 1_200.0, Unit::Duration, 4);
        assert!(axis.range.start >= 900.0 && axis.range.end >= 1_200.0, "{axis:?}");
        assert_eq!(labels(&axis), ["900 µs", "1.0 ms", "1.1 ms", "1.2 ms", "1.3 ms"]);
        assert_eq!(labels(&Axis::around(0.0, 3.0, Unit::Count("%"), 4)).first(), Some(&"0"));
        assert_eq!(
            labels(&Axis::around(229_110.0, 229_930.0, Unit::Nanoseconds, 4)).first(),
            Some(&"229.0 µs")
        );
        let mib = |n: f64| n * 1024.0 * 1024.0;
        assert_eq!(labels(&Axis::around(mib(75.0), mib(79.0), Unit::Bytes, 4)).first(), Some(&"74 MiB"));
        let flat = Axis::around(7.0, 7.0, Unit::PerSecond, 4);
        assert!(flat.range.start < 7.0 && flat.range.end > 7.0);
        let names: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        assert_eq!(labels(&Axis::places(&names, "run", 5)), ["0", "2", "4", "6", "8"]);
    }

    #[test]
    fn values_outside_lie_at_the_ends_and_nines_invert() {
        let axis = Axis::log(1000.0, 10_000.0, Unit::Duration);
        let pixel = |value: f64| axis.map(&value, (0, 100));
        assert_eq!([0.0, 1000.0, 3162.3, 10_000.0, 1e9].map(pixel), [0, 0, 50, 100, 100]);
        assert!((quantile(nines(0.999)) - 0.999).abs() < 1e-12);
    }
}
