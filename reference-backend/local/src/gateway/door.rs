//! The socket half of the gateway: TCP, the bytes of the HTTP upgrade, WebSocket frames.
//!
//! It decides nothing. The [`ConnectionHandler`] authorises connections, handles messages, pushes and counts. It is in the same process, or, with front doors of their own, at the other end
//! of a stream ([`front`](super::front)); this half is the same code both times.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::going_away;
use super::handler::{Authorization, ConnectionHandler, End, OpenConnection as _};
use super::handshake::{HeadError, read_head, refusal, refuse};
use super::id::Id;
use super::profile::limit;
use super::session::{Session, Socket, close_socket};

/// Buffer sizes of a socket. Small, because there are many sockets and most of them are idle.
const READ_BUFFER: usize = 1_024;
const WRITE_BUFFER: usize = 2_048;

/// Accepts the connections of one listener.
pub(super) struct Door<H> {
    handler: H,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl<H: ConnectionHandler> Door<H> {
    /// A door whose sockets are `tasks`, and that takes no more of them after `closing`.
    pub(super) fn new(handler: H, tasks: TaskTracker, closing: CancellationToken) -> Arc<Self> {
        Arc::new(Self { handler, tasks, closing })
    }

    /// Accepts connections until it closes.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.closing.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => drop(self.tasks.spawn(Arc::clone(&self).accept(stream, peer.ip()))),
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

    /// Handles one connection.
    async fn accept(self: Arc<Self>, stream: TcpStream, source_ip: IpAddr) {
        // Large and short-lived; boxed, it does not increase the size of every socket's task.
        if let Some((socket, connection, cut)) = Box::pin(self.handshake(stream, source_ip)).await {
            let door = Arc::clone(&self);
            self.tasks.spawn(door.live(socket, connection, cut));
        }
    }

    async fn handshake(
        &self,
        mut stream: TcpStream,
        source_ip: IpAddr,
    ) -> Option<(Socket, H::Connection, bool)> {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off Nagle's algorithm");
        }
        let profile = self.handler.profile();
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
        let (response, connection, cut) = match self.handler.authorize(source_ip, head).await {
            Authorization::Granted { response, connection, cut } => (response, connection, cut),
            Authorization::Refused(response) => {
                refuse(&mut stream, &response).await;
                return None;
            }
        };
        if stream.write_all(&response).await.is_err() {
            connection.ended(&End::Lost);
            return None;
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(profile.max_frame_bytes))
            .max_message_size(Some(profile.max_message_bytes));
        let socket = WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(config)).await;
        Some((socket, connection, cut))
    }

    async fn live(self: Arc<Self>, mut socket: Socket, connection: H::Connection, cut: bool) {
        if self.closing.is_cancelled() {
            connection.mailbox().end(going_away());
        }
        let end = Session::new(self.handler.profile(), &connection, &mut socket, cut).run().await;
        connection.ended(&end);
        // Rare and large; boxed, it does not increase the size of every socket's task.
        Box::pin(close_socket(socket, &end)).await;
    }
}
