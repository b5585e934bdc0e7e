//! The stack's side: starts the doors, keeps them running, and decides about their connections.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, UnixStream};
use tokio::process::{Child, Command};
use tokio_util::task::AbortOnDropHandle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::super::connections::{Connection, Transport};
use super::super::handler::End;
use super::super::server::{Admitted, Gateway};
use super::config::{COMMAND, FrontDoorsConfig};
use super::link::{Inbox, Outbox, Socket, ToDoor, ToStack, text};
use super::socket::RemoteSocket;
use crate::background::Background;

/// Pause before a door that has died is replaced, so that one that cannot start does not overload the machine.
const PAUSE: Duration = Duration::from_millis(200);

/// A front door could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {} as a front door: {source}; serve without --front-doors, or free processes and descriptors", program.display())]
pub struct NoFrontDoor {
    program: PathBuf,
    source: io::Error,
}

/// The front doors of a stack. They end when this is dropped.
pub(crate) struct FrontDoors(Background);

impl FrontDoors {
    /// Starts a door for each listener. Must be called inside a tokio runtime.
    pub(crate) fn start(
        gateway: &Arc<Gateway>,
        config: &FrontDoorsConfig,
        listeners: Vec<TcpListener>,
    ) -> Result<Self, NoFrontDoor> {
        let mut doors = Background::default();
        for listener in listeners {
            let failed = |source| NoFrontDoor { program: config.program.clone(), source };
            let listener = listener.into_std().map_err(failed)?.into();
            let supervisor =
                Supervisor { gateway: Arc::clone(gateway), program: config.program.clone(), listener };
            let first = supervisor.start().map_err(failed)?;
            doors.spawn(supervisor.run(first));
        }
        Ok(Self(doors))
    }

    /// Waits until every door has gone by itself.
    pub(crate) async fn gone(&mut self) {
        self.0.join().await;
    }
}

/// Starts one door again whenever it ends.
struct Supervisor {
    gateway: Arc<Gateway>,
    program: PathBuf,
    /// Stays open, so that clients wait for the next door when one has died.
    listener: OwnedFd,
}

/// A door that has been started.
struct Started {
    /// Killed when this is dropped.
    child: Child,
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
}

impl Supervisor {
    fn start(&self) -> io::Result<Started> {
        let (near, far) = std::os::unix::net::UnixStream::pair()?;
        near.set_nonblocking(true)?;
        let child = Command::new(&self.program)
            .arg(COMMAND)
            .stdin(Stdio::from(self.listener.try_clone()?))
            .stdout(Stdio::from(OwnedFd::from(far)))
            // A group of its own: Ctrl-C on the terminal stops the stack, and the stack closes its doors.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (reader, writer) = UnixStream::from_std(near)?.into_split();
        Ok(Started { child, reader, writer })
    }

    async fn run(self, first: Started) {
        let mut next = Ok(first);
        loop {
            match next {
                Ok(started) => {
                    let status = self.serve(started).await;
                    if self.gateway.closing.is_cancelled() {
                        return;
                    }
                    tracing::warn!(
                        status,
                        "a front door has ended; its connections are lost, another takes its place"
                    );
                }
                Err(error) => tracing::error!(%error, "cannot replace a front door; trying again"),
            }
            tokio::time::sleep(PAUSE).await;
            next = self.start();
        }
    }

    /// Serves a door until that ends; returns how it ended.
    async fn serve(&self, Started { mut child, reader, writer }: Started) -> String {
        let outbox = Arc::new(Outbox::default());
        let profile = serde_json::to_vec(&self.gateway.edge.profile).unwrap_or_default();
        outbox.send(&ToDoor::Profile, &profile);
        let writing = Arc::clone(&outbox);
        let _writing = AbortOnDropHandle::new(tokio::spawn(async move { writing.write_to(writer).await }));
        let (closer, closing) = (Arc::clone(&outbox), self.gateway.closing.clone());
        let _closing = AbortOnDropHandle::new(tokio::spawn(async move {
            closing.cancelled().await;
            closer.send(&ToDoor::Close, &[]);
        }));
        let handler = Arc::new(DoorHandler {
            gateway: Arc::clone(&self.gateway),
            outbox,
            open: Mutex::new(Some(HashMap::new())),
        });
        let result = handler.listen(reader).await;
        handler.door_ended();
        match result {
            // It closes the stream by ending.
            Ok(()) => child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string()),
            Err(error) => error.to_string(),
        }
    }
}

/// Decides about the connections of one door.
struct DoorHandler {
    gateway: Arc<Gateway>,
    outbox: Arc<Outbox>,
    /// None once the door has ended.
    open: Mutex<Option<HashMap<Socket, Tracked>>>,
}

/// A connection of the door, counted among those that a shutdown waits for.
type Tracked = (Arc<Connection>, TaskTrackerToken);

impl DoorHandler {
    /// Does what the door's messages ask for, until it ends.
    async fn listen(self: &Arc<Self>, reader: OwnedReadHalf) -> io::Result<()> {
        let mut inbox = Inbox::new(reader);
        while let Some((message, body)) = inbox.next().await? {
            match message {
                ToStack::Authorize { socket, ip } => {
                    let authorizing = Arc::clone(self).authorize(socket, ip, body.into());
                    self.gateway.tasks.spawn(authorizing);
                }
                ToStack::Message { socket } => {
                    self.with(socket, |connection| self.gateway.receive(connection, text(&body)));
                }
                ToStack::Sent { socket, frames, bytes } => self.with(socket, |connection| {
                    self.gateway.sent(connection, frames as usize, bytes as usize);
                }),
                ToStack::Ended { socket, kind } => {
                    let ended = self.open.lock().as_mut().and_then(|open| open.remove(&socket));
                    if let Some((connection, _counted)) = ended {
                        self.gateway.ended(connection, kind.end(&body));
                    }
                }
            }
        }
        Ok(())
    }

    async fn authorize(self: Arc<Self>, socket: Socket, ip: IpAddr, head: Vec<u8>) {
        let transport = Transport::Remote(RemoteSocket { outbox: Arc::clone(&self.outbox), socket });
        match self.gateway.authorize(ip, &head, transport).await {
            Ok(Admitted { connection, response, cut }) => {
                let tracked = (Arc::clone(&connection), self.gateway.tasks.token());
                let mut open = self.open.lock();
                match open.as_mut() {
                    // The door speaks of the socket as soon as it has this.
                    Some(open) => drop(open.insert(socket, tracked)),
                    None => return self.gateway.ended(connection, End::Lost),
                }
                drop(open);
                self.outbox.send(&ToDoor::Granted { socket, cut }, &response);
            }
            Err(refusal) => self.outbox.send(&ToDoor::Refused { socket }, &refusal),
        }
    }

    fn with(&self, socket: Socket, what: impl FnOnce(&Arc<Connection>)) {
        let connection = {
            let open = self.open.lock();
            open.as_ref().and_then(|open| open.get(&socket)).map(|(connection, _)| Arc::clone(connection))
        };
        if let Some(connection) = connection {
            what(&connection);
        }
    }

    /// The door has ended, and with it every connection that it had.
    fn door_ended(&self) {
        let open = self.open.lock().take();
        for (connection, _counted) in open.into_iter().flat_map(HashMap::into_values) {
            self.gateway.ended(connection, End::Lost);
        }
    }
}
