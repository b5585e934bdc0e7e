//! Test doubles of the ports, and a backend's worth of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::function::{Deployment, Function, Table};
use crate::handlers::{AuthMode, Deps, HandlerError, Ports, Settings, dispatch};
use crate::local::metrics::Metrics;
use crate::local::tables::{EmbeddedTables, TablesProfile};
use crate::ports::{
    Clock, ConnectionAddress, IdentityError, IdentityProvider, PlacementError, PlacementQueue,
    PlayerIdentity, PushError, Pusher, StartPlacement, TableStore,
};
use crate::store::Backoff;

/// Patience without pauses.
pub(crate) const EAGER: Backoff = Backoff { base: Duration::ZERO, cap: Duration::ZERO, attempts: 4 };

/// A clock that moves when told.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at some second of 2023.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("fits"), Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0.load(Relaxed)).expect("after 1970"))
    }
}

/// Keeps what is pushed; fails as told, per connection.
#[derive(Debug, Default)]
pub(crate) struct FakePusher {
    pub(crate) sent: Mutex<Vec<(String, Value)>>,
    pub(crate) failures: Mutex<HashMap<String, VecDeque<PushError>>>,
    pub(crate) changed: Notify,
}

impl FakePusher {
    /// The next pushes to a connection fail like this.
    pub(crate) fn fail(&self, connection_id: &str, errors: impl IntoIterator<Item = PushError>) {
        self.failures.lock().entry(connection_id.into()).or_default().extend(errors);
    }

    /// What a connection got.
    pub(crate) fn to(&self, connection_id: &str) -> Vec<Value> {
        self.sent
            .lock()
            .iter()
            .filter(|(to, _)| to == connection_id)
            .map(|(_, frame)| frame.clone())
            .collect()
    }

    /// Waits until so many pushes went out in all.
    pub(crate) async fn wait_for(&self, pushes: usize) {
        while self.sent.lock().len() < pushes {
            let _ = tokio::time::timeout(Duration::from_millis(20), self.changed.notified()).await;
        }
    }
}

#[async_trait]
impl Pusher for FakePusher {
    async fn post(&self, to: &ConnectionAddress, data: Bytes) -> Result<(), PushError> {
        let failure = self.failures.lock().get_mut(&to.connection_id).and_then(VecDeque::pop_front);
        if let Some(error) = failure {
            return Err(error);
        }
        let frame = serde_json::from_slice(&data).expect("pushes are JSON");
        self.sent.lock().push((to.connection_id.clone(), frame));
        self.changed.notify_waiters();
        Ok(())
    }
}

/// Keeps what was started; refuses as told.
#[derive(Debug, Default)]
pub(crate) struct FakeQueue {
    pub(crate) started: Mutex<Vec<StartPlacement>>,
    pub(crate) refusal: Mutex<Option<PlacementError>>,
}

#[async_trait]
impl PlacementQueue for FakeQueue {
    async fn start_placement(&self, request: StartPlacement) -> Result<(), PlacementError> {
        if let Some(refusal) = self.refusal.lock().clone() {
            return Err(refusal);
        }
        self.started.lock().push(request);
        Ok(())
    }
}

/// Vouches for `good:<player>`, does not answer to `down`, refuses the rest.
#[derive(Debug, Default)]
pub(crate) struct FakeIdentity;

#[async_trait]
impl IdentityProvider for FakeIdentity {
    async fn verify(&self, token: &str) -> Result<PlayerIdentity, IdentityError> {
        match (token.strip_prefix("good:"), token) {
            (Some(player), _) => Ok(PlayerIdentity { player_id: player.into() }),
            (None, "down") => Err(IdentityError::Unavailable("refused".into())),
            _ => Err(IdentityError::Invalid("forged".into())),
        }
    }
}

/// A backend of test doubles around the real tables.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tables: Arc<EmbeddedTables>,
    pub(crate) pusher: Arc<FakePusher>,
    pub(crate) queue: Arc<FakeQueue>,
    pub(crate) deps: Arc<Deps>,
}

impl World {
    pub(crate) fn new(auth: AuthMode) -> Self {
        let queue = Arc::new(FakeQueue::default());
        let mut world = Self::with_queue(auth, queue.clone());
        world.queue = queue;
        world
    }

    pub(crate) fn with_queue(auth: AuthMode, queue: Arc<dyn PlacementQueue>) -> Self {
        let clock = ManualClock::new();
        let tables = EmbeddedTables::new(
            &TablesProfile::default(),
            &Deployment::default(),
            &Metrics::default(),
            clock.clone(),
        );
        let pusher = Arc::new(FakePusher::default());
        let deps = Arc::new(Deps::new(
            Ports {
                tables: tables.clone(),
                pusher: pusher.clone(),
                queue,
                identity: Arc::new(FakeIdentity),
                clock: clock.clone(),
            },
            Settings { auth, table_backoff: EAGER, push_backoff: EAGER, ..Settings::default() },
        ));
        Self { clock, tables, pusher, queue: Arc::default(), deps }
    }

    /// Has the handlers use other tables, in place of the world's own or around them.
    pub(crate) fn with_tables(&mut self, tables: Arc<dyn TableStore>) {
        let ports = Ports {
            tables,
            pusher: self.pusher.clone(),
            queue: self.queue.clone(),
            identity: Arc::new(FakeIdentity),
            clock: self.clock.clone(),
        };
        let settings = Settings { table_backoff: EAGER, push_backoff: EAGER, ..Settings::default() };
        self.deps = Arc::new(Deps::new(ports, settings));
    }

    pub(crate) async fn call(&self, function: Function, event: &Value) -> Result<Value, HandlerError> {
        let answer = dispatch(function, &self.deps, event.to_string().as_bytes()).await?;
        Ok(serde_json::from_slice(&answer).expect("answers are JSON"))
    }

    /// Opens a socket: the player `p` has the connection `c-p`.
    pub(crate) async fn connect(&self, player: &str) {
        let answer = self.call(Function::Connect, &event(player, "CONNECT", None)).await.expect("connects");
        assert_eq!(answer["statusCode"], 200);
    }

    /// Sends a frame on a route and returns status and answer.
    pub(crate) async fn frame(&self, function: Function, player: &str, frame: &str) -> (i64, String) {
        let answer = self.call(function, &event(player, "MESSAGE", Some(frame))).await.expect("answers");
        (
            answer["statusCode"].as_i64().expect("a status"),
            answer["body"].as_str().expect("a body").to_owned(),
        )
    }

    /// How many items a table holds under an index value.
    pub(crate) async fn indexed(&self, table: Table, value: &str) -> usize {
        self.tables.query_index(table, value).await.expect("query").len()
    }
}

/// A WebSocket proxy event of a player's connection.
pub(crate) fn event(player: &str, event_type: &str, body: Option<&str>) -> Value {
    connection_event(player, &format!("c-{player}"), 1_700_000_000_000, event_type, body)
}

/// The same for any connection.
pub(crate) fn connection_event(
    player: &str,
    connection_id: &str,
    connected_at: i64,
    event_type: &str,
    body: Option<&str>,
) -> Value {
    json!({
        "requestContext": {
            "routeKey": "$connect", "eventType": event_type, "connectionId": connection_id,
            "connectedAt": connected_at, "requestTimeEpoch": connected_at, "requestId": "r", "stage": "Development",
            "domainName": "localhost", "apiId": "local",
            "authorizer": { "playerId": player, "principalId": player },
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
