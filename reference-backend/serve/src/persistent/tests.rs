//! What a directory gives back, and what it refuses.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use reference_backend::function::{Deployment, Table};
use reference_backend::ports::{Clock, TableError, TableStore as _};
use reference_backend_local::metrics::Metrics;
use reference_backend_local::storage::Opening;
use reference_backend_local::tables::{Change, ChangeKind, EmbeddedTables, Logged, Stream, TablesProfile};
use reference_backend_testing::{ManualClock, expiring, item};
use serde_dynamo::{AttributeValue, Item};

use super::codec::{self, Record};
use super::storage::PersistedTables;
use super::store::Store;
use super::{DataConfig, DataError};

/// Tables of a directory, at a time that stands still.
struct Fixture<'a> {
    directory: &'a Path,
    profile: TablesProfile,
    deployment: Deployment,
    wait: Duration,
    clock: Arc<ManualClock>,
}

impl<'a> Fixture<'a> {
    fn new(directory: &'a Path) -> Self {
        let profile = TablesProfile { stream_shards: 1, ..TablesProfile::default() };
        let (deployment, clock) = (Deployment::default(), ManualClock::new());
        Self { directory, profile, deployment, wait: Duration::ZERO, clock }
    }

    fn try_open(&self) -> Result<PersistedTables, DataError> {
        let config = DataConfig { directory: self.directory.to_owned(), wait: self.wait };
        let clock: Arc<dyn Clock> = self.clock.clone();
        let (profile, deployment, metrics) = (&self.profile, &self.deployment, &Metrics::default());
        PersistedTables::open(&config, &Opening { profile, deployment, metrics, clock: &clock })
    }

