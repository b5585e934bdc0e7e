//! The local identity provider: stands in for the platform (Epic, Steam, Cognito, ...) that authenticates players.
//!
//! It issues signed tokens, and tickets as Steam does. Its keys are generated at the start and never leave the process. Tokens and tickets are never logged.

pub mod http;
mod ring;
mod steam;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, Header, encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use reference_backend::ports::{IdentityError, IdentityProvider, PlayerIdentity};
use reference_backend::token::{Issuer, TokenRules};
pub use steam::{APP_ID, Bans, IDENTITY, LocalSteam, PUBLISHER_KEY};

use self::ring::KeyRing;
use super::distribution::{Delay, Rate};

/// `iss` of every token.
pub const ISSUER: &str = "https://identity.local";
/// `aud` of every token.
pub const AUDIENCE: &str = "reference-backend";
/// `alg` of every token.
pub const ALGORITHM: Algorithm = Algorithm::ES256;

/// The `[identity]` section of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityProfile {
    /// Latency of the provider.
    pub latency: Delay,
    /// Fault: share of requests that fail (the authorizer then fails, 500).
    pub failure_rate: Rate,
    /// How long a token or a ticket is valid.
    pub token_lifetime_s: u64,
    /// How long a key signs tokens before it is rotated; 0: no rotation.
    pub key_rotation_s: u64,
    /// How long a retired key stays published; its tokens are valid until then.
    pub key_grace_s: u64,
}

impl Default for IdentityProfile {
    fn default() -> Self {
        Self {
            latency: Delay::default(),
            failure_rate: Rate::default(),
            token_lifetime_s: 24 * 3_600,
            key_rotation_s: 0,
            key_grace_s: 24 * 3_600,
        }
    }
}

/// A key could not be made, or a token not signed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the local identity provider cannot {action}: {reason}; the machine's random source or OpenSSL build is broken"
)]
pub struct SigningError {
    action: &'static str,
    reason: String,
}

/// Issues ES256 tokens and Steam tickets, and verifies them.
pub struct LocalIdentity {
    profile: IdentityProfile,
    ring: KeyRing,
    /// Signs tickets.
    ticket_key: hmac::Key,
    rules: TokenRules,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
}

