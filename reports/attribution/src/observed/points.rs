//! A server series on the run's axis: one entry a period, known or unknown.

/// One period of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Its start in seconds since the run's start.
    pub(crate) at_s: f64,
    /// Its value; `None`: not known, which is not zero.
    pub(crate) value: Option<f64>,
}

/// A series, every period of the fetched window in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Points {
    /// Length of a period in seconds.
    pub(crate) period_s: f64,
    /// The periods.
    pub(crate) points: Vec<Point>,
}

impl Points {
    /// The known values with the starts of their periods.
    pub(crate) fn known(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.points.iter().filter_map(|point| Some((point.at_s, point.value?)))
    }

    /// The sum of the known values; `None` where nothing is known.
    pub(crate) fn sum(&self) -> Option<f64> {
        let mut known = self.known().map(|(_, value)| value).peekable();
        known.peek().is_some().then(|| known.sum())
    }

    /// The greatest known value and the start of its period.
    pub(crate) fn peak(&self) -> Option<(f64, f64)> {
        self.known().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The value of the period that begins at an instant, to within half a period; `None`: not known.
    pub(crate) fn at(&self, at_s: f64) -> Option<f64> {
        let next = self.points.partition_point(|point| point.at_s + self.period_s / 2.0 <= at_s);
        self.points.get(next).filter(|point| (point.at_s - at_s).abs() * 2.0 <= self.period_s)?.value
    }

    /// The greatest known value of the periods that overlap with `from_s..=to_s`.
    pub(crate) fn greatest(&self, from_s: f64, to_s: f64) -> Option<f64> {
        let first = self.points.partition_point(|point| point.at_s + self.period_s <= from_s);
        let values = self.points[first..].iter().take_while(|point| point.at_s <= to_s);
        values.filter_map(|point| point.value).max_by(f64::total_cmp)
    }

    /// Those of `from_s..to_s`.
    pub(crate) fn within(&self, from_s: f64, to_s: f64) -> Self {
        let overlaps = |point: &&Point| point.at_s < to_s && point.at_s + self.period_s > from_s;
        Self { period_s: self.period_s, points: self.points.iter().filter(overlaps).copied().collect() }
    }
}
