//! Tokens from an identity provider: `POST /tokens` with `{"playerIds":[…]}`, answered with `{"tokens":[…]}`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::AuthError;

/// Players per request.
const BATCH: usize = 1_000;
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An identity provider.
pub(super) struct Issuer {
    client: reqwest::Client,
    url: String,
    shown: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokensRequest<'a> {
    player_ids: &'a [String],
}

#[derive(Deserialize)]
struct TokensAnswer {
    tokens: Vec<Box<str>>,
}

impl Issuer {
    pub(super) fn new(url: &Url) -> Result<Self, AuthError> {
        let shown = url.origin().ascii_serialization();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        let wrong = |error: reqwest::Error| AuthError::Issuer {
            issuer: shown.clone(),
            problem: error.without_url().to_string(),
        };
        Ok(Self {
            client: client.map_err(wrong)?,
            url: format!("{}/tokens", url.as_str().trim_end_matches('/')),
            shown,
        })
    }

    pub(super) async fn tokens(&self, players: &[String]) -> Result<Vec<Box<str>>, AuthError> {
        let failed = |problem: String| AuthError::Issuer { issuer: self.shown.clone(), problem };
        let wrong = |error: reqwest::Error| failed(error.without_url().to_string());
        let mut tokens = Vec::with_capacity(players.len());
        for batch in players.chunks(BATCH) {
            let answer = self.client.post(&self.url).json(&TokensRequest { player_ids: batch }).send().await;
            let answer: TokensAnswer = answer
                .and_then(reqwest::Response::error_for_status)
                .map_err(wrong)?
                .json()
                .await
                .map_err(wrong)?;
            if answer.tokens.len() != batch.len() {
                return Err(failed(format!("{} tokens for {} players", answer.tokens.len(), batch.len())));
            }
            tokens.extend(answer.tokens);
        }
        Ok(tokens)
    }
}
