//! The way to an open socket: TCP, TLS where the target wants it, the WebSocket upgrade.
//!
//! The upgrade is written here because a socket's memory and the price of a handshake are decided here: tungstenite's
//! own client keeps its 4 KiB handshake buffer for the socket's life, and takes a map of headers to write six lines.
//! The key comes from tungstenite, the answer's head is read by httparse, and what follows the head belongs to the
//! socket.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use httparse::Response;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::either::Either;
use url::{Position, Url};

use crate::auth::{AuthError, Credentials, Presented, Secrets};
use crate::record::Class;

/// A plain or an encrypted connection.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Longest head of a handshake's answer.
const MAX_HEAD: usize = 16 * 1024;
/// First guess at the length of a handshake's answer.
const HEAD: usize = 512;
/// Read buffer of an open socket: what an idle socket keeps.
const READ_BUFFER: usize = 512;
/// What may wait to be written before a socket refuses more.
const MAX_WRITE_BUFFER: usize = 512 * 1024;
/// Sockets that one source address takes without the kernel's port search eating the CPU.
const SOCKETS_PER_SOURCE: u32 = 13_000;

/// Where the players connect to, resolved once before the run.
pub struct Endpoint {
    url: Url,
    addresses: Vec<SocketAddr>,
    sources: Vec<IpAddr>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// A target that cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The name has no address.
    #[error("the target's host `{host}` cannot be resolved: {source}; check the URL and the network")]
    Resolve {
        /// The host.
        host: String,
        /// The resolver's answer.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}; check the system's certificate store (SSL_CERT_FILE)")]
    Tls(String),
}

/// How a socket is opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SocketOptions {
    /// `SO_RCVBUF`; `None`: the system's.
    pub(super) receive_buffer: Option<u32>,
    /// Longest message that is taken; `None`: tungstenite's own bound.
    pub(super) max_message: Option<usize>,
}

/// Why a handshake led to no socket, or a question over REST to no answer.
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
        Self::new(io_class(&error), error)
    }
}

impl From<AuthError> for ConnectError {
    fn from(error: AuthError) -> Self {
        Self::new("auth_refresh", error)
    }
}

/// The error class of an I/O error.
pub(super) fn io_class(error: &io::Error) -> &'static str {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    match (error.kind(), error.raw_os_error()) {
        (_, Some(EMFILE | ENFILE)) => "no_descriptors",
        (io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse, _) => "no_ports",
        (io::ErrorKind::ConnectionRefused, _) => "refused",
        (
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted,
            _,
        ) => "reset",
        (io::ErrorKind::UnexpectedEof, _) => "closed",
        (io::ErrorKind::TimedOut, _) => "timeout",
        (io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable, _) => "unreachable",
        _ => "io",
    }
}

impl Endpoint {
    /// Resolves the target and prepares TLS; `sources` empty: chosen for a loopback target with many players.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub async fn prepare(url: &Url, sources: &[IpAddr], players: u32) -> Result<Self, EndpointError> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(80);
        let unresolved = |source| EndpointError::Resolve { host: host.into(), source };
        let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(unresolved)?.collect();
        let tls = if url.scheme() == "wss" { Some(tls(host)?) } else { None };
        let sources =
            if sources.is_empty() { loopback_sources(&addresses, players) } else { sources.to_vec() };
        Ok(Self { url: url.clone(), addresses, sources, tls })
    }

    /// The target's addresses.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Opens player `number`'s socket.
    ///
    /// # Errors
    /// [`ConnectError`] with the class under which it counts.
    pub(super) async fn open(
        &self,
        number: u32,
        credentials: &Credentials,
        options: SocketOptions,
    ) -> Result<WebSocketStream<Stream>, ConnectError> {
        let presented = credentials.present(number, &self.url).await?;
        let mut stream = self.stream(number, options).await?;
        let ((), rest) = self.exchange(&mut stream, presented, upgraded).await?;
        credentials.connected(number);
        let mut config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER.max(rest.len()))
            .max_write_buffer_size(MAX_WRITE_BUFFER);
        if options.max_message.is_some() {
            config = config.max_message_size(options.max_message).max_frame_size(options.max_message);
        }
        Ok(WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config)).await)
    }

    /// A plain or encrypted connection, before the upgrade.
    pub(super) async fn stream(&self, number: u32, options: SocketOptions) -> Result<Stream, ConnectError> {
        let tcp = self.connect(number, options).await?;
        tcp.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Either::Left(tcp),
            Some((connector, name)) => {
                let tls = connector
                    .connect(name.clone(), tcp)
                    .await
                    .map_err(|error| ConnectError::new("tls", error))?;
                Either::Right(Box::new(tls))
            }
        })
    }

    pub(super) async fn connect(&self, number: u32, options: SocketOptions) -> io::Result<TcpStream> {
        let address = self.addresses[number as usize % self.addresses.len()];
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = self.sources.get(number as usize % self.sources.len().max(1)) {
            // The port is chosen at connect time, when the kernel knows the whole pair of addresses.
            setsockopt(&socket, IpBindAddressNoPort, &true)?;
            socket.bind(SocketAddr::new(*source, 0))?;
        }
        if let Some(bytes) = options.receive_buffer {
            // Before the connection: afterwards the window that was offered cannot shrink.
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.connect(address).await
    }

    /// The upgrade request: its bytes, its key, and what of it must not be repeated.
    fn request(&self, presented: Presented) -> (Vec<u8>, String, Secrets) {
        let url = presented.url(&self.url);
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let key = generate_key();
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        )
        .into_bytes();
        let secrets = presented.write_to(&mut request);
        request.extend_from_slice(b"\r\n");
        (request, key, secrets)
    }

    /// Writes the upgrade request and reads the answer; returns what `judge` makes of the answer's head, what has come
    /// behind it and the key that was due, and what followed the head.
    pub(super) async fn exchange<T>(
        &self,
        stream: &mut Stream,
        presented: Presented,
        judge: impl Fn(&Response<'_, '_>, &[u8], &str) -> Result<T, ConnectError>,
    ) -> Result<(T, Vec<u8>), ConnectError> {
        let (request, key, secrets) = self.request(presented);
        stream.write_all(&request).await?;
        stream.flush().await?;
        let accept = derive_accept_key(key.as_bytes());
        // The target may send back what it does not like.
        read_answer(stream, |head, body| judge(head, body, &accept))
            .await
            .map_err(|error| ConnectError { detail: secrets.hide_in(&error.detail), ..error })
    }
}

