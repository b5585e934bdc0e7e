//! What may be a secret, and how it is kept out of everything that is written: manifest, plan, logs, errors, report.
//!
//! The rule is turned round: a value in a URL's query and a value on a command line *is* a secret, whatever its name,
//! unless its name stands in [one list](HARMLESS_PARAMETERS). Free text (what a target says) is searched for what looks
//! like a credential. What is hidden leaves [`HIDDEN`] in its place, and text that has been redacted once stays as it is.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use url::{Position, Url};

/// What stands in a secret's place.
pub const HIDDEN: &str = "…";

/// Query parameters that are no secrets: versions, places and the like. Lower case.
const HARMLESS_PARAMETERS: [&str; 34] = [
    "api-version",
    "build",
    "channel",
    "client",
    "compress",
    "debug",
    "eio",
    "encoding",
    "env",
    "environment",
    "format",
    "game",
    "lang",
    "language",
    "locale",
    "lobby",
    "mode",
    "platform",
    "proto",
    "protocol",
    "protocol_version",
    "protocolversion",
    "region",
    "room",
    "shard",
    "stage",
    "transport",
    "v",
    "ver",
    "version",
    "x-amz-algorithm",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
];
/// The longest value of a harmless parameter: what is longer is something else.
const LONGEST_HARMLESS: usize = 64;

/// Endings of files: a command's script and its data are named, not hidden.
const FILES: [&str; 16] = [
    ".sh", ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".jar", ".exe", ".pem", ".json", ".toml",
    ".yaml", ".yml", ".csv",
];

/// Whether a query parameter may be kept as it is.
#[must_use]
pub fn is_harmless(name: &str, value: &str) -> bool {
    HARMLESS_PARAMETERS.contains(&name.to_ascii_lowercase().as_str())
        && value.len() <= LONGEST_HARMLESS
        && matches!(shapes(value), Cow::Borrowed(_))
}

/// A private key, a JWT or an AWS access key, whatever key it stands under.
#[must_use]
pub(crate) fn is_credential(text: &str) -> bool {
    let word = text.rsplit(' ').next().unwrap_or_default();
    let jwt = word.starts_with("eyJ") && word.matches('.').count() == 2 && word.len() > 40;
    let aws = (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.len() == 20
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    jwt || aws || (text.contains("-----BEGIN") && text.contains("PRIVATE KEY"))
}

/// A URL for people: without user, password, query and fragment.
#[must_use]
pub fn address(url: &Url) -> String {
    let host = &url[Position::BeforeHost..Position::AfterPort];
    format!("{}://{host}{}", url.scheme(), text(url.path()))
}

/// A text without what looks like a credential in it: names with values (`password=…`, `Authorization: …`), queries and
/// users of URLs, JWTs, AWS keys and session tokens, signatures and private keys.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    let mut found = replace(&PRIVATE_KEY, Cow::Borrowed(text), |_| Some(HIDDEN.into()));
    found = replace(&USER, found, |_| Some("://".into()));
    found = replace(&QUERY, found, |parts| {
        let query = parts.get(2)?.as_str();
        Some(format!("{}{}", parts.get(1)?.as_str(), self::query(query)?))
    });
    found = replace(&HEADER, found, |parts| {
        (parts.get(3)?.as_str() != HIDDEN).then(|| format!("{}{}{HIDDEN}", &parts[1], &parts[2]))
    });
    found = replace(&QUOTED, found, |parts| {
        (parts.get(3)?.as_str() != HIDDEN).then(|| format!("{}{}{HIDDEN}", &parts[1], &parts[2]))
    });
    found = replace(&NAMED, found, |parts| {
        let (name, between, value) = (&parts[1], &parts[2], &parts[3]);
        let certain = between.contains('=') || name.to_ascii_lowercase().contains("pass") || opaque(value);
        (certain && value != HIDDEN).then(|| format!("{name}{between}{HIDDEN}"))
    });
    found = replace(&SCHEME, found, |parts| {
        opaque(&parts[3]).then(|| format!("{}{}{HIDDEN}", &parts[1], &parts[2]))
    });
    match found {
        Cow::Borrowed(text) => shapes(text),
        Cow::Owned(text) => match shapes(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(shaped) => Cow::Owned(shaped),
        },
    }
}

