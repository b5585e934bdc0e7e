//! Merging a later fetch of CloudWatch into an earlier one: no point that was fetched is lost.
//!
//! CloudWatch lags, drops old points and fails, so that a later fetch may hold more or less than an earlier one. A point that was
//! fetched stays unless the later fetch has it too.

use std::collections::BTreeMap;

use crate::format::{CloudWatch, CloudWatchSeries, FetchCost, Limit, SeriesStatus, Wiring};

/// What both fetches hold together, the better of each series; problems are those of the later one.
///
/// Of the same periods the points are united. A point grows until all invocations are in, so of a sum or a maximum that both
/// have the greater counts, of anything else the later. Of series with different periods the finer one counts, unless
/// it leaves out a stretch for which the other has a value. A fetch of another region replaces what there was, unless
/// it brought nothing.
#[must_use]
pub fn merge(earlier: CloudWatch, later: CloudWatch) -> CloudWatch {
    let cost = spent(earlier.cost, later.cost);
    let wiring = known(&earlier.wiring, &later.wiring);
    let limits = limits(&earlier.limits, &later.limits);
    if !has_points(&earlier) {
        return CloudWatch { cost, limits, wiring, ..later };
    }
    let at = |of: &CloudWatch| of.fetched_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    if !has_points(&later) {
        let mut notes = later.notes.clone();
        notes.push(format!(
            "the fetch of {} brought no point; what was fetched at {} is kept",
            at(&later),
            at(&earlier)
        ));
        return CloudWatch {
            problems: later.problems,
            notes,
            cost,
            limits,
            wiring,
            settled: later.settled,
            ..earlier
        };
    }
    if earlier.region != later.region {
        let note = format!("what was fetched from {} at {} is replaced", earlier.region, at(&earlier));
        return CloudWatch { notes: later.notes.into_iter().chain([note]).collect(), cost, ..later };
    }
    let before = at(&earlier);
    let mut known: BTreeMap<_, _> = earlier
        .series
        .into_iter()
        .filter(|series| !series.points.is_empty())
        .map(|series| (key(&series), with_period(series, earlier.period_s)))
        .collect();
    let mut kept = 0_usize;
    let mut series = Vec::with_capacity(later.series.len());
    for fresh in later.series {
        let fresh = with_period(fresh, later.period_s);
        let (better, keeps) = match known.remove(&key(&fresh)) {
            Some(old) => better(old, fresh),
            None => (fresh, false),
        };
        kept += usize::from(keeps);
        series.push(better);
    }
    // What the later fetch did not ask for.
    kept += known.len();
    series.extend(known.into_values());
    let with_points = series.iter().filter(|series| !series.points.is_empty());
    let period_s = with_points.filter_map(|series| series.period_s).min().unwrap_or(later.period_s);
    for one in &mut series {
        one.period_s = one.period_s.filter(|own| *own != period_s && !one.points.is_empty());
    }
    let mut notes = later.notes;
    if kept > 0 {
        notes.push(format!(
            "{kept} of {} series hold points that only the fetch of {before} or an earlier one had",
            series.len()
        ));
    }
    CloudWatch {
        window_start: earlier.window_start.min(later.window_start),
        window_end: earlier.window_end.max(later.window_end),
        period_s,
        series,
        notes,
        limits,
        wiring,
        cost,
        ..later
    }
}

/// What both fetches cost.
fn spent(earlier: Option<FetchCost>, later: Option<FetchCost>) -> Option<FetchCost> {
    match (earlier, later) {
        (Some(earlier), Some(later)) => Some(FetchCost {
            metrics: earlier.metrics + later.metrics,
            calls: earlier.calls + later.calls,
            scanned_bytes: earlier.scanned_bytes + later.scanned_bytes,
        }),
        (one, None) | (None, one) => one,
    }
}

/// The limits of the later fetch, and those that only the earlier one could read.
fn limits(earlier: &[Limit], later: &[Limit]) -> Vec<Limit> {
    let is_new = |old: &&Limit| !later.iter().any(|new| new.kind == old.kind && new.resource == old.resource);
    let mut all: Vec<_> = later.iter().chain(earlier.iter().filter(is_new)).cloned().collect();
    all.sort_by(|a, b| (a.kind, &a.resource).cmp(&(b.kind, &b.resource)));
    all
}

/// The wiring of the later fetch; of what it could not read that of the earlier one.
fn known(earlier: &Wiring, later: &Wiring) -> Wiring {
    fn either<T: Clone>(earlier: &[T], later: &[T]) -> Vec<T> {
        if later.is_empty() { earlier.to_vec() } else { later.to_vec() }
    }
    Wiring {
        mappings: either(&earlier.mappings, &later.mappings),
        routes: either(&earlier.routes, &later.routes),
        subscriptions: either(&earlier.subscriptions, &later.subscriptions),
    }
}