async fn read_answer<T>(
    stream: &mut Stream,
    judge: impl Fn(&Response<'_, '_>, &[u8]) -> Result<T, ConnectError>,
) -> Result<(T, Vec<u8>), ConnectError> {
    let mut answer = Vec::with_capacity(HEAD);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(ConnectError::new("closed", "the target closed the connection during the handshake"));
        }
        if let Some((length, judged)) = read_head(&answer, &judge)? {
            return Ok((judged, answer.split_off(length)));
        }
        if answer.len() > MAX_HEAD {
            return Err(ConnectError::new("bad_handshake", "the answer's head has no end"));
        }
    }
}

/// The answer's head, once it is complete: its length, and what `judge` makes of it and of what has come behind it.
fn read_head<T>(
    answer: &[u8],
    judge: impl Fn(&Response<'_, '_>, &[u8]) -> Result<T, ConnectError>,
) -> Result<Option<(usize, T)>, ConnectError> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Complete(length)) => Ok(Some((length, judge(&response, &answer[length..])?))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => {
            let start = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
            Err(ConnectError::new("bad_handshake", format!("{error}: {start:?}")))
        }
    }
}

/// Whether the answer is an upgrade, with the right key.
fn upgraded(head: &Response<'_, '_>, body: &[u8], accept: &str) -> Result<(), ConnectError> {
    let status = head.code.unwrap_or(0);
    if status != 101 {
        let body = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        return Err(ConnectError::new(format!("http_{status}"), format!("HTTP {status} {body}")));
    }
    let accepted = head.headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case("sec-websocket-accept") && header.value == accept.as_bytes()
    });
    if accepted {
        Ok(())
    } else {
        Err(ConnectError::new("bad_handshake", "101 without the right accept key"))
    }
}

fn tls(host: &str) -> Result<(TlsConnector, ServerName<'static>), EndpointError> {
    let wrong = |error: &dyn std::fmt::Display| EndpointError::Tls(error.to_string());
    let name = ServerName::try_from(host.to_owned()).map_err(|error| wrong(&error))?;
    let config = rustls::ClientConfig::with_platform_verifier().map_err(|error| wrong(&error))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

/// Whether this machine has any number of source addresses that reach `target`: all of 127.0.0.0/8.
#[must_use]
pub const fn has_more_sources(target: IpAddr) -> bool {
    matches!(target, IpAddr::V4(ip) if ip.is_loopback())
}

/// Source addresses 127.0.0.1, 127.0.0.2, … for more players than one address takes on loopback.
fn loopback_sources(addresses: &[SocketAddr], players: u32) -> Vec<IpAddr> {
    let needed = players.div_ceil(SOCKETS_PER_SOURCE).min(250);
    if !addresses.iter().all(|address| has_more_sources(address.ip())) || needed <= 1 {
        return Vec::new();
    }
    (1..=needed).map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last as u8))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    #[tokio::test]
    async fn the_request_is_a_websocket_upgrade() {
        let url: Url = "ws://127.0.0.1:8080/Stage?game=1".parse().unwrap();
        let endpoint = Endpoint::prepare(&url, &[], 1).await.unwrap();
        let (request, key, _) = endpoint.request(Presented::default());
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut read = httparse::Request::new(&mut headers);
        assert_eq!(read.parse(&request), Ok(httparse::Status::Complete(request.len())));
        assert_eq!((read.method, read.path, read.version), (Some("GET"), Some("/Stage?game=1"), Some(1)));
        let headers: Vec<_> = read
            .headers
            .iter()
            .map(|header| (header.name, std::str::from_utf8(header.value).unwrap()))
            .collect();
        let wanted = [
            ("Host", "127.0.0.1:8080"),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", &key),
        ];
        assert_eq!(headers, wanted);
        assert_ne!(endpoint.request(Presented::default()).1, key, "a key is used once");
    }

    #[test]
    fn an_answer_is_judged_by_status_and_key() {
        let good =
            format!("HTTP/1.1 101 Switching Protocols\r\nsec-WebSocket-accept: {ACCEPT}\r\n\r\n\x01rest");
        let judge = |answer: &[u8]| read_head(answer, |head, body| upgraded(head, body, ACCEPT));
        assert_eq!(judge(good.as_bytes()).unwrap(), Some((good.len() - 5, ())));
        assert_eq!(judge(&good.as_bytes()[..40]).unwrap(), None);
        let class = |answer: &str| judge(answer.as_bytes()).unwrap_err().class;
        assert_eq!(class("HTTP/1.1 403 Forbidden\r\n\r\n{}"), "http_403");
        assert_eq!(class("HTTP/1.1 101 Fine\r\n\r\n"), "bad_handshake");
        assert_eq!(class("\x16\x03garbage\r\n\r\n"), "bad_handshake");
    }
}
