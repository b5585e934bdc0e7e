//! What of an upgrade request does not change from one attempt to the next: the URL, headers and subprotocols, put together
//! from the scenario's `[target]` and the protocol's handshake.
//!
//! Where both name the same header or query parameter, the scenario's own is sent: it is what a run is adapted with.

use http::{HeaderName, HeaderValue};
use protocol::protocol::HandshakeParts;
use url::Url;

use super::error::HandshakeError;
use super::extra::Extra;
use crate::auth::Presented;

/// What of an upgrade request does not change from one attempt to the next.
#[derive(Clone)]
pub(super) struct Upgrade {
    /// Where to, without credentials.
    pub(super) url: Url,
    /// Lines of the request's head.
    pub(super) lines: String,
    /// Subprotocols that are offered.
    pub(super) subprotocols: Vec<String>,
}

impl Upgrade {
    /// `url`, `extra` and `subprotocols` are the scenario's, `parts` the protocol's; what is presented in a header of its
    /// own wins, too.
    ///
    /// # Errors
    /// [`HandshakeError`] when HTTP cannot carry one of the parts.
    pub(super) fn new(
        url: &Url,
        extra: &Extra,
        subprotocols: &[String],
        parts: &HandshakeParts,
        presented: &Presented,
    ) -> Result<Self, HandshakeError> {
        for (name, value) in &parts.headers {
            if name.parse::<HeaderName>().is_err() || value.parse::<HeaderValue>().is_err() {
                return Err(HandshakeError::Header(name.clone()));
            }
        }
        if !parts.subprotocols.iter().all(|name| is_subprotocol(name)) {
            return Err(HandshakeError::Subprotocol);
        }
        let headers = parts.headers.iter().filter(|(name, _)| !presented.has_header(name));
        let further = parts.subprotocols.iter().filter(|name| !subprotocols.contains(name));
        Ok(Self {
            url: url.clone(),
            lines: extra.lines(headers),
            subprotocols: subprotocols.iter().chain(further).cloned().collect(),
        })
    }
}

/// The target's URL with the protocol's path and query: what a signature is made for.
pub(super) fn url_of(target: &Url, parts: &HandshakeParts) -> Url {
    let mut url = target.clone();
    if let Some(path) = &parts.path {
        url.set_path(path);
    }
    let mut further =
        parts.query.iter().filter(|(name, _)| !target.query_pairs().any(|(own, _)| own == *name)).peekable();
    if further.peek().is_some() {
        url.query_pairs_mut().extend_pairs(further);
    }
    url
}

/// Whether a subprotocol can stand in a list of them. Laxer than RFC 9110's token: servers take tokens with `=` and `/`.
fn is_subprotocol(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

#[cfg(test)]
mod tests {
    use scenarios::plan::way::{Header, HeaderValue, Way};

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn upgrade(own: &[(&str, &str)], parts: &HandshakeParts) -> Result<Upgrade, HandshakeError> {
        let header = |(name, value): (String, String)| Header { name, value: HeaderValue::Written(value) };
        let way = Way { headers: pairs(own).into_iter().map(header).collect(), ..Way::default() };
        let target: Url = "ws://127.0.0.1:8080/Stage?game=1".parse().unwrap();
        let extra = Extra::fetch(&way).unwrap();
        let url = url_of(&target, parts);
        Upgrade::new(&url, &extra, &["game.v1".into()], parts, &Presented::default())
    }

    #[test]
    fn the_protocol_s_parts_stand_beside_the_scenario_s() {
        let parts = HandshakeParts {
            path: Some("/socket/websocket".into()),
            query: pairs(&[("vsn", "2.0.0"), ("q", "a b&c"), ("game", "2")]),
            headers: pairs(&[("Cookie", "a=1"), ("X-Region", "eu")]),
            subprotocols: vec!["game.v1".into(), "game.v2".into()],
        };
        let made = upgrade(&[("cookie", "b=2")], &parts).unwrap();
        assert_eq!(made.url.as_str(), "ws://127.0.0.1:8080/socket/websocket?game=1&vsn=2.0.0&q=a+b%26c");
        let agent = concat!("User-Agent: loadgen/", env!("CARGO_PKG_VERSION"));
        assert_eq!(made.lines, format!("{agent}\r\ncookie: b=2\r\nX-Region: eu\r\n"));
        assert_eq!(made.subprotocols, ["game.v1", "game.v2"]);
        let named =
            HandshakeParts { headers: pairs(&[("user-agent", "Game/2")]), ..HandshakeParts::default() };
        assert_eq!(upgrade(&[], &named).unwrap().lines, "user-agent: Game/2\r\n");
        let nothing = upgrade(&[], &HandshakeParts::default()).unwrap();
        assert_eq!(nothing.url.as_str(), "ws://127.0.0.1:8080/Stage?game=1");
    }

    #[test]
    fn no_part_ends_the_head_or_begins_another_line() {
        let bad = "x\r\nX-Admin: 1";
        for parts in [
            HandshakeParts { headers: pairs(&[("Cookie", bad)]), ..HandshakeParts::default() },
            HandshakeParts { headers: pairs(&[(bad, "x")]), ..HandshakeParts::default() },
            HandshakeParts { subprotocols: vec![bad.into()], ..HandshakeParts::default() },
            HandshakeParts { subprotocols: vec!["a, b".into()], ..HandshakeParts::default() },
        ] {
            let error = upgrade(&[], &parts).err().unwrap().to_string();
            assert!(!error.contains("Admin") || parts.headers[0].0 == bad, "{error}");
        }
        let parts = HandshakeParts {
            path: Some(bad.into()),
            query: pairs(&[(bad, bad)]),
            ..HandshakeParts::default()
        };
        let url = upgrade(&[], &parts).unwrap().url;
        assert!(!url.as_str().contains(['\r', '\n', ' ']), "{url}");
    }
}
