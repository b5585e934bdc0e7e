//! Tokens that are signed here: the key, the claims, and the check that they fit before anything is sent.

use std::fmt;
use std::path::Path;

use jsonwebtoken::{AlgorithmFamily, EncodingKey, Header, encode};
use serde_json::{Map, Value};

use crate::keys::auth::{Algorithm, Mint};

/// Claims that are set for each player.
const OWN_CLAIMS: [&str; 5] = ["sub", "iat", "exp", "iss", "aud"];

/// Signs players' tokens.
pub struct Minter {
    key: EncodingKey,
    header: Header,
    lifetime_s: u64,
    claims: Map<String, Value>,
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter").field("algorithm", &self.header.alg).finish_non_exhaustive()
    }
}

/// Why no token can be signed: the key of `[auth.mint]` that is to blame, the problem and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MintMistake {
    pub(crate) key: &'static str,
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

impl Minter {
    /// Reads the key and signs a token for trial.
    pub(crate) fn new(mint: &Mint, file: &Path) -> Result<Self, MintMistake> {
        let wrong = |key, problem: String, remedy: &str| MintMistake { key, problem, remedy: remedy.into() };
        if let Some(claim) = OWN_CLAIMS.iter().find(|claim| mint.claims.contains_key(**claim)) {
            return Err(wrong(
                "claims",
                format!("`{claim}` is set for each player"),
                "use auth.mint.issuer, audience and lifetime; take the claim out",
            ));
        }
        let bytes = std::fs::read(file).map_err(|error| {
            wrong(
                "key_file",
                format!("`{}` cannot be read: {error}", mint.key_file),
                "give a file that you may read",
            )
        })?;
        let algorithm = algorithm(mint.algorithm);
        let key = key(&readable(bytes), algorithm.family()).map_err(|problem| {
            wrong(
                "key_file",
                format!("`{}` is not a private key for {algorithm:?}: {problem}", mint.key_file),
                remedy(algorithm.family()),
            )
        })?;
        let mut claims = mint.claims.clone();
        for (claim, value) in [("iss", &mint.issuer), ("aud", &mint.audience)] {
            if let Some(value) = value {
                claims.insert(claim.into(), Value::String(value.clone()));
            }
        }
        let header = Header { kid: mint.key_id.clone(), ..Header::new(algorithm) };
        let minter = Self { key, header, lifetime_s: mint.lifetime.0.as_secs(), claims };
        minter.token("trial", 0).map_err(|problem| {
            wrong(
                "key_file",
                format!("`{}` does not sign with {algorithm:?}: {problem}", mint.key_file),
                remedy(algorithm.family()),
            )
        })?;
        Ok(minter)
    }

    /// A player's token, signed at `now` (seconds since 1970).
    ///
    /// # Errors
    /// What the signing library says, without the key.
    pub fn token(&self, player: &str, now: u64) -> Result<String, String> {
        let mut claims: Map<String, Value> =
            self.claims.iter().map(|(claim, value)| (claim.clone(), for_player(value, player))).collect();
        claims.insert("sub".into(), player.into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), now.saturating_add(self.lifetime_s).into());
        encode(&self.header, &claims, &self.key).map_err(|error| error.to_string())
    }
}

/// A claim's value with `{player}` filled in, however deep it stands.
fn for_player(value: &Value, player: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{player}", player)),
        Value::Array(items) => items.iter().map(|item| for_player(item, player)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), for_player(value, player))).collect()
        }
        plain => plain.clone(),
    }
}

/// A PEM file without the marks and the encoding of an editor; everything else as it is.
fn readable(bytes: Vec<u8>) -> Vec<u8> {
    match documents::text::decode(bytes.clone()) {
        Ok(text) if text.contains("-----BEGIN") => text.into_bytes(),
        _ => bytes,
    }
}

fn key(bytes: &[u8], family: AlgorithmFamily) -> Result<EncodingKey, String> {
    let pem = bytes.windows(10).any(|window| window == b"-----BEGIN");
    let key = match (family, pem) {
        (AlgorithmFamily::Hmac, true) => return Err("it is a PEM file, not an HMAC secret".into()),
        (AlgorithmFamily::Hmac, false) => {
            // An editor's newline at the end is not part of the secret.
            let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
            if secret.is_empty() {
                return Err("it is empty".into());
            }
            if secret.starts_with(b"\xef\xbb\xbf") {
                return Err("it begins with a byte order mark, which would be a part of the secret".into());
            }
            Ok(EncodingKey::from_secret(secret))
        }
        (AlgorithmFamily::Rsa, true) => EncodingKey::from_rsa_pem(bytes),
        (AlgorithmFamily::Ec, true) => EncodingKey::from_ec_pem(bytes),
        (AlgorithmFamily::Ed, true) => EncodingKey::from_ed_pem(bytes),
        (AlgorithmFamily::Rsa, false) => Ok(EncodingKey::from_rsa_der(bytes)),
        (AlgorithmFamily::Ec, false) => Ok(EncodingKey::from_ec_der(bytes)),
        (AlgorithmFamily::Ed, false) => Ok(EncodingKey::from_ed_der(bytes)),
    };
    key.map_err(|error| error.to_string())
}

const fn remedy(family: AlgorithmFamily) -> &'static str {
    match family {
        AlgorithmFamily::Hmac => "give a file with the secret's bytes and nothing else",
        AlgorithmFamily::Rsa => {
            "give an RSA private key in PEM, or PKCS #1 in DER: `openssl genrsa -traditional -out key.pem 2048`"
        }
        AlgorithmFamily::Ec => {
            "give a PKCS #8 private key on the algorithm's curve: `openssl pkcs8 -topk8 -nocrypt -in old.pem -out key.pem`"
        }
        AlgorithmFamily::Ed => {
            "give an Ed25519 private key: `openssl genpkey -algorithm ed25519 -out key.pem`"
        }
    }
}

const fn algorithm(named: Algorithm) -> jsonwebtoken::Algorithm {
    use jsonwebtoken::Algorithm as Jwt;
    match named {
        Algorithm::Hs256 => Jwt::HS256,
        Algorithm::Hs384 => Jwt::HS384,
        Algorithm::Hs512 => Jwt::HS512,
        Algorithm::Es256 => Jwt::ES256,
        Algorithm::Es384 => Jwt::ES384,
        Algorithm::Rs256 => Jwt::RS256,
        Algorithm::Rs384 => Jwt::RS384,
        Algorithm::Rs512 => Jwt::RS512,
        Algorithm::Ps256 => Jwt::PS256,
        Algorithm::Ps384 => Jwt::PS384,
        Algorithm::Ps512 => Jwt::PS512,
        Algorithm::EdDsa => Jwt::EdDSA,
    }
}
