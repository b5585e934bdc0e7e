//! What a token is, when it ends and whose it is: read from the token itself.

use jsonwebtoken::dangerous::insecure_decode_claims;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Whether a text may be a token: printable ASCII without spaces, and not nothing.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `exp` of a JWT in seconds since 1970; `None` for whatever else a token may be. Nothing is verified: that is the
/// target's business, and all that is wanted here is when to have a new one.
#[must_use]
pub fn expiry(token: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let claims: Claims = insecure_decode_claims(token).ok()?;
    (claims.exp >= 0.0).then_some(claims.exp as u64)
}

/// A claim of a JWT that is a text or a number, e.g. `sub`; `None` for whatever else a token may be. Nothing is verified.
#[must_use]
pub fn claim(token: &str, name: &str) -> Option<String> {
    let claims: Map<String, Value> = insecure_decode_claims(token).ok()?;
    match claims.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_a_token_with_an_end_has_one() {
        let token =
            |claims| encode(&Header::default(), &claims, &EncodingKey::from_secret(b"k")).unwrap_or_default();
        assert_eq!(expiry(&token(json!({ "exp": 1_700_000_000 }))), Some(1_700_000_000));
        assert_eq!(expiry(&token(json!({ "exp": 1_700_000_000.5 }))), Some(1_700_000_000));
        for endless in [token(json!({ "sub": "p" })), token(json!({ "exp": "soon" })), "14000000ab".into()] {
            assert_eq!(expiry(&endless), None, "{endless}");
        }
        let named = token(json!({ "sub": "jürgen", "username": 7, "roles": [] }));
        let claims = ["sub", "username", "roles", "iss"].map(|name| claim(&named, name));
        assert_eq!(claims, [Some("jürgen".into()), Some("7".into()), None, None]);
        assert_eq!(claim("14000000ab", "sub"), None);
    }
}