/// A value that may be a URL, or hold several: rather too much is taken out than too little, since a password may have
/// any letter in it.
#[must_use]
pub(crate) fn value_with_url(value: &str) -> String {
    let mut urls = value.split("://");
    let mut kept = urls.next().unwrap_or_default().to_owned();
    for url in urls {
        let authority = url.find(['/', '\\', '#']).unwrap_or(url.len());
        let host = url[..authority].rfind('@').map_or(0, |at| at + 1);
        kept.push_str("://");
        kept.push_str(&url[host..]);
    }
    let Some(at) = kept.find('?').filter(|_| value.contains("://")) else {
        return text(&kept).into_owned();
    };
    let (before, query) = (&kept[..at], &kept[at + 1..]);
    let (query, fragment) = query.split_once('#').map_or((query, ""), |(query, _)| (query, "#…"));
    let query = self::query(query).unwrap_or_else(|| query.to_owned());
    text(&format!("{before}?{query}{fragment}")).into_owned()
}

/// The arguments of a command that a scenario names, its program first, as they may be kept: flags, files and
/// `{player}` stay, every other value is hidden.
#[must_use]
pub fn arguments<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut after_flag = false;
    arguments
        .into_iter()
        .enumerate()
        .map(|(index, argument)| {
            let follows_flag = std::mem::replace(&mut after_flag, false);
            if index == 0 {
                return text(argument).into_owned();
            }
            if let Some((name, value)) = argument.split_once('=').filter(|(name, _)| name.starts_with("--")) {
                return format!("{}={}", text(name), hidden_argument(value));
            }
            if argument.starts_with("--") {
                after_flag = true;
                return text(argument).into_owned();
            }
            if argument.starts_with('-') {
                after_flag = true;
                let short = argument.char_indices().nth(2).map_or(argument.len(), |(at, _)| at);
                let (flag, value) = argument.split_at(short);
                return if value.is_empty() {
                    flag.into()
                } else {
                    format!("{flag}{}", hidden_argument(value))
                };
            }
            if !follows_flag && is_file(argument) { argument.into() } else { hidden_argument(argument) }
        })
        .collect()
}

/// An argument with its value hidden, and the player in it still to be seen.
fn hidden_argument(value: &str) -> String {
    const PLAYER: &str = "{player}";
    match value {
        PLAYER => PLAYER.into(),
        _ if value.contains(PLAYER) => format!("{HIDDEN}{PLAYER}"),
        _ => HIDDEN.into(),
    }
}

fn is_file(argument: &str) -> bool {
    let part_of_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    argument.len() <= 200
        && argument.bytes().all(part_of_path)
        && FILES.iter().any(|ending| argument.len() > ending.len() && argument.ends_with(ending))
        && matches!(shapes(argument), Cow::Borrowed(_))
}

/// A query with its values hidden; `None` where all of them are harmless.
fn query(query: &str) -> Option<String> {
    let mut changed = false;
    let mut hide = |kept: &str, value: &str| {
        changed |= value != HIDDEN;
        format!("{kept}{HIDDEN}")
    };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if value.is_empty() || is_harmless(name, value) => pair.to_owned(),
            // The name could be a part of a secret as well: base64 may end with `=`.
            Some((name, value)) => match shapes(name) {
                Cow::Borrowed(name) => hide(&format!("{name}="), value),
                Cow::Owned(_) => hide("", pair),
            },
            // A bare word: a value without a name, or the end of a question.
            None if pair.len() >= 6 => hide("", pair),
            None => pair.to_owned(),
        })
        .collect();
    changed.then(|| pairs.join("&"))
}