impl LocalIdentity {
    /// A provider with keys of its own.
    ///
    /// # Errors
    /// [`SigningError`] if they cannot be made.
    pub fn new(profile: IdentityProfile) -> Result<Self, SigningError> {
        let rotation = (profile.key_rotation_s > 0).then(|| Duration::from_secs(profile.key_rotation_s));
        let ring = KeyRing::new(rotation, Duration::from_secs(profile.key_grace_s))?;
        let ticket_key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|error| SigningError { action: "make a key", reason: error.to_string() })?;
        let rules = TokenRules::new(ALGORITHM, Issuer::new(ISSUER), AUDIENCE);
        Ok(Self { profile, ring, ticket_key, rules })
    }

    /// The public keys (`/.well-known/jwks.json`): the signing key and the retired ones that are still valid.
    #[must_use]
    pub fn keys(&self) -> JwkSet {
        self.ring.jwks()
    }

    /// Rotates the signing key and returns the new one's id. The old one stays published for `key_grace_s`.
    ///
    /// # Errors
    /// [`SigningError`] if it cannot be made.
    pub fn rotate(&self) -> Result<String, SigningError> {
        self.ring.rotate()
    }

    /// Issues a token for `player_id`.
    ///
    /// # Errors
    /// [`SigningError`] if it cannot be signed.
    pub fn issue(&self, player_id: &str) -> Result<String, SigningError> {
        let iat = now();
        let exp = iat.saturating_add(self.profile.token_lifetime_s);
        let key = self.ring.current()?;
        let header = Header { kid: Some(key.id.clone()), ..Header::new(ALGORITHM) };
        let claims = Claims { iss: ISSUER, aud: AUDIENCE, sub: player_id, iat, exp };
        encode(&header, &claims, &key.signing)
            .map_err(|error| SigningError { action: "sign a token", reason: error.to_string() })
    }

    /// Applies the profile's latency and faults to a request.
    async fn delay_or_fail(&self) -> Result<(), IdentityError> {
        self.profile.latency.wait().await;
        if self.profile.failure_rate.hits() {
            return Err(IdentityError::Unavailable("a fault of the profile (identity.failure_rate)".into()));
        }
        Ok(())
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[async_trait]
impl IdentityProvider for LocalIdentity {
    async fn verify(&self, token: &str) -> Result<PlayerIdentity, IdentityError> {
        self.delay_or_fail().await?;
        let key = self.ring.verification_key(&self.rules.key_id(token)?);
        self.rules.player(token, &key.ok_or_else(|| IdentityError::Invalid("its key is unknown".into()))?)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::EncodingKey;
    use serde_json::json;

    use super::*;

    fn provider(profile: IdentityProfile) -> LocalIdentity {
        LocalIdentity::new(profile).unwrap()
    }

    #[tokio::test]
    async fn vouches_for_its_own_tokens_only() {
        let (ours, other) = (provider(IdentityProfile::default()), provider(IdentityProfile::default()));
        let token = ours.issue("p-1").unwrap();
        assert_eq!(ours.verify(&token).await, Ok(PlayerIdentity { player_id: "p-1".into() }));
        for wrong in [other.issue("p-1").unwrap(), format!("{token}x"), "garbage".into(), String::new()] {
            assert!(matches!(ours.verify(&wrong).await, Err(IdentityError::Invalid(_))));
        }
    }

    #[tokio::test]
    async fn checks_algorithm_expiry_audience_and_issuer() {
        let ours = provider(IdentityProfile::default());
        let sign = |header: Header, change: serde_json::Value| {
            let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "p", "exp": 4_000_000_000_u64 });
            for (key, value) in change.as_object().unwrap() {
                claims[key] = value.clone();
            }
            let key = match header.alg {
                Algorithm::HS256 => EncodingKey::from_secret(b"guess"),
                _ => ours.ring.current().unwrap().signing.clone(),
            };
            encode(&header, &claims, &key).unwrap()
        };
        let kid =
            || Header { kid: Some(ours.ring.current().unwrap().id.clone()), ..Header::new(Algorithm::ES256) };
        assert!(ours.verify(&sign(kid(), json!({}))).await.is_ok());
        for change in [json!({"exp": 1}), json!({"aud": "x"}), json!({"iss": "x"}), json!({"sub": null})] {
            assert!(ours.verify(&sign(kid(), change.clone())).await.is_err(), "{change}");
        }
        assert!(ours.verify(&sign(Header { alg: Algorithm::HS256, ..kid() }, json!({}))).await.is_err());
        assert!(ours.verify(&sign(Header::new(Algorithm::ES256), json!({}))).await.is_err(), "no kid");
    }

    #[tokio::test]
    async fn a_provider_that_is_down_is_not_a_bad_token() {
        let down =
            provider(IdentityProfile { failure_rate: 1.0.try_into().unwrap(), ..IdentityProfile::default() });
        let token = down.issue("p").unwrap();
        assert!(matches!(down.verify(&token).await, Err(IdentityError::Unavailable(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn the_new_key_counts_at_once_and_the_old_one_for_its_grace() {
        let grace = Duration::from_secs(60);
        let ours = provider(IdentityProfile { key_grace_s: grace.as_secs(), ..IdentityProfile::default() });
        let (old, ann) = (ours.issue("ann").unwrap(), Ok(PlayerIdentity { player_id: "ann".into() }));
        let kid = ours.rotate().unwrap();
        let new = ours.issue("ann").unwrap();
        assert_eq!(jsonwebtoken::decode_header(&new).unwrap().kid, Some(kid));
        assert_eq!((ours.verify(&new).await, ours.verify(&old).await), (ann.clone(), ann.clone()));
        tokio::time::advance(grace - Duration::from_secs(1)).await;
        assert_eq!(ours.verify(&old).await, ann);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ours.verify(&old).await, Err(IdentityError::Invalid("its key is unknown".into())));
        assert_eq!(ours.verify(&new).await, ann);
    }

    #[test]
    fn the_published_key_has_an_id_and_a_purpose() {
        let keys = serde_json::to_value(provider(IdentityProfile::default()).keys()).unwrap();
        assert_eq!((&keys["keys"][0]["alg"], &keys["keys"][0]["use"]), (&json!("ES256"), &json!("sig")));
        assert!(keys["keys"][0]["kid"].is_string() && keys["keys"][0].get("d").is_none());
    }
}
