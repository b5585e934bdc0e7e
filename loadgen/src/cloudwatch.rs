//! CloudWatch: fetches what the Lambda functions did during the run's window and puts it on the run's axis.
//!
//! CloudWatch stamps a datapoint with the start of its period and a Lambda metric with the invocation's start,
//! so the window is widened to whole periods. With periods of a second it ends at the last whole one instead: nothing
//! happens in the run's last second, and the players' leaving right after it is not part of the run. On AWS the data
//! lags by minutes: `loadgen correlate` fetches again later.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::{Credentials, Region};
use aws_sdk_cloudwatch::error::DisplayErrorContext;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, Metric, MetricDataQuery, MetricStat, ScanBy};
use jiff::Timestamp;
use reference_backend::sdk_http;
use reports::format::{CloudWatch as Fetched, CloudWatchSeries, SCHEMA_VERSION};
use scenarios::plan::CloudWatch;
use scenarios::way::planned::is_loopback;
use url::Url;

const NAMESPACE: &str = "AWS/Lambda";
const DIMENSION: &str = "FunctionName";
/// Queries that one `GetMetricData` takes.
const MAX_QUERIES: usize = 500;
/// Metric, statistic, unit: what is fetched of every function.
const METRICS: [(&str, &str, &str); 7] = [
    ("ConcurrentExecutions", "Maximum", "Count"),
    ("Invocations", "Sum", "Count"),
    ("Duration", "Average", "Milliseconds"),
    ("Duration", "Maximum", "Milliseconds"),
    ("Throttles", "Sum", "Count"),
    ("Errors", "Sum", "Count"),
    ("IteratorAge", "Maximum", "Milliseconds"),
];

/// The run's window.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The run's start: zero of its axis.
    pub start: Timestamp,
    /// The run's end.
    pub end: Timestamp,
}

/// Fetches every metric of every function. What could not be fetched is told in `problems`, not lost in an error.
pub async fn fetch(wanted: &CloudWatch, endpoint: Option<&Url>, window: Window) -> Fetched {
    let period = i64::from(wanted.period_s);
    let floor = |at: Timestamp| at.as_second().div_euclid(period) * period;
    let from = floor(window.start);
    let to = if period == 1 { floor(window.end) } else { floor(window.end) + period };
    let (client, region) = client(wanted, endpoint, None).await;
    let mut fetched = Fetched {
        schema_version: SCHEMA_VERSION,
        fetched_at: Timestamp::now(),
        window_start: Timestamp::from_second(from).unwrap_or(window.start),
        window_end: Timestamp::from_second(to).unwrap_or(window.end),
        period_s: u64::from(wanted.period_s),
        region,
        series: Vec::new(),
        problems: Vec::new(),
    };
    let functions = match functions(&client, wanted).await {
        Ok(functions) => functions,
        Err(problem) => {
            fetched.problems.push(problem);
            return fetched;
        }
    };
    if functions.is_empty() {
        fetched.problems.push("no Lambda function was found; name them in cloudwatch.functions".into());
    }
    let all: Vec<_> = functions
        .iter()
        .flat_map(|function| METRICS.iter().map(move |metric| (function.as_str(), *metric)))
        .collect();
    for chunk in all.chunks(MAX_QUERIES) {
        if let Err(problem) = fetch_chunk(&client, chunk, wanted.period_s, window.start, &mut fetched).await {
            fetched.problems.push(problem);
        }
    }
    fetched.series.retain(|series| !series.points.is_empty());
    if fetched.series.is_empty() && fetched.problems.is_empty() {
        fetched
            .problems
            .push("CloudWatch has no data for this window yet; try again in a few minutes".into());
    }
    fetched
}

/// `credentials`: those of the AWS chain, where it has been followed already.
pub(crate) async fn client(
    wanted: &CloudWatch,
    endpoint: Option<&Url>,
    credentials: Option<Credentials>,
) -> (Client, String) {
    let mut loader = aws_config::from_env().http_client(sdk_http::client()).timeout_config(patience());
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    if let Some(region) = &wanted.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint.as_str().trim_end_matches('/'));
        // A stack on this machine asks for no account: real credentials stay where they are.
        if is_loopback(endpoint) {
            let local = Credentials::new("local", "local", None, None, "local");
            loader = loader.region(Region::from_static("local")).credentials_provider(local);
        }
    }
    let config = loader.load().await;
    let region = config.region().map_or_else(|| "unknown".into(), ToString::to_string);
    (Client::new(&config), region)
}

/// How long each stage of a request may take: without a word of ours an answer could be awaited for ever.
fn patience() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .operation_attempt_timeout(Duration::from_secs(60))
        .build()
}

/// The functions that are named, or those that `ListMetrics` shows.
async fn functions(client: &Client, wanted: &CloudWatch) -> Result<Vec<String>, String> {
    if !wanted.functions.is_empty() {
        return Ok(wanted.functions.clone());
    }
    let mut pages = client
        .list_metrics()
        .namespace(NAMESPACE)
        .metric_name("Invocations")
        .dimensions(DimensionFilter::builder().name(DIMENSION).build())
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| format!("ListMetrics failed: {}", DisplayErrorContext(&error)))?;
        found.extend(page.metrics().iter().filter_map(|metric| match metric.dimensions() {
            [only] if only.name() == Some(DIMENSION) => only.value().map(str::to_owned),
            _ => None,
        }));
    }
    found.retain(|name| name.starts_with(&wanted.function_prefix));
    found.sort();
    found.dedup();
    Ok(found)
}

/// Fetches up to [`MAX_QUERIES`] series into `fetched`.
async fn fetch_chunk(
    client: &Client,
    chunk: &[(&str, (&'static str, &'static str, &'static str))],
    period_s: u32,
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
        let period = i32::try_from(period_s).unwrap_or(60);
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
            points: Vec::new(),
        });
    }
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| format!("GetMetricData failed: {}", DisplayErrorContext(&error)))?;
        for result in page.metric_data_results() {
            let index =
                result.id().and_then(|id| id.strip_prefix('q')).and_then(|id| id.parse::<usize>().ok());
            let Some(series) = index.and_then(|index| fetched.series.get_mut(first + index)) else {
                continue;
            };
            let points = result.timestamps().iter().zip(result.values());
            series.points.extend(points.map(|(at, value)| (at.as_secs_f64() - seconds(zero), *value)));
        }
    }
    fetched.series[first..].iter_mut().for_each(|series| series.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    Ok(())
}

fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}
