//! The way to an open socket: TCP, TLS where the target wants it, the WebSocket upgrade.
//!
//! The upgrade is written here because a socket's memory and the price of a handshake are decided here: tungstenite's
//! own client keeps its 4 KiB handshake buffer for the socket's life, and takes a map of headers to write six lines.
//! The key comes from tungstenite, the answer's head is read by httparse ([`answer`]), and what follows the head belongs to
//! the socket.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use httparse::Response;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use protocol::Protocol;
use protocol::outline::Handshake;
use protocol::protocol::HandshakeParts;
use rustls::pki_types::ServerName;
use scenarios::Plan;
use scenarios::plan::way::Way;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::either::Either;
use url::{Position, Url};

use super::addresses::{Addresses, Targets};
use super::answer::{self, header};
use super::error::{ConnectError, EndpointError, HandshakeError, io_class};
use super::extra::Extra;
use super::handshake_values::HandshakeValues;
use super::proxy::Tunnel;
use super::upgrade::{Upgrade, url_of};
use crate::auth::{Credentials, Presented, Secrets};
use crate::record::classes;
use crate::tls;

/// A plain or an encrypted connection.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Read buffer of an open socket: what an idle socket keeps.
const READ_BUFFER: usize = 512;
/// What may wait to be written before a socket refuses more.
const MAX_WRITE_BUFFER: usize = 512 * 1024;
/// Sockets that one source address takes without the kernel's port search eating the CPU.
const SOCKETS_PER_SOURCE: u32 = 13_000;

/// Where the players connect to.
pub struct Endpoint {
    url: Url,
    /// Of the target, or of the proxy before it.
    addresses: Addresses,
    sources: Vec<IpAddr>,
    /// Whether the scenario names the sources.
    only_sources: bool,
    proxy: Option<Tunnel>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    protocol: Arc<dyn Protocol>,
    /// The scenario's own headers.
    extra: Extra,
    /// The scenario's own subprotocols.
    subprotocols: Vec<String>,
    /// What every player asks for, where the protocol makes no difference between them.
    upgrade: Upgrade,
}

/// What a player asks for, with what proves who it is.
pub struct Introduction<'e> {
    upgrade: Cow<'e, Upgrade>,
    presented: Presented,
    /// Whether it proves anything.
    pub proves: bool,
}

/// How a socket is opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SocketOptions {
    /// `SO_RCVBUF`; `None`: the system's.
    pub(super) receive_buffer: Option<u32>,
    /// Longest message that is taken; `None`: tungstenite's own bound.
    pub(super) max_message: Option<usize>,
}

impl Endpoint {
    /// What of the scenario's own headers and subprotocols must not be repeated.
    pub(super) const fn secrets(&self) -> &Arc<Secrets> {
        &self.extra.secrets
    }

    /// What its players speak.
    pub(super) fn protocol(&self) -> &dyn Protocol {
        &*self.protocol
    }

