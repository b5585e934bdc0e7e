//! Tables that outlive the process, in an embedded store (fjall: a log-structured tree with a journal).
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `items` | `{table}/{key}` | the item, as DynamoDB JSON |
//! | `records` | `{table}/{shard}/{sequence}` | a stream record that may be undelivered, as JSON |
//! | `about` | `format`, `deployment`, `positions/{table}/{shard}` | the deployment, and the checkpoint of each lane |
//!
//! A write and its record are one batch, which is on the disk (`fdatasync`) before the write is acknowledged. So an
//! acknowledged write survives a crash of the process and of the machine.
//!
//! A record counts as delivered only some time after its push was accepted ([`writer`]), because the pushed frame may
//! still be buffered in this process. So a crash can deliver a record twice, as streams may, but loses none.
//!
//! At the start the undelivered records are appended to the streams again, with sequence numbers above all earlier ones,
//! because shards, lanes and the hash of keys may have changed.

mod codec;
mod first_start;
mod journal;
mod reconnect;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, mpsc};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use reference_backend::function::{Deployment, Table};

use self::codec::Record;
use self::first_start::Directory;

pub(super) use self::reconnect::ReconnectWait;
use self::writer::{Writer, WriterHandle};
use super::EmbeddedTables;
use super::data::text;
use super::persistence::{DataConfig, DataError, Logged, Persistence};
use super::stream::{Change, Stream, lane};

/// Version of the format of keys and values.
const FORMAT: &str = "1";
/// Format of the store's own files.
const STORE_FORMAT: &str = "3 of the store";
/// Block cache. Small, because the store is read only once, at the start.
const CACHE_BYTES: u64 = 8 * 1_024 * 1_024;
/// Size of a keyspace's memtable.
const MEMTABLE_BYTES: u64 = 16 * 1_024 * 1_024;
/// Size of the journals after which memtables are flushed.
const JOURNAL_BYTES: u64 = 128 * 1_024 * 1_024;

/// Opens a directory and restores its contents into the tables that `empty` creates.
pub(super) fn open(
    config: &DataConfig,
    deployment: &Deployment,
    empty: impl FnOnce(Arc<dyn Persistence>) -> EmbeddedTables,
) -> Result<Arc<EmbeddedTables>, DataError> {
    let store = match first_start::prepare(&config.directory)? {
        Directory::Existing => {
            journal::check(&config.directory)?;
            let store = Store::open(&config.directory)?;
            store.check(deployment)?;
            store
        }
        Directory::New(first_start) => {
            let store = Store::open(&config.directory)?;
            store.check(deployment)?;
            first_start.finish()?;
            store
        }
    };
    let (commands, received) = mpsc::channel();
    let handle = Arc::new(WriterHandle::new(commands, &config.directory));
    let tables = empty(Arc::<WriterHandle>::clone(&handle));
    store.restore_items(&tables)?;
    let streams: Vec<Arc<Stream>> = Table::ALL.iter().filter_map(|table| tables.stream(*table)).collect();
    let positions = store.restore_streams(&streams)?;
    if !config.wait.is_zero() {
        *tables.waiting.lock() = ReconnectWait::new(&tables, &streams, config.wait);
    }
    let writer = Writer::new(store, Arc::clone(handle.progress()), streams, positions);
    let spawned = std::thread::Builder::new().name("tables".into()).spawn(move || writer.run(&received));
    spawned.map_err(|error| unusable(&config.directory, error.to_string()))?;
    Ok(Arc::new(tables))
}

/// The open store.
pub(super) struct Store {
    database: Database,
    items: Keyspace,
    records: Keyspace,
    about: Keyspace,
    directory: std::path::PathBuf,
}

/// By table and shard: the first sequence that is not delivered, lane by lane.
type Positions = HashMap<(Table, usize), Vec<u64>>;

impl Store {
    fn open(directory: &Path) -> Result<Self, DataError> {
        let failed = |error| match error {
            fjall::Error::Locked => DataError::InUse { directory: directory.to_owned() },
            fjall::Error::InvalidVersion(found) => DataError::OtherFormat {
                directory: directory.to_owned(),
                found: found.map_or("unknown".into(), |found| format!("{found} of the store")),
                expected: STORE_FORMAT,
            },
            error => not_read(directory, "the store", &error),
        };
        let builder = Database::builder(directory).worker_threads(1).cache_size(CACHE_BYTES);
        let database = builder.max_journaling_size(JOURNAL_BYTES).open().map_err(failed)?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let keyspace = |name| database.keyspace(name, options).map_err(failed);
        let (items, records, about) = (keyspace("items")?, keyspace("records")?, keyspace("about")?);
        Ok(Self { items, records, about, directory: directory.to_owned(), database })
    }

    /// Checks that the directory belongs to this deployment; records the deployment if it is new.
    fn check(&self, deployment: &Deployment) -> Result<(), DataError> {
        let asked = format!("{}-{}", deployment.game, deployment.stage);
        let directory = || self.directory.clone();
        match (self.note("format")?, self.note("deployment")?) {
            (None, None) => {
                let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
                batch.insert(&self.about, "format", FORMAT);
                batch.insert(&self.about, "deployment", asked.as_str());
                self.commit(batch)
            }
            (Some(found), _) if found != FORMAT => {
                Err(DataError::OtherFormat { directory: directory(), found, expected: FORMAT })
            }
            (Some(_), Some(found)) if found == asked => Ok(()),
            (_, Some(found)) => Err(DataError::OtherDeployment { directory: directory(), found, asked }),
            (Some(_), None) => Err(self.unreadable("about/deployment", "it is missing")),
        }
    }

