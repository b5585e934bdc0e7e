//! [`IdentityProvider`] over a JWKS URL: Cognito, Epic Online Services, or whoever signs tokens and publishes keys.
//!
//! Keys are fetched when first needed and kept. A token with an unknown key fetches them again, which is how a
//! rotation is noticed; how often that may happen is limited, because anybody can send tokens with invented keys.
//! Keys that are old are fetched again, too, so that a key which its owner has withdrawn is not trusted for ever.

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

/// Longest JWKS that is read; real ones have a few KiB.
const LONGEST: usize = 256 * 1_024;

/// Who vouches for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Where its keys are: https, or http on this machine.
    pub keys: Url,
    /// What its tokens must say.
    pub rules: TokenRules,
}

/// Checks tokens with the keys that their issuer publishes.
pub struct JwksIdentity {
    http: Client,
    url: Url,
    rules: TokenRules,
    fetching: Fetching,
    keys: RwLock<Keys>,
    /// How often it may be asked. Held while it is being asked: the rest waits for that answer.
    allowance: Mutex<Allowance>,
}

/// The rate of fetches, as a virtual schedule: each takes one pause of it, and it may be ahead by the burst.
#[derive(Default)]
struct Allowance {
    next: Option<Instant>,
    /// The last fetch has failed.
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

/// The keys as last published.
#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    fetched: Option<Instant>,
}

impl JwksIdentity {
    /// Trusts `provider`.
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

    /// The key, if it is known, and whether what is known is recent.
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
        // Whoever had the lock before may have fetched it.
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
        // An old key is better than none while its owner does not answer.
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

/// A key for signatures that has an id.
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

/// Vouches for nobody: for functions that are never asked.
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
