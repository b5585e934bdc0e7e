//! The registry of open connections, for pushes, the Management API and the answers of routes.
//!
//! The bytes that are buffered for a slow client are counted here, from the acceptance of a frame until it is written to
//! its socket, in this process or in a front door.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use reference_backend::ports::{ConnectionAddress, PushError, Pusher};
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::edge::Edge;
use super::event::{Api, Client};
use super::faults::{FaultCounts, PushFault};
use super::front::RemoteSocket;
use super::id::Id;
use super::mailbox::Mailbox;
use super::profile::{GatewayProfile, limit};
use crate::metrics::Metrics;

const SHARDS: usize = 64;
/// The malformed frame: neither JSON nor an answer.
const GARBAGE: &str = "\u{fffd}{\"garbage\": tru";

/// All open connections of the API. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    edge: Arc<Edge>,
    shards: Arc<[Shard]>,
}

type Shard = Mutex<HashMap<Id, Arc<Connection>>>;

/// One open connection.
pub(super) struct Connection {
    pub(super) client: Client,
    last_active: AtomicI64,
    outgoing: Mutex<Outgoing>,
    transport: Transport,
}

#[derive(Default)]
struct Outgoing {
    /// Bytes that were accepted and not yet written to the socket.
    bytes: usize,
    /// A push that waits until the next one has overtaken it.
    delayed: Option<Utf8Bytes>,
    /// Set once the server closes the connection.
    ending: bool,
}

/// How the socket of a connection is reached.
pub(super) enum Transport {
    /// It is in this process.
    Local(Arc<Mailbox>),
    /// A front door has it.
    Remote(RemoteSocket),
}

/// The answer of `GET @connections/{id}`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionInfo {
    /// RFC 3339.
    pub connected_at: Timestamp,
    /// RFC 3339.
    pub last_active_at: Timestamp,
    /// The client.
    pub identity: ConnectionIdentity,
}

/// Address and user agent of a connection.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionIdentity {
    /// Address of the peer.
    pub source_ip: std::net::IpAddr,
    /// User agent of the client.
    pub user_agent: Option<String>,
}

