//! The server's series and limits.
//!
//! CloudWatch leaves points out: a counter without an event, a function that was not invoked, a minute that is not there yet.
//! A gap of a function's counter is a zero only where the same function's `Invocations` has a point in that period;
//! everything else that is missing is unknown.

use reports::format::{CloudWatch, CloudWatchSeries, Limit, LimitKind, SeriesStatus, Wiring};

use super::points::{Point, Points};

/// Which series: namespace, metric, statistic, and the dimension that names its resource (empty: none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metric {
    /// E.g. `AWS/Lambda`.
    pub(crate) namespace: &'static str,
    /// E.g. `Throttles`.
    pub(crate) name: &'static str,
    /// E.g. `Sum`.
    pub(crate) statistic: &'static str,
    /// E.g. `FunctionName`.
    pub(crate) dimension: &'static str,
}

impl Metric {
    /// A metric of a function.
    pub(crate) const fn lambda(name: &'static str, statistic: &'static str) -> Self {
        Self { namespace: "AWS/Lambda", name, statistic, dimension: "FunctionName" }
    }

    /// A metric of the account's Lambda as a whole.
    pub(crate) const fn account(name: &'static str, statistic: &'static str) -> Self {
        Self { namespace: "AWS/Lambda", name, statistic, dimension: "" }
    }

    /// A metric of a table.
    pub(crate) const fn table(name: &'static str, statistic: &'static str) -> Self {
        Self { namespace: "AWS/DynamoDB", name, statistic, dimension: "TableName" }
    }
}

/// What is known of the server.
pub(crate) struct Server<'a> {
    cloudwatch: Option<&'a CloudWatch>,
}

impl<'a> Server<'a> {
    pub(crate) fn of(cloudwatch: Option<&'a CloudWatch>) -> Self {
        Self { cloudwatch }
    }

    /// Whether CloudWatch was fetched and has any point.
    pub(crate) fn is_known(&self) -> bool {
        self.cloudwatch.is_some_and(|fetched| fetched.series.iter().any(|series| !series.points.is_empty()))
    }

    /// The document.
    pub(crate) fn document(&self) -> Option<&'a CloudWatch> {
        self.cloudwatch
    }

    /// Every series as fetched.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'a CloudWatchSeries> {
        self.cloudwatch.into_iter().flat_map(|fetched| &fetched.series)
    }

    /// The series as fetched, with exactly that dimension.
    pub(crate) fn series(&self, metric: Metric, resource: &str) -> Option<&'a CloudWatchSeries> {
        self.all().find(|series| {
            let named = match metric.dimension {
                "" => series.dimensions.is_empty(),
                name => {
                    series.dimensions.len() == 1
                        && series.dimensions.get(name).is_some_and(|value| value == resource)
                }
            };
            named
                && series.namespace == metric.namespace
                && series.metric == metric.name
                && series.statistic == metric.statistic
        })
    }

    /// Every period of the window with the series' value; gaps are unknown. `None`: there is no such series.
    pub(crate) fn gauge(&self, metric: Metric, resource: &str) -> Option<Points> {
        let series = self.series(metric, resource)?;
        Some(self.spread(series, |_| None))
    }

    /// As [`gauge`](Self::gauge), of a function's counter: a gap is a zero where the function's `Invocations` has a point.
    pub(crate) fn counter(&self, metric: Metric, function: &str) -> Option<Points> {
        let series = self.series(metric, function)?;
        let invocations = self.series(Metric::lambda("Invocations", "Sum"), function)?;
        let period_s = self.period_s(series);
        let ran = |at: f64| invocations.points.iter().any(|(start, _)| (start - at).abs() < period_s / 2.0);
        Some(self.spread(series, |at| ran(at).then_some(0.0)))
    }

    /// The limit of a resource by its full name, or of the account where that is empty.
    pub(crate) fn limit(&self, kind: LimitKind, resource: &str) -> Option<&'a Limit> {
        self.limits().find(|limit| limit.kind == kind && limit.resource == resource)
    }

    /// All limits.
    pub(crate) fn limits(&self) -> impl Iterator<Item = &'a Limit> {
        self.cloudwatch.into_iter().flat_map(|fetched| &fetched.limits)
    }

    /// What calls what.
    pub(crate) fn wiring(&self) -> Option<&'a Wiring> {
        self.cloudwatch.map(|fetched| &fetched.wiring)
    }

    /// Whether CloudWatch calls the series complete.
    pub(crate) fn is_complete(series: &CloudWatchSeries) -> bool {
        series.status == SeriesStatus::Complete
    }

    /// Length of the periods of a series in seconds.
    pub(crate) fn period_s(&self, series: &CloudWatchSeries) -> f64 {
        let of_all = self.cloudwatch.map_or(60, |fetched| fetched.period_s);
        series.period_s.unwrap_or(of_all).max(1) as f64
    }

    pub(super) fn spread(&self, series: &CloudWatchSeries, gap: impl Fn(f64) -> Option<f64>) -> Points {
        let period_s = self.period_s(series);
        // All series of one period length lie on the same grid: the epoch's.
        let starts: Vec<f64> = {
            let peers = self.all().filter(|peer| self.period_s(peer) == period_s);
            let mut all: Vec<i64> =
                peers.flat_map(|peer| &peer.points).map(|(at, _)| (at * 1e3).round() as i64).collect();
            all.sort_unstable();
            let (Some(&first), Some(&last)) = (all.first(), all.last()) else {
                return Points { period_s, points: Vec::new() };
            };
            let step = (period_s * 1e3) as i64;
            (0..=(last - first) / step).map(|n| (first + n * step) as f64 / 1e3).collect()
        };
        let value = |at: f64| {
            let found = series.points.iter().find(|(start, _)| (start - at).abs() < period_s / 2.0);
            found.map(|(_, value)| *value).or_else(|| gap(at))
        };
        let points = starts.into_iter().map(|at_s| Point { at_s, value: value(at_s) }).collect();
        Points { period_s, points }
    }
}
