//! From the keys of `[target]` and `[sockets]` to the way: everything that can be known before a byte is sent.

use std::path::PathBuf;

use documents::child;
use protocol::Outline;

use super::context::Check;
use super::operations::polled;
use crate::keys::scenario::{self, Scenario};
use crate::keys::way::HeaderText;
use crate::plan::auth::{Auth, AuthMode, TokenLocation};
use crate::plan::way::{Header, HeaderValue, Heartbeat, Proxy, Trust, Way, is_loopback};
use crate::plan::{MAX_MESSAGE_BYTES, Target};

/// Headers that the handshake itself sets.
const TAKEN: [&str; 7] =
    ["host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "x-player-id"];

pub(super) fn way(
    check: &mut Check<'_>,
    scenario: &Scenario,
    target: &Target,
    protocol: &Outline,
    auth: &Auth,
) -> Way {
    let keys = &scenario.target;
    Way {
        headers: headers(check, scenario, auth),
        subprotocols: subprotocols(check, scenario, protocol, auth),
        proxy: keys.proxy.as_ref().and_then(|text| proxy(check, text)),
        trust: trust(check, keys, target),
        heartbeat: heartbeat(check, &scenario.sockets),
    }
}

fn headers(check: &mut Check<'_>, scenario: &Scenario, auth: &Auth) -> Vec<Header> {
    let mut headers = Vec::new();
    for (name, text) in &scenario.target.headers {
        let pointer = child("/target/headers", name);
        let lower = name.to_ascii_lowercase();
        if !is_word(name) {
            check.wrong(
                &pointer,
                "is not a header name",
                "write letters, digits and `-`, e.g. \"X-Api-Key\"",
            );
            continue;
        }
        if lower == "sec-websocket-protocol" {
            check.wrong(&pointer, "is set by subprotocols", "write target.subprotocols = [\"…\"]");
            continue;
        }
        if TAKEN.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
            check.wrong(&pointer, "is set by the handshake itself", "leave it out");
            continue;
        }
        if carries_the_token(auth, &lower) {
            check.wrong(
                &pointer,
                "is the header that carries the credentials",
                "leave it out, or change auth.placement or auth.mode",
            );
            continue;
        }
        headers.extend(header_value(check, &pointer, text).map(|value| Header { name: name.clone(), value }));
    }
    headers
}

fn header_value(check: &mut Check<'_>, pointer: &str, text: &HeaderText) -> Option<HeaderValue> {
    let source = match text {
        HeaderText::Written(text) => {
            if text.bytes().all(is_printable) && text.trim() == text {
                return Some(HeaderValue::Written(text.clone()));
            }
            check.wrong(pointer, "has letters that a header cannot have", "write printable ASCII");
            return None;
        }
        HeaderText::From(source) => source,
    };
    match (&source.env, &source.file) {
        (Some(name), None) => {
            match std::env::var(name) {
                Ok(value) if value.bytes().all(is_printable) && !value.trim().is_empty() => {}
                Ok(_) => check.wrong(
                    pointer,
                    format!("the variable `{name}` is empty, or has letters that a header cannot have"),
                    "set it to printable ASCII",
                ),
                Err(_) => check.wrong(
                    pointer,
                    format!("there is no variable `{name}` in the environment"),
                    "export it before the run",
                ),
            }
            Some(HeaderValue::Env(name.clone()))
        }
        (None, Some(file)) => {
            secret_file(check, pointer, file, "give the path of a file that holds the header's value")
                .map(HeaderValue::File)
        }
        _ => {
            check.wrong(
                pointer,
                "must name one place that holds the value",
                "write { env = \"NAME\" } or { file = \"PATH\" }",
            );
            None
        }
    }
}

