//! The plan's way to the target.

use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};

/// The way to the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// Headers of every handshake and REST request, beside our own.
    pub headers: Vec<Header>,
    /// Subprotocols that a handshake offers.
    pub subprotocols: Vec<String>,
    /// The proxy that sockets go through, unless the target is on this machine.
    pub proxy: Option<Proxy>,
    /// Whose certificates are trusted, and which is shown.
    pub trust: Trust,
    /// What keeps an idle socket open.
    pub heartbeat: Option<Heartbeat>,
}

/// A header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Where its value comes from.
    pub value: HeaderValue,
}

/// Where a header's value comes from. What comes from outside is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// The scenario.
    Written(String),
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
}

/// A proxy for sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Env,
    /// This one.
    Url(Url),
}

/// Whose certificates are trusted, and which is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificate chain and key that the players show.
    pub client: Option<(PathBuf, PathBuf)>,
    /// No certificate is checked; only with a target on this machine.
    pub insecure: bool,
}

/// What every player sends over its socket, however quiet it is otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// How often.
    pub every: Duration,
    /// The text; `None`: a ping frame.
    pub message: Option<String>,
}

/// Whether a URL names this machine: what is asked of it never goes through a proxy.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        Some(Host::Domain(name)) => is_this_machine(name),
        None => false,
    }
}

/// Whether a host name names this machine (RFC 6761: `localhost` and whatever ends with it); schemes other than HTTP's keep
/// an address as text.
fn is_this_machine(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_by_its_names_and_addresses() {
        let is = |url: &str| is_loopback(&Url::parse(url).unwrap_or_else(|_| panic!("{url}")));
        for here in [
            "ws://127.0.0.1:8080/S",
            "http://127.9.8.7/",
            "wss://[::1]:1/",
            "http://[::ffff:127.0.0.1]/",
            "ws://localhost/",
            "http://LocalHost./",
            "https://api.localhost:8/",
        ] {
            assert!(is(here), "{here}");
        }
        for away in ["ws://localhost.example/", "http://128.0.0.1/", "wss://notlocalhost/", "http://[::2]/"] {
            assert!(!is(away), "{away}");
        }
    }
}
