//! Tokens as Cognito, Epic Online Services and the local provider issue them, and everything that is no such token.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;

const POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_POOL";
const LONG: u64 = 4_000_000_000;

/// A provider: its key pair, and what its good tokens say.
struct Provider {
    rules: TokenRules,
    signing: EncodingKey,
    /// Public, as everybody can read it.
    public: Vec<u8>,
    checking: DecodingKey,
    claims: Value,
}

impl Provider {
    fn new(rules: TokenRules, claims: Value) -> Self {
        let random = SystemRandom::new();
        let (signing, public) = match rules.algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
                let public =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.as_ref()).unwrap();
                (EncodingKey::from_ec_der(pair.as_ref()), public.public_key().as_ref().to_vec())
            }
            _ => {
                let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
                let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
                let body = BASE64_STANDARD.encode(der.as_ref());
                let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
                (EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), pair.public_key().as_ref().to_vec())
            }
        };
        let published = Jwk::from_encoding_key(&signing, rules.algorithm).unwrap();
        let checking = DecodingKey::from_jwk(&published).unwrap();
        Self { rules, signing, public, checking, claims }
    }

    /// A token with these claims changed; `null` takes one away.
    fn token(&self, change: &Value) -> String {
        self.signed(&self.header(), change, &self.signing)
    }

    fn header(&self) -> Header {
        Header { kid: Some("k".into()), ..Header::new(self.rules.algorithm) }
    }

    fn signed(&self, header: &Header, change: &Value, key: &EncodingKey) -> String {
        let mut claims = self.claims.as_object().unwrap().clone();
        for (claim, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.remove(claim)),
                value => drop(claims.insert(claim.clone(), value.clone())),
            }
        }
        encode(header, &claims, key).unwrap()
    }

    fn judge(&self, token: &str) -> Result<String, String> {
        let judged = self.rules.key_id(token).and_then(|_| self.rules.player(token, &self.checking));
        match judged {
            Ok(player) => Ok(player.player_id),
            Err(IdentityError::Invalid(reason)) => Err(reason),
            Err(other) => panic!("{other}"),
        }
    }
}

fn epic() -> Provider {
    let issuer = Issuer::new("https://api.epicgames.dev/*");
    let claims = json!({ "iss": "https://api.epicgames.dev/auth/v1/oauth", "aud": "CLIENT", "sub": "0002abcd",
        "exp": LONG, "nbf": 1, "act": { "pltfm": "steam" } });
    Provider::new(TokenRules::new(Algorithm::RS256, issuer, "CLIENT"), claims)
}

fn cognito() -> Provider {
    let rules = TokenRules {
        audience_claim: "client_id".into(),
        required: vec![("token_use".into(), "access".into())],
        player_claim: "username".into(),
        ..TokenRules::new(Algorithm::RS256, Issuer::new(POOL), "CLIENT")
    };
    let claims = json!({ "iss": POOL, "client_id": "CLIENT", "token_use": "access", "username": "ann",
        "sub": "a-uuid", "exp": LONG });
    Provider::new(rules, claims)
}

fn local() -> Provider {
    let rules = TokenRules::new(Algorithm::ES256, Issuer::new("https://identity.local"), "backend");
    let claims = json!({ "iss": "https://identity.local", "aud": "backend", "sub": "ann", "exp": LONG });
    Provider::new(rules, claims)
}

#[test]
fn each_provider_names_its_players_its_own_way() {
    for (provider, player) in [(epic(), "0002abcd"), (cognito(), "ann"), (local(), "ann")] {
        assert_eq!(provider.judge(&provider.token(&json!({}))), Ok(player.into()));
        let (audience, name) = (provider.rules.audience_claim.clone(), provider.rules.player_claim.clone());
        assert!(
            provider.judge(&provider.token(&json!({ audience: ["other", "CLIENT", "backend"] }))).is_ok()
        );
        assert!(provider.judge(&provider.token(&json!({ name.clone(): "" }))).unwrap_err().contains(&name));
        assert!(provider.judge(&provider.token(&json!({ name.clone(): 7 }))).unwrap_err().contains(&name));
    }
}

