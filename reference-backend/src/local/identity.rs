//! The local identity provider: stands in for the platform (Epic, Steam, Cognito, ...) that vouches for players.
//!
//! Its key is made at the start and lives as long as the process, so nothing is worth stealing from it. Tokens are
//! never logged.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::{Delay, Rate};
use crate::ports::{IdentityError, IdentityProvider, PlayerIdentity};
use crate::token::TokenRules;

/// `iss` of every token.
pub const ISSUER: &str = "https://identity.local";
/// `aud` of every token.
pub const AUDIENCE: &str = "reference-backend";

/// The `[identity]` section of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityProfile {
    /// How long the provider thinks about a token.
    pub latency: Delay,
    /// Fault: share of questions that it does not answer (the authorizer then fails, 500).
    pub failure_rate: Rate,
    /// How long a token is good for.
    pub token_lifetime_s: u64,
}

impl Default for IdentityProfile {
    fn default() -> Self {
        Self { latency: Delay::default(), failure_rate: Rate::default(), token_lifetime_s: 24 * 3_600 }
    }
}

/// Why the provider has no key, or a token no signature.
#[derive(Debug, thiserror::Error)]
#[error(
    "the local identity provider cannot {action}: {reason}; the machine's random source or OpenSSL build is broken"
)]
pub struct SigningError {
    action: &'static str,
    reason: String,
}

/// Issues and checks ES256 tokens.
pub struct LocalIdentity {
    profile: IdentityProfile,
    signing: EncodingKey,
    checking: DecodingKey,
    rules: TokenRules,
    key_id: String,
    keys: JwkSet,
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
    /// A provider with a key of its own.
    ///
    /// # Errors
    /// [`SigningError`] if the key cannot be made.
    pub fn new(profile: IdentityProfile) -> Result<Self, SigningError> {
        let failed = |action| move |reason: String| SigningError { action, reason };
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|error| failed("make a key")(error.to_string()))?;
        let signing = EncodingKey::from_ec_der(pair.as_ref());
        let publish = || {
            let mut key = Jwk::from_encoding_key(&signing, Algorithm::ES256)?;
            let id = key.thumbprint(ThumbprintHash::SHA256)?;
            key.common.key_id = Some(id.clone());
            key.common.public_key_use = Some(PublicKeyUse::Signature);
            Ok((id, DecodingKey::from_jwk(&key)?, JwkSet { keys: vec![key] }))
        };
        let (key_id, checking, keys) = publish()
            .map_err(|error: jsonwebtoken::errors::Error| failed("publish its key")(error.to_string()))?;
        let rules = TokenRules {
            algorithm: Algorithm::ES256,
            issuer: ISSUER.into(),
            audience: AUDIENCE.into(),
            leeway_s: 0,
        };
        Ok(Self { profile, signing, checking, rules, key_id, keys })
    }

    /// The public keys (`/.well-known/jwks.json`).
    #[must_use]
    pub const fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// A token that says who `player_id` is.
    ///
    /// # Errors
    /// [`SigningError`] if it cannot be signed.
    pub fn issue(&self, player_id: &str) -> Result<String, SigningError> {
        let iat = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let exp = iat.saturating_add(self.profile.token_lifetime_s);
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        let claims = Claims { iss: ISSUER, aud: AUDIENCE, sub: player_id, iat, exp };
        encode(&header, &claims, &self.signing)
            .map_err(|error| SigningError { action: "sign a token", reason: error.to_string() })
    }
}

#[async_trait]
impl IdentityProvider for LocalIdentity {
    async fn verify(&self, token: &str) -> Result<PlayerIdentity, IdentityError> {
        self.profile.latency.wait().await;
        if self.profile.failure_rate.hits() {
            return Err(IdentityError::Unavailable("a fault of the profile (identity.failure_rate)".into()));
        }
        if self.rules.key_id(token)? != self.key_id {
            return Err(IdentityError::Invalid("its key is unknown".into()));
        }
        self.rules.player(token, &self.checking)
    }
}

#[cfg(test)]
mod tests {
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
                _ => ours.signing.clone(),
            };
            encode(&header, &claims, &key).unwrap()
        };
        let kid = || Header { kid: Some(ours.key_id.clone()), ..Header::new(Algorithm::ES256) };
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

    #[test]
    fn the_published_key_has_an_id_and_a_purpose() {
        let keys = serde_json::to_value(provider(IdentityProfile::default()).keys()).unwrap();
        assert_eq!((&keys["keys"][0]["alg"], &keys["keys"][0]["use"]), (&json!("ES256"), &json!("sig")));
        assert!(keys["keys"][0]["kid"].is_string() && keys["keys"][0].get("d").is_none());
    }
}
