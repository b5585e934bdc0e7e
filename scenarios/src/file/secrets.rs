//! Secrets do not belong into a scenario: the file, its overrides and the command line are kept in the run folder.
//!
//! What looks like one is refused with the remedy, and taken out of the document before anything else is said about it,
//! so that no message repeats it.

use documents::{Document, Mistake, child, parse_value};
use serde_json::Value;
use url::Url;

use super::overrides::Override;
use super::variables;
use crate::redact::{self, HIDDEN};

/// Keys that would hold a secret, wherever they stand.
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
/// Headers whose values are no secrets.
const HARMLESS_HEADERS: [&str; 4] = ["accept", "accept-language", "origin", "user-agent"];
/// Keys of the scenario that merely look so: a column's name.
const HARMLESS: [&str; 1] = ["/auth/feeder/token"];
/// Words in a header's name that say that its value proves who somebody is.
const SECRET_HEADERS: [&str; 19] = [
    "apikey",
    "auth",
    "authentication",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "key",
    "password",
    "secret",
    "session",
    "sessionid",
    "signature",
    "sig",
    "ticket",
    "token",
    "tokens",
];
const IN_HEADER: &str =
    "write ${VAR} for it, or take it from outside: { env = \"NAME\" } or { file = \"PATH\" }";
const IN_PROXY: &str = "write target.proxy = \"env\", and the whole URL into HTTPS_PROXY";
const IN_FILE: &str = "write ${VAR}, which is filled in from the environment and never kept; or put the secret into a file or the environment, and name it here: auth.mint.key_file, auth.feeder.file, auth.command.argv; AWS credentials come from the standard AWS chain";
const IN_URL: &str = "write ${VAR} for it, which is filled in from the environment and never kept; or take it out of the URL: give tokens with [auth.feeder] (cycle = true for a single one) and auth.placement = { query = \"NAME\" }; a parameter that is not a secret is named in target.harmless_parameters";
const IN_QUERY: &str =
    "carries what may be a secret in the URL (a user, or a parameter), which would be kept in the run folder";
/// Where a scenario lists query parameters that are no secrets.
const LISTED: &str = "/target/harmless_parameters";
/// The command that prints tokens: its arguments may be secrets, and are kept hidden instead of being refused.
const ARGV: &str = "/auth/command/argv";

/// Takes whatever looks like a secret out of the document, and tells where it stood.
pub(crate) fn remove(document: &mut Document) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut value = std::mem::take(&mut document.value);
    let listed = listed(&value);
    walk(&mut value, "", &listed, &mut found);
    document.value = value;
    found.into_iter().map(|(pointer, problem, remedy)| document.mistake(&pointer, problem, remedy)).collect()
}

/// The parameters that the scenario itself lists as harmless.
fn listed(document: &Value) -> Vec<String> {
    let names = document.pointer(LISTED).and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_ascii_lowercase).collect()
}

/// An override as it may be shown.
pub(crate) fn shown(set: &Override) -> String {
    format!("--set {}={}", set.key, shown_value(set))
}

/// The value of an override as it may be shown.
pub(crate) fn shown_value(set: &Override) -> String {
    let pointer = set.key.split('.').fold(String::new(), |pointer, part| child(&pointer, part));
    let mut value = parse_value(&set.value);
    let mut found = Vec::new();
    walk(&mut value, &pointer, &[], &mut found);
    if !found.is_empty() {
        return HIDDEN.into();
    }
    if hide(&mut value, &pointer) {
        return toml::Value::try_from(&value).map_or_else(|_| HIDDEN.into(), |value| value.to_string());
    }
    redact::text(&set.value).into_owned()
}

/// Hides what a checked scenario may hold and a run folder may not; tells whether there was anything.
pub(crate) fn hide(value: &mut Value, pointer: &str) -> bool {
    match value {
        Value::Object(map) => {
            map.iter_mut().fold(false, |found, (key, inner)| hide(inner, &child(pointer, key)) || found)
        }
        Value::Array(items) if pointer == ARGV => {
            let kept = redact::arguments(items.iter().map(|item| item.as_str().unwrap_or_default()));
            let kept = Value::from(kept);
            let found = *items != *kept.as_array().map_or(&[][..], Vec::as_slice);
            *value = kept;
            found
        }
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .fold(false, |found, (index, inner)| hide(inner, &child(pointer, &index.to_string())) || found),
        Value::String(text) => {
            let kept = hidden(pointer, text);
            let found = kept.is_some();
            kept.into_iter().for_each(|kept| *text = kept);
            found
        }
        _ => false,
    }
}

