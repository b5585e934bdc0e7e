//! [`Pusher`] over API Gateway's Management API.
//!
//! A connection is managed at the API that owns it, so the endpoint is derived from the connection's record. There is one
//! client per endpoint, created when it is first needed, because a client owns its pool of TLS connections.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use bytes::Bytes;
use parking_lot::RwLock;
use reference_backend::ports::{ConnectionAddress, PushError, Pusher};

/// Connect time-out.
const CONNECT: Duration = Duration::from_secs(1);
/// Time-out of one push. The handlers make four attempts, which must fit into an invocation's 10 s.
const POST: Duration = Duration::from_secs(2);

/// The endpoint of the Management API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// `https://{domain}/{stage}` of the connection's record.
    #[default]
    OfConnection,
    /// `{base}/{stage}`: a local stack's control plane, or a proxy.
    Base(String),
    /// This URL for every connection.
    Fixed(String),
}

impl Endpoint {
    fn of(&self, connection: &ConnectionAddress) -> String {
        let ConnectionAddress { domain, stage, .. } = connection;
        match self {
            Self::OfConnection => format!("https://{domain}/{stage}"),
            Self::Base(base) => format!("{}/{stage}", base.trim_end_matches('/')),
            Self::Fixed(url) => url.clone(),
        }
    }
}

/// Pushes through `PostToConnection`.
#[derive(Debug)]
pub struct Management {
    config: Builder,
    endpoint: Endpoint,
    /// By endpoint: one per API and stage, usually one.
    clients: RwLock<HashMap<String, Client>>,
}

impl Management {
    /// A pusher with the region and credentials of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig, endpoint: Endpoint) -> Self {
        let patience = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(POST).build();
        // The handlers retry, because they know the remaining time of the invocation.
        let config = Builder::from(config).retry_config(RetryConfig::disabled()).timeout_config(patience);
        Self { config, endpoint, clients: RwLock::default() }
    }

    fn client(&self, endpoint: String) -> Client {
        if let Some(client) = self.clients.read().get(&endpoint) {
            return client.clone();
        }
        let config = self.config.clone().endpoint_url(&endpoint).build();
        self.clients.write().entry(endpoint).or_insert_with(|| Client::from_conf(config)).clone()
    }
}

#[async_trait]
impl Pusher for Management {
    async fn post(&self, to: &ConnectionAddress, data: Bytes) -> Result<(), PushError> {
        let size = data.len();
        self.client(self.endpoint.of(to))
            .post_to_connection()
            .connection_id(&to.connection_id)
            .data(Blob::new(data))
            .send()
            .await
            .map_err(|error| refusal(&error, size))?;
        Ok(())
    }
}

/// Only the status decides: API Gateway also uses error codes that the SDK has no type for, for example for signatures.
fn refusal(error: &SdkError<PostToConnectionError>, size: usize) -> PushError {
    match error.raw_response().map(|response| response.status().as_u16()) {
        // 400 is the answer to a malformed connection id. A retry does not help.
        Some(400 | 410) => PushError::Gone,
        Some(403) => PushError::Forbidden,
        Some(413) => PushError::TooLarge(size),
        Some(429) => PushError::Throttled,
        _ => PushError::Unavailable(DisplayErrorContext(error).to_string()),
    }
}
