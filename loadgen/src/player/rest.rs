//! The polling way to a game session: a player asks over REST, and asks again until the session is there.
//!
//! It is there to be compared with the push: what a player waits for is the answer that brings the session, so the
//! response time holds the pauses between the questions, too. The requests go past the player's socket, each in a task
//! of its own, over connections that all players share, and each carries the player's credentials.

use std::sync::Arc;
use std::time::Duration;

use reports::format::cut_off::INTERRUPTED;
use reqwest::{Client, Method};
use scenarios::plan::Way;
use scenarios::threshold::Operation;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Pause;
use super::error::{ConnectError, EndpointError};
use super::extra::Extra;
use super::shared::{Outcome, Play};
use crate::auth::Secrets;
use crate::http_client::{self, BodyError, HttpError};
use crate::record::RUN_ENDED;
use crate::schedule::Arrival;

/// Longest answer that is read; real ones have a few hundred bytes.
const LONGEST: usize = 256 * 1024;

/// The target's REST API.
pub struct Rest {
    client: Client,
    placements: Url,
    every: Duration,
    stop: CancellationToken,
    /// What of the scenario's headers must not be repeated.
    secrets: Secrets,
}

impl From<reqwest::Error> for ConnectError {
    fn from(error: reqwest::Error) -> Self {
        Self::new("rest", http_client::causes(error))
    }
}

impl From<BodyError> for ConnectError {
    fn from(error: BodyError) -> Self {
        let class = if matches!(error, BodyError::TooLong(_)) { "too_large" } else { "rest" };
        Self::new(class, error)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placement {
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

    /// No more is asked; who still waits is told that the run is over.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Asks until the placement is settled.
    async fn settle(&self, play: &Play, player: u32) -> Result<(), ConnectError> {
        let mut placement = self.ask(play, player, Method::POST, &self.placements).await?;
        // The backend pushes it all the same.
        play.placements.set_aside(&placement.placement_id);
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
                    return Err(ConnectError::new(play.class_of(player, "placement_", other), other));
                }
            }
            placement = self.ask(play, player, Method::GET, &one).await?;
        }
    }

    async fn ask(
        &self,
        play: &Play,
        player: u32,
        method: Method,
        url: &Url,
    ) -> Result<Placement, ConnectError> {
        // None of the questions has a body.
        let presented = play.credentials.present_in(player, &method, url, &[]).await?;
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
            return Err(ConnectError::new(format!("status_{}", status.as_u16()), hidden(&text)));
        }
        let body = http_client::body(answer, LONGEST).await?;
        serde_json::from_slice(&body).map_err(|_| {
            ConnectError::new("garbage", hidden(&String::from_utf8_lossy(&body[..body.len().min(512)])))
        })
    }
}

impl Play {
    /// Has a placement polled for a player.
    pub(super) fn poll_placement(self: &Arc<Self>, player: u32, arrival: Arrival) {
        tokio::spawn(Arc::clone(self).poll(player, arrival));
    }

    async fn poll(self: Arc<Self>, player: u32, arrival: Arrival) {
        let Some(rest) = &self.rest else {
            return self.unsent(player, &arrival, RUN_ENDED);
        };
        let sent = self.clock.now();
        self.sent(&arrival, sent);
        let patience =
            self.plan.operation(Operation::PlacementPoll).map_or(Duration::ZERO, |planned| planned.timeout);
        let settled = tokio::select! {
            settled = tokio::time::timeout(patience, rest.settle(&self, player)) => settled,
            () = rest.stop.cancelled() => Ok(Err(ConnectError::new(INTERRUPTED, "the run ended"))),
        };
        let outcome = match settled {
            Ok(Ok(())) => Outcome::Completed,
            Ok(Err(ConnectError { class, detail })) => {
                self.sample(player, Operation::PlacementPoll.word(), &class, || detail);
                Outcome::Failed(class)
            }
            Err(_) => Outcome::TimedOut,
        };
        let now = self.clock.now();
        self.ended(&arrival, sent, now, outcome);
        let who = (player, arrival.operation);
        if self.players.think(&self.plan, &self.recorder, now, who, Pause::Again) {
            self.players.wake(player);
        }
    }
}
