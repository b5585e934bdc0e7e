//! Tokens from an identity provider: `POST /tokens` with `{"playerIds":[…]}`, answered with `{"tokens":[…]}`.

use std::time::Duration;

use scenarios::plan::way::Trust;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::AuthError;
use crate::http_client::{self, HttpError};

/// Players per request.
const BATCH: usize = 1_000;
/// Longest token; an answer is read as far as its players' tokens may go.
const LONGEST_TOKEN: usize = 16 * 1024;
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
    tokens: Vec<SecretString>,
}

impl Issuer {
    /// `trust`: which certificates are trusted; the players' client certificate is not sent.
    pub(super) fn new(url: &Url, trust: &Trust) -> Result<Self, AuthError> {
        let shown = url.origin().ascii_serialization();
        let client = http_client::client(url, &Trust { client: None, ..trust.clone() });
        let client = client.and_then(|client| client.timeout(TIMEOUT).build().map_err(HttpError::from));
        let wrong =
            |error: HttpError| AuthError::Issuer { issuer: shown.clone(), problem: error.to_string() };
        Ok(Self {
            client: client.map_err(wrong)?,
            url: format!("{}/tokens", url.as_str().trim_end_matches('/')),
            shown,
        })
    }

    pub(super) async fn tokens(&self, players: &[String]) -> Result<Vec<SecretString>, AuthError> {
        let failed = |problem: String| AuthError::Issuer { issuer: self.shown.clone(), problem };
        let wrong = |error: reqwest::Error| failed(http_client::causes(error));
        let mut tokens = Vec::with_capacity(players.len());
        for batch in players.chunks(BATCH) {
            let answer = self.client.post(&self.url).json(&TokensRequest { player_ids: batch }).send().await;
            let answer = answer.map_err(wrong)?;
            if !answer.status().is_success() {
                return Err(failed(format!("it answered HTTP {}", answer.status())));
            }
            let body = http_client::body(answer, LONGEST_TOKEN * (batch.len() + 1)).await;
            let body = body.map_err(|error| failed(error.to_string()))?;
            // The answer may hold tokens, so the error only says what is wrong with its form.
            let answer: TokensAnswer = serde_json::from_slice(&body)
                .map_err(|error| failed(format!("its answer cannot be read: {:?}", error.classify())))?;
            if answer.tokens.len() != batch.len() {
                return Err(failed(format!("{} tokens for {} players", answer.tokens.len(), batch.len())));
            }
            tokens.extend(answer.tokens);
        }
        Ok(tokens)
    }
}
