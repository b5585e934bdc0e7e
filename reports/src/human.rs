//! Quantities as people read them: three significant digits and a unit that fits.

use std::collections::BTreeMap;

use crate::format::{Delivery, Generator, GeneratorWorker, Latency};

/// Shown where there are no samples.
pub(crate) const NOTHING: &str = "–";

/// Before a percentile that too few samples carry.
pub(crate) const WEAK: char = '~';

/// Fewer samples than this beyond a percentile make it weak.
pub(crate) const WEAK_BELOW: u64 = 10;

/// A percentile of a [`Latency`]: its name, its quantile (0 to 1) and where its value is.
#[derive(Clone, Copy)]
pub(crate) struct Percentile {
    pub(crate) name: &'static str,
    pub(crate) quantile: f64,
    pub(crate) of: fn(&Latency) -> u64,
}

pub(crate) const P50: Percentile = Percentile { name: "p50", quantile: 0.5, of: |l| l.p50 };
pub(crate) const P90: Percentile = Percentile { name: "p90", quantile: 0.9, of: |l| l.p90 };
pub(crate) const P95: Percentile = Percentile { name: "p95", quantile: 0.95, of: |l| l.p95 };
pub(crate) const P99: Percentile = Percentile { name: "p99", quantile: 0.99, of: |l| l.p99 };
pub(crate) const P99_9: Percentile = Percentile { name: "p99.9", quantile: 0.999, of: |l| l.p99_9 };
pub(crate) const P99_99: Percentile = Percentile { name: "p99.99", quantile: 0.9999, of: |l| l.p99_99 };

impl Percentile {
    /// The value with its unit, marked when weak.
    pub(crate) fn show(self, latency: &Latency) -> String {
        if latency.count == 0 {
            return NOTHING.to_owned();
        }
        let value = duration((self.of)(latency) as f64);
        if self.is_weak(latency) { format!("{WEAK}{value}") } else { value }
    }

    /// Whether too few samples lie beyond it.
    pub(crate) fn is_weak(self, latency: &Latency) -> bool {
        latency.samples_beyond(self.quantile) < WEAK_BELOW
    }
}

/// What `lost` means, e.g. `lost: not received within 15 s (message), 35 s (placement)`; nothing where the run did not keep it.
pub(crate) fn lost_after(deliveries: &BTreeMap<String, Delivery>) -> Option<String> {
    let of = |(kind, delivery): (&String, &Delivery)| {
        delivery.lost_after_s.map(|seconds| format!("{} ({kind})", span(seconds)))
    };
    let each: Vec<_> = deliveries.iter().filter_map(of).collect();
    (!each.is_empty()).then(|| format!("lost: not received within {}", each.join(", ")))
}

/// The largest sample with its unit.
pub(crate) fn max(latency: &Latency) -> String {
    if latency.count == 0 { NOTHING.to_owned() } else { duration(latency.max as f64) }
}

/// Microseconds as µs, ms, s, min or h.
#[must_use]
pub fn duration(us: f64) -> String {
    if us < 999.5 {
        format!("{us:.0} µs")
    } else if us < 999_500.0 {
        format!("{} ms", significant(us / 1e3))
    } else if us < 999.5e6 {
        format!("{} s", significant(us / 1e6))
    } else if us < 100.0 * 60e6 {
        format!("{} min", significant(us / 60e6))
    } else {
        format!("{} h", significant(us / 3_600e6))
    }
}

/// Seconds as a duration without superfluous zeros, e.g. `15 s`, `1.5 s`, `24 h`.
pub(crate) fn span(seconds: f64) -> String {
    let shown = duration(seconds * 1e6);
    match shown.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => shown,
    }
}

/// Nanoseconds with three digits in the unit that fits: a bench's change of a few per cent must be seen.
pub(crate) fn nanoseconds(ns: f64) -> String {
    let (scale, unit) = time_scale(ns);
    format!("{} {unit}", significant(ns / scale))
}

/// The unit that fits a time, and its nanoseconds.
pub(crate) fn time_scale(ns: f64) -> (f64, &'static str) {
    match ns.abs() {
        below if below < 999.5 => (1.0, "ns"),
        below if below < 999_500.0 => (1e3, "µs"),
        below if below < 999_500_000.0 => (1e6, "ms"),
        _ => (1e9, "s"),
    }
}

/// Three significant digits, never an exponent.
pub(crate) fn significant(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude < 0.995 {
        plain(value, 3)
    } else if magnitude < 9.995 {
        format!("{value:.2}")
    } else if magnitude < 99.95 {
        format!("{value:.1}")
    } else {
        grouped(&format!("{value:.0}"))
    }
}

/// An exact count with thousands separated.
#[must_use]
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A count that CloudWatch or arithmetic gave as a float: exact when whole.
pub(crate) fn amount(value: f64) -> String {
    if value.fract() == 0.0 { grouped(&format!("{value:.0}")) } else { significant(value) }
}

/// An exact count up to a million, three digits beyond: at most seven columns.
pub(crate) fn short_count(value: u64) -> String {
    match value {
        0..1_000_000 => count(value),
        1_000_000..1_000_000_000 => format!("{}M", significant(value as f64 / 1e6)),
        _ => format!("{}G", significant(value as f64 / 1e9)),
    }
}

