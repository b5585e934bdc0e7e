//! `--prometheus ADDR`: the figures so far at `/metrics`, in the OpenMetrics text format.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{self, Registry};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::metrics::{Labels, Metric, Points, Unit, bounds_s};
use super::totals::Totals;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The server; it ends with this value.
pub(super) struct Prometheus(JoinHandle<()>);

impl Prometheus {
    pub(super) async fn open(address: SocketAddr, totals: Arc<Mutex<Totals>>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        tracing::info!("metrics for Prometheus at http://{}/metrics", listener.local_addr()?);
        let mut registry = Registry::with_prefix("loadgen");
        registry.register_collector(Box::new(Scrape(totals)));
        let app = Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry));
        Ok(Self(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::warn!("--prometheus: {error}; no more metrics can be asked for");
            }
        })))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Takes the figures when they are asked for.
#[derive(Debug)]
struct Scrape(Arc<Mutex<Totals>>);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (metrics, run) = {
            let totals = self.0.lock();
            (totals.metrics(), totals.run.clone())
        };
        let identity: Labels =
            vec![("run", run.id), ("scenario", run.name), ("target", run.target), ("version", run.version)];
        encoder
            .encode_descriptor("run", "Identifies the run.", None, MetricType::Info)?
            .encode_info(&identity)?;
        for Metric { name, help, unit, points } in metrics {
            let unit = match unit {
                Unit::None => None,
                Unit::Seconds => Some(registry::Unit::Seconds),
                Unit::Bytes => Some(registry::Unit::Bytes),
            };
            let kind = match &points {
                Points::Counter(_) => MetricType::Counter,
                Points::Gauge(_) => MetricType::Gauge,
                Points::Histogram(_) => MetricType::Histogram,
            };
            write(&points, encoder.encode_descriptor(name, help, unit.as_ref(), kind)?)?;
        }
        Ok(())
    }
}

fn write(points: &Points, mut encoder: MetricEncoder<'_>) -> fmt::Result {
    match points {
        Points::Counter(points) => points.iter().try_for_each(|(labels, value)| {
            encoder.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(value, None)
        }),
        Points::Gauge(points) => {
            points.iter().try_for_each(|(labels, value)| encoder.encode_family(labels)?.encode_gauge(value))
        }
        Points::Histogram(points) => points.iter().try_for_each(|(labels, histogram)| {
            let bounds = bounds_s().chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(histogram.counts.iter().copied()).collect();
            encoder.encode_family(labels)?.encode_histogram::<NoLabelSet>(
                histogram.sum,
                histogram.count,
                &buckets,
                None,
            )
        }),
    }
}
