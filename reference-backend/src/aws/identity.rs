//! [`IdentityProvider`] over a JWKS URL: Cognito, Epic Online Services, or whoever signs tokens and publishes keys.
//!
//! Keys are fetched when first needed and kept. A token with an unknown key fetches them again, which is how a
//! rotation is noticed; how often that may happen is limited, because anybody can send tokens with invented keys.
//! Keys that are old are fetched again, too, so that a key which its owner has withdrawn is not trusted for ever.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use parking_lot::RwLock;
use reqwest::{Client, redirect};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::environment::Provider;
use crate::ports::{IdentityError, IdentityProvider, PlayerIdentity};
use crate::token::TokenRules;

/// Longest JWKS that is read; real ones have a few KiB.
const LONGEST: usize = 256 * 1_024;

/// How keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetching {
    /// How long the provider may take to answer.
    pub timeout: Duration,
    /// Least time between two fetches.
    pub pause: Duration,
    /// Age from which keys are fetched again.
    pub renewal: Duration,
}

impl Default for Fetching {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            pause: Duration::from_secs(10),
            renewal: Duration::from_secs(3_600),
        }
    }
}

/// Why there is no way to ask the provider.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTPS for the identity provider: {0}; check the machine's certificates")]
pub struct SetupError(#[from] reqwest::Error);

/// Checks tokens with the keys that their issuer publishes.
pub struct JwksIdentity {
    http: Client,
    url: Url,
    rules: TokenRules,
    fetching: Fetching,
    keys: RwLock<Keys>,
    /// When the provider was asked last. Held while it is being asked: the rest waits for that answer.
    asked: Mutex<Option<Instant>>,
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
        let http = Client::builder().timeout(fetching.timeout).redirect(redirect::Policy::none()).build()?;
        Ok(Self {
            http,
            url: provider.keys,
            rules: provider.rules,
            fetching,
            keys: RwLock::default(),
            asked: Mutex::default(),
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
        let mut asked = self.asked.lock().await;
        // Whoever had the lock before may have fetched it.
        let (key, recent) = self.known(id);
        let allowed = asked.is_none_or(|at| at.elapsed() >= self.fetching.pause);
        let failure = match (key, recent) {
            (Some(key), true) => return Ok(key),
            (_, _) if allowed => {
                *asked = Some(Instant::now());
                self.fetch().await.err()
            }
            _ => None,
        };
        // An old key is better than none while its owner does not answer.
        let (key, _) = self.known(id);
        let unheard = self.keys.read().fetched.is_none();
        match (key, failure) {
            (Some(key), None) => Ok(key),
            (Some(key), Some(error)) => {
                tracing::warn!(%error, "the identity provider's keys could not be renewed");
                Ok(key)
            }
            (None, Some(error)) => Err(error),
            (None, None) if unheard => {
                Err(IdentityError::Unavailable("it did not answer a moment ago".into()))
            }
            (None, None) => Err(IdentityError::Invalid("its key is unknown".into())),
        }
    }

    async fn fetch(&self) -> Result<(), IdentityError> {
        let unavailable = |error: reqwest::Error| IdentityError::Unavailable(error.to_string());
        let mut response = self.http.get(self.url.clone()).send().await.map_err(unavailable)?;
        if !response.status().is_success() {
            return Err(IdentityError::Unavailable(format!("it answered {}", response.status())));
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(unavailable)? {
            if body.len() + part.len() > LONGEST {
                return Err(IdentityError::Unavailable(format!("its keys have more than {LONGEST} bytes")));
            }
            body.extend_from_slice(&part);
        }
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
