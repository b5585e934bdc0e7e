//! The store over tables that obey DynamoDB's limits and throttle at random.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use proptest::prelude::*;
use reference_backend::function::Table;
use reference_backend::ports::{
    BATCH_GET_LIMIT, BATCH_PUT_LIMIT, BatchGet, Clock, Condition, TableError, TableStore,
};
use reference_backend::store::{
    Backoff, Connection, Connections, Message, Messages, Placement, PlacementStatus, Placements, StoreError,
};
use reference_backend_testing::{EAGER, ManualClock};
use serde_dynamo::{AttributeValue, Item};

/// A map with DynamoDB's limits, which refuses every `n`th key or item of a batch as long as `n` says so.
#[derive(Default)]
struct Strict {
    items: Mutex<HashMap<String, Item>>,
    refuse_every: usize,
    refused: Mutex<usize>,
    largest_batch: Mutex<usize>,
}

impl Strict {
    fn refuses(&self) -> bool {
        let mut asked = self.refused.lock();
        *asked += 1;
        self.refuse_every > 0 && asked.is_multiple_of(self.refuse_every)
    }

    fn batch(&self, keys: &BTreeSet<String>, asked: usize, limit: usize) {
        assert!(asked >= 1 && asked <= limit, "{asked} of {limit}");
        assert_eq!(keys.len(), asked, "duplicates in a batch");
        let mut largest = self.largest_batch.lock();
        *largest = (*largest).max(asked);
    }
}

fn key(table: Table, item: &Item) -> String {
    match &item[table.key()] {
        AttributeValue::S(key) => key.clone(),
        other => panic!("no string key: {other:?}"),
    }
}

#[async_trait]
impl TableStore for Strict {
    async fn put(&self, table: Table, item: Item, _: Option<Condition>) -> Result<(), TableError> {
        self.items.lock().insert(key(table, &item), item);
        Ok(())
    }

    async fn get(&self, _: Table, key: &str) -> Result<Option<Item>, TableError> {
        Ok(self.items.lock().get(key).cloned())
    }

    async fn delete(&self, _: Table, key: &str, _: Option<Condition>) -> Result<(), TableError> {
        self.items.lock().remove(key);
        Ok(())
    }

    async fn query_index(&self, _: Table, _: &str) -> Result<Vec<Item>, TableError> {
        Ok(Vec::new())
    }

    async fn batch_get(&self, _: Table, keys: Vec<String>) -> Result<BatchGet, TableError> {
        self.batch(&keys.iter().cloned().collect(), keys.len(), BATCH_GET_LIMIT);
        let (unprocessed, asked): (Vec<_>, Vec<_>) = keys.into_iter().partition(|_| self.refuses());
        let items = self.items.lock();
        Ok(BatchGet { items: asked.iter().filter_map(|key| items.get(key).cloned()).collect(), unprocessed })
    }

    async fn batch_put(&self, table: Table, batch: Vec<Item>) -> Result<Vec<Item>, TableError> {
        self.batch(&batch.iter().map(|item| key(table, item)).collect(), batch.len(), BATCH_PUT_LIMIT);
        let (unprocessed, accepted): (Vec<_>, Vec<_>) = batch.into_iter().partition(|_| self.refuses());
        self.items.lock().extend(accepted.into_iter().map(|item| (key(table, &item), item)));
        Ok(unprocessed)
    }
}

fn connection(player: usize, expire_at: i64) -> Connection {
    Connection {
        player_id: format!("p{player}"),
        connection_id: format!("c{player}"),
        stage: "s".into(),
        domain: "d".into(),
        connected_at: Some(1),
        expire_at: Some(expire_at),
    }
}

