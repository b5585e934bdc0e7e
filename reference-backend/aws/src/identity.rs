//! [`IdentityProvider`] over a JWKS URL: Cognito, Epic Online Services, or any other provider that publishes its keys.
//!
//! Keys are fetched when first needed and cached. A token with an unknown key fetches them again, so that a rotation is
//! noticed. These fetches are rate limited, because clients can send tokens with made-up keys. Cached keys expire, so that
//! a revoked key is not trusted for ever.

use std::collections::HashMap;

use async_trait::async_trait;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use parking_lot::RwLock;
use reference_backend::ports::{IdentityError, IdentityProvider, PlayerIdentity};
use reference_backend::token::TokenRules;
use reqwest::Client;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::fetch::{Fetching, SetupError, body_of, client};

/// Size limit of a JWKS; real ones have a few KiB.
const LONGEST: usize = 256 * 1_024;

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// URL of its keys: https, or http on this machine.
    pub keys: Url,
    /// The rules of its tokens.
    pub rules: TokenRules,
}

/// Verifies tokens with the published keys of their issuer.
pub struct JwksIdentity {
    http: Client,
    url: Url,
    rules: TokenRules,
    fetching: Fetching,
    keys: RwLock<Keys>,
    /// Rate limit of fetches. Locked during a fetch: other requests wait for its result.
    allowance: Mutex<Allowance>,
}

/// The rate limit of fetches (generic cell rate algorithm).
#[derive(Default)]
struct Allowance {
    next: Option<Instant>,
    /// Whether the last fetch failed.
    unanswered: bool,
}

impl Allowance {
    fn take(&mut self, fetching: Fetching) -> bool {
        let now = Instant::now();
        let next = self.next.map_or(now, |next| next.max(now));
        let allowed = next.duration_since(now) <= fetching.pause * fetching.burst.saturating_sub(1);
        if allowed {
            self.next = Some(next + fetching.pause);
        }
        allowed
    }
}

/// The cached keys.
#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    fetched: Option<Instant>,
}

impl JwksIdentity {
    /// Verifies the tokens of `provider`.
    ///
    /// # Errors
    /// [`SetupError`] if the machine has no usable TLS.
    pub fn new(provider: Provider, fetching: Fetching) -> Result<Self, SetupError> {
        Ok(Self {
            http: client(&provider.keys, fetching)?,
            url: provider.keys,
            rules: provider.rules,
            fetching,
            keys: RwLock::default(),
            allowance: Mutex::default(),
        })
    }

    /// The cached key, if there is one, and whether the cache is fresh.
    fn known(&self, id: &str) -> (Option<DecodingKey>, bool) {
        let keys = self.keys.read();
        let recent = keys.fetched.is_some_and(|at| at.elapsed() < self.fetching.renewal);
        (keys.by_id.get(id).cloned(), recent)
    }

    async fn key(&self, id: &str) -> Result<DecodingKey, IdentityError> {
        if let (Some(key), true) = self.known(id) {
            return Ok(key);
        }
        let mut allowance = self.allowance.lock().await;
        // The previous holder of the lock may have fetched it.
        let (key, recent) = self.known(id);
        let failure = match (key, recent) {
            (Some(key), true) => return Ok(key),
            _ if allowance.take(self.fetching) => {
                let failure = self.fetch().await.err();
                allowance.unanswered = failure.is_some();
                failure
            }
            _ => None,
        };
        // A stale key is used while the provider does not answer.
        let (key, _) = self.known(id);
        match (key, failure) {
            (Some(key), None) => Ok(key),
            (Some(key), Some(error)) => {
                tracing::warn!(%error, "the identity provider's keys could not be renewed");
                Ok(key)
            }
            (None, Some(error)) => Err(error),
            (None, None) if allowance.unanswered => {
                Err(IdentityError::Unavailable("it did not answer a moment ago".into()))
            }
            (None, None) => Err(IdentityError::Invalid("its key is unknown".into())),
        }
    }

    async fn fetch(&self) -> Result<(), IdentityError> {
        let unavailable = |error: reqwest::Error| IdentityError::Unavailable(error.without_url().to_string());
        let response = self.http.get(self.url.clone()).send().await.map_err(unavailable)?;
        if !response.status().is_success() {
            return Err(IdentityError::Unavailable(format!("it answered {}", response.status())));
        }
        let body = body_of(response, LONGEST).await?;
        let set: JwkSet = serde_json::from_slice(&body)
            .map_err(|error| IdentityError::Unavailable(format!("its keys cannot be read: {error}")))?;
        let by_id = set.keys.iter().filter_map(usable).collect();
        *self.keys.write() = Keys { by_id, fetched: Some(Instant::now()) };
        Ok(())
    }
}

/// A signature key with an id.
fn usable(key: &Jwk) -> Option<(String, DecodingKey)> {
    let signs = key.common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature);
    let id = key.common.key_id.clone().filter(|_| signs)?;
    Some((id, DecodingKey::from_jwk(key).ok()?))
}

#[async_trait]
impl IdentityProvider for JwksIdentity {
    async fn verify(&self, token: &str) -> Result<PlayerIdentity, IdentityError> {
        let key = self.key(&self.rules.key_id(token)?).await?;
        self.rules.player(token, &key)
    }
}

/// Denies every token, for functions that do not authenticate.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIdentity;

#[async_trait]
impl IdentityProvider for NoIdentity {
    async fn verify(&self, _token: &str) -> Result<PlayerIdentity, IdentityError> {
        Err(IdentityError::Unavailable(
            "this function has none; set AUTH_MODE where the authorizer runs".into(),
        ))
    }
}
