//! The socket half of the gateway: TCP, the bytes of the HTTP upgrade, WebSocket frames.
//!
//! Nothing is decided here. Who may come in, what becomes of a message, what is pushed and what is counted is the
//! business of the [`Desk`] behind the door. The desk is in the same process, or, with front doors of their own, at
//! the other end of a stream ([`front`](super::front)); this half is the same code both times.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Id;
use super::connections::going_away;
use super::handshake::{HeadError, read_head, refusal, refuse};
use super::mailbox::Mailbox;
use super::profile::{GatewayProfile, limit};
use super::session::{End, Session, Socket, farewell};

/// What an idle socket keeps for reading and writing. Small, because sockets are many and most of them rest.
const READ_BUFFER: usize = 1_024;
const WRITE_BUFFER: usize = 2_048;

/// What decides, as a door sees it.
pub(super) trait Desk: Clone + Send + Sync + 'static {
    /// An open connection.
    type Guest: Guest;

    /// The limits that the sockets themselves have to keep to.
    fn profile(&self) -> &GatewayProfile;

    /// Asks whether the one who sent this request head may come in.
    fn knock(&self, ip: IpAddr, head: Vec<u8>) -> impl Future<Output = Verdict<Self::Guest>> + Send;
}

/// What becomes of a handshake.
pub(super) enum Verdict<G> {
    /// The socket is open once the client has this answer.
    Open {
        /// HTTP's 101.
        response: Vec<u8>,
        /// Who has come in.
        guest: G,
        /// Fault: it will be cut, so long after its opening as the profile says.
        cut: bool,
    },
    /// The client gets this answer and nothing else.
    Refused(Vec<u8>),
}

/// What the desk knows an open socket as.
pub(super) trait Guest: Send + Sync + 'static {
    /// What waits to be written.
    fn mailbox(&self) -> &Mailbox;
    /// The client has said this. The mailbox knows that it is in flight, and is told when it has been handled.
    fn message(&self, body: Utf8Bytes);
    /// So many frames of so many bytes in all have been written.
    fn sent(&self, frames: usize, bytes: usize);
    /// The connection has ended: the last word about it.
    fn ended(&self, end: &End);
}

/// A way in for one listener's clients.
pub(super) struct Door<D> {
    desk: D,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl<D: Desk> Door<D> {
    /// A door whose sockets are `tasks`, and that takes no more of them after `closing`.
    pub(super) fn new(desk: D, tasks: TaskTracker, closing: CancellationToken) -> Arc<Self> {
        Arc::new(Self { desk, tasks, closing })
    }

    /// Takes connections until closing time.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.closing.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => drop(self.tasks.spawn(Arc::clone(&self).welcome(stream, peer.ip()))),
                Err(error) => {
                    // Mostly EMFILE: descriptors come back as connections end, so trying again is the remedy.
                    tracing::warn!(
                        %error,
                        "cannot accept a connection; raise the limit of open files, or serve with more --front-doors"
                    );
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Sees one connection through from its first byte to its last.
    async fn welcome(self: Arc<Self>, stream: TcpStream, source_ip: IpAddr) {
        // The handshake's state is large and short-lived; boxed, it does not stay with the socket.
        if let Some((socket, guest, cut)) = Box::pin(self.handshake(stream, source_ip)).await {
            let door = Arc::clone(&self);
            self.tasks.spawn(door.live(socket, guest, cut));
        }
    }

    async fn handshake(&self, mut stream: TcpStream, source_ip: IpAddr) -> Option<(Socket, D::Guest, bool)> {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off Nagle's algorithm");
        }
        let profile = self.desk.profile();
        let head = match limit(profile.handshake_timeout_s) {
            Some(limit) => tokio::time::timeout(limit, read_head(&mut stream)).await.ok()?,
            None => read_head(&mut stream).await,
        };
        let (head, rest) = match head {
            Ok(read) => read,
            Err(HeadError::Ended(_)) => return None,
            Err(HeadError::Refused(status, message)) => {
                refuse(&mut stream, &refusal(status, message, Id::random())).await;
                return None;
            }
        };
        let (response, guest, cut) = match self.desk.knock(source_ip, head).await {
            Verdict::Open { response, guest, cut } => (response, guest, cut),
            Verdict::Refused(response) => {
                refuse(&mut stream, &response).await;
                return None;
            }
        };
        if stream.write_all(&response).await.is_err() {
            guest.ended(&End::Lost);
            return None;
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(profile.max_frame_bytes))
            .max_message_size(Some(profile.max_message_bytes));
        let socket = WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(config)).await;
        Some((socket, guest, cut))
    }

    async fn live(self: Arc<Self>, mut socket: Socket, guest: D::Guest, cut: bool) {
        if self.closing.is_cancelled() {
            guest.mailbox().end(going_away());
        }
        let end = Session::new(self.desk.profile(), &guest, &mut socket, cut).run().await;
        guest.ended(&end);
        // Rare and large; boxed, it is not part of what every open socket keeps.
        Box::pin(farewell(socket, &end)).await;
    }
}
