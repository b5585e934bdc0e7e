//! `GetMetricData`: the datapoints of up to 500 series.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::delivery::{Question, Status};
use super::{CloudWatch, CloudWatchError, Dimension, offset, token};
use crate::metrics::{MetricId, Statistic};
use crate::rpc::{Number, Timestamp};

/// AWS's limits of one call.
const MAX_QUERIES: usize = 500;
const MAX_DATAPOINTS: usize = 100_800;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricData {
    #[serde(default)]
    metric_data_queries: Vec<MetricQuery>,
    start_time: Timestamp,
    end_time: Timestamp,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    scan_by: ScanBy,
    #[serde(default)]
    max_datapoints: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum ScanBy {
    #[default]
    TimestampDescending,
    TimestampAscending,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricQuery {
    id: String,
    #[serde(default)]
    metric_stat: Option<MetricStat>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    return_data: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: MetricIdentity,
    period: u64,
    stat: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricIdentity {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricDataAnswer {
    metric_data_results: Vec<ResultOf>,
    messages: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResultOf {
    id: String,
    label: String,
    timestamps: Vec<Timestamp>,
    /// Floats even when they are whole: the SDK refuses CBOR integers here.
    values: Vec<f64>,
    status_code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<MessageData>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MessageData {
    code: &'static str,
    value: &'static str,
}

/// A validated query.
struct CheckedQuery<'a> {
    id: &'a str,
    label: &'a str,
    metric: MetricId,
    statistic: Statistic,
    period: u64,
}

/// One page of datapoints.
pub(super) fn answer(
    cloudwatch: &CloudWatch,
    request: &GetMetricData,
) -> Result<GetMetricDataAnswer, CloudWatchError> {
    let (start, end) = (request.start_time.0.seconds(), request.end_time.0.seconds());
    if start >= end {
        return Err(CloudWatchError::Validation(
            "The parameter StartTime must be less than the parameter EndTime.".into(),
        ));
    }
    let page = match request.max_datapoints {
        None => MAX_DATAPOINTS,
        Some(points @ 1..=MAX_DATAPOINTS) => points,
        Some(points) => {
            return Err(CloudWatchError::Validation(format!(
                "MaxDatapoints is {points}; it must lie between 1 and {MAX_DATAPOINTS}."
            )));
        }
    };
    let from = offset(request.next_token.as_deref())?;
    let to = from.checked_add(page).ok_or(CloudWatchError::InvalidNextToken)?;
    let queries = checked(&request.metric_data_queries)?;

    // Pages are slices of the concatenated datapoints of all queries.
    let CloudWatch { metrics, delivery } = cloudwatch;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut passed, mut results) = (0, Vec::new());
    for query in queries {
        let CheckedQuery { metric, statistic, period, .. } = &query;
        let question = Question { metric, statistic: *statistic, start, end, period: *period };
        let delivered = delivery.points(metrics, &question, now);
        let mut points = delivered.points;
        if request.scan_by == ScanBy::TimestampDescending {
            points.reverse();
        }
        let (begin, length) = (passed, points.len());
        passed += length;
        if from > 0 && begin + length <= from {
            continue;
        }
        let shown = points.into_iter().enumerate().filter(|(index, _)| (from..to).contains(&(begin + index)));
        let (timestamps, values) = shown.map(|(_, (second, value))| (timestamp(second), value)).unzip();
        results.push(ResultOf {
            id: query.id.into(),
            label: query.label.into(),
            timestamps,
            values,
            status_code: if begin + length > to { Status::PartialData } else { delivered.status }.code(),
            messages: delivered
                .status
                .message()
                .map(|(code, value)| MessageData { code, value })
                .into_iter()
                .collect(),
        });
    }
    let next_token = (passed > to).then(|| token(to));
    Ok(GetMetricDataAnswer { metric_data_results: results, messages: [], next_token })
}

/// Validates the queries as AWS does; omits those whose data is not returned.
fn checked(queries: &[MetricQuery]) -> Result<Vec<CheckedQuery<'_>>, CloudWatchError> {
    let invalid = |message: String| Err(CloudWatchError::Validation(message));
    if queries.is_empty() || queries.len() > MAX_QUERIES {
        return invalid(format!(
            "{} MetricDataQueries; between 1 and {MAX_QUERIES} are allowed.",
            queries.len()
        ));
    }
    let mut ids = HashSet::new();
    let mut checked = Vec::with_capacity(queries.len());
    for (query, place) in queries.iter().zip(1..) {
        let id = query.id.as_str();
        let member = format!("MetricDataQueries.member.{place}");
        if !is_id(id) {
            return invalid(format!(
                "The value {id} for parameter {member}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            ));
        }
        if !ids.insert(id) {
            return invalid(format!(
                "The values for parameter Id in MetricDataQueries are not unique: {id}."
            ));
        }
        let Some(stat) = &query.metric_stat else {
            return invalid(format!(
                "{member} has no MetricStat; metric math is not emulated by the local stack."
            ));
        };
        if !matches!(stat.period, 1 | 5 | 10 | 20 | 30) && (stat.period == 0 || stat.period % 60 != 0) {
            return invalid(format!(
                "The value {} for parameter {member}.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
                stat.period
            ));
        }
        let statistic = stat.stat.parse().map_err(|error| {
            CloudWatchError::Validation(format!(
                "The value for parameter {member}.MetricStat.Stat is wrong: {error}."
            ))
        })?;
        if query.return_data == Some(false) {
            continue;
        }
        let pairs: Vec<_> = stat.metric.dimensions.iter().map(Dimension::pair).collect();
        checked.push(CheckedQuery {
            id,
            label: query.label.as_deref().unwrap_or(&stat.metric.metric_name),
            metric: MetricId::new(&stat.metric.namespace, &stat.metric.metric_name, &pairs),
            statistic,
            period: stat.period,
        });
    }
    Ok(checked)
}

fn is_id(id: &str) -> bool {
    id.len() <= 255
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Dimension {
    fn pair(&self) -> (&str, &str) {
        (&self.name, self.value.as_deref().unwrap_or_default())
    }
}

fn timestamp(second: u64) -> Timestamp {
    Timestamp(Number::Integer(i64::try_from(second).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::metrics::{Metrics, Unit};

    fn query(id: &str, metric: &str, period: u64) -> MetricQuery {
        let metric =
            MetricIdentity { namespace: "N".into(), metric_name: metric.into(), dimensions: Vec::new() };
        let stat = MetricStat { metric, period, stat: "Sum".into() };
        MetricQuery { id: id.into(), metric_stat: Some(stat), label: None, return_data: None }
    }

    fn request(queries: Vec<MetricQuery>) -> GetMetricData {
        GetMetricData {
            metric_data_queries: queries,
            start_time: timestamp(0),
            end_time: timestamp(600),
            next_token: None,
            scan_by: ScanBy::default(),
            max_datapoints: None,
        }
    }

    fn cloudwatch(metrics: Metrics, profile: &str) -> CloudWatch {
        CloudWatch::new(metrics, &toml::from_str(profile).expect("a profile"), 1)
    }

    fn ten_seconds() -> CloudWatch {
        let metrics = Metrics::default();
        for (metric, second) in ["A", "B"].into_iter().flat_map(|metric| (0..10).map(move |s| (metric, s))) {
            let at = UNIX_EPOCH + Duration::from_secs(second);
            metrics.series("N", metric, Unit::Count, &[]).record(at, second as f64);
        }
        cloudwatch(metrics, "")
    }

    #[test]
    fn a_result_says_what_is_missing_of_it() {
        let CloudWatch { metrics, .. } = ten_seconds();
        let queries = || vec![query("a", "A", 1), query("b", "B", 1)];
        let shown = |profile: &str| {
            let answer = answer(&cloudwatch(metrics.clone(), profile), &request(queries())).unwrap();
            serde_json::to_value(answer).unwrap()["MetricDataResults"].clone()
        };
        let partial = shown("partial_rate = 1.0");
        assert_eq!(partial[0]["StatusCode"], "PartialData");
        assert_eq!(partial[0]["Values"], serde_json::json!([4.0, 3.0, 2.0, 1.0, 0.0]));
        assert_eq!(partial[1]["Messages"][0]["Code"], "PartialData");
        let forbidden = shown("forbidden = [\"B\"]");
        assert_eq!(forbidden[0]["StatusCode"], "Complete");
        assert!(forbidden[0].get("Messages").is_none(), "{forbidden}");
        assert_eq!(forbidden[1]["StatusCode"], "Forbidden");
        assert_eq!(forbidden[1]["Values"], serde_json::json!([]));
    }

    #[test]
    fn newest_first_unless_asked_otherwise() {
        let mut request = request(vec![query("a", "A", 1)]);
        let values = |request: &GetMetricData| {
            answer(&ten_seconds(), request).unwrap().metric_data_results[0].values.clone()
        };
        assert_eq!(values(&request)[..2], [9.0, 8.0]);
        request.scan_by = ScanBy::TimestampAscending;
        assert_eq!(values(&request)[..2], [0.0, 1.0]);
    }

    #[test]
    fn pages_through_all_queries_without_loss() {
        let metrics = ten_seconds();
        let mut request = request(vec![query("a", "A", 1), query("none", "C", 1), query("b", "B", 1)]);
        request.max_datapoints = Some(7);
        let (mut pages, mut seen) = (0, Vec::new());
        loop {
            let answer = answer(&metrics, &request).unwrap();
            pages += 1;
            seen.extend(answer.metric_data_results.into_iter().flat_map(|of| {
                assert_eq!(of.timestamps.len(), of.values.len());
                of.values.into_iter().map(move |value| (of.id.clone(), value))
            }));
            request.next_token = answer.next_token;
            if request.next_token.is_none() {
                break;
            }
        }
        assert_eq!((pages, seen.len()), (3, 20));
        assert_eq!(seen[10], ("b".into(), 9.0));
    }

    #[test]
    fn a_token_of_any_number_is_answered() {
        let mut request = request(vec![query("a", "A", 1)]);
        request.next_token = Some(token(usize::MAX));
        assert_eq!(answer(&ten_seconds(), &request).unwrap_err(), CloudWatchError::InvalidNextToken);
        request.next_token = Some(token(usize::MAX - MAX_DATAPOINTS));
        assert!(answer(&ten_seconds(), &request).unwrap().next_token.is_none());
    }

    #[test]
    fn refuses_what_aws_refuses() {
        let metrics = cloudwatch(Metrics::default(), "");
        let refusal = |request: GetMetricData| answer(&metrics, &request).unwrap_err().to_string();
        assert!(refusal(request(Vec::new())).contains("0 MetricDataQueries"));
        assert!(refusal(request(vec![query("A", "A", 60)])).contains("pattern"));
        assert!(refusal(request(vec![query("a", "A", 60), query("a", "B", 60)])).contains("unique"));
        assert!(refusal(request(vec![query("a", "A", 61)])).contains("Period"));
        assert!(
            refusal(GetMetricData { end_time: timestamp(0), ..request(vec![query("a", "A", 60)]) })
                .contains("StartTime")
        );
        let median = MetricStat { stat: "Median".into(), ..query("a", "A", 60).metric_stat.unwrap() };
        assert!(
            refusal(request(vec![MetricQuery { metric_stat: Some(median), ..query("a", "A", 60) }]))
                .contains("Stat")
        );
        assert!(
            refusal(request(vec![MetricQuery { metric_stat: None, ..query("a", "A", 60) }]))
                .contains("metric math")
        );
    }
}
