//! The target's REST API, over which a player polls what it would otherwise be pushed.
//!
//! It is there to be compared with the push: what a player waits for is the answer that brings the outcome, so the
//! response time includes the pauses between the requests. They go past the player's socket, over connections that all
//! players share, and each carries the player's credentials. What is asked, and what an answer says, is the protocol's.

use std::sync::Arc;

use protocol::protocol::RestRequest;
use reqwest::{Client, Method};
use scenarios::plan::Way;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::error::{ConnectError, EndpointError};
use super::extra::Extra;
use crate::auth::{Credentials, Secrets};
use crate::http_client::{self, HttpError};
use crate::record::classes;

/// Longest answer that is read; real ones have a few hundred bytes.
const LONGEST: usize = 256 * 1024;

/// The target's REST API.
pub struct Rest {
    client: Client,
    base: Url,
    stop: CancellationToken,
    /// What of the scenario's headers must not be repeated.
    secrets: Arc<Secrets>,
}

impl Rest {
    /// The API at `base`.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(base: &Url, way: &Way) -> Result<Self, EndpointError> {
        let extra = Extra::fetch(way)?;
        let client = http_client::client(base, &way.trust)?.default_headers(extra.map());
        let client = client.build().map_err(HttpError::from)?;
        Ok(Self { client, base: base.clone(), stop: CancellationToken::new(), secrets: extra.secrets })
    }

    /// No more requests are sent; the run is over.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Resolves when the run is over.
    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Asks the API; the body of its answer.
    pub(super) async fn ask(
        &self,
        player: u32,
        credentials: &Credentials,
        request: &RestRequest,
    ) -> Result<String, ConnectError> {
        let mut url = self.base.clone();
        let (path, query) = request.path.split_once('?').unzip();
        let path = path.unwrap_or(&request.path);
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if query.is_some() {
            url.set_query(query);
        }
        let method = Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
        // None of the requests has a body.
        let presented = credentials.present_in(player, &method, &url, &[]).await?;
        let mut request = self.client.request(method, presented.url(&url)).build()?;
        let secrets = presented.put_in(request.headers_mut());
        let answer = self.client.execute(request).await?;
        let status = answer.status();
        let hidden = |text: &str| self.secrets.hide_in(&secrets.hide_in(text));
        if !status.is_success() {
            let location = answer.headers().get(reqwest::header::LOCATION).cloned();
            let location = location.map_or_else(String::new, |place| {
                format!("Location: {} ", String::from_utf8_lossy(place.as_bytes()))
            });
            let text = format!("{location}{}", http_client::beginning(answer).await);
            return Err(ConnectError::new(classes::status(status.as_u16()), hidden(&text)));
        }
        let body = http_client::body(answer, LONGEST).await?;
        // Only what is shown must be hidden: what is read is not kept.
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}