#[test]
fn times_and_claims_are_checked() {
    for provider in [epic(), cognito(), local()] {
        let audience = provider.rules.audience_claim.clone();
        for (change, told) in [
            (json!({ "exp": 1 }), "Expired"),
            (json!({ "exp": null }), "exp"),
            (json!({ "exp": "soon" }), ""),
            (json!({ "nbf": LONG }), "Immature"),
            (json!({ audience.clone(): "other" }), audience.as_str()),
            (json!({ audience.clone(): null }), audience.as_str()),
            (json!({ audience.clone(): [] }), audience.as_str()),
            (json!({ audience.clone(): { "CLIENT": true } }), audience.as_str()),
            (json!({ "iss": "https://evil.example" }), "iss"),
            (json!({ "iss": null }), "iss"),
            (json!({ provider.rules.player_claim.clone(): null }), provider.rules.player_claim.as_str()),
        ] {
            let reason = provider.judge(&provider.token(&change)).unwrap_err();
            assert!(reason.contains(told), "{change}: {reason}");
            assert!(!reason.contains("evil"), "{reason}");
        }
    }
    let cognito = cognito();
    for change in [json!({ "token_use": "id" }), json!({ "token_use": null })] {
        assert!(cognito.judge(&cognito.token(&change)).unwrap_err().contains("token_use"));
    }
    // The id token of a pool has `aud`, and must not pass where access tokens are wanted.
    let id = json!({ "token_use": "id", "client_id": null, "aud": "CLIENT" });
    assert!(cognito.judge(&cognito.token(&id)).is_err());
}

#[test]
fn clocks_may_differ_by_the_leeway() {
    let mut provider = local();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (late, early) =
        (provider.token(&json!({ "exp": now - 10 })), provider.token(&json!({ "nbf": now + 100 })));
    assert!(provider.judge(&late).is_err() && provider.judge(&early).is_err());
    provider.rules.leeway_s = 1_000;
    assert!(provider.judge(&late).is_ok() && provider.judge(&early).is_ok());
}

#[test]
fn a_family_of_issuers_ends_at_a_slash() {
    let family = Issuer::new("https://api.epicgames.dev/*");
    for member in ["https://api.epicgames.dev", "https://api.epicgames.dev/", "https://api.epicgames.dev/a/b"]
    {
        assert!(family.covers(member), "{member}");
    }
    for stranger in
        ["https://api.epicgames.dev.evil.net/a", "https://api.epicgames.devil", "https://api.epic", ""]
    {
        assert!(!family.covers(stranger), "{stranger}");
    }
    assert!(!Issuer::new("https://a").covers("https://a/b") && Issuer::new("https://a").covers("https://a"));
}

#[test]
fn the_tokens_own_word_on_its_algorithm_is_not_believed() {
    for provider in [epic(), cognito(), local()] {
        // Key confusion: the public key, which everybody has, taken for a shared secret.
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = Header { alg: algorithm, ..provider.header() };
            let forged = provider.signed(&header, &json!({}), &EncodingKey::from_secret(&provider.public));
            let reason = provider.judge(&forged).unwrap_err();
            assert!(reason.contains("not signed with"), "{reason}");
            // And where nobody looks at the header first.
            assert!(provider.rules.player(&forged, &provider.checking).is_err());
        }
        for none in ["none", "None", "NONE", ""] {
            let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
            let header = part(&json!({ "alg": none, "typ": "JWT", "kid": "k" }));
            for signature in ["", "x"] {
                let token = format!("{header}.{}.{signature}", part(&provider.claims));
                assert!(provider.judge(&token).is_err(), "{none}");
                assert!(provider.rules.player(&token, &provider.checking).is_err(), "{none}");
            }
        }
    }
    // Another algorithm of the same family, signed with the right key.
    let epic = epic();
    let header = Header { alg: Algorithm::RS512, ..epic.header() };
    let token = epic.signed(&header, &json!({}), &epic.signing);
    assert!(epic.judge(&token).is_err() && epic.rules.player(&token, &epic.checking).is_err());
}

#[test]
fn forged_and_broken_tokens_are_refused_without_quoting_them() {
    for (provider, twin) in [(epic(), epic()), (cognito(), cognito()), (local(), local())] {
        let token = provider.token(&json!({}));
        assert!(provider.judge(&twin.token(&json!({}))).is_err(), "another key");
        let nameless = Header { kid: None, ..provider.header() };
        let nameless = provider.signed(&nameless, &json!({}), &provider.signing);
        assert_eq!(provider.judge(&nameless), Err("it names no key".into()));
        let parts: Vec<&str> = token.split('.').collect();
        let other = twin.token(&json!({ "sub": "eve", "username": "eve" }));
        let swapped = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
        let cut = &token[..token.len() - 4];
        for wrong in [swapped.as_str(), cut, parts[0], "", "..", "secret.secret.secret", "secret"] {
            let reason = provider.judge(wrong).unwrap_err();
            assert!(!reason.contains("secret") && !reason.contains(parts[1]), "{reason}");
        }
    }
}