    fn note(&self, name: &str) -> Result<Option<String>, DataError> {
        let value = self.about.get(name).map_err(|error| not_read(&self.directory, "about", &error))?;
        Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
    }

    fn restore_items(&self, tables: &EmbeddedTables) -> Result<(), DataError> {
        self.each(&self.items, |key, value| {
            let (table, _) = codec::parse_item_key(key).ok_or("no table has such a key")?;
            let data = &tables.table(table).data;
            let item = serde_json::from_slice(value).map_err(|error| error.to_string())?;
            data.restore(data.check(item).map_err(|error| error.to_string())?);
            Ok(())
        })
    }

    /// Appends the undelivered records to the streams and to the store, with new sequence numbers. Returns the first
    /// sequence of each shard.
    fn restore_streams(&self, streams: &[Arc<Stream>]) -> Result<Positions, DataError> {
        let mut batch = self.database.batch();
        let mut positions = Positions::new();
        self.each(&self.about, |key, value| {
            if let Some(place) = codec::parse_positions_key(key) {
                let lanes = serde_json::from_slice(value).map_err(|error| error.to_string())?;
                positions.insert(place, lanes);
                batch.remove(&self.about, key.to_vec());
            }
            Ok(())
        })?;
        let mut base: HashMap<Table, u64> = HashMap::new();
        for ((table, _), lanes) in &positions {
            let end = base.entry(*table).or_default();
            *end = lanes.iter().copied().fold(*end, u64::max);
        }
        let mut left: HashMap<Table, Vec<Change>> = HashMap::new();
        self.each(&self.records, |key, value| {
            let (table, shard, sequence) = codec::parse_record_key(key).ok_or("no stream has such a key")?;
            let record: Record = serde_json::from_slice(value).map_err(|error| error.to_string())?;
            let end = base.entry(table).or_default();
            *end = (*end).max(sequence + 1);
            let lanes = positions.get(&(table, shard)).map_or(&[][..], Vec::as_slice);
            let own = lanes.get(lane(record.key_hash, lanes.len().max(1) as u64) as usize);
            if own.is_none_or(|done| sequence >= *done) {
                left.entry(table).or_default().push(record.into());
            }
            batch.remove(&self.records, key.to_vec());
            Ok(())
        })?;
        let mut begin = Positions::new();
        for stream in streams {
            let base = base.get(&stream.table).copied().unwrap_or_default();
            stream.restore(base, left.remove(&stream.table).unwrap_or_default());
            for shard in 0..stream.shard_count() {
                for record in stream.records(shard) {
                    let Change { kind, key_hash, size, created_ms, sequence, .. } = *record;
                    let logged = Logged { shard, sequence, kind, key_hash, size, created_ms };
                    let image = record.new_image.as_deref().map(codec::item);
                    let value = codec::record(&record.key, &logged, image.as_deref());
                    batch.insert(&self.records, codec::record_key(stream.table, shard, sequence), value);
                }
                begin.insert((stream.table, shard), vec![base]);
            }
        }
        self.put_positions(&mut batch, &begin);
        self.commit(batch)?;
        Ok(begin)
    }

    fn put_positions(&self, batch: &mut OwnedWriteBatch, positions: &Positions) {
        for ((table, shard), lanes) in positions {
            let value = serde_json::to_vec(lanes).unwrap_or_default();
            batch.insert(&self.about, codec::positions_key(*table, *shard), value);
        }
    }

    fn commit(&self, batch: OwnedWriteBatch) -> Result<(), DataError> {
        batch.commit().map_err(|error| unusable(&self.directory, reason(&error)))
    }

    /// Reads all entries of a keyspace.
    fn each(
        &self,
        keyspace: &Keyspace,
        mut entry: impl FnMut(&[u8], &[u8]) -> Result<(), String>,
    ) -> Result<(), DataError> {
        for pair in keyspace.iter() {
            let (key, value) =
                pair.into_inner().map_err(|error| not_read(&self.directory, keyspace.name(), &error))?;
            entry(&key, &value).map_err(|reason| {
                let name = format!("{}/{}", &**keyspace.name(), String::from_utf8_lossy(&key));
                self.unreadable(&name, &reason)
            })?;
        }
        Ok(())
    }

    fn unreadable(&self, entry: &str, reason: &str) -> DataError {
        DataError::Unreadable {
            directory: self.directory.clone(),
            entry: entry.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

fn unusable(directory: &Path, reason: String) -> DataError {
    DataError::Unusable { directory: directory.to_owned(), reason }
}

/// The error of a failed read: the system failed, or an entry is corrupt.
fn not_read(directory: &Path, entry: &str, error: &fjall::Error) -> DataError {
    match error {
        fjall::Error::Io(_) | fjall::Error::Storage(fjall::LsmError::Io(_)) => {
            unusable(directory, reason(error))
        }
        error => DataError::Unreadable {
            directory: directory.to_owned(),
            entry: entry.to_owned(),
            reason: reason(error),
        },
    }
}

/// The text of a store's error.
fn reason(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) => error.to_string(),
        fjall::Error::Storage(error) => error.to_string(),
        fjall::Error::Poisoned => "an earlier write has failed".into(),
        error => error.to_string(),
    }
}

/// The recipient of a record, which is the index key of its table.
fn recipient(table: Table, item: &serde_dynamo::Item) -> Option<&str> {
    text(item, table.index_key())
}

#[cfg(test)]
mod tests;
