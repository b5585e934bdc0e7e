//! `GetMetricData`: the points of series, five hundred a call, page by page.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, MessageData, Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode,
};
use jiff::Timestamp;
use reports::format::{CloudWatchSeries, FetchCost, SeriesStatus};

use super::client::explained;

/// Queries that one `GetMetricData` takes.
const MAX_QUERIES: usize = 500;

/// The stretch of time that is read, in whole periods.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// In seconds since the epoch.
    pub(super) from: i64,
    /// Exclusive.
    pub(super) to: i64,
    pub(super) period_s: u32,
    /// Zero of the axis.
    pub(super) zero: Timestamp,
}

/// The series with their points, and what could not be read. One failure does not discard the rest.
pub(super) async fn read(
    client: &Client,
    span: Span,
    wanted: Vec<CloudWatchSeries>,
    cost: &mut FetchCost,
) -> (Vec<CloudWatchSeries>, Vec<String>) {
    let (mut all, mut problems) = (Vec::with_capacity(wanted.len()), Vec::new());
    for chunk in wanted.chunks(MAX_QUERIES) {
        let mut chunk = chunk.to_vec();
        cost.metrics += chunk.len() as u64;
        if let Err(problem) = read_chunk(client, span, &mut chunk, cost, &mut problems).await {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
            // Pages that came before the failure are a part; of what did not come nothing is known.
            chunk.retain(|series| !series.points.is_empty());
            chunk.iter_mut().for_each(|series| series.status = SeriesStatus::PartialData);
        }
        all.append(&mut chunk);
    }
    // Pages come in any order, and so do their points.
    all.iter_mut().for_each(|series| series.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    (all, problems)
}

async fn read_chunk(
    client: &Client,
    span: Span,
    chunk: &mut [CloudWatchSeries],
    cost: &mut FetchCost,
    problems: &mut Vec<String>,
) -> Result<(), String> {
    let queries =
        chunk.iter().enumerate().map(|(index, series)| query(index, series, span.period_s)).collect();
    let request = client
        .get_metric_data()
        .start_time(DateTime::from_secs(span.from))
        .end_time(DateTime::from_secs(span.to))
        .scan_by(ScanBy::TimestampAscending)
        .set_metric_data_queries(Some(queries));
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        cost.calls += 1;
        let page = page.map_err(|error| explained("GetMetricData", &error))?;
        for message in page.messages() {
            let message = format!("GetMetricData: {}", said(message));
            if !problems.contains(&message) {
                problems.push(message);
            }
        }
        for result in page.metric_data_results() {
            let index =
                result.id().and_then(|id| id.strip_prefix('q')).and_then(|id| id.parse::<usize>().ok());
            let Some(series) = index.and_then(|index| chunk.get_mut(index)) else { continue };
            let points = result.timestamps().iter().zip(result.values());
            series.points.extend(points.map(|(at, value)| (at.as_secs_f64() - seconds(span.zero), *value)));
            // A series that goes on is PartialData until its last page.
            series.status = status(result.status_code());
            for message in result.messages().iter().map(said) {
                if !series.messages.contains(&message) {
                    series.messages.push(message);
                }
            }
        }
    }
    Ok(())
}

/// The query of a series. It names no unit: one that does not match would give nothing.
fn query(index: usize, series: &CloudWatchSeries, period_s: u32) -> MetricDataQuery {
    let dimensions =
        series.dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder()
        .namespace(&series.namespace)
        .metric_name(&series.metric)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    let period = i32::try_from(period_s).unwrap_or(60);
    let stat = MetricStat::builder().metric(metric).stat(&series.statistic).period(period).build();
    MetricDataQuery::builder().id(format!("q{index}")).metric_stat(stat).return_data(true).build()
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
