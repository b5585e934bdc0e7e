//! The records over the tables: what the handlers rely on, with tables that leave a part of every batch undone.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reference_backend::function::Table;
use reference_backend::ports::{
    BATCH_GET_LIMIT, BATCH_PUT_LIMIT, BatchGet, Clock as _, Condition, SystemClock, TableError, TableStore,
};
use reference_backend::store::{
    Backoff, Connection, Connections, Message, Messages, Placement, PlacementStatus, Placements,
};
use serde_dynamo::Item;

use super::{Subject, both};

/// Passes on half of each batch and throttles every other request, so that nothing succeeds at once.
struct Reluctant {
    tables: Arc<dyn TableStore>,
    throttles: AtomicBool,
    /// Sizes of the batches that came in.
    batches: Mutex<Vec<usize>>,
}

impl Reluctant {
    fn over(subject: &Subject) -> Arc<Self> {
        let (tables, throttles) = (Arc::clone(&subject.tables), AtomicBool::new(false));
        Arc::new(Self { tables, throttles, batches: Mutex::default() })
    }

    fn throttle(&self) -> Result<(), TableError> {
        if self.throttles.fetch_xor(true, Relaxed) { Ok(()) } else { Err(TableError::Throttled("t".into())) }
    }
}

#[async_trait]
impl TableStore for Reluctant {
    async fn put(&self, table: Table, item: Item, condition: Option<Condition>) -> Result<(), TableError> {
        self.throttle()?;
        self.tables.put(table, item, condition).await
    }

    async fn get(&self, table: Table, key: &str) -> Result<Option<Item>, TableError> {
        self.throttle()?;
        self.tables.get(table, key).await
    }

    async fn delete(&self, table: Table, key: &str, condition: Option<Condition>) -> Result<(), TableError> {
        self.throttle()?;
        self.tables.delete(table, key, condition).await
    }

    async fn query_index(&self, table: Table, value: &str) -> Result<Vec<Item>, TableError> {
        self.throttle()?;
        self.tables.query_index(table, value).await
    }

    async fn batch_get(&self, table: Table, mut keys: Vec<String>) -> Result<BatchGet, TableError> {
        self.batches.lock().unwrap().push(keys.len());
        let unprocessed = keys.split_off(keys.len().div_ceil(2));
        let mut answer = self.tables.batch_get(table, keys).await?;
        answer.unprocessed.extend(unprocessed);
        Ok(answer)
    }

    async fn batch_put(&self, table: Table, mut items: Vec<Item>) -> Result<Vec<Item>, TableError> {
        self.batches.lock().unwrap().push(items.len());
        let unprocessed = items.split_off(items.len().div_ceil(2));
        let mut left = self.tables.batch_put(table, items).await?;
        left.extend(unprocessed);
        Ok(left)
    }
}

fn patience() -> Backoff {
    Backoff { attempts: 20, ..Backoff::default() }
}

