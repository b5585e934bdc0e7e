//! The dependencies of the handlers: ports, stores and settings.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::again::Failed;
use super::push::Delivered;
use super::slow::Slow;
use crate::ports::{Clock, IdentityProvider, PlacementQueue, Pusher, TableStore};
use crate::store::{Backoff, Connections, Messages, Placements};

/// The ports that the handlers use.
#[derive(Clone)]
pub struct Ports {
    /// The tables.
    pub tables: Arc<dyn TableStore>,
    /// Pushes to a player's socket.
    pub pusher: Arc<dyn Pusher>,
    /// The game's placement queue.
    pub queue: Arc<dyn PlacementQueue>,
    /// Verifies tokens and tickets; used in [`AuthMode::Token`] and [`AuthMode::Steam`] only.
    pub identity: Arc<dyn IdentityProvider>,
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
}

/// How players authenticate when they open a socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// The header `X-Player-Id`, trusted without a check: for tutorials and closed networks only.
    #[default]
    Header,
    /// A signed token (JWT) in `Authorization: Bearer` or in the query parameter `token`.
    #[value(alias = "jwt")]
    #[serde(alias = "jwt")]
    Token,
    /// A ticket of Steam in `Authorization: Steam` (or `Bearer`) or in the query parameter `token`.
    Steam,
    /// The request is signed with AWS credentials, which API Gateway itself verifies: there is no authorizer. The signed
    /// request names the player.
    Iam,
}

/// The settings of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How players authenticate.
    pub auth: AuthMode,
    /// Name of the placement queue.
    pub queue_name: String,
    /// How long a connection record lives.
    pub connection_ttl: Duration,
    /// How long a message record lives. Short: it is delivered from the stream and never read again.
    pub message_ttl: Duration,
    /// How long a placement record lives.
    pub placement_ttl: Duration,
    /// Retries of table operations.
    pub table_backoff: Backoff,
    /// Retries of pushes before a record goes back to the stream.
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

/// The dependencies of the handlers. One per process, that is per execution environment on AWS.
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
    /// Creates the stores over the tables.
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

    /// Epoch second at which a record with this time to live expires.
    pub(super) fn expire_at(&self, ttl: Duration) -> i64 {
        self.clock.epoch_seconds().saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX))
    }
}