fn has_points(fetched: &CloudWatch) -> bool {
    fetched.series.iter().any(|series| !series.points.is_empty())
}

type SeriesKey = (String, String, String, BTreeMap<String, String>);

fn key(series: &CloudWatchSeries) -> SeriesKey {
    (series.namespace.clone(), series.metric.clone(), series.statistic.clone(), series.dimensions.clone())
}

/// The series with its period beside it.
fn with_period(series: CloudWatchSeries, of_all: u64) -> CloudWatchSeries {
    CloudWatchSeries { period_s: Some(series.period_s.unwrap_or(of_all)), ..series }
}

/// The better of two fetches of a series, both with their periods, and whether anything of it is the earlier one's alone.
fn better(old: CloudWatchSeries, fresh: CloudWatchSeries) -> (CloudWatchSeries, bool) {
    if fresh.points.is_empty() {
        return (old, true);
    }
    if old.period_s == fresh.period_s {
        return united(old, fresh);
    }
    if old.period_s < fresh.period_s {
        if covers(&old, &fresh) { (old, true) } else { (fresh, false) }
    } else if covers(&fresh, &old) {
        (fresh, false)
    } else {
        (old, true)
    }
}

/// Whether a series has a point within each period of a coarser one.
fn covers(fine: &CloudWatchSeries, coarse: &CloudWatchSeries) -> bool {
    let length = coarse.period_s.unwrap_or_default() as f64;
    coarse.points.iter().all(|(start, _)| {
        fine.points.iter().any(|(at, _)| (start - 1e-3..start + length - 1e-3).contains(at))
    })
}

