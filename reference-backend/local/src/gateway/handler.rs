//! What stands behind a socket: the handler that authorises a connection, and what it is told of one that is open.
//!
//! The handler is the [gateway](super::Gateway) itself where it has the sockets, and a stream to it in a front door.

use std::future::Future;
use std::net::IpAddr;

use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::mailbox::Mailbox;
use super::profile::GatewayProfile;

/// Decides about connections.
pub(super) trait ConnectionHandler: Clone + Send + Sync + 'static {
    /// A connection that it has let in.
    type Connection: OpenConnection;

    /// The limits that the sockets themselves have to keep to.
    fn profile(&self) -> &GatewayProfile;

    /// Decides about a handshake, by where it comes from and its request head.
    fn authorize(
        &self,
        ip: IpAddr,
        head: Vec<u8>,
    ) -> impl Future<Output = Authorization<Self::Connection>> + Send;
}

/// What becomes of a handshake.
pub(super) enum Authorization<C> {
    /// The socket is open once the client has this answer.
    Granted {
        /// HTTP's 101.
        response: Vec<u8>,
        /// What the handler knows the socket as.
        connection: C,
        /// Fault: it will be cut, so long after its opening as the profile says.
        cut: bool,
    },
    /// The client gets this answer and nothing else.
    Refused(Vec<u8>),
}

/// What the handler is told of an open socket.
pub(super) trait OpenConnection: Send + Sync + 'static {
    /// What waits to be written.
    fn mailbox(&self) -> &Mailbox;
    /// The client has sent this. The mailbox knows that it is in flight, and is told when it has been handled.
    fn message(&self, body: Utf8Bytes);
    /// So many frames of so many bytes in all have been written.
    fn sent(&self, frames: usize, bytes: usize);
    /// The connection has ended. Nothing follows.
    fn ended(&self, end: &End);
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The client closed, with this code and reason.
    Client(u16, String),
    /// The server closes with this frame.
    Server(CloseFrame),
    /// The connection broke.
    Lost,
    /// It was cut, as a fault of the profile demands.
    Cut,
}
