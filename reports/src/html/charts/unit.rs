//! What a chart's values are, and how they read on an axis, in a table and in the script.

use crate::human;

/// The unit of a chart's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::html) enum Unit {
    /// Microseconds.
    Duration,
    /// Nanoseconds, with their digits.
    Nanoseconds,
    /// Events per second.
    PerSecond,
    /// A number of things; the word is the axis title.
    Count(&'static str),
    /// Percent of one core.
    CorePercent,
    /// Bytes.
    Bytes,
}

impl Unit {
    pub(super) fn axis_title(self) -> &'static str {
        match self {
            Self::Duration | Self::Nanoseconds => "time",
            Self::PerSecond => "per second",
            Self::Count(what) => what,
            Self::CorePercent => "% of one core",
            Self::Bytes => "bytes",
        }
    }

    /// A value with its unit.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Duration => human::duration(value),
            Self::Nanoseconds => human::nanoseconds(value),
            Self::PerSecond => format!("{}/s", human::significant(value)),
            Self::Count(_) => human::amount(value),
            Self::CorePercent => format!("{} %", human::significant(value)),
            Self::Bytes => human::bytes(value),
        }
    }

    /// A round value at an axis tick: without superfluous zeros.
    pub(in crate::html) fn tick(self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let trim = |text: String| match text.split_once(' ') {
            Some((number, unit)) if number.contains('.') => {
                format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
            }
            None if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            _ => text,
        };
        match self {
            Self::Duration => trim(human::duration(value)),
            Self::Nanoseconds => trim(human::nanoseconds(value)),
            Self::Bytes => trim(human::bytes(value)),
            Self::PerSecond | Self::Count(_) | Self::CorePercent => trim(human::significant(value)),
        }
    }

    /// A tick among others `step` apart, with as many digits as tell them apart.
    pub(super) fn tick_beside(self, value: f64, step: f64) -> String {
        let (scale, unit) = match self {
            Self::Nanoseconds => human::time_scale(value),
            Self::Duration => {
                let (scale, unit) = human::time_scale(value * 1e3);
                (scale / 1e3, unit)
            }
            Self::Bytes | Self::PerSecond | Self::Count(_) | Self::CorePercent => return self.tick(value),
        };
        if value == 0.0 {
            return "0".to_owned();
        }
        let digits = (-(step / scale).log10().floor()).clamp(0.0, 6.0) as usize;
        let number = format!("{:.digits$}", value / scale);
        format!("{number} {unit}")
    }

    /// The unit in a table's column header, and what a value is divided by for that column.
    pub(super) fn column(self) -> (&'static str, f64) {
        match self {
            Self::Duration => ("ms", 1e3),
            Self::Nanoseconds => ("ns", 1.0),
            Self::PerSecond => ("/s", 1.0),
            Self::Count(_) => ("", 1.0),
            Self::CorePercent => ("%", 1.0),
            Self::Bytes => ("MiB", 1024.0 * 1024.0),
        }
    }

    /// How the script calls it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Duration | Self::Nanoseconds => "duration",
            Self::PerSecond => "rate",
            Self::Count(_) => "count",
            Self::CorePercent => "percent",
            Self::Bytes => "bytes",
        }
    }
}
