//! Credentials: one per player, prepared before the run so that no handshake waits for a signature.
//!
//! Tokens are secrets: they are held here, put into the handshake, and never written anywhere.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use scenarios::Plan;
use scenarios::scenario::{AuthMode, TokenPlacement};
use serde::{Deserialize, Serialize};
use url::Url;

/// Players per request to the identity provider.
const BATCH: u32 = 1_000;
/// How long the identity provider may take for one batch.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How each player proves who it is.
pub struct Credentials {
    placement: TokenPlacement,
    by_player: Option<ByPlayer>,
}

enum ByPlayer {
    Tokens(Vec<Box<str>>),
    Ids(Vec<Box<str>>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("placement", &self.placement).finish_non_exhaustive()
    }
}

/// Tokens that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The identity provider did not answer as it should.
    #[error("the identity provider {issuer} gave no tokens: {problem}; check auth.issuer")]
    Issuer {
        /// Its URL.
        issuer: String,
        /// What happened.
        problem: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokensRequest {
    player_ids: Vec<String>,
}

#[derive(Deserialize)]
struct TokensAnswer {
    tokens: Vec<Box<str>>,
}

impl Credentials {
    /// Prepares the credentials of all players; tokens are fetched from `issuer` (`POST /tokens`).
    ///
    /// # Errors
    /// [`AuthError`] when the identity provider gives no token for every player.
    pub async fn prepare(plan: &Plan, issuer: Option<&Url>) -> Result<Self, AuthError> {
        let by_player = match (plan.auth.mode, issuer) {
            (AuthMode::Token, Some(issuer)) => Some(ByPlayer::Tokens(fetch(plan, issuer).await?)),
            (AuthMode::Header, _) => {
                Some(ByPlayer::Ids((0..plan.players).map(|player| plan.player_id(player).into()).collect()))
            }
            _ => None,
        };
        Ok(Self { placement: plan.auth.placement, by_player })
    }

    /// Adds what belongs into the query.
    pub(crate) fn put_in_query(&self, player: u32, url: &mut Url) {
        if let (TokenPlacement::Query, Some(ByPlayer::Tokens(tokens))) = (self.placement, &self.by_player) {
            url.query_pairs_mut().append_pair("token", &tokens[player as usize]);
        }
    }

    /// Adds what belongs into the headers.
    pub(crate) fn put_in_headers(&self, player: u32, headers: &mut HeaderMap) {
        match (&self.by_player, self.placement) {
            (Some(ByPlayer::Tokens(tokens)), TokenPlacement::Header) => {
                if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {}", tokens[player as usize])) {
                    value.set_sensitive(true);
                    headers.insert(AUTHORIZATION, value);
                }
            }
            (Some(ByPlayer::Ids(ids)), _) => {
                if let Ok(value) = HeaderValue::try_from(&*ids[player as usize]) {
                    headers.insert("x-player-id", value);
                }
            }
            _ => {}
        }
    }
}

async fn fetch(plan: &Plan, issuer: &Url) -> Result<Vec<Box<str>>, AuthError> {
    let failed =
        |problem: String| AuthError::Issuer { issuer: issuer.origin().ascii_serialization(), problem };
    let wrong = |error: reqwest::Error| failed(error.without_url().to_string());
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(wrong)?;
    let url = format!("{}/tokens", issuer.as_str().trim_end_matches('/'));
    let mut tokens = Vec::with_capacity(plan.players as usize);
    for start in (0..plan.players).step_by(BATCH as usize) {
        let end = plan.players.min(start + BATCH);
        let player_ids = (start..end).map(|player| plan.player_id(player)).collect();
        let answer = client.post(&url).json(&TokensRequest { player_ids }).send().await;
        let answer: TokensAnswer = answer
            .and_then(reqwest::Response::error_for_status)
            .map_err(wrong)?
            .json()
            .await
            .map_err(wrong)?;
        tokens.extend(answer.tokens);
        if tokens.len() != end as usize {
            return Err(failed(format!("{} tokens for {end} players", tokens.len())));
        }
    }
    Ok(tokens)
}
