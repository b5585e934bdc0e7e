//! The provider's keys: one that signs, and those before it, as long as they are still published.
//!
//! There is no task for the rotation: the first access after a key's time is over replaces it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{DecodingKey, EncodingKey};
use parking_lot::RwLock;
use tokio::time::Instant;

use super::{ALGORITHM, SigningError};

/// A key pair.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) signing: EncodingKey,
    verifying: DecodingKey,
    published: Jwk,
}

/// All keys that are published.
pub(super) struct KeyRing {
    /// How long a key signs; none: no rotation.
    rotation: Option<Duration>,
    /// How long a retired key stays published.
    grace: Duration,
    keys: RwLock<Keys>,
}

struct Keys {
    current: Arc<Key>,
    since: Instant,
    /// Each with the instant at which it is removed.
    retired: Vec<(Arc<Key>, Instant)>,
}

impl Key {
    fn make() -> Result<Self, SigningError> {
        let failed = |action| move |reason: String| SigningError { action, reason };
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|error| failed("make a key")(error.to_string()))?;
        let signing = EncodingKey::from_ec_der(pair.as_ref());
        let publish = || {
            let mut published = Jwk::from_encoding_key(&signing, ALGORITHM)?;
            let id = published.thumbprint(ThumbprintHash::SHA256)?;
            published.common.key_id = Some(id.clone());
            published.common.public_key_use = Some(PublicKeyUse::Signature);
            Ok((id, DecodingKey::from_jwk(&published)?, published))
        };
        let (id, verifying, published) = publish()
            .map_err(|error: jsonwebtoken::errors::Error| failed("publish its key")(error.to_string()))?;
        Ok(Self { id, signing, verifying, published })
    }
}

impl KeyRing {
    pub(super) fn new(rotation: Option<Duration>, grace: Duration) -> Result<Self, SigningError> {
        let keys = Keys { current: Arc::new(Key::make()?), since: Instant::now(), retired: Vec::new() };
        Ok(Self { rotation, grace, keys: RwLock::new(keys) })
    }

    /// The key that signs, after a rotation that is due.
    pub(super) fn current(&self) -> Result<Arc<Key>, SigningError> {
        self.rotate_if_due()?;
        Ok(Arc::clone(&self.keys.read().current))
    }

    /// A published key by its id.
    pub(super) fn verification_key(&self, id: &str) -> Option<DecodingKey> {
        self.published().find(|key| key.id == id).map(|key| key.verifying.clone())
    }

    /// The published key set.
    pub(super) fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.published().map(|key| key.published.clone()).collect() }
    }

    /// Replaces the signing key and returns the id of the new one.
    pub(super) fn rotate(&self) -> Result<String, SigningError> {
        self.replace(Instant::now(), |_| true)?;
        Ok(self.keys.read().current.id.clone())
    }

    fn published(&self) -> impl Iterator<Item = Arc<Key>> {
        if let Err(error) = self.rotate_if_due() {
            tracing::warn!(%error, "the signing key could not be rotated");
        }
        let (keys, now) = (self.keys.read(), Instant::now());
        let retired = keys.retired.iter().filter(|(_, until)| *until > now).map(|(key, _)| Arc::clone(key));
        let all: Vec<_> = std::iter::once(Arc::clone(&keys.current)).chain(retired).collect();
        all.into_iter()
    }

    fn rotate_if_due(&self) -> Result<(), SigningError> {
        let Some(rotation) = self.rotation else { return Ok(()) };
        let end = self.keys.read().since + rotation;
        if Instant::now() < end { Ok(()) } else { self.replace(end, |keys| keys.since + rotation == end) }
    }

    /// Retires the current key as of `end`, if it is still `due`: another thread may have done so.
    fn replace(&self, end: Instant, due: impl Fn(&Keys) -> bool) -> Result<(), SigningError> {
        let next = Arc::new(Key::make()?);
        let (mut keys, now) = (self.keys.write(), Instant::now());
        if due(&keys) {
            let last = std::mem::replace(&mut keys.current, next);
            keys.since = now;
            keys.retired.retain(|(_, until)| *until > now);
            keys.retired.push((last, end + self.grace));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_secs(100);
    const GRACE: Duration = Duration::from_secs(30);

    fn ids(ring: &KeyRing) -> Vec<String> {
        ring.jwks().keys.into_iter().filter_map(|key| key.common.key_id).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn keys_take_turns_and_the_last_one_stays_for_a_while() {
        let ring = KeyRing::new(Some(TURN), GRACE).unwrap();
        let first = ring.current().unwrap().id.clone();
        tokio::time::advance(TURN - Duration::from_secs(1)).await;
        assert_eq!(ids(&ring), std::slice::from_ref(&first));
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = ring.current().unwrap().id.clone();
        assert_eq!(ids(&ring), [second.clone(), first.clone()]);
        assert!(ring.verification_key(&first).is_some() && ring.verification_key(&second).is_some());
        tokio::time::advance(GRACE).await;
        assert_eq!(ids(&ring), std::slice::from_ref(&second));
        assert!(ring.verification_key(&first).is_none() && ring.verification_key(&second).is_some());
        // Nobody has looked for long: the grace counts from the end of the rotation, not from now.
        tokio::time::advance(TURN * 5).await;
        let third = ring.current().unwrap().id.clone();
        assert_eq!(ids(&ring), [third]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_changed_when_told() {
        let ring = KeyRing::new(None, GRACE).unwrap();
        let first = ring.current().unwrap().id.clone();
        tokio::time::advance(TURN * 1_000).await;
        assert_eq!(ring.current().unwrap().id, first, "for ever");
        let (second, third) = (ring.rotate().unwrap(), ring.rotate().unwrap());
        assert_eq!(ids(&ring), [third.clone(), first, second]);
        tokio::time::advance(GRACE).await;
        assert_eq!(ids(&ring), [third]);
    }

    #[tokio::test]
    async fn many_who_look_at_once_change_it_once() {
        let ring = Arc::new(KeyRing::new(Some(Duration::from_secs(3_600)), GRACE).unwrap());
        ring.keys.write().since = Instant::now() - Duration::from_secs(3_600);
        let lookers = (0..8).map(|_| {
            let ring = Arc::clone(&ring);
            tokio::task::spawn_blocking(move || ring.current().unwrap().id.clone())
        });
        let seen = futures_util::future::join_all(lookers).await;
        let id = ring.current().unwrap().id.clone();
        assert!(seen.into_iter().all(|seen| seen.unwrap() == id));
    }
}