    /// Opens it as soon as whoever had it has let go of it.
    async fn open_storage(&self) -> PersistedTables {
        loop {
            match self.try_open() {
                Err(DataError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
                opened => return opened.expect("opens"),
            }
        }
    }

    async fn open(&self) -> Arc<EmbeddedTables> {
        self.open_storage().await.tables
    }

    fn refused(&self) -> String {
        self.try_open().err().expect("refused").to_string()
    }
}

fn messages(tables: &EmbeddedTables) -> Arc<Stream> {
    tables.stream(Table::Messages).expect("a stream")
}

async fn put(tables: &EmbeddedTables, item: Item) {
    tables.put(Table::Messages, item, None).await.expect("put");
}

/// Keys and sequences of everything in the stream of messages.
fn records(tables: &EmbeddedTables) -> Vec<(String, u64)> {
    let stream = messages(tables);
    let all = (0..stream.shard_count()).flat_map(|shard| stream.records(shard));
    all.map(|record| (record.key.to_string(), record.sequence)).collect()
}

fn keys(tables: &EmbeddedTables) -> Vec<String> {
    records(tables).into_iter().map(|(key, _)| key).collect()
}

fn value() -> impl Strategy<Value = AttributeValue> {
    let number = || (-1_000_000_i64..1_000_000).prop_map(|number| number.to_string());
    let leaf = prop_oneof![
        ".*".prop_map(AttributeValue::S),
        number().prop_map(AttributeValue::N),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null(true)),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(AttributeValue::B),
        prop::collection::vec(".*", 1..4).prop_map(AttributeValue::Ss),
        prop::collection::vec(number(), 1..4).prop_map(AttributeValue::Ns),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..4).prop_map(AttributeValue::Bs),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::hash_map(".*", inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
}

fn kind() -> impl Strategy<Value = ChangeKind> {
    prop_oneof![
        Just(ChangeKind::Insert),
        Just(ChangeKind::Modify),
        Just(ChangeKind::Remove),
        Just(ChangeKind::Expire)
    ]
}

proptest! {
    #[test]
    fn items_are_read_as_they_were_written(attributes in prop::collection::hash_map(".*", value(), 0..6)) {
        let item: Item = attributes.into();
        let back: Item = serde_json::from_str(codec::item(&item).get()).expect("an item");
        prop_assert_eq!(back, item);
    }

    #[test]
    fn records_are_read_as_they_were_written(
        kind in kind(), key in ".+", key_hash in any::<u64>(), size in any::<u32>(), created_ms in any::<i64>(),
        image in prop::option::of(prop::collection::hash_map(".*", value(), 0..6)),
    ) {
        let image: Option<Item> = image.map(Into::into);
        let logged = Logged { shard: 0, sequence: 0, kind, key_hash, size: size as usize, created_ms };
        let bytes = codec::record(&key, &logged, image.as_ref().map(codec::item).as_deref());
        let record: Record = serde_json::from_slice(&bytes).expect("a record");
        prop_assert_eq!(record.key_hash, key_hash);
        let change = Change::from(record);
        prop_assert_eq!((change.kind, &*change.key, change.size), (kind, key.as_str(), logged.size));
        prop_assert_eq!((change.created_ms, change.new_image.as_deref()), (created_ms, image.as_ref()));
        prop_assert_eq!(change.key_hash, Change::hash_of(&key), "its lane is one of this process");
    }

    #[test]
    fn keys_are_read_as_they_were_written_and_sort_by_sequence(
        table in prop::sample::select(Table::ALL.to_vec()), key in ".+", shard in 0..64_usize,
        sequences in any::<(u64, u64)>(),
    ) {
        let text = codec::item_key(table, &key);
        prop_assert_eq!(codec::parse_item_key(text.as_bytes()), Some((table, key.as_str())));
        let (one, other) = sequences;
        let place = codec::record_key(table, shard, one);
        prop_assert_eq!(codec::parse_record_key(place.as_bytes()), Some((table, shard, one)));
        prop_assert_eq!(place.cmp(&codec::record_key(table, shard, other)), one.cmp(&other));
        let place = codec::positions_key(table, shard);
        prop_assert_eq!(codec::parse_positions_key(place.as_bytes()), Some((table, shard)));
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8, i64),
    PutSome(Vec<u8>),
    Delete(u8),
    /// Ends as told, or as if the process had been killed.
    Reopen(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, 0..3_u8, 0..5_i64).prop_map(|(key, recipient, value)| Step::Put(key, recipient, value)),
        1 => prop::collection::btree_set(0..6_u8, 1..5).prop_map(|keys| Step::PutSome(keys.into_iter().collect())),
        2 => (0..6_u8).prop_map(Step::Delete),
        1 => any::<bool>().prop_map(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However often the directory is opened, items, index and undelivered records are those of tables that never end.
    #[test]
    fn a_restart_is_not_noticed(steps in prop::collection::vec(step(), 0..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let directory = tempfile::tempdir().expect("a directory");
            let fixture = Fixture::new(directory.path());
            let mut tables = fixture.open().await;
            let mut model: BTreeMap<String, (String, i64)> = BTreeMap::new();
            let mut written = Vec::new();
            for step in steps.into_iter().chain([Step::Reopen(false)]) {
                match step {
                    Step::Put(key, recipient, value) => {
                        let (key, recipient) = (format!("k{key}"), format!("r{recipient}"));
                        put(&tables, item(&key, &recipient, value)).await;
                        if model.get(&key) != Some(&(recipient.clone(), value)) {
                            written.push(key.clone());
                        }
                        model.insert(key, (recipient, value));
                    }
                    Step::PutSome(keys) => {
                        let items = keys.iter().map(|key| item(&format!("k{key}"), "some", 0)).collect();
                        assert!(tables.batch_put(Table::Messages, items).await.expect("put").is_empty());
                        for key in keys.iter().map(|key| format!("k{key}")) {
                            if model.get(&key) != Some(&("some".into(), 0)) {
                                written.push(key.clone());
                            }
                            model.insert(key, ("some".into(), 0));
                        }
                    }
                    Step::Delete(key) => {
                        let key = format!("k{key}");
                        tables.delete(Table::Messages, &key, None).await.expect("delete");
                        if model.remove(&key).is_some() {
                            written.push(key);
                        }
                    }
                    Step::Reopen(told) => {
                        if told {
                            tables.close().await;
                        }
                        drop(tables);
                        tables = fixture.open().await;
                    }
                }
            }
            for number in 0..6 {
                let key = format!("k{number}");
                let found = tables.get(Table::Messages, &key).await.expect("get");
                let expected = model.get(&key).map(|(recipient, value)| item(&key, recipient, *value));
                assert_eq!(found, expected, "{key}");
            }
            for recipient in ["r0", "r1", "r2", "some"] {
                let expected = model.values().filter(|(of, _)| of == recipient).count();
                assert_eq!(tables.query_index(Table::Messages, recipient).await.expect("query").len(), expected);
            }
            assert_eq!(keys(&tables), written, "nobody reads the stream, so all of it is left, in order");
        });
    }
}

#[tokio::test]
async fn what_is_delivered_does_not_come_again_and_what_is_not_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    let mut reader = messages(&tables).register(0);
    for number in 0..10 {
        put(&tables, item(&format!("k{number}"), "r", 1)).await;
    }
    reader.read(4, |_| true);
    reader.commit();
    // Read, but not done with.
    reader.read(2, |_| true);
    // As in a stack that stops: the lanes go first.
    drop(reader);
    tables.close().await;
    assert!(matches!(
        tables.put(Table::Messages, item("late", "r", 1), None).await,
        Err(TableError::Unavailable(_))
    ));

