//! Secrets do not belong into a scenario: the file, its overrides and the command line are kept in the run folder.
//!
//! What looks like one is refused with the remedy, and taken out of the document before anything else is said about it,
//! so that no message repeats it.

use documents::{Document, Mistake, child, parse_value};
use serde_json::Value;
use url::Url;

use crate::Override;
use crate::variables;

/// Keys under `[auth]` that would hold a secret.
const SECRET_KEYS: [&str; 18] = [
    "key",
    "secret",
    "token",
    "tokens",
    "jwt",
    "bearer",
    "ticket",
    "password",
    "passphrase",
    "private_key",
    "secret_key",
    "hmac_secret",
    "client_secret",
    "api_key",
    "access_key",
    "access_key_id",
    "secret_access_key",
    "session_token",
];
/// Keys of the scenario that merely look so: a column's name.
const HARMLESS: [&str; 1] = ["/auth/feeder/token"];
/// Query parameters that carry credentials.
const SECRET_PARAMETERS: [&str; 12] = [
    "token",
    "access_token",
    "id_token",
    "jwt",
    "ticket",
    "auth",
    "authorization",
    "key",
    "api_key",
    "password",
    "x-amz-signature",
    "x-amz-security-token",
];
/// What stands in a secret's place.
const REMOVED: &str = "…";

const IN_FILE: &str = "write ${VAR}, which is filled in from the environment and never kept; or put the secret into a file or the environment, and name it here: auth.mint.key_file, auth.feeder.file, auth.command.argv; AWS credentials come from the standard AWS chain";
const IN_URL: &str = "write ${VAR} for it, which is filled in from the environment and never kept; or take it out of the URL: give tokens with [auth.feeder] (cycle = true for a single one) and auth.placement = { query = \"NAME\" }";

/// Takes whatever looks like a secret out of the document, and tells where it stood.
pub(crate) fn remove(document: &mut Document) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut value = std::mem::take(&mut document.value);
    walk(&mut value, "", &mut found);
    document.value = value;
    found.into_iter().map(|(pointer, problem, remedy)| document.mistake(&pointer, problem, remedy)).collect()
}

/// An override as it may be shown.
pub(crate) fn shown(set: &Override) -> String {
    let pointer = set.key.split('.').fold(String::new(), |pointer, part| child(&pointer, part));
    let mut found = Vec::new();
    walk(&mut parse_value(&set.value), &pointer, &mut found);
    let value = if found.is_empty() { &set.value } else { REMOVED };
    format!("--set {}={value}", set.key)
}

type Found = (String, &'static str, &'static str);

fn walk(value: &mut Value, pointer: &str, found: &mut Vec<Found>) {
    match value {
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, inner)| walk(inner, &child(pointer, key), found));
        }
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .for_each(|(index, inner)| walk(inner, &child(pointer, &index.to_string()), found)),
        Value::String(text) => {
            if let Some((problem, remedy)) = judge(pointer, text) {
                found.push((pointer.to_owned(), problem, remedy));
                REMOVED.clone_into(text);
            }
        }
        _ => {}
    }
}

/// Why a value is taken for a secret, and what to do instead.
fn judge(pointer: &str, text: &str) -> Option<(&'static str, &'static str)> {
    // What comes from the environment is not in the file.
    let text = &variables::without(text);
    let key = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let named = pointer.starts_with("/auth/")
        && !pointer.starts_with("/auth/mint/claims/")
        && !HARMLESS.contains(&pointer)
        && SECRET_KEYS.contains(&key.as_str());
    if (named && !text.is_empty()) || is_secret(text) {
        return Some(("holds a secret, which would be kept in the run folder", IN_FILE));
    }
    let url = Url::parse(text).ok().filter(Url::has_host)?;
    let carries = |name: &str| SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str());
    let in_url = !url.username().is_empty()
        || url.password().is_some_and(|password| !password.is_empty())
        || url.query_pairs().any(|(name, value)| carries(&name) && !value.is_empty());
    in_url.then_some(("carries a secret in the URL, which would be kept in the run folder", IN_URL))
}

/// A private key, a JWT or an AWS access key, whatever key it stands under.
pub(crate) fn is_secret(text: &str) -> bool {
    let word = text.rsplit(' ').next().unwrap_or_default();
    let jwt = word.starts_with("eyJ") && word.matches('.').count() == 2 && word.len() > 40;
    let aws = (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.len() == 20
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    jwt || aws || (text.contains("-----BEGIN") && text.contains("PRIVATE KEY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_names_and_files() {
        let jwt = format!("eyJ{}.eyJ{}.{}", "a".repeat(20), "b".repeat(20), "c".repeat(20));
        for (pointer, text) in [
            ("/auth/mint/secret", "hunter2"),
            ("/auth/token", "abc"),
            ("/name", jwt.as_str()),
            ("/auth/command/argv/1", &format!("Bearer {jwt}")),
            ("/description", "-----BEGIN EC PRIVATE KEY-----\nabc"),
            ("/auth/sigv4/region", "AKIAIOSFODNN7EXAMPLE"),
            ("/target/url", "wss://ann:pw@example.com/"),
            ("/target/url", "wss://hunter2@example.com/"),
            ("/target/url", "wss://example.com/?Token=abc"),
            ("/target/url", "wss://example.com/?token=${T:-abc}"),
        ] {
            assert!(judge(pointer, text).is_some(), "{pointer}");
        }
        for (pointer, text) in [
            ("/auth/feeder/token", "ticket"),
            ("/auth/mint/key_file", "secret.pem"),
            ("/auth/mint/claims/key", "blue"),
            ("/auth/mint/key_id", "k-1"),
            ("/target/url", "wss://example.com/?version=2"),
            ("/target/url", "wss://example.com/?token=${TOKEN}"),
            ("/target/url", "wss://${USER}:${PASSWORD}@example.com/"),
            ("/description", "tokens: see eyJ"),
            ("/auth/issuer", "http://127.0.0.1:8081"),
        ] {
            assert!(judge(pointer, text).is_none(), "{pointer}");
        }
    }
}
