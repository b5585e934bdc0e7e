//! What handlers work with: ports, the stores over them, and settings.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::again::Failed;
use super::push::Delivered;
use super::slow::Slow;
use crate::ports::{Clock, IdentityProvider, PlacementQueue, Pusher, TableStore};
use crate::store::{Backoff, Connections, Messages, Placements};

/// What the handlers need from the world.
#[derive(Clone)]
pub struct Ports {
    /// The tables.
    pub tables: Arc<dyn TableStore>,
    /// The way to a player's socket.
    pub pusher: Arc<dyn Pusher>,
    /// The game's placement queue.
    pub queue: Arc<dyn PlacementQueue>,
    /// Who vouches for tokens and tickets; only asked in [`AuthMode::Token`] and [`AuthMode::Steam`].
    pub identity: Arc<dyn IdentityProvider>,
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
}

/// How a player proves who they are when they open a socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// The header `X-Player-Id`, believed as it stands: for tutorials and closed networks only.
    #[default]
    Header,
    /// A signed token (JWT) in `Authorization: Bearer` or in the query parameter `token`.
    #[value(alias = "jwt")]
    #[serde(alias = "jwt")]
    Token,
    /// A ticket of Steam in `Authorization: Steam` (or `Bearer`) or in the query parameter `token`.
    Steam,
    /// The request is signed with AWS credentials, which API Gateway itself checks: there is no authorizer. The player is
    /// who the signer says, in what is signed.
    Iam,
}

/// What a deployment decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How players prove who they are.
    pub auth: AuthMode,
    /// Name of the placement queue.
    pub queue_name: String,
    /// How long a connection record lives.
    pub connection_ttl: Duration,
    /// How long a message record lives. Short: it is delivered from the stream and never read again.
    pub message_ttl: Duration,
    /// How long a placement record lives.
    pub placement_ttl: Duration,
    /// Patience with the tables.
    pub table_backoff: Backoff,
    /// Patience with the Management API before a record goes back to the stream.
    pub push_backoff: Backoff,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: AuthMode::default(),
            queue_name: "Queue".into(),
            connection_ttl: Duration::from_secs(24 * 3_600),
            message_ttl: Duration::from_secs(60),
            placement_ttl: Duration::from_secs(3_600),
            table_backoff: Backoff::default(),
            push_backoff: Backoff {
                base: Duration::from_millis(50),
                cap: Duration::from_millis(400),
                attempts: 4,
            },
        }
    }
}

/// Everything a handler works with. One per process; an execution environment of AWS is a process, too.
pub struct Deps {
    pub(super) connections: Connections,
    pub(super) messages: Messages,
    pub(super) placements: Placements,
    pub(super) pusher: Arc<dyn Pusher>,
    pub(super) queue: Arc<dyn PlacementQueue>,
    pub(super) identity: Arc<dyn IdentityProvider>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    pub(super) delivered: Delivered,
    pub(super) failed_sends: Failed,
    pub(super) slow: Slow,
}

impl Deps {
    /// Puts the stores on the tables.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let Ports { tables, pusher, queue, identity, clock } = ports;
        let backoff = settings.table_backoff;
        Self {
            connections: Connections::new(Arc::clone(&tables), Arc::clone(&clock), backoff),
            messages: Messages::new(Arc::clone(&tables), backoff),
            placements: Placements::new(tables, Arc::clone(&clock), backoff),
            pusher,
            queue,
            identity,
            clock,
            settings,
            delivered: Delivered::default(),
            failed_sends: Failed::default(),
            slow: Slow::default(),
        }
    }

    /// Epoch second at which something that lives for `ttl` from now is gone.
    pub(super) fn expire_at(&self, ttl: Duration) -> i64 {
        self.clock.epoch_seconds().saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX))
    }
}
