//! Reads until two reads agree: then nothing more is to come.
//!
//! A point is there at once and grows for minutes, and CloudWatch calls it `Complete` all the while. What two reads, a minute
//! apart, have in common once everything that the run set off has ended, has stopped growing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reports::format::{CloudWatch as Fetched, CloudWatchSeries, SeriesStatus};
use reports::server;

use super::fetch::{Asked, Collector, STILL_COMING};
use super::gaps;

/// Between two reads of AWS.
const EVERY: Duration = Duration::from_secs(60);
/// Between two reads of a stack on this machine, which has all of its data at once.
const EVERY_LOCAL: Duration = Duration::from_secs(2);

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// At most.
    pub limit: Duration,
    /// Between two reads; `None`: as long as points take to grow.
    pub every: Option<Duration>,
}

/// Reads until two reads agree, the patience ends, or `interrupted` resolves: then what came is kept. `settled` says which.
pub async fn settle(asked: Asked<'_>, patience: Patience, interrupted: impl Future<Output = ()>) -> Fetched {
    let begun = Instant::now();
    tokio::pin!(interrupted);
    let mut collector = Collector::open(asked).await;
    let every = patience.every.unwrap_or(if collector.is_local() { EVERY_LOCAL } else { EVERY });
    let mut last = collector.read().await;
    let mut all = last.clone();
    let mut settled = false;
    while !settled && begun.elapsed() + every <= patience.limit {
        (asked.tell)(&progress(&last, collector.tail(), begun.elapsed(), patience.limit));
        let next = async {
            tokio::time::sleep(every).await;
            collector.read().await
        };
        let fresh = tokio::select! {
            fresh = next => fresh,
            () = &mut interrupted => break,
        };
        settled = is_over(&last, &fresh, collector.tail(), &asked);
        all = server::merge(all, fresh.clone());
        last = fresh;
    }
    collector.read_logs(&mut all).await;
    Fetched { settled: Some(settled), ..all }
}

/// Whether nothing more is to come after two reads.
fn is_over(before: &Fetched, after: &Fetched, tail: Timestamp, asked: &Asked<'_>) -> bool {
    let age = Duration::try_from(after.fetched_at.duration_since(asked.window.end)).unwrap_or_default();
    // After an hour what is missing is a finding.
    let is_late = age > STILL_COMING;
    let complete = after.series.iter().all(|series| series.status == SeriesStatus::Complete);
    let whole = !points(after).is_empty() && gaps::missing_end(after, asked.window).is_none();
    before.fetched_at >= tail && complete && (whole || is_late) && points(before) == points(after)
}

type Points<'f> = BTreeMap<(&'f str, &'f str, &'f str, &'f BTreeMap<String, String>), &'f [(f64, f64)]>;

/// The points of every series that has some.
fn points(fetched: &Fetched) -> Points<'_> {
    let key = |one: &CloudWatchSeries| one.points.len();
    let some = fetched.series.iter().filter(|one| key(one) > 0);
    some.map(|one| {
        let key = (one.namespace.as_str(), one.metric.as_str(), one.statistic.as_str(), &one.dimensions);
        (key, one.points.as_slice())
    })
    .collect()
}

fn progress(last: &Fetched, tail: Timestamp, waited: Duration, limit: Duration) -> String {
    let points: usize = last.series.iter().map(|series| series.points.len()).sum();
    let with: usize = last.series.iter().filter(|series| !series.points.is_empty()).count();
    let why = if last.fetched_at < tail {
        format!("retries and backlogs may end until {}", tail.strftime("%H:%M:%S UTC"))
    } else {
        "waiting for a read that agrees with this one".into()
    };
    format!(
        "{points} points in {with} of {} series; {why} ({} of {} s)",
        last.series.len(),
        waited.as_secs(),
        limit.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use reports::format::Topology;
    use scenarios::plan::CloudWatch;

    use super::super::Window;
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-14T{text}Z").parse().unwrap()
    }

    fn read(when: &str, points: &[(f64, f64)], status: SeriesStatus) -> Fetched {
        let series = CloudWatchSeries {
            namespace: "AWS/Lambda".into(),
            metric: "Invocations".into(),
            statistic: "Sum".into(),
            dimensions: [("FunctionName".to_owned(), "Send".to_owned())].into(),
            points: points.to_vec(),
            status,
            ..CloudWatchSeries::default()
        };
        let window_end = at("12:02:00");
        Fetched { fetched_at: at(when), window_end, period_s: 60, series: vec![series], ..Fetched::default() }
    }

    #[test]
    fn nothing_more_is_to_come_when_two_whole_reads_agree_after_the_tail() {
        let (wanted, topology) = (
            CloudWatch {
                endpoint: None,
                region: None,
                functions: Vec::new(),
                function_prefix: String::new(),
                period_s: 60,
                logs: false,
            },
            Topology::default(),
        );
        let asked = Asked {
            wanted: &wanted,
            endpoint: None,
            window: Window { start: at("12:00:00"), end: at("12:02:00"), answered_s: Some(110) },
            target: "",
            topology: &topology,
            tell: &|_| {},
        };
        let whole: &[(f64, f64)] = &[(0.0, 10.0), (60.0, 12.0)];
        let grown: &[(f64, f64)] = &[(0.0, 10.0), (60.0, 13.0)];
        let over = |first: (&str, &[(f64, f64)]), second: (&str, &[(f64, f64)]), status| {
            let before = read(first.0, first.1, SeriesStatus::Complete);
            is_over(&before, &read(second.0, second.1, status), at("12:06:00"), &asked)
        };
        let complete = SeriesStatus::Complete;
        assert!(over(("12:06:30", whole), ("12:07:30", whole), complete));
        assert!(!over(("12:05:30", whole), ("12:07:30", whole), complete), "before the tail");
        assert!(!over(("12:06:30", whole), ("12:07:30", grown), complete), "it grows");
        assert!(!over(("12:06:30", whole), ("12:07:30", whole), SeriesStatus::PartialData));
        let short = &whole[..1];
        assert!(!over(("12:06:30", short), ("12:07:30", short), complete), "players were answered later");
        assert!(over(("13:06:30", short), ("13:07:30", short), complete), "after an hour that is a finding");
        assert!(!over(("12:06:30", &[]), ("12:07:30", &[]), complete), "nothing twice is no agreement");
    }
}