    /// Resolves the target, or the proxy before it, and prepares TLS; `sources` empty: chosen for a loopback target with
    /// many players.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub async fn prepare(
        url: &Url,
        way: &Way,
        protocol: &Arc<dyn Protocol>,
        sources: &[IpAddr],
        players: u32,
    ) -> Result<Self, EndpointError> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(80);
        let proxy = Tunnel::to(url, way.proxy.as_ref())?;
        let (whose, dialled, port) =
            proxy.as_ref().map_or(("target", host, port), |proxy| ("proxy", &proxy.host, proxy.port));
        let unresolved = |source| EndpointError::Resolve { whose, host: dialled.into(), source };
        let addresses = Addresses::of(dialled, port).await.map_err(unresolved)?;
        let tls = if url.scheme() == "wss" {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| EndpointError::Name(host.into()))?;
            Some((TlsConnector::from(Arc::new(tls::config(&way.trust)?)), name))
        } else {
            None
        };
        let only_sources = !sources.is_empty();
        let sources = if sources.is_empty() {
            loopback_sources(&addresses.current(), players)
        } else {
            sources.to_vec()
        };
        let extra = Extra::fetch(way)?;
        let parts = if protocol.outline().handshake.by_player {
            HandshakeParts::default()
        } else {
            protocol.handshake(&HandshakeValues::default()).map_err(HandshakeError::from)?
        };
        let nothing = Presented::default();
        let upgrade = Upgrade::new(&url_of(url, &parts), &extra, &way.subprotocols, &parts, &nothing)?;
        Ok(Self {
            url: url.clone(),
            addresses,
            sources,
            only_sources,
            proxy,
            tls,
            protocol: Arc::clone(protocol),
            extra,
            subprotocols: way.subprotocols.clone(),
            upgrade,
        })
    }

    /// The addresses that are dialled: the target's, or the proxy's.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.current()
    }

    /// All addresses that are dialled in the course of the run.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.addresses.targets()
    }

    /// The proxy that sockets go through, as it may be shown.
    #[must_use]
    pub fn proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(Tunnel::shown)
    }

    /// What player `number` asks for, and what proves who it is; it waits where a token has to be fetched again.
    ///
    /// # Errors
    /// [`ConnectError`] when there are no credentials, or the protocol's handshake cannot be made.
    pub async fn introduce(
        &self,
        number: u32,
        plan: &Plan,
        credentials: Option<&Credentials>,
    ) -> Result<Introduction<'_>, ConnectError> {
        let Handshake { by_player, .. } = self.protocol.outline().handshake;
        // Where messages alone have the token, it must be here by the time that they are sent.
        let token = match credentials.filter(|_| self.protocol.outline().token) {
            Some(credentials) => credentials.token(number).await?,
            None => None,
        };
        let proves = token.is_some();
        let present = async |url: &Url| match credentials {
            Some(credentials) => credentials.present(number, url).await,
            None => Ok(Presented::default()),
        };
        if !by_player {
            let presented = present(&self.upgrade.url).await?;
            let proves = proves || !presented.is_empty();
            return Ok(Introduction { upgrade: Cow::Borrowed(&self.upgrade), presented, proves });
        }
        let room = plan.rooms.name_for(number);
        let values = HandshakeValues { player: plan.player_id(number), room, token };
        let parts = self.protocol.handshake(&values).map_err(HandshakeError::from)?;
        let url = url_of(&self.url, &parts);
        let mut presented = present(&url).await?;
        let proves = proves || !presented.is_empty();
        let upgrade = Upgrade::new(&url, &self.extra, &self.subprotocols, &parts, &presented)?;
        if let Some(token) = &values.token {
            presented.hide(token);
        }
        Ok(Introduction { upgrade: Cow::Owned(upgrade), presented, proves })
    }

    /// Opens player `number`'s socket.
    ///
    /// # Errors
    /// [`ConnectError`] with the class under which it counts.
    pub(super) async fn open(
        &self,
        number: u32,
        plan: &Plan,
        credentials: &Credentials,
        options: SocketOptions,
    ) -> Result<WebSocketStream<Stream>, ConnectError> {
        let introduction = self.introduce(number, plan, Some(credentials)).await?;
        let mut stream = self.stream(number, options).await?;
        let Exchanged { upgrade, rest, .. } = self.exchange(&mut stream, introduction, |_| ()).await?;
        upgrade?;
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
        Ok(match &self.tls {
            None => Either::Left(tcp),
            Some((connector, name)) => {
                let tls =
                    connector.connect(name.clone(), tcp).await.map_err(|error| self.tls_failure(&error))?;
                Either::Right(Box::new(tls))
            }
        })
    }

    /// A connection to the target, through the proxy where there is one.
    pub(super) async fn connect(
        &self,
        number: u32,
        options: SocketOptions,
    ) -> Result<TcpStream, ConnectError> {
        let reachable = |address: SocketAddr| {
            // Sources that were found here are an offer, those that are named a restriction.
            !self.only_sources || self.sources.iter().any(|source| source.is_ipv4() == address.is_ipv4())
        };
        let dial = |address| self.connect_to(number, address, options);
        let connected = self.addresses.connect(number, reachable, dial).await;
        let mut tcp = connected.map_err(|error| match &self.proxy {
            Some(proxy) => {
                ConnectError::new(io_class(&error), format!("the proxy {}: {error}", proxy.shown()))
            }
            None => error.into(),
        })?;
        tcp.set_nodelay(true)?;
        if let Some(proxy) = &self.proxy {
            Box::pin(proxy.open(&mut tcp)).await?;
        }
        Ok(tcp)
    }

    /// Connects to one address.
    pub(super) async fn connect_to(
        &self,
        number: u32,
        address: SocketAddr,
        options: SocketOptions,
    ) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = self.source(number, address) {
            // The port is chosen at connect time, when the kernel knows the whole pair of addresses.
            setsockopt(&socket, IpBindAddressNoPort, &true)?;
            socket.bind(SocketAddr::new(source, 0))?;
        }
        if let Some(bytes) = options.receive_buffer {
            // Before the connection: afterwards the window that was offered cannot shrink.
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.connect(address).await
    }

    /// The address from which `number` dials: the next of the target's family.
    fn source(&self, number: u32, address: SocketAddr) -> Option<IpAddr> {
        let from = number as usize % self.sources.len().max(1);
        let (before, after) = self.sources.split_at_checked(from)?;
        after.iter().chain(before).find(|source| source.is_ipv4() == address.is_ipv4()).copied()
    }

    fn tls_failure(&self, error: &io::Error) -> ConnectError {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        ConnectError::new(&classes::TLS, tls::explain(error, host))
    }

    /// The upgrade request: its bytes, its key, and what of it must not be repeated.
    fn request(Introduction { upgrade, presented, .. }: Introduction<'_>) -> UpgradeRequest<'_> {
        let url = presented.url(&upgrade.url);
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let key = generate_key();
        let lines = &upgrade.lines;
        let mut bytes = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{lines}"
        )
        .into_bytes();
        let of_player = presented.subprotocol().map(str::to_owned);
        if of_player.is_some() || !upgrade.subprotocols.is_empty() {
            let offered: Vec<_> = upgrade.subprotocols.iter().chain(&of_player).map(String::as_str).collect();
            bytes.extend_from_slice(format!("Sec-WebSocket-Protocol: {}\r\n", offered.join(", ")).as_bytes());
        }
        let secrets = presented.write_to(&mut bytes);
        bytes.extend_from_slice(b"\r\n");
        UpgradeRequest { bytes, key, upgrade, of_player, secrets }
    }

    /// Writes the upgrade request and reads the answer, and what it says of its reasons where it is a refusal; `look`
    /// makes something of its head.
    pub(super) async fn exchange<T>(
        &self,
        stream: &mut Stream,
        introduction: Introduction<'_>,
        look: impl Fn(&Response<'_, '_>) -> T,
    ) -> Result<Exchanged<T>, ConnectError> {
        let UpgradeRequest { bytes, key, upgrade, of_player, secrets } = Self::request(introduction);
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        let accept = derive_accept_key(key.as_bytes());
        let all = || upgrade.subprotocols.iter().chain(&of_player);
        let offers = |name: &str| all().any(|offered| offered == name);
        let offered = all().next().is_some();
        // The target may send back what it does not like.
        let hidden = |error: ConnectError| ConnectError {
            detail: self.extra.secrets.hide_in(&secrets.hide_in(&error.detail)),
            ..error
        };
        let judge = |head: &Response<'_, '_>| (upgraded(head, &accept, offered, offers), look(head));
        let ((upgrade, made), answer) = answer::read(stream, judge).await.map_err(hidden)?;
        let status = answer.status;
        if status == 101 {
            return Ok(Exchanged { status, upgrade: upgrade.map_err(hidden), made, rest: answer.rest });
        }
        // Boxed: a handshake that succeeds does not carry it.
        let reason = Box::pin(answer.reason(stream)).await;
        let upgrade = Err(hidden(ConnectError::new(classes::http(status), reason)));
        Ok(Exchanged { status, upgrade, made, rest: Vec::new() })
    }
}

