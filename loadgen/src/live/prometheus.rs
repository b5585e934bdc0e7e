//! `--prometheus ADDR`: live metrics at `/metrics`, in the OpenMetrics text format.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{self, Registry};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::metrics::{Labels, Metric, Points, Unit, bounds_s};
use super::totals::LiveTotals;

/// How long a client may take to send the head of a request; it is also how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(30);
/// Pause after a connection that could not be accepted, e.g. because no descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The server; it ends with this value.
pub(super) struct Prometheus(JoinHandle<()>);

impl Prometheus {
    pub(super) async fn open(address: SocketAddr, totals: Arc<Mutex<LiveTotals>>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        tracing::info!("metrics for Prometheus at http://{}/metrics", listener.local_addr()?);
        let mut registry = Registry::with_prefix("loadgen");
        registry.register_collector(Box::new(Scrape(totals)));
        let app = Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry));
        Ok(Self(tokio::spawn(serve(listener, app, HEAD))))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves until it is dropped. A client that does not send a whole head in time loses its connection.
async fn serve(listener: TcpListener, app: Router, head: Duration) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let service = TowerToHyperService::new(app);
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = http.serve_connection(TokioIo::new(stream), service.clone());
                // The error of a client that disconnects needs no action.
                connections.spawn(async move { drop(connection.await) });
            }
            Err(error) => {
                tracing::warn!("--prometheus: cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
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
struct Scrape(Arc<Mutex<LiveTotals>>);

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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_head_that_is_never_finished_ends_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/metrics", get(async || "figures"));
        let server = tokio::spawn(serve(listener, app, Duration::from_millis(200)));
        let mut stuck = TcpStream::connect(address).await.unwrap();
        stuck.write_all(b"GET /metr").await.unwrap();
        let mut whole = TcpStream::connect(address).await.unwrap();
        whole.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        whole.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), stuck.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection is held for ever");
        server.abort();
    }
}