/// A number for tables that programs read as well: no grouping, `digits` significant ones unless it is whole.
pub(crate) fn plain(value: f64, digits: i32) -> String {
    if value == 0.0 || value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    let magnitude = value.abs().log10().floor() as i32 + 1;
    let text = format!("{value:.*}", (digits - magnitude).clamp(0, 6) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Bytes in binary units.
#[must_use]
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = value;
    let mut unit = 0;
    while scaled >= 1023.5 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{} {}", significant(scaled), UNITS[unit])
}

/// A share as a percentage; `None` when there is no whole.
pub(crate) fn percent(part: u64, whole: u64) -> Option<String> {
    (whole > 0).then(|| format!("{} %", significant(part as f64 * 100.0 / whole as f64)))
}

/// The workers in a sentence; nothing where one process did everything.
pub(crate) fn workers(generator: &Generator) -> Option<String> {
    let workers = &generator.workers;
    let passed: u64 = workers.iter().map(|worker| worker.receipts_passed).sum();
    let most = |of: fn(&GeneratorWorker) -> Option<f64>| {
        workers.iter().filter_map(of).fold(0.0_f64, |most, value| most.max(value.abs()))
    };
    (!workers.is_empty()).then(|| {
        format!(
            "{} workers; their clocks within {} of the run's (measured to within {}); {} receipts forwarded between them, \
             matched {} later (median).",
            workers.len(),
            duration(most(|worker| worker.clock_offset_us)),
            duration(most(|worker| worker.clock_error_us)),
            count(passed),
            P50.show(&generator.relay_lag_us),
        )
    })
}

/// Seconds as `m:ss` or `h:mm:ss`, with the sign of an instant before the start.
pub(crate) fn clock(seconds: f64) -> String {
    let whole = seconds.abs().round() as u64;
    let sign = if seconds < 0.0 && whole > 0 { "−" } else { "" };
    let (h, m, s) = (whole / 3600, whole / 60 % 60, whole % 60);
    if h > 0 { format!("{sign}{h}:{m:02}:{s:02}") } else { format!("{sign}{m}:{s:02}") }
}

/// Inserts commas between groups of three digits of a whole number.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.split_at(usize::from(digits.starts_with('-')));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_digits_and_change_unit_at_the_right_place() {
        let cases = [
            (0.0, "0 µs"),
            (842.0, "842 µs"),
            (999.0, "999 µs"),
            (1000.0, "1.00 ms"),
            (9_996.0, "10.0 ms"),
            (12_345.0, "12.3 ms"),
            (999_499.0, "999 ms"),
            (999_900.0, "1.00 s"),
            (75_000_000.0, "75.0 s"),
            (999_400_000.0, "999 s"),
            (1_000_000_000.0, "16.7 min"),
            (86_394_000_000.0, "24.0 h"),
        ];
        for (us, shown) in cases {
            assert_eq!(duration(us), shown, "{us}");
        }
    }

    #[test]
    fn nanoseconds_keep_three_digits() {
        let shown = [0.0, 42.0, 229_110.0, 1_534.0, 12e6, 3.2e9].map(nanoseconds);
        assert_eq!(shown, ["0 ns", "42.0 ns", "229 µs", "1.53 µs", "12.0 ms", "3.20 s"]);
    }

    #[test]
    fn small_numbers_keep_their_digits() {
        assert_eq!([0.0, 0.052, 0.5, 1.25].map(significant), ["0", "0.052", "0.5", "1.25"]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(short_count(999_999), "999,999");
        assert_eq!(short_count(12_345_678), "12.3M");
        assert_eq!(significant(-1234.0), "-1,234");
    }

    #[test]
    fn plain_numbers_have_no_grouping() {
        assert_eq!(plain(12_345.0, 3), "12345");
        assert_eq!(plain(12.345, 3), "12.3");
        assert_eq!(plain(0.012_345, 3), "0.0123");
        assert_eq!(plain(99.999, 5), "99.999");
        assert_eq!(plain(99.0, 5), "99");
        assert_eq!(plain(1234.5, 3), "1234");
    }

    #[test]
    fn clocks_bytes_and_shares() {
        assert_eq!(clock(65.0), "1:05");
        assert_eq!(clock(7265.0), "2:01:05");
        assert_eq!(clock(-30.0), "−0:30");
        assert_eq!(clock(-0.3), "0:00");
        assert_eq!([15.0, 1.5, 0.25, 86_394.0].map(span), ["15 s", "1.5 s", "250 ms", "24 h"]);
        assert_eq!(bytes(1023.0), "1,023 B");
        assert_eq!(bytes(1024.0 * 1024.0 * 1.5), "1.50 MiB");
        assert_eq!(percent(1, 0), None);
        assert_eq!(percent(1, 8).as_deref(), Some("12.5 %"));
    }

    #[test]
    fn a_percentile_is_weak_below_ten_samples_beyond_it() {
        let latency = |count| Latency { count, p99: 1500, ..Latency::default() };
        assert_eq!(P99.show(&latency(0)), "–");
        assert_eq!(P99.show(&latency(999)), "~1.50 ms");
        assert_eq!(P99.show(&latency(1000)), "1.50 ms");
    }
}