/// All points of two series of one period.
fn united(old: CloudWatchSeries, fresh: CloudWatchSeries) -> (CloudWatchSeries, bool) {
    let grows = ["Sum", "Maximum"].contains(&fresh.statistic.as_str());
    // A file may hold an offset rounded in its last digit.
    let instant = |at: f64| (at * 1e3).round() as i64;
    let mut points: BTreeMap<i64, (f64, f64)> =
        old.points.iter().map(|point| (instant(point.0), *point)).collect();
    let (mut seen, mut more) = (0, false);
    for &(at, value) in &fresh.points {
        let before = points.insert(instant(at), (at, value));
        seen += usize::from(before.is_some());
        more |= before.is_none();
        if let Some((_, greater)) = before.filter(|(_, before)| grows && *before > value) {
            points.insert(instant(at), (at, greater));
        }
    }
    let keeps = seen < old.points.len();
    // An incomplete answer without new points does not change the status.
    let newer = fresh.status == SeriesStatus::Complete || more;
    let (status, messages) = if newer { (fresh.status, fresh.messages) } else { (old.status, old.messages) };
    (CloudWatchSeries { points: points.into_values().collect(), status, messages, ..old }, keeps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{LimitKind, Mapping};

    fn series(statistic: &str, points: &[(f64, f64)]) -> CloudWatchSeries {
        CloudWatchSeries {
            metric: "Invocations".into(),
            statistic: statistic.into(),
            points: points.to_vec(),
            ..CloudWatchSeries::default()
        }
    }

    fn fetched(period_s: u64, series: Vec<CloudWatchSeries>) -> CloudWatch {
        CloudWatch { period_s, series, region: "eu-west-1".into(), ..CloudWatch::default() }
    }

    #[test]
    fn a_fetch_that_brought_nothing_takes_nothing() {
        let mut empty = fetched(60, vec![series("Sum", &[])]);
        empty.problems = vec!["refused".into()];
        let full = fetched(1, vec![series("Sum", &[(0.5, 3.0)])]);
        for nothing in [empty, CloudWatch { problems: vec!["refused".into()], ..CloudWatch::default() }] {
            let merged = merge(full.clone(), nothing);
            assert_eq!((&merged.series, merged.period_s), (&full.series, 1));
            assert_eq!(merged.problems, ["refused"]);
            assert!(merged.notes[0].contains("is kept"), "{:?}", merged.notes);
        }
    }

    #[test]
    fn points_are_united_and_grow() {
        let old = fetched(60, vec![series("Sum", &[(-20.0, 5.0), (40.0, 9.0), (100.000_000_1, 4.0)])]);
        let later = fetched(60, vec![series("Sum", &[(40.0, 7.0), (100.0, 8.0), (160.0, 1.0)])]);
        let merged = merge(old, later);
        assert_eq!(merged.series[0].points, [(-20.0, 5.0), (40.0, 9.0), (100.0, 8.0), (160.0, 1.0)]);
        assert!(merged.notes[0].contains("1 of 1 series"), "{:?}", merged.notes);
        let merged = merge(
            fetched(60, vec![series("Average", &[(0.0, 9.0)])]),
            fetched(60, vec![series("Average", &[(0.0, 7.0)])]),
        );
        assert_eq!(merged.series[0].points, [(0.0, 7.0)], "a mean converges, upwards or downwards");
        assert!(merged.notes.is_empty(), "{:?}", merged.notes);
    }

    #[test]
    fn the_status_is_that_of_the_points() {
        let partial = |points: &[(f64, f64)]| CloudWatchSeries {
            status: SeriesStatus::PartialData,
            messages: vec!["more".into()],
            ..series("Sum", points)
        };
        let complete = || fetched(60, vec![series("Sum", &[(0.0, 1.0), (60.0, 1.0)])]);
        let status = |earlier, later| {
            let merged = merge(earlier, later);
            (merged.series[0].status, merged.series[0].messages.len(), merged.series[0].points.len())
        };
        let less = || fetched(60, vec![partial(&[(0.0, 1.0)])]);
        assert_eq!(status(complete(), less()), (SeriesStatus::Complete, 0, 2));
        assert_eq!(status(less(), complete()), (SeriesStatus::Complete, 0, 2));
        let more = fetched(60, vec![partial(&[(120.0, 1.0)])]);
        assert_eq!(status(complete(), more), (SeriesStatus::PartialData, 1, 3));
    }

    #[test]
    fn the_finer_series_counts_unless_it_leaves_out_what_the_other_has() {
        let hours = || fetched(300, vec![series("Sum", &[(-20.0, 50.0), (280.0, 10.0)])]);
        let minutes = |points| fetched(60, vec![series("Sum", points)]);
        let whole: &[(f64, f64)] = &[(40.0, 25.0), (100.0, 25.0), (280.0, 10.0)];
        for merged in [merge(minutes(whole), hours()), merge(hours(), minutes(whole))] {
            assert_eq!((merged.series[0].points.as_slice(), merged.period_s), (whole, 60));
        }
        for merged in [merge(minutes(&whole[..2]), hours()), merge(hours(), minutes(&whole[..2]))] {
            assert_eq!((merged.series[0].points.len(), merged.period_s), (2, 300));
            assert_eq!(merged.series[0].points[1], (280.0, 10.0));
        }
    }

    #[test]
    fn what_was_not_asked_for_again_stays_with_its_period() {
        let other = CloudWatchSeries { metric: "Errors".into(), ..series("Sum", &[(0.0, 1.0)]) };
        let silent = CloudWatchSeries { metric: "Throttles".into(), ..series("Sum", &[]) };
        let merged =
            merge(fetched(300, vec![other, silent]), fetched(60, vec![series("Sum", &[(0.0, 2.0)])]));
        let kept: Vec<_> = merged.series.iter().map(|one| (one.metric.as_str(), one.period_s)).collect();
        assert_eq!(kept, [("Invocations", None), ("Errors", Some(300))]);
        assert_eq!(merged.period_s, 60);
    }

    #[test]
    fn what_an_earlier_fetch_knew_stays_and_costs_add_up() {
        let limit = |resource: &str, value| Limit {
            kind: LimitKind::TimeoutS,
            resource: resource.into(),
            value,
            source: String::new(),
        };
        let cost = |metrics| Some(FetchCost { metrics, calls: 1, scanned_bytes: 0 });
        let mut old = fetched(60, vec![series("Sum", &[(0.0, 1.0)])]);
        (old.limits, old.cost) = (vec![limit("a", 3.0), limit("b", 10.0)], cost(5));
        old.wiring.mappings.push(Mapping::default());
        let mut new = fetched(60, vec![series("Sum", &[])]);
        (new.limits, new.cost, new.settled) = (vec![limit("a", 4.0)], cost(7), Some(true));
        for new in [new.clone(), CloudWatch { series: vec![series("Sum", &[(60.0, 1.0)])], ..new }] {
            let merged = merge(old.clone(), new);
            assert_eq!(merged.limits, [limit("a", 4.0), limit("b", 10.0)]);
            assert_eq!(merged.wiring.mappings.len(), 1);
            assert_eq!(merged.cost, Some(FetchCost { metrics: 12, calls: 2, scanned_bytes: 0 }));
            assert_eq!(merged.settled, Some(true));
        }
    }

    #[test]
    fn regions_are_not_mixed() {
        let elsewhere =
            CloudWatch { region: "us-east-1".into(), ..fetched(60, vec![series("Sum", &[(0.0, 9.0)])]) };
        let merged = merge(elsewhere.clone(), fetched(60, vec![series("Sum", &[(60.0, 1.0)])]));
        assert_eq!(merged.series[0].points, [(60.0, 1.0)]);
        let merged = merge(elsewhere, fetched(60, vec![series("Sum", &[])]));
        assert_eq!((merged.region.as_str(), merged.series[0].points.len()), ("us-east-1", 1));
    }
}
