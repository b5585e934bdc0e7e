//! The target's REST API, over which a player polls a placement until it has a game session.
//!
//! It is there to be compared with the push: what a player waits for is the answer that brings the session, so the
//! response time includes the pauses between the requests. They go past the player's socket, over connections that all
//! players share, and each carries the player's credentials.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method};
use scenarios::plan::Way;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::error::{ConnectError, EndpointError};
use super::extra::Extra;
use crate::auth::{Credentials, Secrets};
use crate::delivery::Placements;
use crate::http_client::{self, HttpError};
use crate::record::{Observer, classes};

/// Longest answer that is read; real ones have a few hundred bytes.
const LONGEST: usize = 256 * 1024;

/// The target's REST API.
pub struct Rest {
    client: Client,
    placements: Url,
    every: Duration,
    stop: CancellationToken,
    /// What of the scenario's headers must not be repeated.
    secrets: Arc<Secrets>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlacementAnswer {
    placement_id: String,
    status: String,
}

impl Rest {
    /// The API at `base`, asked again after pauses of `every`.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(base: &Url, every: Duration, way: &Way) -> Result<Self, EndpointError> {
        let mut placements = base.clone();
        placements.set_path(&format!("{}/placements", base.path().trim_end_matches('/')));
        let extra = Extra::fetch(way)?;
        let client = http_client::client(base, &way.trust)?.default_headers(extra.map());
        let client = client.build().map_err(HttpError::from)?;
        Ok(Self { client, placements, every, stop: CancellationToken::new(), secrets: extra.secrets })
    }

    /// No more requests are sent; the run is over.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Resolves when the run is over.
    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Polls until the placement is settled; its push is not awaited in `placements`.
    pub(super) async fn settle(
        &self,
        player: u32,
        credentials: &Credentials,
        placements: &Placements,
        observer: &Observer,
    ) -> Result<(), ConnectError> {
        let mut placement = self.ask(player, credentials, Method::POST, &self.placements).await?;
        // The backend pushes it all the same.
        placements.set_aside(&placement.placement_id);
        let mut one = self.placements.clone();
        // The id is the target's word: whatever it holds stays one segment of the path.
        if let Ok(mut path) = one.path_segments_mut() {
            path.push(&placement.placement_id);
        }
        loop {
            match placement.status.as_str() {
                "FULFILLED" => return Ok(()),
                "PENDING" => tokio::time::sleep(self.every).await,
                other => {
                    return Err(ConnectError::new(observer.class_of(player, "placement_", other), other));
                }
            }
            placement = self.ask(player, credentials, Method::GET, &one).await?;
        }
    }

    async fn ask(
        &self,
        player: u32,
        credentials: &Credentials,
        method: Method,
        url: &Url,
    ) -> Result<PlacementAnswer, ConnectError> {
        // None of the requests has a body.
        let presented = credentials.present_in(player, &method, url, &[]).await?;
        let mut request = self.client.request(method, presented.url(url)).build()?;
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
        serde_json::from_slice(&body).map_err(|_| {
            ConnectError::new(
                &classes::GARBAGE,
                hidden(&String::from_utf8_lossy(&body[..body.len().min(512)])),
            )
        })
    }
}