    for _ in 0..2 {
        let tables = fixture.open().await;
        let left = records(&tables);
        let expected: Vec<_> = (4..10).map(|number| format!("k{number}")).collect();
        assert_eq!(keys(&tables), expected);
        assert!(left[0].1 >= 10, "a sequence number is given out once: {left:?}");
        let image = messages(&tables).records(0)[0].new_image.clone().expect("an image");
        assert_eq!(*image, item("k4", "r", 1));
        assert!(tables.get(Table::Messages, "late").await.expect("get").is_none());
        tables.close().await;
    }
}

#[tokio::test]
async fn delivered_records_go_while_the_process_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    let mut reader = messages(&tables).register(0);
    for number in 0..10 {
        put(&tables, item(&format!("k{number}"), "r", 1)).await;
    }
    assert_eq!(reader.read(9, |_| true).len(), 9);
    reader.commit();
    // Twice the writer's pause and more; then an end without a word.
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop((reader, tables));
    assert_eq!(keys(&*fixture.open().await), ["k9"]);
}

#[tokio::test]
async fn each_lane_goes_on_where_it_was_even_among_other_shards() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    let stream = messages(&tables);
    let (mut first, second) = (stream.register(0), stream.register(0));
    for number in 0..40 {
        put(&tables, item(&format!("k{number}"), "r", 1)).await;
    }
    let of_second = |record: &Change| record.lane(2) == 1;
    let left: Vec<_> = stream
        .records(0)
        .iter()
        .filter(|record| of_second(record))
        .map(|record| record.key.to_string())
        .collect();
    assert!((1..40).contains(&left.len()));
    first.read(usize::MAX, |record| !of_second(record));
    first.commit();
    drop((first, second));
    tables.close().await;

    fixture.profile.stream_shards = 4;
    let tables = fixture.open().await;
    let mut found = keys(&tables);
    let mut expected = left;
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_expired_meanwhile_is_swept() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    put(&tables, expiring("old", fixture.clock.epoch_seconds() + 10)).await;
    put(&tables, expiring("young", fixture.clock.epoch_seconds() + 1_000)).await;
    tables.close().await;
    fixture.clock.advance(Duration::from_secs(100));
    let tables = fixture.open().await;
    assert!(tables.get(Table::Messages, "old").await.expect("get").is_some(), "nobody has swept yet");
    tables.sweep().await;
    assert!(tables.get(Table::Messages, "old").await.expect("get").is_none());
    tables.close().await;
    let tables = fixture.open().await;
    let found = tables.query_index(Table::Messages, "r").await.expect("query");
    assert_eq!(found, [expiring("young", fixture.clock.epoch_seconds() - 100 + 1_000)]);
}

fn connection(player: &str, id: &str) -> Item {
    serde_dynamo::to_item(serde_json::json!({ "playerId": player, "connectionId": id })).expect("an item")
}