/// An upgrade request.
struct UpgradeRequest<'e> {
    bytes: Vec<u8>,
    key: String,
    upgrade: Cow<'e, Upgrade>,
    /// The subprotocol that is the player's own, since it holds its token.
    of_player: Option<String>,
    secrets: Secrets,
}

/// What came of an upgrade request.
pub(super) struct Exchanged<T> {
    /// HTTP status.
    pub(super) status: u16,
    /// Whether it is an upgrade.
    pub(super) upgrade: Result<(), ConnectError>,
    /// What was made of the answer's head.
    pub(super) made: T,
    /// What followed the head of an upgrade: it belongs to the socket.
    pub(super) rest: Vec<u8>,
}

/// Whether an answer with status 101 is an upgrade: it has the right key, and names a subprotocol if, and only if, some
/// were offered (RFC 6455 §4.1; that one must be named is what browsers and most clients hold servers to).
fn upgraded(
    head: &Response<'_, '_>,
    accept: &str,
    offered: bool,
    offers: impl Fn(&str) -> bool,
) -> Result<(), ConnectError> {
    if header(head, "sec-websocket-accept").is_none_or(|key| key != accept) {
        return Err(ConnectError::new(&classes::BAD_HANDSHAKE, "101 without the right accept key"));
    }
    match header(head, "sec-websocket-protocol") {
        None if !offered => Ok(()),
        Some(name) if offers(name.trim()) => Ok(()),
        None => Err(ConnectError::new(
            &classes::BAD_SUBPROTOCOL,
            "101 without a Sec-WebSocket-Protocol, though some were offered",
        )),
        Some(name) => {
            let detail = format!("101 with the subprotocol {name:?}, which was not offered");
            Err(ConnectError::new(&classes::BAD_SUBPROTOCOL, detail))
        }
    }
}

/// Whether this machine has any number of source addresses that reach `target`: all of 127.0.0.0/8.
#[must_use]
pub const fn has_more_sources(target: IpAddr) -> bool {
    matches!(target, IpAddr::V4(ip) if ip.is_loopback())
}

/// Source addresses 127.0.0.1, 127.0.0.2, … for more players than one address takes on loopback. An IPv6 address beside
/// it has one only.
fn loopback_sources(addresses: &[SocketAddr], players: u32) -> Vec<IpAddr> {
    let needed = players.div_ceil(SOCKETS_PER_SOURCE).min(250);
    let here = addresses.iter().all(|address| address.ip().is_loopback());
    if !here || !addresses.iter().any(|address| has_more_sources(address.ip())) || needed <= 1 {
        return Vec::new();
    }
    (1..=needed).map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last as u8))).collect()
}

#[cfg(test)]
mod tests;
