//! Test doubles of the ports, and a backend's worth of them.
//!
//! A crate of its own, because the tests of the handlers and those of the local stack share them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use reference_backend::function::{Function, Table};
use reference_backend::handlers::{AuthMode, Deps, HandlerError, Ports, Settings, dispatch};
use reference_backend::ports::{
    Clock, ConnectionAddress, IdentityError, IdentityProvider, PlacementError, PlacementQueue,
    PlayerIdentity, PushError, Pusher, StartPlacement, TableStore,
};
use reference_backend::store::Backoff;
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// Patience without pauses.
pub const EAGER: Backoff = Backoff { base: Duration::ZERO, cap: Duration::ZERO, attempts: 4 };

/// A clock that moves when told.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at some second of 2023.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000)))
    }

    /// Moves it.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("fits"), Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0.load(Relaxed)).expect("after 1970"))
    }
}

/// An item of the Messages table, with a number beside its keys.
#[must_use]
pub fn item(key: &str, recipient: &str, value: i64) -> Item {
    [
        ("messageId".to_owned(), AttributeValue::S(key.into())),
        ("recipientId".to_owned(), AttributeValue::S(recipient.into())),
        ("value".to_owned(), AttributeValue::N(value.to_string())),
    ]
    .into_iter()
    .collect::<HashMap<_, _>>()
    .into()
}

/// The same for some recipient, which expires at a second of the epoch.
#[must_use]
pub fn expiring(key: &str, expire_at: i64) -> Item {
    let mut item = item(key, "r", 1);
    item.insert("expireAt".into(), AttributeValue::N(expire_at.to_string()));
    item
}

/// Keeps what is pushed; fails as told, per connection.
#[derive(Debug, Default)]
pub struct FakePusher {
    /// What was pushed, and to whom.
    pub sent: Mutex<Vec<(String, Value)>>,
    /// How the next pushes to a connection fail.
    pub failures: Mutex<HashMap<String, VecDeque<PushError>>>,
    /// Told of each push.
    pub changed: Notify,
}

impl FakePusher {
    /// The next pushes to a connection fail like this.
    pub fn fail(&self, connection_id: &str, errors: impl IntoIterator<Item = PushError>) {
        self.failures.lock().entry(connection_id.into()).or_default().extend(errors);
    }

    /// What a connection got.
    pub fn to(&self, connection_id: &str) -> Vec<Value> {
        self.sent
            .lock()
            .iter()
            .filter(|(to, _)| to == connection_id)
            .map(|(_, frame)| frame.clone())
            .collect()
    }

    /// Waits until so many pushes went out in all.
    pub async fn wait_for(&self, pushes: usize) {
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
pub struct FakeQueue {
    /// What was started.
    pub started: Mutex<Vec<StartPlacement>>,
    /// How the next is refused.
    pub refusal: Mutex<Option<PlacementError>>,
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
pub struct FakeIdentity;

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

/// A backend of test doubles around real tables.
pub struct World<T> {
    /// What the handlers take for the time.
    pub clock: Arc<ManualClock>,
    /// The tables.
    pub tables: Arc<T>,
    /// Where pushes go.
    pub pusher: Arc<FakePusher>,
    /// Where placements are started.
    pub queue: Arc<FakeQueue>,
    /// What the handlers work with.
    pub deps: Arc<Deps>,
}

impl<T: TableStore + 'static> World<T> {
    /// Around the tables that `tables` makes.
    pub fn new(auth: AuthMode, tables: impl FnOnce(Arc<dyn Clock>) -> Arc<T>) -> Self {
        let queue = Arc::new(FakeQueue::default());
        let mut world = Self::with_queue(auth, queue.clone(), tables);
        world.queue = queue;
        world
    }

    /// The same with another queue.
    pub fn with_queue(
        auth: AuthMode,
        queue: Arc<dyn PlacementQueue>,
        tables: impl FnOnce(Arc<dyn Clock>) -> Arc<T>,
    ) -> Self {
        let clock = ManualClock::new();
        let tables = tables(clock.clone());
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
    pub fn with_tables(&mut self, tables: Arc<dyn TableStore>) {
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

    /// Invokes a function and returns its answer.
    ///
    /// # Errors
    /// As the function says.
    pub async fn call(&self, function: Function, event: &Value) -> Result<Value, HandlerError> {
        let answer = dispatch(function, &self.deps, event.to_string().as_bytes()).await?;
        Ok(serde_json::from_slice(&answer).expect("answers are JSON"))
    }

    /// Opens a socket: the player `p` has the connection `c-p`.
    pub async fn connect(&self, player: &str) {
        let answer = self.call(Function::Connect, &event(player, "CONNECT", None)).await.expect("connects");
        assert_eq!(answer["statusCode"], 200);
    }

    /// Sends a frame on a route and returns status and answer.
    pub async fn frame(&self, function: Function, player: &str, frame: &str) -> (i64, String) {
        let answer = self.call(function, &event(player, "MESSAGE", Some(frame))).await.expect("answers");
        (
            answer["statusCode"].as_i64().expect("a status"),
            answer["body"].as_str().expect("a body").to_owned(),
        )
    }

    /// How many items a table holds under an index value.
    pub async fn indexed(&self, table: Table, value: &str) -> usize {
        self.tables.query_index(table, value).await.expect("query").len()
    }
}

/// A WebSocket proxy event of a player's connection.
pub fn event(player: &str, event_type: &str, body: Option<&str>) -> Value {
    connection_event(player, &format!("c-{player}"), 1_700_000_000_000, event_type, body)
}

/// The same for any connection.
pub fn connection_event(
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