#[tokio::test]
async fn undelivered_records_wait_for_their_players() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut fixture = Fixture::new(directory.path());
    fixture.wait = Duration::from_secs(600);
    let tables = fixture.open().await;
    tables.put(Table::Connections, connection("r", "before"), None).await.expect("put");
    put(&tables, item("k", "r", 1)).await;
    tables.close().await;

    let storage = fixture.open_storage().await;
    let _release = storage.start_reconnect_wait();
    let tables = storage.tables;
    let mut reader = messages(&tables).register(0);
    tables.put(Table::Connections, connection("other", "now"), None).await.expect("put");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(reader.read(usize::MAX, |_| true).is_empty(), "its connection is of a former life");
    let stream = messages(&tables);
    let changed = stream.changed(0);
    tokio::pin!(changed);
    changed.as_mut().enable();
    tables.put(Table::Connections, connection("r", "after"), None).await.expect("put");
    tokio::time::timeout(Duration::from_secs(20), changed).await.expect("the reader is woken");
    assert_eq!(reader.read(usize::MAX, |_| true).len(), 1);
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    put(&tables, item("k", "r", 1)).await;
    tables.close().await;
    fixture.wait = Duration::from_millis(50);
    let storage = fixture.open_storage().await;
    let _release = storage.start_reconnect_wait();
    let tables = storage.tables;
    let mut reader = messages(&tables).register(0);
    let begin = std::time::Instant::now();
    while reader.read(usize::MAX, |_| true).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20), "it should have been released");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn placements_without_an_outcome_are_found() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    for (id, status) in [("open", "PENDING"), ("done", "FULFILLED")] {
        let placement = serde_json::json!({ "placementId": id, "playerId": "ann", "status": status });
        let placement = serde_dynamo::to_item(placement).expect("an item");
        tables.put(Table::Placements, placement, None).await.expect("put");
    }
    tables.close().await;
    let left = fixture.open().await.pending_placements();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].placement_id.as_str(), left[0].player_id.as_str()), ("open", "ann"));
}

#[tokio::test]
async fn a_directory_is_for_one_process_one_deployment_and_one_format() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    assert!(fixture.refused().contains("in use by another process"), "{}", fixture.refused());
    tables.close().await;
    fixture.open().await.close().await;

    fixture.deployment.stage = "Production".into();
    let error = fixture.try_open().err().expect("refused");
    assert!(error.is_mistake());
    let text = error.to_string();
    assert!(text.contains("the tables of reference-Development, not of reference-Production"), "{text}");
    fixture.deployment.stage = "Development".into();

    let store = Store::open(directory.path()).expect("opens");
    store.about.insert("format", "0").expect("written");
    drop(store);
    let error = fixture.try_open().err().expect("refused");
    assert!(error.is_mistake());
    assert!(error.to_string().contains("in format 0, and this version reads format 1"), "{error}");

    std::fs::write(directory.path().join("version"), b"FJL\x02").expect("written");
    let error = fixture.try_open().err().expect("refused");
    assert!(matches!(error, DataError::OtherFormat { .. }), "{error}");
}

#[tokio::test]
async fn an_entry_that_is_not_ours_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    fixture.open().await.close().await;
    let store = Store::open(directory.path()).expect("opens");
    store.items.insert("Messages/broken", "{").expect("written");
    drop(store);
    let text = fixture.refused();
    assert!(text.contains("items/Messages/broken cannot be read"), "{text}");
}

#[test]
fn a_directory_must_be_one_and_empty() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("notes.txt"), "mine").expect("written");
    let text = Fixture::new(directory.path()).refused();
    assert!(text.contains("there are other files in it"), "{text}");
    let text = Fixture::new(&directory.path().join("notes.txt")).refused();
    assert!(text.contains("cannot keep tables in"), "{text}");
}

