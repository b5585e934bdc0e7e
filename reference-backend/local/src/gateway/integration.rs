//! Lambda proxy integrations: an event in, a response out, within the integration's timeout.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use reference_backend::function::Function;
use reference_backend::json;
use serde::Deserialize;
use tokio::time::Instant;

use super::edge::Edge;
use super::meters::count;
use super::profile::limit;
use crate::lambda::{Invoke, InvokeError};

/// A Lambda's answer to a proxy event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProxyResult {
    pub(super) status_code: u16,
    #[serde(default)]
    pub(super) headers: Option<HashMap<String, String>>,
    #[serde(default)]
    pub(super) body: Option<String>,
}

/// Why a Lambda behind a route gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum IntegrationError {
    #[error("Endpoint request timed out")]
    TimedOut,
    #[error("Internal server error")]
    Failed(#[source] InvokeError),
    #[error("Internal server error")]
    Malformed(#[source] serde_json::Error),
}

/// The Lambdas behind the API.
#[derive(Clone)]
pub(super) struct Integration {
    edge: Arc<Edge>,
    lambda: Arc<dyn Invoke>,
}

impl Integration {
    pub(super) fn new(edge: Arc<Edge>, lambda: Arc<dyn Invoke>) -> Self {
        Self { edge, lambda }
    }

    /// Runs the Lambda behind a route of the WebSocket API and takes its measure.
    pub(super) async fn measured(
        &self,
        function: Function,
        event: Bytes,
    ) -> Result<ProxyResult, IntegrationError> {
        let (at, started) = (SystemTime::now(), Instant::now());
        let result = self.call(function, event).await;
        let meters = &self.edge.meters;
        meters.integration(at, started.elapsed());
        match &result {
            Ok(result) if result.status_code >= 400 => count(&meters.integration_errors),
            Ok(_) => {}
            Err(_) => count(&meters.execution_errors),
        }
        result
    }

    /// Runs a Lambda behind a proxy integration.
    pub(super) async fn call(
        &self,
        function: Function,
        event: Bytes,
    ) -> Result<ProxyResult, IntegrationError> {
        let invocation = self.lambda.invoke(function, event);
        let answer = match limit(self.edge.profile.integration_timeout_s) {
            Some(limit) => {
                tokio::time::timeout(limit, invocation).await.map_err(|_| IntegrationError::TimedOut)?
            }
            None => invocation.await,
        };
        let result = answer
            .map_err(IntegrationError::Failed)
            .and_then(|answer| json::read(&answer).map_err(IntegrationError::Malformed));
        if let Err(error) = &result {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::debug!(?function, %error, cause, "integration failed");
        }
        result
    }
}
