//! `[handshake]`.

use std::collections::BTreeMap;

use documents::child;

use super::context::Check;
use super::names::{OF_A_REQUEST, Sent};
use crate::file::Handshake;
use crate::keys::socket::Handshake as Keys;
use crate::outline;
use crate::template::{SendNames, Template};

/// Headers that the handshake itself sets.
const TAKEN: [&str; 6] = ["host", "connection", "upgrade", "content-length", "transfer-encoding", "te"];

pub(super) fn handshake(check: &mut Check<'_>, keys: &Keys) -> Handshake {
    let path = keys.path.as_ref().and_then(|path| {
        let pointer = "/handshake/path";
        if !path.starts_with('/') || path.contains(['?', '#']) {
            check.wrong(pointer, "is no path", "begin it with `/`; parameters stand in `query`");
        }
        text(check, pointer, path).map(Template::of_a_path)
    });
    for (index, offered) in keys.subprotocols.iter().enumerate() {
        let pointer = format!("/handshake/subprotocols/{index}");
        if !offered.contains("${") && !is_token(offered) {
            let remedy = "write a word without blanks and commas, e.g. \"graphql-transport-ws\"";
            check.wrong(&pointer, "is not a subprotocol", remedy);
        } else if keys.subprotocols[..index].contains(offered) {
            check.wrong(&pointer, "is offered twice", "leave it out");
        }
    }
    for (name, value) in &keys.headers {
        header(check, &child("/handshake/headers", name), name, value);
    }
    if let Some(name) = keys.query.keys().find(|name| name.is_empty()) {
        check.wrong(&child("/handshake/query", name), "has no name", "name the parameter");
    }
    let subprotocols = keys.subprotocols.iter().enumerate();
    let subprotocols = subprotocols
        .filter_map(|(index, offered)| text(check, &format!("/handshake/subprotocols/{index}"), offered))
        .collect();
    Handshake {
        path,
        query: named(check, "/handshake/query", &keys.query),
        headers: named(check, "/handshake/headers", &keys.headers),
        subprotocols,
    }
}

fn header(check: &mut Check<'_>, pointer: &str, name: &str, value: &str) {
    let lower = name.to_ascii_lowercase();
    if !is_token(name) {
        check.wrong(pointer, "is not a header name", "write letters, digits and `-`, e.g. \"X-Api-Key\"");
    } else if lower == "sec-websocket-protocol" {
        check.wrong(pointer, "is set by subprotocols", "write handshake.subprotocols = [\"…\"]");
    } else if TAKEN.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
        check.wrong(pointer, "is set by the handshake itself", "leave it out");
    } else if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        check.wrong(pointer, "has letters that a header cannot have", "write printable ASCII");
    }
}

fn named(check: &mut Check<'_>, pointer: &str, texts: &BTreeMap<String, String>) -> Vec<(String, Template)> {
    let texts = texts.iter();
    texts
        .filter_map(|(name, value)| Some((name.clone(), text(check, &child(pointer, name), value)?)))
        .collect()
}

fn text(check: &mut Check<'_>, pointer: &str, text: &str) -> Option<Template> {
    check.template(pointer, text, &mut Sent { words: OF_A_REQUEST, names: SendNames::default() })
}

/// Whether a text is a token of HTTP (RFC 9110), as names of headers and subprotocols are.
fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

impl Handshake {
    /// Everything in it that may hold values.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let named = self.query.iter().chain(&self.headers).map(|(_, template)| template);
        self.path.iter().chain(named).chain(&self.subprotocols)
    }

    pub(super) fn outline(&self, keys: &Keys) -> outline::Handshake {
        outline::Handshake {
            by_player: self.templates().any(|template| template.names().next().is_some()),
            subprotocols: self.subprotocols.len(),
            resources: outline::Resources {
                functions: keys.functions.clone(),
                tables: keys.tables.clone(),
                queues: Vec::new(),
            },
        }
    }
}