/// Whether a value looks like no word of a sentence.
fn opaque(value: &str) -> bool {
    value.len() >= 20 || value.bytes().any(|byte| byte.is_ascii_digit())
}

fn replace<'t>(
    pattern: &Regex,
    text: Cow<'t, str>,
    with: impl Fn(&Captures<'_>) -> Option<String>,
) -> Cow<'t, str> {
    if !pattern.is_match(&text) {
        return text;
    }
    let by = |parts: &Captures<'_>| with(parts).unwrap_or_else(|| parts[0].to_owned());
    let replaced = pattern.replace_all(&text, by);
    if replaced == text { text } else { Cow::Owned(replaced.into_owned()) }
}

/// What is a credential by its shape alone.
fn shapes(text: &str) -> Cow<'_, str> {
    let found = replace(&SHAPED, Cow::Borrowed(text), |_| Some(HIDDEN.into()));
    replace(&LONG, found, |parts| is_random(&parts[0]).then(|| HIDDEN.into()))
}

/// Whether a long word was drawn by a machine: an AWS secret key, a session token, an opaque ticket. Names of functions
/// and paths have long stretches of small letters, or many separators.
fn is_random(word: &str) -> bool {
    let has = |of: fn(&u8) -> bool| word.bytes().any(|byte| of(&byte));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    let separators = word.bytes().filter(|byte| b"/-_".contains(byte)).count();
    let stretch = word.split(|c: char| !c.is_ascii_lowercase()).map(str::len).max().unwrap_or(0);
    let secret_key = word.len() == 40 && !word.contains(['-', '_', '=']) && separators <= 4;
    mixed && separators <= word.len() / 12 + 2 && (stretch < 8 || word.len() >= 100 || secret_key)
}

/// A pattern that is a constant; a wrong one is found by the first test.
#[allow(clippy::expect_used, reason = "the patterns are constants")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// Names whose values are secrets.
const NAME: &str = r"[A-Za-z0-9_-]*(?i-u:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|credentials?|signature|session|ticket|jwt|sig|auth)(?i-u:[_-]?(?:key|token|id|value))?";

