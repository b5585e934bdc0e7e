//! Why there is no socket: what is wrong with a target before the run, and with a handshake or a REST request during it.

use std::fmt;
use std::io;

use protocol::protocol::Missing;

use crate::auth::AuthError;
use crate::http_client::{self, BodyError, HttpError};
use crate::record::{Class, classes};
use crate::tls::{self, TlsError};

/// A target that cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The name has no address.
    #[error("the {whose}'s host `{host}` cannot be resolved: {source}; check the URL and the network")]
    Resolve {
        /// The target's or the proxy's.
        whose: &'static str,
        /// The host.
        host: String,
        /// The resolver's answer.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The host's name is none that a certificate could have.
    #[error("`{0}` is no name that a certificate could have; check target.url")]
    Name(String),
    /// The proxy is none that sockets can go through.
    #[error(
        "sockets go through http:// proxies only; check target.proxy, or HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"
    )]
    Proxy,
    /// A header's value is not available.
    #[error("target.headers: `{name}`: {problem}")]
    Header {
        /// The header.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The protocol's handshake cannot be made.
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    /// The REST API's client cannot be built.
    #[error("{0}")]
    Http(#[from] HttpError),
}

/// A handshake that cannot be made of what the protocol wants in it. None of the texts holds a value.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// A value is not there.
    #[error(
        "the protocol's handshake needs `{0}`, which the player does not have; check auth.mode and the protocol's file"
    )]
    Missing(String),
    /// A header that HTTP cannot carry.
    #[error(
        "the protocol's header `{0}` has letters that HTTP cannot carry; check handshake.headers in its file"
    )]
    Header(String),
    /// A subprotocol that cannot be offered.
    #[error(
        "a subprotocol of the protocol is empty, or has letters that it cannot have; check handshake.subprotocols in its file"
    )]
    Subprotocol,
}

/// Why a handshake led to no socket, or a REST request to no answer.
#[derive(Debug)]
pub struct ConnectError {
    /// Error class, e.g. `refused` or `http_403`.
    pub class: Class,
    /// What was seen.
    pub detail: String,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.detail)
    }
}

impl ConnectError {
    pub(super) fn new(class: impl Into<Class>, detail: impl ToString) -> Self {
        Self { class: class.into(), detail: detail.to_string() }
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        // The other side may reject our TLS after the handshake.
        let class = if tls::rustls_error(&error).is_some() { &classes::TLS } else { io_class(&error) };
        Self::new(class, error)
    }
}

impl From<AuthError> for ConnectError {
    fn from(error: AuthError) -> Self {
        Self::new(&classes::AUTH_REFRESH, error)
    }
}

impl From<Missing> for HandshakeError {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing.name)
    }
}

impl From<HandshakeError> for ConnectError {
    fn from(error: HandshakeError) -> Self {
        Self::new(&classes::HANDSHAKE_VALUE, error)
    }
}

impl From<reqwest::Error> for ConnectError {
    fn from(error: reqwest::Error) -> Self {
        Self::new(&classes::REST, http_client::causes(error))
    }
}

impl From<BodyError> for ConnectError {
    fn from(error: BodyError) -> Self {
        let class = if matches!(error, BodyError::TooLong(_)) { &classes::TOO_LARGE } else { &classes::REST };
        Self::new(class, error)
    }
}

/// The error class of an I/O error.
pub(super) fn io_class(error: &io::Error) -> &'static Class {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    match (error.kind(), error.raw_os_error()) {
        (_, Some(EMFILE | ENFILE)) => &classes::NO_DESCRIPTORS,
        (io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse, _) => &classes::NO_PORTS,
        (io::ErrorKind::ConnectionRefused, _) => &classes::REFUSED,
        (
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted,
            _,
        ) => &classes::RESET,
        (io::ErrorKind::UnexpectedEof, _) => &classes::CLOSED,
        (io::ErrorKind::TimedOut, _) => &classes::TIMEOUT,
        (io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable, _) => &classes::UNREACHABLE,
        _ => &classes::IO,
    }
}
