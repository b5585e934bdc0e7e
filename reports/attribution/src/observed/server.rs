//! The server's series and limits.
//!
//! CloudWatch leaves points out: a counter without an event, a function that was not invoked, a minute that is not there yet.
//! A gap of a function's counter is a zero only where the same function's `Invocations` has a point in that period, one of a mapping's
//! where its `PolledEventCount` has; everything else that is missing is unknown.

use std::collections::BTreeMap;

use reports::format::{CloudWatch, CloudWatchSeries, Limit, LimitKind, SeriesStatus, Wiring};

use super::points::{Point, Points};

/// Periods of a window at most: a folder may be anybody's, and two points may be ages apart. A week of seconds.
const MOST_PERIODS: f64 = 604_800.0;

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
}

/// What is known of the server.
pub(crate) struct Server<'a> {
    cloudwatch: Option<&'a CloudWatch>,
    /// By length of a period in seconds: the periods of all series of that length, which lie on one grid.
    grids: BTreeMap<u64, Grid>,
}

/// Periods of one length: the start of the first one in seconds, and how many.
#[derive(Debug, Clone, Copy)]
struct Grid {
    first_s: f64,
    periods: usize,
}

impl Grid {
    /// The period that begins at `at_s`, give or take half of one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a position")]
    fn period(self, at_s: f64, period_s: f64) -> Option<usize> {
        let position = ((at_s - self.first_s) / period_s).round();
        (position >= 0.0 && position < self.periods as f64).then_some(position as usize)
    }
}

impl<'a> Server<'a> {
    pub(crate) fn of(cloudwatch: Option<&'a CloudWatch>) -> Self {
        let mut server = Self { cloudwatch, grids: BTreeMap::new() };
        let mut ends: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        for series in server.all() {
            for (at, _) in series.points.iter().filter(|(at, _)| at.is_finite()) {
                let (first, last) = ends.entry(server.period(series)).or_insert((*at, *at));
                (*first, *last) = (first.min(*at), last.max(*at));
            }
        }
        let grid = |(period, (first_s, last)): (u64, (f64, f64))| {
            let periods = ((last - first_s) / period as f64).round().min(MOST_PERIODS) + 1.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
            (period, Grid { first_s, periods: periods as usize })
        };
        server.grids = ends.into_iter().map(grid).collect();
        server
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
        Some(self.spread_of(series))
    }

    /// As [`gauge`](Self::gauge), of a function's counter: a gap is a zero where the function's `Invocations` has a point.
    pub(crate) fn counter(&self, metric: Metric, function: &str) -> Option<Points> {
        self.zeros_beside(metric, Metric::lambda("Invocations", "Sum"), function)
    }

    /// As [`counter`](Self::counter), of an event source mapping: a gap is a zero where its `PolledEventCount` has a point, which it has even
    /// while there is nothing to poll.
    pub(crate) fn events(&self, name: &'static str, uuid: &str) -> Option<Points> {
        let of = |name| Metric {
            namespace: "AWS/Lambda",
            name,
            statistic: "Sum",
            dimension: "EventSourceMappingUUID",
        };
        self.zeros_beside(of(name), of("PolledEventCount"), uuid)
    }

    /// A counter in which a gap is a zero where another one of the same resource has a point.
    fn zeros_beside(&self, metric: Metric, beside: Metric, resource: &str) -> Option<Points> {
        let series = self.series(metric, resource)?;
        let mut counter = self.spread_of(series);
        let beside = self.series(beside, resource);
        let beside = beside.filter(|beside| self.period(beside) == self.period(series));
        let ran = beside.map(|beside| self.spread_of(beside)).unwrap_or_default();
        for (point, ran) in counter.points.iter_mut().zip(&ran.points) {
            point.value = point.value.or(ran.value.map(|_| 0.0));
        }
        Some(counter)
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
        self.period(series) as f64
    }

    fn period(&self, series: &CloudWatchSeries) -> u64 {
        let of_all = self.cloudwatch.map_or(60, |fetched| fetched.period_s);
        series.period_s.unwrap_or(of_all).max(1)
    }

    /// Every period of the window with a series' value; gaps are unknown.
    pub(crate) fn spread_of(&self, series: &CloudWatchSeries) -> Points {
        let period_s = self.period_s(series);
        let Some(&grid) = self.grids.get(&self.period(series)) else {
            return Points { period_s, points: Vec::new() };
        };
        let start = |n: usize| grid.first_s + n as f64 * period_s;
        let mut points: Vec<Point> =
            (0..grid.periods).map(|n| Point { at_s: start(n), value: None }).collect();
        for (at, value) in series.points.iter().filter(|(at, value)| at.is_finite() && value.is_finite()) {
            if let Some(point) = grid.period(*at, period_s).and_then(|n| points.get_mut(n)) {
                point.value = Some(*value);
            }
        }
        Points { period_s, points }
    }
}
