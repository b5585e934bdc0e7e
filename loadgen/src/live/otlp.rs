//! `--otlp URL`: the figures so far, sent every few seconds as OTLP over HTTP (protobuf) to `URL/v1/metrics`.
//!
//! The messages are OpenTelemetry's own types. Its SDK is left out: it records samples one by one and keeps histograms of
//! its own, and ours are merged already (<https://opentelemetry.io/docs/specs/otlp/>).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric as Wire, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use parking_lot::Mutex;
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use scenarios::plan::way::Trust;
use scenarios::redact;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

use super::metrics::{Labels, Metric, Points, Unit, bounds_s};
use super::totals::LiveTotals;
use crate::http_client::{self, HttpError};

/// Between two messages.
const EVERY: Duration = Duration::from_secs(5);
/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Headers of every message, `name=value` with commas between: where a service requires a key. A standard variable of OTLP.
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// Not a base of URLs.
    #[error("`{}` is no http:// or https:// URL; give the collector's, e.g. http://127.0.0.1:4318", redact::address(.0))]
    Url(Url),
    /// An invalid header. Its value is not shown: it may be a key.
    #[error("header {0} of {HEADERS} is not `name=value`, or has letters that a header cannot have")]
    Header(usize),
    /// There is no HTTP client.
    #[error("{0}")]
    Client(#[from] HttpError),
}

/// The sender.
pub(super) struct Otlp {
    stop: oneshot::Sender<()>,
    sending: JoinHandle<()>,
}

impl Otlp {
    pub(super) fn open(url: &Url, totals: Arc<Mutex<LiveTotals>>) -> Result<Self, OtlpError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OtlpError::Url(url.clone()));
        }
        let mut endpoint = url.clone();
        endpoint.set_path(&format!("{}/v1/metrics", url.path().trim_end_matches('/')));
        let mut headers = headers(&std::env::var(HEADERS).unwrap_or_default())?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let client = http_client::client(url, &Trust::default())?.timeout(PATIENCE).default_headers(headers);
        let client = client.build().map_err(HttpError::from)?;
        let sender = Sender { client, endpoint, totals, failed: AtomicBool::new(false) };
        let (stop, mut stopped) = oneshot::channel();
        let sending = tokio::spawn(async move {
            let mut tick = tokio::time::interval(EVERY);
            loop {
                tokio::select! {
                    _ = tick.tick() => sender.send().await,
                    _ = &mut stopped => break,
                }
            }
            sender.send().await;
        });
        Ok(Self { stop, sending })
    }

    /// Sends what there is once more.
    pub(super) async fn close(self) {
        // Fails only where the task has ended.
        let _ = self.stop.send(());
        let _ = self.sending.await;
    }
}

struct Sender {
    client: reqwest::Client,
    endpoint: Url,
    totals: Arc<Mutex<LiveTotals>>,
    /// Whether a failure was reported already.
    failed: AtomicBool,
}

impl Sender {
    async fn send(&self) {
        let body = request(&self.totals.lock()).encode_to_vec();
        let answer = self.client.post(self.endpoint.clone()).body(body).send().await;
        // The rest of an answer is not read.
        let failure = match answer {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => format!("HTTP {}", answer.status()),
            Err(error) => http_client::causes(error),
        };
        if !self.failed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "--otlp: the collector did not take the metrics: {failure}; the run goes on without"
            );
        }
    }
}

/// The headers that the environment asks for.
fn headers(text: &str) -> Result<HeaderMap, OtlpError> {
    let pairs = text.split(',').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty());
    let parsed = pairs.map(|(number, pair)| {
        let parse = || {
            let (name, value) = pair.split_once('=')?;
            // Values are percent-encoded, as in W3C Baggage.
            let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().ok()?;
            let mut value = HeaderValue::from_str(&value).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse::<HeaderName>().ok()?, value))
        };
        parse().ok_or(OtlpError::Header(number + 1))
    });
    parsed.collect()
}

fn request(totals: &LiveTotals) -> ExportMetricsServiceRequest {
    let LiveTotals { run, at, .. } = totals;
    let window = TimeAxis { start: nanos(run.started_at), now: nanos(*at) };
    let resource = [
        ("service.name", "loadgen"),
        ("service.version", &run.version),
        ("service.instance.id", &run.id),
        ("loadgen.scenario", &run.name),
        ("loadgen.target", &run.target),
    ];
    let resource = Resource {
        attributes: resource.into_iter().map(|(key, value)| attribute(key, value)).collect(),
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "loadgen".into(),
        version: run.version.clone(),
        ..InstrumentationScope::default()
    };
    let metrics = totals.metrics().into_iter().map(|metric| window.metric(metric)).collect();
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    }
}

/// The time that the figures cover, in nanoseconds since the epoch.
#[derive(Clone, Copy)]
struct TimeAxis {
    start: u64,
    now: u64,
}

impl TimeAxis {
    fn metric(self, metric: Metric) -> Wire {
        let cumulative = AggregationTemporality::Cumulative as i32;
        let data = match metric.points {
            Points::Counter(points) => Data::Sum(Sum {
                data_points: points
                    .into_iter()
                    .map(|(labels, value)| {
                        self.number(labels, Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX)))
                    })
                    .collect(),
                aggregation_temporality: cumulative,
                is_monotonic: true,
            }),
            Points::Gauge(points) => Data::Gauge(Gauge {
                data_points: points
                    .into_iter()
                    .map(|(labels, value)| self.number(labels, Value::AsDouble(value)))
                    .collect(),
            }),
            Points::Histogram(points) => Data::Histogram(Histogram {
                data_points: points
                    .into_iter()
                    .map(|(labels, histogram)| HistogramDataPoint {
                        attributes: attributes(labels),
                        start_time_unix_nano: self.start,
                        time_unix_nano: self.now,
                        count: histogram.count,
                        sum: Some(histogram.sum),
                        bucket_counts: histogram.counts,
                        explicit_bounds: bounds_s().collect(),
                        ..HistogramDataPoint::default()
                    })
                    .collect(),
                aggregation_temporality: cumulative,
            }),
        };
        let unit = match metric.unit {
            Unit::None => "1",
            Unit::Seconds => "s",
            Unit::Bytes => "By",
        };
        Wire {
            name: format!("loadgen.{}", metric.name),
            description: metric.help.into(),
            unit: unit.into(),
            data: Some(data),
            ..Wire::default()
        }
    }

    fn number(self, labels: Labels, value: Value) -> NumberDataPoint {
        NumberDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: self.start,
            time_unix_nano: self.now,
            value: Some(value),
            ..NumberDataPoint::default()
        }
    }
}

fn attributes(labels: Labels) -> Vec<KeyValue> {
    labels.into_iter().map(|(key, value)| attribute(key, &value)).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.into())) }),
        ..KeyValue::default()
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_from_the_environment_and_stay_out_of_messages() {
        let good = headers("api-key=a%20b, x-team = games").unwrap();
        assert_eq!((good["api-key"].as_bytes(), good["x-team"].as_bytes()), (&b"a b"[..], &b"games"[..]));
        assert!(good.values().all(HeaderValue::is_sensitive));
        assert!(headers("").unwrap().is_empty());
        let wrong = headers("a=b,hunter2").unwrap_err().to_string();
        assert!(wrong.contains("header 2") && !wrong.contains("hunter2"), "{wrong}");
    }
}
