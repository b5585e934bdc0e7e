//! What makes a player's token good, whoever issued it.
//!
//! The local identity provider and the one for AWS differ in where keys come from; the judgement is the same code.
//! No error text ever contains a token.

use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::ports::{IdentityError, PlayerIdentity};

/// What a token must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// The only accepted `alg`. The token's own word is not believed, or a forger would choose.
    pub algorithm: Algorithm,
    /// The only accepted `iss`.
    pub issuer: String,
    /// The accepted `aud`.
    pub audience: String,
    /// Seconds by which the issuer's clock may differ from ours.
    pub leeway_s: u64,
}

impl TokenRules {
    /// Id of the key that the token claims to be signed with.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] if it is no token, signed otherwise than expected, or names no key.
    pub fn key_id(&self, token: &str) -> Result<String, IdentityError> {
        let header = decode_header(token).map_err(invalid)?;
        if header.alg != self.algorithm {
            return Err(IdentityError::Invalid(format!("it is not signed with {:?}", self.algorithm)));
        }
        header.kid.ok_or_else(|| IdentityError::Invalid("it names no key".into()))
    }

    /// The player (`sub`) of a token that was signed with this key and is meant for us, now.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] with what is wrong.
    pub fn player(&self, token: &str, key: &DecodingKey) -> Result<PlayerIdentity, IdentityError> {
        #[derive(Deserialize)]
        struct Subject {
            sub: String,
        }
        let mut validation = Validation::new(self.algorithm);
        validation.leeway = self.leeway_s;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        let token = decode::<Subject>(token, key, &validation).map_err(invalid)?;
        Ok(PlayerIdentity { player_id: token.claims.sub })
    }
}

fn invalid(error: Error) -> IdentityError {
    IdentityError::Invalid(error.to_string())
}