fn message(number: usize) -> Message {
    Message {
        message_id: format!("m{number}"),
        recipient_id: "r".into(),
        sender_id: Some("s".into()),
        message: "t".into(),
        created_at: Some(1),
        expire_at: Some(2),
        trace: None,
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever is asked for how often: exactly the live connections come back, in batches that AWS takes.
    #[test]
    fn every_live_player_is_found_once(
        asked in prop::collection::vec(0..300_usize, 0..600),
        online in prop::collection::btree_map(0..300_usize, -2..3_i64, 0..300),
        refuse_every in prop_oneof![Just(0_usize), 3..20_usize],
    ) {
        let clock = ManualClock::new();
        let now = clock.epoch_seconds();
        let strict = Arc::new(Strict { refuse_every, ..Strict::default() });
        for (player, lives) in &online {
            let item = serde_dynamo::to_item(connection(*player, now + lives)).expect("an item");
            strict.items.lock().insert(format!("p{player}"), item);
        }
        let patient = Backoff { attempts: 50, ..EAGER };
        let store = Connections::new(strict.clone(), clock, patient);
        let ids: Vec<String> = asked.iter().map(|player| format!("p{player}")).chain([String::new()]).collect();
        let found = block_on(store.of_players(ids.iter().map(String::as_str))).expect("found");
        let mut found: Vec<String> = found.into_iter().map(|connection| connection.player_id).collect();
        found.sort();
        let expected: BTreeSet<String> =
            asked.iter().filter(|player| online.get(player).is_some_and(|lives| *lives >= 0)).map(|player| format!("p{player}")).collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    /// Every message is written although batches come back in part.
    #[test]
    fn every_message_is_written(count in 0..130_usize, refuse_every in prop_oneof![Just(0_usize), 3..20_usize]) {
        let strict = Arc::new(Strict { refuse_every, ..Strict::default() });
        let store = Messages::new(strict.clone(), Backoff { attempts: 50, ..EAGER });
        let messages: Vec<Message> = (0..count).map(message).collect();
        block_on(store.put_all(&messages)).expect("written");
        prop_assert_eq!(strict.items.lock().len(), count);
        prop_assert!(*strict.largest_batch.lock() <= BATCH_PUT_LIMIT);
    }
}

#[tokio::test]
async fn what_stays_unprocessed_is_an_error() {
    let strict = Arc::new(Strict { refuse_every: 1, ..Strict::default() });
    let connections = Connections::new(strict.clone(), ManualClock::new(), EAGER);
    let error = connections.of_players(["a", "b"]).await.expect_err("throttled");
    assert!(matches!(error, StoreError::Unprocessed { left: 2, attempts: 4, .. }), "{error}");
    let error = Messages::new(strict, EAGER).put_all(&[message(1)]).await.expect_err("throttled");
    assert_eq!(
        error.to_string(),
        "Messages: 1 of a batch still unprocessed after 4 attempts; the table is throttled, try again later"
    );
}

#[tokio::test]
async fn an_expired_placement_is_gone_though_it_can_be_read() {
    let clock = ManualClock::new();
    let store = Placements::new(Arc::new(Strict::default()), clock.clone(), EAGER);
    let placement = Placement::pending("p".into(), "a".into(), clock.epoch_seconds() + 10);
    store.create(&placement).await.expect("stored");
    clock.advance(Duration::from_secs(10));
    assert_eq!(store.get("p").await.expect("read"), Some(placement));
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.get("p").await.expect("read"), None);
}

#[test]
fn items_have_exactly_the_attributes_of_the_tables() {
    let names = |item: Item| {
        let mut names: Vec<String> = item.into_inner().into_keys().collect();
        names.sort();
        names.join(" ")
    };
    let item = serde_dynamo::to_item(connection(1, 2)).expect("an item");
    assert_eq!(names(item), "connectedAt connectionId domain expireAt playerId stage");
    let item = serde_dynamo::to_item(message(1)).expect("an item");
    assert_eq!(names(item), "createdAt expireAt message messageId recipientId senderId");
    let mut placement = Placement::pending("p".into(), "a".into(), 1);
    assert_eq!(
        names(serde_dynamo::to_item(&placement).expect("an item")),
        "expireAt placementId playerId status"
    );
    placement.status = PlacementStatus::TimedOut;
    let item: Item = serde_dynamo::to_item(&placement).expect("an item");
    assert_eq!(item["status"], AttributeValue::S("TIMED_OUT".into()));
}
