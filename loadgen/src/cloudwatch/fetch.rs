//! Fetches every metric of every function for the run's window, and what is missing from the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_sdk_cloudwatch::types::{MessageData, StatusCode};
use jiff::Timestamp;
use reports::format::{CloudWatch as Fetched, CloudWatchSeries, SCHEMA_VERSION, SeriesStatus};
use scenarios::plan::CloudWatch;
use scenarios::plan::way::is_loopback;
use url::Url;

use super::client::{client, explained};
use super::metrics::{DIMENSION, METRICS, NAMESPACE};
use super::window::Window;
use super::{gaps, retention};

/// Queries that one `GetMetricData` takes.
const MAX_QUERIES: usize = 500;
/// Right after a run CloudWatch has little of it; this long after it, waiting does not help.
const STILL_COMING: Duration = Duration::from_secs(3_600);

/// Fetches every metric of every function. What could not be fetched is in `problems`; one failure does not discard the rest.
pub async fn fetch(wanted: &CloudWatch, endpoint: Option<&Url>, window: Window) -> Fetched {
    let now = Timestamp::now();
    let age = Duration::try_from(now.duration_since(window.start)).unwrap_or_default();
    let left = retention::finest(wanted.period_s, age);
    let period_s = left.unwrap_or(wanted.period_s);
    let period = i64::from(period_s.max(1));
    let floor = |at: Timestamp| at.as_second().div_euclid(period) * period;
    let from = floor(window.start);
    let to = if period == 1 { floor(window.end) } else { floor(window.end) + period };
    let (client, region) = client(wanted, endpoint, None).await;
    let mut fetched = Fetched {
        schema_version: SCHEMA_VERSION,
        fetched_at: now,
        window_start: Timestamp::from_second(from).unwrap_or(window.start),
        window_end: Timestamp::from_second(to).unwrap_or(window.end),
        period_s: u64::from(period_s),
        region,
        ..Fetched::default()
    };
    let days = age.as_secs() / 86_400;
    if left.is_none() {
        fetched.problems.push(format!(
            "the run is {days} days old, and CloudWatch keeps nothing for longer than 455 days"
        ));
        return fetched;
    }
    if period_s != wanted.period_s {
        fetched.notes.push(format!(
            "the run is {} old: values of {} s are gone, there is one every {period_s} s",
            if days > 0 { format!("{days} days") } else { format!("{} hours", age.as_secs() / 3_600) },
            wanted.period_s
        ));
    }
    let functions = match functions(&client, wanted).await {
        Ok(functions) => functions,
        Err(problem) => {
            fetched.problems.push(problem);
            return fetched;
        }
    };
    if functions.is_empty() {
        let all = if wanted.function_prefix.is_empty() {
            String::new()
        } else {
            format!(" whose name begins with `{}`", wanted.function_prefix)
        };
        fetched.problems.push(format!(
            "ListMetrics knows no Lambda function{all} in {} (it lists what had data within two weeks); name them with --functions",
            fetched.region
        ));
        return fetched;
    }
    let all: Vec<_> = functions
        .iter()
        .flat_map(|function| METRICS.iter().map(move |metric| (function.as_str(), *metric)))
        .collect();
    for chunk in all.chunks(MAX_QUERIES) {
        let first = fetched.series.len();
        if let Err(problem) = fetch_chunk(&client, chunk, window.start, &mut fetched).await {
            fetched.problems.push(problem);
            // Pages that came before the failure are a part; of what did not come nothing is known.
            let mut came = fetched.series.split_off(first);
            came.retain(|series| !series.points.is_empty());
            came.iter_mut().for_each(|series| series.status = SeriesStatus::PartialData);
            fetched.series.append(&mut came);
        }
    }
    let local = endpoint.is_some_and(is_loopback);
    let asked = Asked { client, functions, named: !wanted.functions.is_empty(), local, window, age };
    asked.find_gaps(&mut fetched).await;
    fetched
}

/// What was asked for, to be compared with what came.
struct Asked {
    client: Client,
    functions: Vec<String>,
    /// Whether the functions were named, and not found.
    named: bool,
    /// Whether a stack on this machine was asked: it has all of its data at once.
    local: bool,
    window: Window,
    age: Duration,
}

impl Asked {
    /// Adds what the answers lack.
    async fn find_gaps(self, fetched: &mut Fetched) {
        let mut problems = gaps::incomplete(fetched);
        problems.extend(gaps::missing_end(fetched, self.window));
        let silent = gaps::silent(fetched, &self.functions);
        let nothing = !fetched.series.is_empty() && silent.len() == self.functions.len();
        if nothing {
            problems.push(self.nothing(&fetched.region));
        }
        if self.named {
            if !silent.is_empty() {
                problems.extend(self.unheard(&silent, nothing, &fetched.region).await);
            }
        } else if !nothing {
            // ListMetrics showed them, so that they are no slips; not every run makes every function run.
            if !self.local && !silent.is_empty() {
                let silent = gaps::listed(silent.iter().copied());
                fetched.notes.push(format!("no point in the window, so not invoked in it: {silent}"));
            }
            gaps::leave_out(fetched, &silent);
        }
        fetched.problems.extend(problems);
    }