/// Has the document keep nothing that a run folder may not hold. A variable's name stays: it can be filled in again.
pub(crate) fn keep_hidden(document: &mut Document) {
    let before = document.kept_value();
    let mut after = before.clone();
    if !hide(&mut after, "") {
        return;
    }
    let mut texts = Vec::new();
    variables::collect(&before, "", &mut |pointer, text| {
        if !text.contains("${") {
            texts.push((pointer.to_owned(), text.to_owned()));
        }
    });
    for (pointer, text) in texts {
        if let Some(kept) = after.pointer(&pointer).and_then(Value::as_str).filter(|kept| *kept != text) {
            document.keep(&pointer, kept.to_owned());
        }
    }
}

/// A string as it is kept, where that is not as it stands. A URL was looked at when the scenario was checked.
fn hidden(pointer: &str, text: &str) -> Option<String> {
    if pointer.strip_prefix(ARGV).is_some_and(|item| item.starts_with('/')) {
        // One of its arguments alone, which an override may name.
        let program = pointer.ends_with("/0");
        let kept = redact::arguments(if program { vec![text] } else { vec!["", "-", text] });
        return kept.last().filter(|kept| *kept != text).cloned();
    }
    let mut parents = pointer.rsplit('/');
    let name = parents.next().unwrap_or_default().to_ascii_lowercase();
    if parents.next() == Some("headers") && !HARMLESS_HEADERS.contains(&name.as_str()) {
        return (text != HIDDEN).then(|| HIDDEN.into());
    }
    if Url::parse(text).is_ok_and(|url| url.has_host()) {
        return None;
    }
    let kept = redact::text(text);
    (kept != text).then(|| kept.into_owned())
}

type Found = (String, &'static str, &'static str);

fn walk(value: &mut Value, pointer: &str, listed: &[String], found: &mut Vec<Found>) {
    match value {
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, inner)| walk(inner, &child(pointer, key), listed, found));
        }
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .for_each(|(index, inner)| walk(inner, &child(pointer, &index.to_string()), listed, found)),
        Value::String(text) => {
            if let Some((problem, remedy)) = refusal(pointer, text, listed) {
                found.push((pointer.to_owned(), problem, remedy));
                HIDDEN.clone_into(text);
            }
        }
        _ => {}
    }
}