static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)")
});
static USER: LazyLock<Regex> = LazyLock::new(|| pattern("://[^ \\t\\r\\n/\\\\#\"'<>@]*@"));
static QUERY: LazyLock<Regex> = LazyLock::new(|| {
    pattern("((?:[A-Za-z0-9/_.:…-]\\?)|(?:://[^ \\t\\r\\n\"'<>#]*#))([^ \\t\\r\\n\"'<>`\\\\#]+)")
});
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "((?i-u:(?:proxy-)?authorization|(?:set-)?cookie))(\\\\*[\"']?[ \\t]*[:=][ \\t]*\\\\*[\"']?)([^\"'\\r\\n\\\\]+)",
    )
});
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("({NAME})(\\\\*[\"']?[ \\t]*[:=][ \\t]*\\\\*[\"'])([^\"'\\\\]+)")));
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!("({NAME})(\\\\*[\"']?[ \\t]*[:=][ \\t]*)([^\"'\\\\ \\t\\r\\n,;&<>{{}}()\\[\\]]+)"))
});
static SCHEME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"((?i-u:bearer|basic|digest|negotiate|steam|token))([ \t]+)([A-Za-z0-9._~+/=-]{6,})")
});
static SHAPED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        // JSON in base64: a JWT, or the beginning of one.
        r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}",
        // Ids of AWS keys, roles and users.
        r"|(?-u:\b)(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{12,}",
        // A signature, an HMAC key, a Steam ticket; a Git commit and a trace id are shorter.
        r"|(?-u:\b)[0-9A-Fa-f]{48,}(?-u:\b)",
    ))
});
static LONG: LazyLock<Regex> = LazyLock::new(|| pattern("[A-Za-z0-9+/_-]{40,}={0,2}"));

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJwLTEifQ.c2lnbmF0dXJl";

    #[test]
    fn what_looks_like_a_credential_is_hidden_wherever_it_stands() {
        for (said, wanted) in [
            (format!("token {JWT} has expired"), "token … has expired"),
            (format!("bad «{}»", &JWT[..24]), "bad «…»"),
            ("Authorization: Bearer abc def\nnext".into(), "Authorization: …\nnext"),
            (r#"{"Authorization":"Basic YW5uOnB3","a":1}"#.into(), r#"{"Authorization":"…","a":1}"#),
            ("the bearer abc123def is bad".into(), "the bearer … is bad"),
            ("password=hunter2, user=ann".into(), "password=…, user=ann"),
            ("password: letmein".into(), "password: …"),
            (r#"{"password":"my old secret","n":1}"#.into(), r#"{"password":"…","n":1}"#),
            (r#"{\"apiKey\":\"k-1\"}"#.into(), r#"{\"apiKey\":\"…\"}"#),
            ("x-api-key: 8f3a2b1c".into(), "x-api-key: …"),
            ("AKIAIOSFODNN7EXAMPLE is unknown".into(), "… is unknown"),
            ("key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY3 it is".into(), "key … it is"),
            (format!("sig {}", "0123456789abcdef".repeat(4)), "sig …"),
            ("GET /Stage?apikey=TOPSECRET&v=2 HTTP/1.1".into(), "GET /Stage?apikey=…&v=2 HTTP/1.1"),
            ("wss://ann:pw@x.example/s?TOPSECRET".into(), "wss://x.example/s?…"),
            ("https://x.example/#access_token=abcdef".into(), "https://x.example/#access_token=…"),
            ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----!".into(), "…!"),
        ] {
            assert_eq!(text(&said), wanted, "{said}");
            assert_eq!(text(wanted), wanted, "twice is once");
        }
    }

    #[test]
    fn what_helps_to_find_a_fault_is_kept() {
        for said in [
            "HTTP 403 {\"message\":\"Forbidden\"}",
            "Internal server error",
            "invalid token: expired",
            "game session: FAILED",
            "basic authentication is required",
            "{\"message\":\"Internal server error\",\"connectionId\":\"L0SM9cOFvHcCIhw=\",\"requestId\":\"d1b2c3a4-0000-4abc-8def-0123456789ab\"}",
            "arn:aws:lambda:eu-west-1:123456789012:function:reference-Development-SendMessageFunction-1A2B3C4D",
            "commit 99593030c8a1d2b3c4d5e6f708192a3b4c5d6e7f",
            "/placements/7f3c2b1a-1234-4abc-9def-001122334455",
            "wss://abc.execute-api.eu-west-1.amazonaws.com/Staging?v=2&Region=eu-west-1",
            "why? because",
            "the signature we calculated does not match",
        ] {
            assert!(matches!(text(said), Cow::Borrowed(_)), "{}", text(said));
        }
    }

    #[test]
    fn of_a_commands_arguments_flags_files_and_the_player_stay() {
        let argv = [
            "./mint",
            "token.py",
            "--user",
            "ann",
            "--password",
            "hunter2",
            "-phunter2",
            "-p",
            "hunter2",
            "--key=hunter2",
            "--for={player}",
            "{player}",
            "hunter2",
            "https://idp.example/?code=hunter2",
            "-c",
            "login hunter2 {player}",
        ];
        let wanted = [
            "./mint",
            "token.py",
            "--user",
            "…",
            "--password",
            "…",
            "-p…",
            "-p",
            "…",
            "--key=…",
            "--for={player}",
            "{player}",
            "…",
            "…",
            "-c",
            "…{player}",
        ];
        assert_eq!(arguments(argv), wanted);
    }

    #[test]
    fn an_address_has_neither_user_nor_query() {
        let url =
            Url::parse("wss://ann:pw@x.example:8443/Stage/eyJhbGciOiJFUzI1NiJ9?apikey=a#b").expect("a URL");
        assert_eq!(address(&url), "wss://x.example:8443/Stage/…");
    }
}
