//! The `AWS/ApiGateway` metrics of the WebSocket API and of the REST API beside it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;

use super::event::Api;
use crate::metrics::{Metrics, Series, Unit};

const NAMESPACE: &str = "AWS/ApiGateway";

/// A metric, once under the API and once under the API and its stage.
pub(super) type Meter = [Arc<Series>; 2];

/// Every series of the WebSocket API.
pub(super) struct Meters {
    pub(super) connects: Meter,
    pub(super) messages: Meter,
    pub(super) integration_errors: Meter,
    pub(super) client_errors: Meter,
    pub(super) execution_errors: Meter,
    integration_latency: Meter,
}

impl Meters {
    pub(super) fn new(metrics: &Metrics, api: &Api) -> Self {
        let meter = |name: &str, unit: Unit| meter(metrics, ("ApiId", &api.id), &api.stage, name, unit);
        Self {
            connects: meter("ConnectCount", Unit::Count),
            messages: meter("MessageCount", Unit::Count),
            integration_errors: meter("IntegrationError", Unit::Count),
            client_errors: meter("ClientError", Unit::Count),
            execution_errors: meter("ExecutionError", Unit::Count),
            integration_latency: meter("IntegrationLatency", Unit::Milliseconds),
        }
    }

    pub(super) fn integration(&self, started: SystemTime, took: Duration) {
        record(&self.integration_latency, started, took.as_secs_f64() * 1_000.0);
    }
}

/// Every series of the REST API, whose name is the WebSocket API's id.
pub(super) struct RestMeters {
    requests: Meter,
    client_errors: Meter,
    server_errors: Meter,
    latency: Meter,
}

impl RestMeters {
    pub(super) fn new(metrics: &Metrics, api: &Api) -> Self {
        let meter = |name: &str, unit: Unit| meter(metrics, ("ApiName", &api.id), &api.stage, name, unit);
        Self {
            requests: meter("Count", Unit::Count),
            client_errors: meter("4XXError", Unit::Count),
            server_errors: meter("5XXError", Unit::Count),
            latency: meter("Latency", Unit::Milliseconds),
        }
    }

    pub(super) fn request(&self, started: SystemTime, took: Duration, status: StatusCode) {
        record(&self.requests, started, 1.0);
        record(&self.latency, started, took.as_secs_f64() * 1_000.0);
        if status.is_client_error() {
            record(&self.client_errors, started, 1.0);
        } else if status.is_server_error() {
            record(&self.server_errors, started, 1.0);
        }
    }
}

fn meter(metrics: &Metrics, api: (&str, &str), stage: &str, name: &str, unit: Unit) -> Meter {
    let stage = ("Stage", stage);
    [metrics.series(NAMESPACE, name, unit, &[api]), metrics.series(NAMESPACE, name, unit, &[api, stage])]
}

/// Counts one.
pub(super) fn count(meter: &Meter) {
    record(meter, SystemTime::now(), 1.0);
}

/// Counts several.
pub(super) fn count_many(meter: &Meter, times: usize) {
    let now = SystemTime::now();
    for series in meter {
        series.record_many(now, 1.0, times as u64);
    }
}

fn record(meter: &Meter, at: SystemTime, value: f64) {
    for series in meter {
        series.record(at, value);
    }
}