/// Why a value is taken for a secret, and what to do instead; `listed` are the parameters that are none.
fn refusal(pointer: &str, text: &str, listed: &[String]) -> Option<(&'static str, &'static str)> {
    // What comes from the environment is not in the file.
    let text = &variables::without(text);
    let key = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let named = !pointer.starts_with("/auth/mint/claims/")
        && !HARMLESS.contains(&pointer)
        && SECRET_KEYS.contains(&key.as_str());
    if (named && !text.is_empty()) || redact::is_credential(text) {
        return Some(("holds a secret, which would be kept in the run folder", IN_FILE));
    }
    if pointer.rsplit_once('/').is_some_and(|(place, _)| place == "/target/headers")
        && key.split(['-', '_']).any(|word| SECRET_HEADERS.contains(&word))
        && !text.is_empty()
    {
        return Some(("is a header with a secret, which would be kept in the run folder", IN_HEADER));
    }
    let url = Url::parse(text).ok().filter(Url::has_host)?;
    let user = !url.username().is_empty() || url.password().is_some_and(|password| !password.is_empty());
    if pointer == "/target/proxy" && user {
        return Some((IN_QUERY, IN_PROXY));
    }
    let query = url.query().filter(|_| !pointer.starts_with(ARGV)).unwrap_or_default();
    let carries = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        !(value.is_empty() || redact::is_harmless(name, value) || listed.contains(&name.to_ascii_lowercase()))
    };
    (user || query.split('&').any(carries)).then_some((IN_QUERY, IN_URL))
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
            ("/target/headers/X-Api-Key", "abc"),
            ("/target/headers/Cookie", "a=b"),
            ("/target/proxy", "http://ann:pw@proxy.example:3128"),
            ("/target/url", "wss://example.com/?apikey=abc"),
            ("/target/url", "wss://example.com/?v=2&sig=abc"),
            ("/target/url", "wss://example.com/?abc"),
            ("/target/url", "wss://example.com/?token=${T:-abc}"),
            ("/target/rest", "https://example.com/?code=abc"),
            ("/target/api_key", "abc"),
        ] {
            assert!(refusal(pointer, text, &[]).is_some(), "{pointer}: {text}");
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
            ("/target/headers/Origin", "https://game.example"),
            ("/target/headers/X-Api-Key/env", "GAME_API_KEY"),
            ("/target/proxy", "http://proxy.example:3128"),
            ("/target/url", "wss://example.com/?Tenant=blue&lang="),
            ("/auth/command/argv/1", "https://example.com/?code=abc"),
        ] {
            assert!(refusal(pointer, text, &["tenant".into()]).is_none(), "{pointer}: {text}");
        }
    }

    #[test]
    fn what_is_kept_of_a_scenario_holds_no_argument() {
        let mut value = serde_json::json!({
            "auth": { "command": { "argv": ["./t.sh", "--password", "hunter2", "{player}"] } },
            "target": { "headers": { "X-Tenant": "hunter2", "User-Agent": "pong/1" } },
            "description": "password=hunter2",
            "players": 3,
        });
        assert!(hide(&mut value, ""));
        let wanted = serde_json::json!({
            "auth": { "command": { "argv": ["./t.sh", "--password", "…", "{player}"] } },
            "target": { "headers": { "X-Tenant": "…", "User-Agent": "pong/1" } },
            "description": "password=…",
            "players": 3,
        });
        assert_eq!(value, wanted);
        assert!(!hide(&mut value, ""), "twice is once");
        let argument = |key: &str| shown_value(&Override { key: key.into(), value: "hunter2".into() });
        assert_eq!(argument("auth.command.argv.2"), "\"…\"");
        assert_eq!(argument("auth.command.argv.0"), "hunter2");
        assert_eq!(argument("target.headers.X-Tenant"), "\"…\"");
    }

    /// A scenario that is fine, and has secrets where nothing can refuse them.
    const SCENARIO: &str = r#"# was: url = "wss://x.example/?apikey=hunter2"
name = "kept"   # password=hunter2
players = 1

[target]
url = "wss://x.example/?tenant=blue&v=2"
harmless_parameters = ["tenant"]

[auth.command]
argv = ["sh", 'mint.sh', "--password", "hunter2",
        "{player}"] # the token=hunter2 of Ann

[[phases]]
kind = "hold"
duration = "1s"
"#;

    #[test]
    fn the_scenario_as_run_is_the_file_without_what_may_be_a_secret() {
        let checked = crate::check("kept.toml", SCENARIO, &[]).expect("no mistakes");
        let wanted = SCENARIO
            .replace("apikey=hunter2", "apikey=…")
            .replace("password=hunter2", "password=…")
            .replace("\"hunter2\"", "\"…\"")
            .replace("token=hunter2", "token=…");
        assert_eq!(checked.as_run, wanted);
        assert_eq!(crate::check("kept.toml", &wanted, &[]).expect("it can be run again").as_run, wanted);
        let argv = r#"auth.command.argv=["sh", "-phunter2", "{player}"]"#.parse().expect("an override");
        let overridden = crate::check("kept.toml", SCENARIO, &[argv]).expect("no mistakes").as_run;
        assert!(overridden.contains("-p…") && !overridden.contains("hunter2"), "{overridden}");
        assert!(overridden.contains("tenant=blue"), "{overridden}");
    }

    #[test]
    fn no_mistake_quotes_a_secret() {
        let set = |text: &str| text.parse::<Override>().expect("an override");
        for sets in [
            vec![set("target.url=wss://x.example/?apikey=hunter2")],
            vec![set("target.url=ws//x.example?apikey=hunter2")],
            vec![set("target.url=wss://ann:hunter2@x.example")],
            vec![set("target.api_key=hunter2"), set("players=\"password=hunter2\"")],
            vec![set("auth.command.argv=[\"sh\", \"--key=hunter2\"]")],
            vec![set("auth.command.argv.3=hunter2"), set("players=0")],
        ] {
            let mistakes = crate::check("kept.toml", SCENARIO, &sets).expect_err("a mistake").to_string();
            assert!(!mistakes.contains("hunter2"), "{mistakes}");
        }
    }
}
