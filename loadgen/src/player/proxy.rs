//! Sockets through an HTTP proxy: a tunnel (`CONNECT`, RFC 9110 §9.3.6), in which the handshake then runs as without one.
//!
//! Only where the scenario asks for it, and never to this machine. The proxy resolves the target's name.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use scenarios::plan::way::{Proxy, is_loopback};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use url::Url;

use super::answer;
use super::error::{ConnectError, EndpointError};
use crate::http_client::USER_AGENT;
use crate::record::classes;

/// A proxy, and the way through it.
pub(super) struct Tunnel {
    /// The proxy's host, an IPv6 address without brackets.
    pub(super) host: String,
    /// The proxy's port.
    pub(super) port: u16,
    /// The request that opens a tunnel; it may hold a password.
    request: Vec<u8>,
}

impl Tunnel {
    /// The proxy for a target, if it has one.
    pub(super) fn to(target: &Url, proxy: Option<&Proxy>) -> Result<Option<Self>, EndpointError> {
        let Some(proxy) = proxy.filter(|_| !is_loopback(target)) else { return Ok(None) };
        let (address, authorization) = match proxy {
            Proxy::Url(url) => (url.as_str().parse::<Uri>().ok(), None),
            Proxy::Env => {
                // The variables are named after the schemes of HTTP.
                let scheme = if target.scheme() == "wss" { "https" } else { "http" };
                let asked = format!("{scheme}://{}/", authority(target)).parse::<Uri>().ok();
                let Some(found) = asked.and_then(|asked| Matcher::from_env().intercept(&asked)) else {
                    return Ok(None);
                };
                (Some(found.uri().clone()), found.basic_auth().cloned())
            }
        };
        let address = address.filter(|address| address.scheme_str() == Some("http"));
        let Some((address, host)) = address.as_ref().and_then(|address| Some((address, address.host()?)))
        else {
            return Err(EndpointError::Proxy);
        };
        let authority = authority(target);
        let mut request =
            format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {USER_AGENT}\r\n")
                .into_bytes();
        if let Some(value) = authorization {
            request.extend([b"Proxy-Authorization: ", value.as_bytes(), b"\r\n"].concat());
        }
        request.extend_from_slice(b"\r\n");
        Ok(Some(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: address.port_u16().unwrap_or(80),
            request,
        }))
    }

    /// The proxy as it may be shown.
    pub(super) fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Opens a tunnel over a connection to the proxy.
    pub(super) async fn open(&self, stream: &mut TcpStream) -> Result<(), ConnectError> {
        stream.write_all(&self.request).await?;
        let ((), answer) = answer::read(stream, |_| ()).await?;
        match answer.status {
            200..300 if answer.rest.is_empty() => Ok(()),
            200..300 => {
                Err(ConnectError::new(&classes::PROXY, "the proxy has sent something before it was its turn"))
            }
            status => {
                let reason = answer.reason(stream).await;
                let detail = format!("the proxy {} refuses: {reason}", self.shown());
                Err(ConnectError::new(classes::proxy(status), detail))
            }
        }
    }
}

/// Host and port of a target.
fn authority(target: &Url) -> String {
    let host = target.host_str().unwrap_or_default();
    format!("{host}:{}", target.port_or_known_default().unwrap_or(80))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel(target: &str, proxy: &str) -> Option<Tunnel> {
        let proxy = Proxy::Url(proxy.parse().unwrap());
        Tunnel::to(&target.parse().unwrap(), Some(&proxy)).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_tunnel_is_asked_for_by_name_and_port() {
        let through = tunnel("wss://game.example/Stage?v=2", "http://proxy.example:3128").unwrap();
        assert_eq!(through.shown(), "proxy.example:3128");
        let request = String::from_utf8(through.request).unwrap();
        assert!(
            request.starts_with("CONNECT game.example:443 HTTP/1.1\r\nHost: game.example:443\r\n"),
            "{request}"
        );
        let six = tunnel("ws://[2001:db8::1]:8080/", "http://[::1]:3128").unwrap();
        assert!(six.request.starts_with(b"CONNECT [2001:db8::1]:8080 HTTP/1.1\r\n"));
        assert_eq!((six.host.as_str(), six.port), ("::1", 3128));
    }

    #[test]
    fn this_machine_is_reached_without() {
        for here in ["ws://127.0.0.1:8080/", "wss://localhost/", "ws://[::1]:1/"] {
            assert!(tunnel(here, "http://proxy.example:3128").is_none(), "{here}");
        }
    }
}
