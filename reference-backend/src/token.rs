//! The validation of players' tokens.
//!
//! The local identity provider and the one for AWS differ in the source of the keys only; the validation is the same code.
//! Issuers use different claims, so the rules name the claims of audience and player. No error text contains a token or
//! one of its claims.
//!
//! ```
//! use jsonwebtoken::Algorithm;
//! use reference_backend::token::{Issuer, TokenRules};
//!
//! // Epic Online Services: `iss` names a deployment below this URL, `sub` is the product user id.
//! let epic = TokenRules::new(Algorithm::RS256, Issuer::new("https://api.epicgames.dev/*"), "CLIENT_ID");
//! // An access token of a Cognito user pool: it has `client_id` instead of `aud`, and says what it is for.
//! let pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_POOL";
//! let cognito = TokenRules {
//!     audience_claim: "client_id".into(),
//!     required: vec![("token_use".into(), "access".into())],
//!     player_claim: "username".into(),
//!     ..TokenRules::new(Algorithm::RS256, Issuer::new(pool), "CLIENT_ID")
//! };
//! # assert_ne!(epic, cognito);
//! ```

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

use crate::ports::{IdentityError, PlayerIdentity};

/// The registered claim for the audience of a token; it may be a list.
pub const AUDIENCE_CLAIM: &str = "aud";
/// The registered claim for the subject of a token.
pub const PLAYER_CLAIM: &str = "sub";

/// The rules for a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// The only accepted `alg`. The token's own header does not decide, because a forger could choose it.
    pub algorithm: Algorithm,
    /// The accepted issuer.
    pub issuer: Issuer,
    /// The accepted audience.
    pub audience: String,
    /// The claim with the audience.
    pub audience_claim: String,
    /// Claims that must have these values.
    pub required: Vec<(String, String)>,
    /// The claim that has the player's id.
    pub player_claim: String,
    /// Seconds by which the issuer's clock may differ from ours.
    pub leeway_s: u64,
}

/// The accepted `iss`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// This one.
    Exactly(String),
    /// This URL, and every one below it.
    Below(String),
}

impl Issuer {
    /// An issuer; `/*` at the end accepts every issuer below it.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        match pattern.strip_suffix("/*") {
            Some(root) => Self::Below(root.to_owned()),
            None => Self::Exactly(pattern.to_owned()),
        }
    }

    fn covers(&self, issuer: &str) -> bool {
        match self {
            Self::Exactly(name) => issuer == name,
            // Only at a slash: a prefix alone would also cover `https://id.example.evil.net`.
            Self::Below(root) => issuer
                .strip_prefix(root.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

impl TokenRules {
    /// Rules for tokens that use the registered claims.
    #[must_use]
    pub fn new(algorithm: Algorithm, issuer: Issuer, audience: impl Into<String>) -> Self {
        Self {
            algorithm,
            issuer,
            audience: audience.into(),
            audience_claim: AUDIENCE_CLAIM.into(),
            required: Vec::new(),
            player_claim: PLAYER_CLAIM.into(),
            leeway_s: 0,
        }
    }

    /// Id of the key that the token claims to be signed with.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] if it is not a token, has another algorithm, or has no key id.
    pub fn key_id(&self, token: &str) -> Result<String, IdentityError> {
        let header = decode_header(token).map_err(invalid)?;
        if header.alg != self.algorithm {
            return Err(IdentityError::Invalid(format!("it is not signed with {:?}", self.algorithm)));
        }
        header.kid.ok_or_else(|| IdentityError::Invalid("it names no key".into()))
    }

    /// Validates a token against its key and the rules, and returns its player.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] with what is wrong.
    pub fn player(&self, token: &str, key: &DecodingKey) -> Result<PlayerIdentity, IdentityError> {
        let mut validation = Validation::new(self.algorithm);
        validation.leeway = self.leeway_s;
        validation.validate_nbf = true;
        // Issuer and audience are validated below: the library knows neither issuer patterns nor other claims.
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp"]);
        let claims = decode::<Map<String, Value>>(token, key, &validation).map_err(invalid)?.claims;
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
        if !text("iss").is_some_and(|issuer| self.issuer.covers(issuer)) {
            return wrong("iss");
        }
        if !claims.get(self.audience_claim.as_str()).is_some_and(|audience| self.is_meant(audience)) {
            return wrong(&self.audience_claim);
        }
        if let Some((claim, _)) = self.required.iter().find(|(claim, value)| text(claim) != Some(value)) {
            return wrong(claim);
        }
        match text(&self.player_claim) {
            Some(player) if !player.is_empty() => Ok(PlayerIdentity { player_id: player.to_owned() }),
            _ => wrong(&self.player_claim),
        }
    }

    /// The audience is a text or a list.
    fn is_meant(&self, audience: &Value) -> bool {
        match audience {
            Value::String(one) => *one == self.audience,
            Value::Array(many) => many.iter().any(|one| one.as_str() == Some(&self.audience)),
            _ => false,
        }
    }
}

fn wrong<T>(claim: &str) -> Result<T, IdentityError> {
    Err(IdentityError::Invalid(format!("its claim {claim} is missing or not the expected one")))
}

fn invalid(error: Error) -> IdentityError {
    let reason = match error.kind() {
        // These errors quote the token.
        ErrorKind::Base64(_) | ErrorKind::Json(_) | ErrorKind::Utf8(_) => "it cannot be read".into(),
        _ => error.to_string(),
    };
    IdentityError::Invalid(reason)
}

#[cfg(test)]
mod tests;