impl Connections {
    /// The connections of a new API; `seed` draws its faults.
    #[must_use]
    pub fn of(api: Api, profile: GatewayProfile, metrics: &Metrics, seed: u64) -> Self {
        let edge = Arc::new(Edge::new(api, profile, metrics, seed));
        Self { edge, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    pub(super) fn edge(&self) -> Arc<Edge> {
        Arc::clone(&self.edge)
    }

    /// Adds a connection.
    pub(super) fn open(&self, client: Client, transport: Transport) -> Arc<Connection> {
        let id = client.id;
        let connection = Arc::new(Connection {
            last_active: AtomicI64::new(client.connected_at),
            client,
            outgoing: Mutex::default(),
            transport,
        });
        self.shard(id).lock().insert(id, Arc::clone(&connection));
        connection
    }

    /// Removes a connection.
    pub(super) fn forget(&self, id: Id) {
        self.shard(id).lock().remove(&id);
    }

    /// Number of open connections.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// The faults injected so far.
    #[must_use]
    pub fn faults(&self) -> FaultCounts {
        self.edge.faults.counts()
    }

    /// Closes every connection with 1001 (going away).
    pub fn close_all(&self) {
        for shard in self.shards.iter() {
            for connection in shard.lock().values() {
                connection.end(going_away());
            }
        }
    }

    /// Sends `data` as one text message (`PostToConnection`).
    ///
    /// # Errors
    /// As [`PushError`] tells.
    pub async fn push(&self, id: Id, data: Bytes) -> Result<(), PushError> {
        let profile = &self.edge.profile;
        if data.len() > profile.max_message_bytes {
            return Err(PushError::TooLarge(data.len()));
        }
        if !self.edge.limits.admits_request() {
            return Err(PushError::Throttled);
        }
        profile.push_delay.wait().await;
        let connection = self.get(id).ok_or(PushError::Gone)?;
        let frame = Utf8Bytes::try_from(data.clone())
            .unwrap_or_else(|_| Utf8Bytes::from(String::from_utf8_lossy(&data).into_owned()));
        self.enqueue(&connection, frame)
    }

    /// The connection's details (`GetConnection`).
    #[must_use]
    pub fn info(&self, id: Id) -> Option<ConnectionInfo> {
        let connection = self.get(id)?;
        let time = |millisecond| Timestamp::from_millisecond(millisecond).unwrap_or_default();
        Some(ConnectionInfo {
            connected_at: time(connection.client.connected_at),
            last_active_at: time(connection.last_active.load(Ordering::Relaxed)),
            identity: ConnectionIdentity {
                source_ip: connection.client.source_ip,
                user_agent: connection.client.user_agent.as_deref().map(str::to_owned),
            },
        })
    }

    /// Closes the connection (`DeleteConnection`); `false` if there is none.
    #[must_use]
    pub fn delete(&self, id: Id) -> bool {
        let connection = self.get(id);
        if let Some(connection) = &connection {
            self.forget(id);
            connection.end(CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() });
        }
        connection.is_some()
    }

    /// Queues the answer to a message.
    pub(super) fn answer(&self, connection: &Connection, answer: Option<Utf8Bytes>) {
        let Some(answer) = answer else { return connection.finish(None) };
        let mut outgoing = connection.outgoing.lock();
        if self.edge.faults.garbage() {
            connection.send(&mut outgoing, Utf8Bytes::from_static(GARBAGE));
        }
        outgoing.bytes += answer.len();
        connection.finish(Some(answer));
    }

    fn enqueue(&self, connection: &Arc<Connection>, frame: Utf8Bytes) -> Result<(), PushError> {
        let Edge { faults, profile, .. } = &*self.edge;
        let mut outgoing = connection.outgoing.lock();
        if outgoing.ending {
            return Err(PushError::Gone);
        }
        if outgoing.bytes + frame.len() > profile.outgoing_bytes_per_connection {
            return Err(PushError::Throttled);
        }
        let mut fault = faults.of_push();
        if fault == Some(PushFault::Reorder) && outgoing.delayed.is_some() {
            fault = None;
        }
        match fault {
            Some(PushFault::Drop) => return Ok(()),
            Some(PushFault::Reorder) => {
                outgoing.delayed = Some(frame);
                drop(outgoing);
                self.send_delayed_later(Arc::clone(connection));
                return Ok(());
            }
            Some(PushFault::Duplicate) => connection.send(&mut outgoing, frame.clone()),
            None => {}
        }
        if faults.garbage() {
            connection.send(&mut outgoing, Utf8Bytes::from_static(GARBAGE));
        }
        connection.send(&mut outgoing, frame);
        if let Some(overtaken) = outgoing.delayed.take() {
            connection.send(&mut outgoing, overtaken);
            faults.reordered();
        }
        Ok(())
    }

    /// Sends a delayed push after a time, if no other has overtaken it.
    fn send_delayed_later(&self, connection: Arc<Connection>) {
        let hold = limit(self.edge.profile.push_reorder_hold_s).unwrap_or_default();
        tokio::spawn(async move {
            tokio::time::sleep(hold).await;
            let mut outgoing = connection.outgoing.lock();
            if let Some(frame) = outgoing.delayed.take() {
                connection.send(&mut outgoing, frame);
            }
        });
    }

    fn get(&self, id: Id) -> Option<Arc<Connection>> {
        self.shard(id).lock().get(&id).cloned()
    }

    fn shard(&self, id: Id) -> &Shard {
        &self.shards[id.spread() % SHARDS]
    }
}

#[async_trait]
impl Pusher for Connections {
    async fn post(&self, to: &ConnectionAddress, data: Bytes) -> Result<(), PushError> {
        if to.stage != self.edge.api.stage {
            return Err(PushError::Forbidden);
        }
        // A malformed id was not issued by this API.
        let id = Id::parse(&to.connection_id).ok_or(PushError::Gone)?;
        self.push(id, data).await
    }
}

impl Connection {
    /// Closes the connection.
    pub(super) fn end(&self, close: CloseFrame) {
        self.outgoing.lock().ending = true;
        match &self.transport {
            Transport::Local(mailbox) => mailbox.end(close),
            Transport::Remote(remote) => remote.end(&close),
        }
    }

    /// Bytes were written to the socket.
    pub(super) fn taken(&self, bytes: usize) {
        let mut outgoing = self.outgoing.lock();
        outgoing.bytes = outgoing.bytes.saturating_sub(bytes);
        drop(outgoing);
        self.touch();
    }

    /// Records activity: a data frame was sent or received.
    pub(super) fn touch(&self) {
        self.last_active.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }

    /// Under the lock, so that frames leave in the order in which they were accepted.
    fn send(&self, outgoing: &mut Outgoing, frame: Utf8Bytes) {
        outgoing.bytes += frame.len();
        match &self.transport {
            Transport::Local(mailbox) => mailbox.put(frame),
            Transport::Remote(remote) => remote.frame(&frame),
        }
    }

    fn finish(&self, answer: Option<Utf8Bytes>) {
        match &self.transport {
            Transport::Local(mailbox) => {
                answer.into_iter().for_each(|answer| mailbox.put(answer));
                mailbox.finish();
            }
            Transport::Remote(remote) => remote.finish(answer.as_deref()),
        }
    }
}

/// The close frame of API Gateway itself.
pub(super) fn going_away() -> CloseFrame {
    CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static("Going away") }
}