/// One bad byte in the middle of the journal, of any kind, must not undo what comes after it.
#[tokio::test]
async fn a_damaged_journal_is_told_and_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    for key in ["k0", "k1", "k2"] {
        put(&tables, item(key, "r", 1)).await;
    }
    tables.close().await;
    let journal = directory.path().join("0.jnl");
    let whole = std::fs::read(&journal).expect("read");
    let key = b"Messages/k1";
    let key = whole.windows(key.len()).position(|bytes| bytes == key).expect("the second item");
    // Its tag, its kind, a length, the key itself.
    for place in [key - 21, key - 20, key - 9, key] {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x55;
        std::fs::write(&journal, &damaged).expect("written");
        let error = fixture.try_open().err().expect("refused");
        assert!(matches!(&error, DataError::Damaged { file, .. } if *file == journal), "{place}: {error}");
        assert!(!error.is_mistake());
        assert!(std::fs::read(&journal).expect("read") == damaged, "nothing is changed");
    }
    std::fs::write(&journal, &whole).expect("written");
    let tables = fixture.open().await;
    assert_eq!(tables.query_index(Table::Messages, "r").await.expect("query").len(), 3);
}

#[tokio::test]
async fn a_cut_tail_costs_only_what_was_not_acknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    let tables = fixture.open().await;
    for key in ["k0", "k1"] {
        put(&tables, item(key, "r", 1)).await;
    }
    // As a killed process leaves it: nothing is written at the end.
    drop(tables);
    fixture.open().await.close().await;
    let journal = directory.path().join("0.jnl");
    let whole = std::fs::read(&journal).expect("read");
    let key = b"Messages/k1";
    let last = whole.windows(key.len()).position(|bytes| bytes == key).expect("the last item");
    std::fs::write(&journal, &whole[..last]).expect("written");
    let tables = fixture.open().await;
    assert_eq!(tables.query_index(Table::Messages, "r").await.expect("query").len(), 1);
    put(&tables, item("k2", "r", 1)).await;
    tables.close().await;
    assert_eq!(fixture.open().await.query_index(Table::Messages, "r").await.expect("query").len(), 2);
}

/// Whatever a first start had made when it was killed.
#[tokio::test]
async fn a_first_start_that_was_killed_begins_anew() {
    // Without a note: an earlier version's. With it, any part of the store.
    for (files, keyspace) in [
        (&["lock"][..], false),
        (&["lock", "0.jnl"], false),
        (&["lock", "0.jnl", "version"], false),
        (&["first-start"], false),
        (&["first-start", "lock", "0.jnl", "version"], true),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        for file in files {
            std::fs::write(directory.path().join(file), "").expect("written");
        }
        std::fs::create_dir(directory.path().join("keyspaces")).expect("made");
        if keyspace {
            std::fs::create_dir(directory.path().join("keyspaces/0")).expect("made");
            std::fs::write(directory.path().join("keyspaces/0/current"), "half").expect("written");
        }
        let fixture = Fixture::new(directory.path());
        let tables = fixture.open().await;
        put(&tables, item("k", "r", 1)).await;
        assert!(fixture.refused().contains("in use by another process"), "{files:?}");
        tables.close().await;
        let found = fixture.open().await.get(Table::Messages, "k").await.expect("get");
        assert_eq!(found, Some(item("k", "r", 1)), "{files:?}");
    }
}

/// What stands beside such files is somebody's, and a store without its version is no beginning.
#[tokio::test]
async fn nothing_of_somebody_else_is_removed() {
    let directory = tempfile::tempdir().expect("a directory");
    for file in ["first-start", "lock", "notes.txt"] {
        std::fs::write(directory.path().join(file), "mine").expect("written");
    }
    let fixture = Fixture::new(directory.path());
    assert!(fixture.refused().contains("there are other files in it"), "{}", fixture.refused());
    assert_eq!(std::fs::read(directory.path().join("notes.txt")).expect("read"), b"mine");

    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Fixture::new(directory.path());
    fixture.open().await.close().await;
    std::fs::remove_file(directory.path().join("version")).expect("removed");
    let text = fixture.refused();
    assert!(text.contains("there are other files in it"), "{text}");
    assert!(directory.path().join("keyspaces/0").exists());
}