    fn nothing(&self, region: &str) -> String {
        if self.local {
            "there is no data for this window: a local stack keeps it as long as it runs, three hours at most"
                .into()
        } else if self.age < STILL_COMING {
            "CloudWatch has no data for this window yet; run `loadgen correlate` again in a few minutes"
                .into()
        } else {
            format!(
                "CloudWatch in {region} has no data for this window; check region, account and the functions' names"
            )
        }
    }

    /// Why named functions have no point: slips, above all.
    async fn unheard(&self, silent: &[&str], nothing: bool, region: &str) -> Vec<String> {
        let known = match list(&self.client, "").await {
            Ok(known) => known,
            Err(problem) => return vec![problem],
        };
        let why = |name: &&str| {
            if known.iter().any(|known| known == name) {
                let still = format!(
                    "`{name}` has no point in the window: it was not invoked, or its data is still to come"
                );
                return (!nothing).then_some(still);
            }
            let near = scenarios::nearest(name, &known)
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            Some(format!(
                "ListMetrics does not know the function `{name}` in {region} (it lists what had data within two weeks, a new \
                 function after up to 15 minutes){near}"
            ))
        };
        silent.iter().filter_map(why).collect()
    }
}

/// The functions that are named, or those that `ListMetrics` shows.
async fn functions(client: &Client, wanted: &CloudWatch) -> Result<Vec<String>, String> {
    if !wanted.functions.is_empty() {
        let mut named = wanted.functions.clone();
        let mut seen = BTreeSet::new();
        named.retain(|name| seen.insert(name.clone()));
        return Ok(named);
    }
    list(client, &wanted.function_prefix).await
}

/// The functions that `ListMetrics` shows, by their beginning.
async fn list(client: &Client, prefix: &str) -> Result<Vec<String>, String> {
    let mut pages = client
        .list_metrics()
        .namespace(NAMESPACE)
        .metric_name("Invocations")
        .dimensions(DimensionFilter::builder().name(DIMENSION).build())
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| explained("ListMetrics", &error))?;
        found.extend(page.metrics().iter().filter_map(|metric| match metric.dimensions() {
            [only] if only.name() == Some(DIMENSION) => only.value().map(str::to_owned),
            _ => None,
        }));
    }
    found.retain(|name| name.starts_with(prefix));
    found.sort();
    found.dedup();
    Ok(found)
}

/// Fetches up to [`MAX_QUERIES`] series into `fetched`.
async fn fetch_chunk(
    client: &Client,
    chunk: &[(&str, (&'static str, &'static str, &'static str))],
    zero: Timestamp,
    fetched: &mut Fetched,
) -> Result<(), String> {
    let first = fetched.series.len();
    let mut request = client
        .get_metric_data()
        .start_time(DateTime::from_secs(fetched.window_start.as_second()))
        .end_time(DateTime::from_secs(fetched.window_end.as_second()))
        .scan_by(ScanBy::TimestampAscending);
    for (index, (function, (metric, statistic, unit))) in chunk.iter().enumerate() {
        let dimension = Dimension::builder().name(DIMENSION).value(*function).build();
        let named = Metric::builder().namespace(NAMESPACE).metric_name(*metric).dimensions(dimension).build();
        let period = i32::try_from(fetched.period_s).unwrap_or(60);
        let stat = MetricStat::builder().metric(named).stat(*statistic).period(period).build();
        request = request.metric_data_queries(
            MetricDataQuery::builder().id(format!("q{index}")).metric_stat(stat).return_data(true).build(),
        );
        fetched.series.push(CloudWatchSeries {
            namespace: NAMESPACE.into(),
            metric: (*metric).into(),
            statistic: (*statistic).into(),
            dimensions: BTreeMap::from([(DIMENSION.into(), (*function).to_owned())]),
            unit: (*unit).into(),
            ..CloudWatchSeries::default()
        });
    }
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| explained("GetMetricData", &error))?;
        for message in page.messages() {
            let message = format!("GetMetricData: {}", said(message));
            if !fetched.problems.contains(&message) {
                fetched.problems.push(message);
            }
        }
        for result in page.metric_data_results() {
            let index =
                result.id().and_then(|id| id.strip_prefix('q')).and_then(|id| id.parse::<usize>().ok());
            let Some(series) = index.and_then(|index| fetched.series.get_mut(first + index)) else {
                continue;
            };
            let points = result.timestamps().iter().zip(result.values());
            series.points.extend(points.map(|(at, value)| (at.as_secs_f64() - seconds(zero), *value)));
            // A series that goes on is PartialData until its last page.
            series.status = status(result.status_code());
            for message in result.messages().iter().map(said) {
                if !series.messages.contains(&message) {
                    series.messages.push(message);
                }
            }
        }
    }
    fetched.series[first..].iter_mut().for_each(|series| series.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    Ok(())
}

fn status(code: Option<&StatusCode>) -> SeriesStatus {
    match code {
        None | Some(StatusCode::Complete) => SeriesStatus::Complete,
        Some(StatusCode::PartialData) => SeriesStatus::PartialData,
        Some(StatusCode::InternalError) => SeriesStatus::InternalError,
        Some(code) if code.as_str() == "Forbidden" => SeriesStatus::Forbidden,
        Some(_) => SeriesStatus::Unknown,
    }
}

/// A message of CloudWatch's.
fn said(message: &MessageData) -> String {
    [message.code(), message.value()].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}
