//! What a handshake or a REST request presents: query parameters and headers, and how to keep them out of every
//! message.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use scenarios::plan::auth::TokenLocation;
use scenarios::redact;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A run of this many bytes of a secret is taken for the secret: a target may send back a part of it.
const TELLTALE: usize = 12;
/// A text that ends with so many of a secret's first bytes is taken to have been cut within it.
const SHORTEST_START: usize = 4;
/// What stands in a secret's place.
pub(super) const HIDDEN: &str = "[credential]";

/// Query parameters and headers of one request.
#[derive(Default)]
pub struct Presented {
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Offered in a handshake; a REST request has no place for it. Boxed, since it is rare.
    subprotocol: Option<Box<str>>,
    secrets: Secrets,
}

impl Presented {
    /// `X-Player-Id`, which the target trusts.
    pub(super) fn player_id(id: &str) -> Self {
        let mut presented = Self::default();
        presented.header("x-player-id", id, false);
        presented
    }

    /// A token at its place.
    pub(super) fn token(placement: &TokenLocation, token: &SecretString) -> Self {
        let token = token.expose_secret();
        let mut presented = Self::default();
        match placement {
            TokenLocation::Protocol => {}
            TokenLocation::Query { name } => presented.parameter(name, token, true),
            TokenLocation::Subprotocol { prefix } => {
                presented.subprotocol = Some(format!("{prefix}{token}").into());
                presented.secrets.add(token);
            }
            TokenLocation::Header { name, scheme: None } => presented.header(name, token, true),
            TokenLocation::Header { name, scheme: Some(scheme) } => {
                presented.header(name, &format!("{scheme} {token}"), false);
                presented.secrets.add(token);
            }
        }
        presented
    }

    /// Adds a header; one that HTTP cannot carry is left out, and the target will miss it.
    pub(super) fn header(&mut self, name: &str, value: &str, secret: bool) {
        if let (Ok(name), Ok(mut header)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            header.set_sensitive(true);
            self.headers.push((name, header));
        }
        if secret {
            self.secrets.add(value);
        }
    }

    /// Adds a query parameter.
    pub(super) fn parameter(&mut self, name: &str, value: &str, secret: bool) {
        self.query.push((name.to_owned(), value.to_owned()));
        if secret {
            self.secrets.add(value);
            if let Some(encoded) = in_url(value) {
                self.secrets.add(&encoded);
            }
        }
    }

    /// The protocol presents the token at places of its own, in whatever form its templates give it.
    pub(crate) fn hide(&mut self, token: &SecretString) {
        let token = token.expose_secret();
        let others = [in_url(token), Some(BASE64_STANDARD.encode(token))];
        self.secrets.add(token);
        others.iter().flatten().for_each(|form| self.secrets.add(form));
    }

    /// Whether a header of this name is presented.
    pub(crate) fn has_header(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.as_str().eq_ignore_ascii_case(wanted))
    }

    /// Whether there is nothing to present.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.query.is_empty() && self.headers.is_empty() && self.subprotocol.is_none()
    }

    /// The subprotocol that a handshake offers beside those of the scenario.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The URL with the parameters.
    #[must_use]
    pub fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// Writes the headers as lines of a request's head.
    pub fn write_to(self, head: &mut Vec<u8>) -> Secrets {
        for (name, value) in &self.headers {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        self.secrets
    }

    /// Puts the headers in.
    pub fn put_in(self, headers: &mut HeaderMap) -> Secrets {
        headers.extend(self.headers);
        self.secrets
    }
}

/// How a secret looks in a URL, if otherwise.
pub(super) fn in_url(secret: &str) -> Option<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    Some(encoded).filter(|encoded| encoded != secret)
}

/// The secrets of one request, to keep them out of everything that is kept of the target's text.
#[derive(Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// One more.
    pub(crate) fn add(&mut self, secret: &str) {
        self.0.push(secret.into());
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without any secret, or any longer part of one, and without what looks like anybody's.
    #[must_use]
    pub fn hide_in(&self, text: &str) -> String {
        let text = self.0.iter().fold(text.to_owned(), |text, secret| hide(&text, secret.expose_secret()));
        redact::text(&text).into_owned()
    }
}

pub(super) fn hide(text: &str, secret: &str) -> String {
    let telltale = TELLTALE.min(secret.len());
    if telltale == 0 {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let is_part = |end: usize| text.get(at..end).is_some_and(|part| secret.contains(part));
        if is_part(at + telltale) {
            let end = (at + telltale..text.len()).find(|end| !is_part(end + 1)).unwrap_or(text.len());
            kept.push_str(HIDDEN);
            at = end;
        } else if text.len() - at >= SHORTEST_START
            && text.len() - at < telltale
            && secret.starts_with(&text[at..])
        {
            // The text was cut within the secret.
            kept.push_str(HIDDEN);
            at = text.len();
        } else {
            let next = text[at..].chars().next().map_or(1, char::len_utf8);
            kept.push_str(&text[at..at + next]);
            at += next;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJwLTEifQ.c2lnbmF0dXJl";

    #[test]
    fn a_token_is_put_at_its_placement() {
        let base = Url::parse("ws://127.0.0.1:1/Stage?v=2").unwrap();
        let header = |scheme: Option<&str>| TokenLocation::Header {
            name: "authorization".into(),
            scheme: scheme.map(str::to_owned),
        };
        for (placement, wanted) in [
            (header(Some("Steam")), format!("Steam {TOKEN}")),
            (header(Some("Bearer")), format!("Bearer {TOKEN}")),
            (header(None), TOKEN.to_owned()),
        ] {
            let presented = Presented::token(&placement, &TOKEN.into());
            assert_eq!(presented.url(&base), base);
            let mut headers = HeaderMap::new();
            presented.put_in(&mut headers);
            assert_eq!(headers["authorization"], wanted.as_str());
        }
        let presented = Presented::token(&TokenLocation::Query { name: "ticket".into() }, &"a+b/c=".into());
        assert_eq!(presented.url(&base).as_str(), "ws://127.0.0.1:1/Stage?v=2&ticket=a%2Bb%2Fc%3D");
    }

    #[test]
    fn no_part_of_a_secret_comes_through() {
        let secrets = Secrets(vec![TOKEN.into()]);
        let said = format!("HTTP 403 «{TOKEN}» is bad");
        assert_eq!(secrets.hide_in(&said), "HTTP 403 «[credential]» is bad");
        for (start, end) in [(0, 30), (10, TOKEN.len()), (7, 19), (25, 40)] {
            let part = &TOKEN[start..end];
            let hidden = secrets.hide_in(&format!("bad token {part}… in {part}"));
            assert_eq!(hidden, "bad token [credential]… in [credential]");
        }
        assert_eq!(secrets.hide_in(&format!("cut at {}", &TOKEN[..6])), "cut at [credential]");
        assert_eq!(
            secrets.hide_in("HTTP 403 {\"message\":\"Forbidden\"}"),
            "HTTP 403 {\"message\":\"Forbidden\"}"
        );
        assert_eq!(Secrets(vec!["abc".into()]).hide_in("xabcx"), "x[credential]x");
        assert_eq!(Secrets(vec!["".into()]).hide_in("äö"), "äö");
    }
}