fn connection(player: &str, id: &str, at: i64) -> Connection {
    Connection {
        player_id: player.into(),
        connection_id: id.into(),
        stage: "Contract".into(),
        domain: "localhost".into(),
        connected_at: Some(at),
        expire_at: Some(SystemClock.epoch_seconds() + 3_600),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_who_reconnects_keeps_the_newer_record_in_whatever_order_things_happen() {
    both("reconnect", async |subject, notes| {
        let connections = Connections::new(Reluctant::over(subject), Arc::new(SystemClock), patience());
        let (old, new) = (connection("ann", "old", 1_000), connection("ann", "new", 2_000));
        let current = async || connections.of_players(["ann"]).await.unwrap();
        assert!(connections.register(&old).await.unwrap());
        assert!(connections.register(&new).await.unwrap());
        assert!(!connections.register(&old).await.unwrap(), "a late $connect of the older socket gives way");
        assert_eq!(current().await, std::slice::from_ref(&new));
        connections.remove("ann", "old").await.unwrap();
        assert_eq!(current().await, std::slice::from_ref(&new), "nor does the older one's end take it away");
        assert_eq!(connections.by_connection_id("new").await.unwrap().as_ref(), Some(&new));
        assert_eq!(connections.by_connection_id("old").await.unwrap(), None);
        assert!(connections.register(&new).await.unwrap(), "the same again is still the newest");
        connections.remove("ann", "new").await.unwrap();
        assert_eq!(current().await, []);

        // All at once, the newest wins.
        let racing = (0..20).map(|at| {
            let (connections, one) = (connections.clone(), connection("bob", &format!("c{at}"), at));
            tokio::spawn(async move { connections.register(&one).await.unwrap() })
        });
        for registered in racing.collect::<Vec<_>>() {
            registered.await.unwrap();
        }
        let newest = connections.of_players(["bob"]).await.unwrap();
        assert_eq!(newest.first().and_then(|one| one.connected_at), Some(19));
        notes.note("newest", newest.iter().map(|one| &one.connection_id).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_players_is_found_in_batches_of_a_hundred() {
    both("players", async |subject, notes| {
        let tables = Reluctant::over(subject);
        let connections = Connections::new(tables.clone(), Arc::new(SystemClock), patience());
        let players: Vec<String> = (0..230).map(|number| format!("p{number:03}")).collect();
        for (number, player) in players.iter().enumerate().filter(|(number, _)| number % 3 == 0) {
            let registered =
                connections.register(&connection(player, &format!("c{number}"), 1)).await.unwrap();
            assert!(registered);
        }
        let asked = players.iter().chain(&players[..5]).map(String::as_str).chain(["", "nobody"]);
        let mut found = connections.of_players(asked).await.unwrap();
        found.sort_by(|one, other| one.player_id.cmp(&other.player_id));
        assert_eq!(found.len(), 77);
        let batches = tables.batches.lock().unwrap().clone();
        assert_eq!(batches.iter().max(), Some(&BATCH_GET_LIMIT));
        assert!(
            batches.starts_with(&[100, 50, 25, 12, 6, 3, 1]),
            "what is left is asked for again: {batches:?}"
        );
        notes.note("found", found.iter().map(|one| (&one.player_id, &one.connection_id)).collect::<Vec<_>>());
        notes.note("batches", batches);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_messages_is_written_in_batches_of_twenty_five() {
    both("messages", async |subject, notes| {
        let tables = Reluctant::over(subject);
        let messages = Messages::new(tables.clone(), patience());
        let message = |number: i64| Message {
            message_id: format!("m{number:02}"),
            recipient_id: "ann".into(),
            sender_id: Some("bob".into()),
            message: format!("number {number}"),
            created_at: Some(number),
            expire_at: Some(4_000_000_000),
            trace: None,
        };
        messages.put_all(&(0..60).map(message).collect::<Vec<_>>()).await.unwrap();
        let batches = tables.batches.lock().unwrap().clone();
        assert_eq!(batches.iter().max(), Some(&BATCH_PUT_LIMIT));
        let written = subject.tables.query_index(Table::Messages, "ann").await.unwrap();
        assert_eq!(written.len(), 60);
        notes.items("written", Ok(written));
        notes.note("batches", batches);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placement_is_created_once_and_has_one_outcome() {
    both("placements", async |subject, notes| {
        let placements = Placements::new(Reluctant::over(subject), Arc::new(SystemClock), patience());
        let expire_at = SystemClock.epoch_seconds() + 3_600;
        let pending = Placement::pending("p-1".into(), "ann".into(), expire_at);
        placements.create(&pending).await.unwrap();
        let again = placements.create(&Placement { player_id: "bob".into(), ..pending.clone() }).await;
        notes.note("created again", again.unwrap_err().to_string());
        let outcome = |status| Placement { status, ..pending.clone() };
        let complete = async |status| placements.complete(&outcome(status)).await.unwrap();
        assert!(complete(PlacementStatus::Fulfilled).await);
        assert!(!complete(PlacementStatus::TimedOut).await, "the first outcome stands");
        let found = placements.get("p-1").await.unwrap().unwrap();
        assert_eq!((found.status, found.player_id.as_str()), (PlacementStatus::Fulfilled, "ann"));
        assert_eq!(placements.get("p-2").await.unwrap(), None);
    })
    .await;
}