fn subprotocols(check: &mut Check<'_>, scenario: &Scenario, protocol: &Outline, auth: &Auth) -> Vec<String> {
    let offered = &scenario.target.subprotocols;
    for (index, name) in offered.iter().enumerate() {
        let pointer = format!("/target/subprotocols/{index}");
        if !is_word(name) {
            check.wrong(
                &pointer,
                "is not a subprotocol",
                "write a word without blanks and commas, e.g. \"game.v1\"",
            );
        } else if offered[..index].contains(name) {
            check.wrong(&pointer, "is offered twice", "leave it out");
        }
    }
    let of_sockets = match &auth.placement {
        TokenLocation::Subprotocol { .. } => Some("there is no subprotocol to carry the token"),
        TokenLocation::Protocol => Some("the protocol's `${token}` does not carry the token"),
        TokenLocation::Header { .. } | TokenLocation::Query { .. } => None,
    };
    if let Some(problem) = of_sockets
        && auth.mode == AuthMode::Token
        && let Some(polled) = polled(scenario, protocol)
    {
        check.wrong(
            &child("/operations", polled),
            format!("asks over REST, where {problem}"),
            &format!("set auth.placement to a header or a query parameter, or leave {polled} out"),
        );
    }
    offered.clone()
}

fn proxy(check: &mut Check<'_>, proxy: &str) -> Option<Proxy> {
    const REMEDY: &str = "write \"http://HOST:PORT\", or \"env\" for what HTTPS_PROXY and NO_PROXY say";
    if proxy == "env" {
        return Some(Proxy::Env);
    }
    let url = check.url("/target/proxy", proxy, &["http"], REMEDY)?;
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        check.wrong("/target/proxy", "has more than scheme, host and port", REMEDY);
    }
    Some(Proxy::Url(url))
}

fn trust(check: &mut Check<'_>, keys: &scenario::Target, target: &Target) -> Trust {
    let mut file = |pointer, name: &Option<String>| {
        let name = name.as_ref()?;
        secret_file(check, pointer, name, "give the path of a PEM file")
    };
    let ca_file = file("/target/ca_file", &keys.ca_file);
    let certificate = file("/target/client_cert_file", &keys.client_cert_file);
    let key = file("/target/client_key_file", &keys.client_key_file);
    for (there, missing, key) in [
        (&keys.client_cert_file, &keys.client_key_file, "client_key_file"),
        (&keys.client_key_file, &keys.client_cert_file, "client_cert_file"),
    ] {
        if there.is_some() && missing.is_none() {
            check.wrong(
                "/target",
                format!("has no {key}"),
                "name certificate and key; one PEM file may hold both",
            );
        }
    }
    let here = match target {
        Target::Embedded { .. } => true,
        Target::Url(url) => is_loopback(url),
    };
    if keys.insecure && !here {
        check.wrong(
            "/target/insecure",
            "leaves certificates unchecked, which is allowed for a target on this machine only",
            "name the target's authority or its own certificate in target.ca_file",
        );
    }
    Trust { ca_file, client: certificate.zip(key), insecure: keys.insecure && here }
}

fn heartbeat(check: &mut Check<'_>, sockets: &scenario::Sockets) -> Option<Heartbeat> {
    if sockets.heartbeat.is_none() && sockets.heartbeat_message.is_some() {
        check.wrong("/sockets/heartbeat_message", "is sent never", "set sockets.heartbeat, e.g. to \"5m\"");
    }
    let every = check.positive("/sockets/heartbeat", sockets.heartbeat?);
    if every.as_millis() < 100 {
        check.wrong("/sockets/heartbeat", "is below 100 ms", "write e.g. \"5m\"");
    }
    let message = sockets.heartbeat_message.clone();
    if message.as_ref().is_some_and(|text| text.is_empty() || text.len() as u64 > MAX_MESSAGE_BYTES / 4) {
        check.wrong(
            "/sockets/heartbeat_message",
            "must have 1 byte to 32 KiB",
            "write e.g. '{\"action\":\"heartbeat\"}'",
        );
    }
    Some(Heartbeat { every, message })
}

/// A file that is named and not kept, since it may hold a secret.
fn secret_file(check: &mut Check<'_>, pointer: &str, name: &str, remedy: &str) -> Option<PathBuf> {
    let found = check.named_file(pointer, name, remedy)?;
    check.keep_place(pointer, &found);
    Some(found)
}

/// Whether a header is the one that credentials travel in.
fn carries_the_token(auth: &Auth, name: &str) -> bool {
    match auth.mode {
        AuthMode::Token => {
            matches!(&auth.placement, TokenLocation::Header { name: header, .. } if header == name)
        }
        AuthMode::SigV4 => name == "authorization" || name.starts_with("x-amz-"),
        AuthMode::Header | AuthMode::None => false,
    }
}

/// A token in the sense of HTTP: what headers' names and subprotocols are made of.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}
