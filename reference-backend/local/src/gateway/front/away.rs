//! The process of a front door.
#![allow(clippy::disallowed_methods, reason = "standard output is the stream to the stack here")]

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::door::Door;
use super::super::handler::{Authorization, ConnectionHandler, End, OpenConnection};
use super::super::mailbox::Mailbox;
use super::super::profile::GatewayProfile;
use super::link::{EndKind, Inbox, Outbox, Socket, ToDoor, ToStack, close, text};

/// How long the last sockets may take to see their close frame, once the stack has closed.
const GRACE: Duration = Duration::from_secs(5);

/// Why a front door could not start or continue.
#[derive(Debug, thiserror::Error)]
pub enum FrontDoorError {
    /// It was not started by `serve`.
    #[error(
        "standard input and output are not what `serve --front-doors` gives to a front door: {0}; run `serve`, which starts it"
    )]
    NotStarted(#[source] io::Error),
    /// The stack's messages cannot be read: it has another version, or the stream broke.
    #[error("cannot read the messages of the stack: {0}; run `serve` of the same version")]
    Protocol(#[source] io::Error),
}

/// Holds sockets for the stack that started this process, until that stack closes or dies.
///
/// # Errors
/// As [`FrontDoorError`] tells.
pub async fn open() -> Result<(), FrontDoorError> {
    let (listener, stream) = inherited().map_err(FrontDoorError::NotStarted)?;
    let (reader, writer) = stream.into_split();
    let mut inbox = Inbox::new(reader);
    let protocol = |error| FrontDoorError::Protocol(error);
    let profile = match inbox.next().await.map_err(protocol)? {
        Some((ToDoor::Profile, json)) => {
            serde_json::from_slice(&json).map_err(|error| protocol(error.into()))?
        }
        Some((other, _)) => return Err(protocol(io::Error::other(format!("it began with {other:?}")))),
        None => return Ok(()),
    };
    let stack = Stack(Arc::new(Shared {
        profile,
        outbox: Outbox::default(),
        authorizing: Mutex::default(),
        open: Mutex::default(),
        next: AtomicU32::new(0),
    }));
    let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
    let writing = stack.0.clone();
    let writing = tokio::spawn(async move { writing.outbox.write_to(writer).await });
    tokio::spawn(Door::new(stack.clone(), tasks.clone(), closing.clone()).serve(listener));
    let drained = async {
        closing.cancelled().await;
        tasks.close();
        // Clients that have not read the close frame by then lose the connection.
        let _ = tokio::time::timeout(GRACE, tasks.wait()).await;
    };
    tokio::select! {
        result = listen(&stack.0, inbox, &closing) => return result.map_err(protocol),
        () = drained => {}
    }
    stack.0.outbox.close();
    // If the stack has ended meanwhile, the remaining frames are not needed.
    let _ = tokio::time::timeout(GRACE, writing).await;
    Ok(())
}

/// The listener and the stream that `serve` passes as standard input and output.
fn inherited() -> io::Result<(TcpListener, UnixStream)> {
    let listener = std::net::TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let stream = std::os::unix::net::UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    // Verify that they are sockets.
    listener.local_addr()?;
    stream.peer_addr()?;
    listener.set_nonblocking(true)?;
    stream.set_nonblocking(true)?;
    Ok((TcpListener::from_std(listener)?, UnixStream::from_std(stream)?))
}

/// Executes the messages of the stack until the stream ends.
async fn listen(
    shared: &Shared,
    mut inbox: Inbox<OwnedReadHalf>,
    closing: &CancellationToken,
) -> io::Result<()> {
    while let Some((message, body)) = inbox.next().await? {
        match message {
            ToDoor::Granted { socket, cut } => shared.decided(socket, Some(cut), body.to_vec()),
            ToDoor::Refused { socket } => shared.decided(socket, None, body.to_vec()),
            ToDoor::Frame { socket } => shared.with(socket, |mailbox| mailbox.put(text(&body))),
            ToDoor::Answer { socket } => shared.with(socket, |mailbox| {
                mailbox.put(text(&body));
                mailbox.finish();
            }),
            ToDoor::Handled { socket } => shared.with(socket, Mailbox::finish),
            ToDoor::End { socket, code } => {
                let reason = String::from_utf8_lossy(&body).into_owned();
                shared.with(socket, |mailbox| mailbox.end(close(code, reason)));
            }
            ToDoor::Close => closing.cancel(),
            ToDoor::Profile => {}
        }
    }
    Ok(())
}

/// The stack, which decides about the connections of this door.
#[derive(Clone)]
struct Stack(Arc<Shared>);

struct Shared {
    profile: GatewayProfile,
    outbox: Outbox,
    authorizing: Mutex<HashMap<Socket, oneshot::Sender<Decision>>>,
    open: Mutex<HashMap<Socket, Arc<Mailbox>>>,
    next: AtomicU32,
}

/// Whether a handshake is let in (and its connection will be cut), and HTTP's answer.
type Decision = (Option<bool>, Vec<u8>);

impl Shared {
    /// Does something with the mailbox of a socket that has not ended meanwhile.
    fn with(&self, socket: Socket, what: impl FnOnce(&Mailbox)) {
        let mailbox = self.open.lock().get(&socket).cloned();
        if let Some(mailbox) = mailbox {
            what(&mailbox);
        }
    }

    fn decided(&self, socket: Socket, open: Option<bool>, response: Vec<u8>) {
        if let Some(authorizing) = self.authorizing.lock().remove(&socket) {
            // The handshake waits for this and nothing else.
            let _ = authorizing.send((open, response));
        }
    }
}

impl ConnectionHandler for Stack {
    type Connection = RemoteConnection;

    fn profile(&self) -> &GatewayProfile {
        &self.0.profile
    }

    async fn authorize(&self, ip: IpAddr, head: Vec<u8>) -> Authorization<RemoteConnection> {
        let shared = &self.0;
        let socket = shared.next.fetch_add(1, Ordering::Relaxed);
        let mailbox = Arc::new(Mailbox::default());
        let (decide, decision) = oneshot::channel();
        shared.authorizing.lock().insert(socket, decide);
        // Registered before the answer, because frames may follow it at once.
        shared.open.lock().insert(socket, Arc::clone(&mailbox));
        shared.outbox.send(&ToStack::Authorize { socket, ip }, &head);
        match decision.await {
            Ok((Some(cut), response)) => {
                let connection = RemoteConnection { shared: Arc::clone(shared), socket, mailbox };
                Authorization::Granted { response, connection, cut }
            }
            refused => {
                shared.open.lock().remove(&socket);
                Authorization::Refused(refused.map(|(_, response)| response).unwrap_or_default())
            }
        }
    }
}

/// A connection whose socket is in this door.
struct RemoteConnection {
    shared: Arc<Shared>,
    socket: Socket,
    mailbox: Arc<Mailbox>,
}

impl OpenConnection for RemoteConnection {
    fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    fn message(&self, body: Utf8Bytes) {
        self.shared.outbox.send(&ToStack::Message { socket: self.socket }, body.as_bytes());
    }

    fn sent(&self, frames: usize, bytes: usize) {
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let sent = ToStack::Sent { socket: self.socket, frames: number(frames), bytes: number(bytes) };
        self.shared.outbox.send(&sent, &[]);
    }

    fn ended(&self, end: &End) {
        self.shared.open.lock().remove(&self.socket);
        let (kind, reason) = EndKind::of(end);
        self.shared.outbox.send(&ToStack::Ended { socket: self.socket, kind }, reason.as_bytes());
    }
}
