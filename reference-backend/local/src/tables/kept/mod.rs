//! Tables that outlive the process, in an embedded store (fjall: a log-structured tree with a journal).
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `items` | `{table}/{key}` | the item, as DynamoDB JSON |
//! | `records` | `{table}/{shard}/{sequence}` | a stream record that may not be delivered yet, as JSON |
//! | `about` | `format`, `deployment`, `positions/{table}/{shard}` | whose tables, and how far each lane has come |
//!
//! A write and its record are one batch, which is on the disk (`fdatasync`) before the write is acknowledged: what was
//! acknowledged survives the end of the process and of the machine, however they end.
//!
//! A record counts as delivered only a moment after its push was accepted ([`writer`]), because a pushed frame may
//! still lie in this process. So the end of the process makes duplicates, as a stream may, but loses nothing.
//!
//! At the start the undelivered records are put into the streams anew, behind every sequence number that was given out
//! before: shards, lanes and the hash of keys may have changed since.

mod beginning;
mod codec;
mod held;
mod journal;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, mpsc};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use reference_backend::function::{Deployment, Table};

use self::beginning::Found;
use self::codec::Record;

pub(super) use self::held::Held;
use self::writer::{Kept, Writer};
use super::EmbeddedTables;
use super::data::text;
use super::keeper::{DataConfig, DataError, Keeper, Logged};
use super::stream::{Change, Stream, lane};

/// Format of keys and values; another number is another format.
const FORMAT: &str = "1";
/// Format of the store's own files.
const STORE_FORMAT: &str = "3 of the store";
/// What is read at the start only, once.
const CACHE_BYTES: u64 = 8 * 1_024 * 1_024;
/// Bytes of a keyspace that are written out together.
const MEMTABLE_BYTES: u64 = 16 * 1_024 * 1_024;
/// Bytes of journals after which keyspaces are written out.
const JOURNAL_BYTES: u64 = 128 * 1_024 * 1_024;

/// Opens a directory and puts what it has into the tables that `empty` makes.
pub(super) fn open(
    config: &DataConfig,
    deployment: &Deployment,
    empty: impl FnOnce(Arc<dyn Keeper>) -> EmbeddedTables,
) -> Result<Arc<EmbeddedTables>, DataError> {
    let store = match beginning::look(&config.directory)? {
        Found::Ours => {
            journal::check(&config.directory)?;
            let store = Store::open(&config.directory)?;
            store.check(deployment)?;
            store
        }
        Found::New(beginning) => {
            let store = Store::open(&config.directory)?;
            store.check(deployment)?;
            beginning.end()?;
            store
        }
    };
    let (orders, taken) = mpsc::channel();
    let keeper = Arc::new(Kept::new(orders, &config.directory));
    let tables = empty(Arc::<Kept>::clone(&keeper));
    store.restore_items(&tables)?;
    let streams: Vec<Arc<Stream>> = Table::ALL.iter().filter_map(|table| tables.stream(*table)).collect();
    let positions = store.restore_streams(&streams)?;
    if !config.wait.is_zero() {
        *tables.held.lock() = Held::of(&tables, &streams, config.wait);
    }
    let writer = Writer::new(store, Arc::clone(keeper.progress()), streams, positions);
    let spawned = std::thread::Builder::new().name("tables".into()).spawn(move || writer.run(&taken));
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

    /// Whether the directory is ours to read; says whose it is if it is new.
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

    /// Puts the undelivered records into the streams, under new sequence numbers, here and in the store. Returns
    /// where each shard begins.
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

    /// Reads a keyspace from end to end.
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

/// The system has failed, or what the store reads is not what it has written.
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

/// What the store says, without its debug dress.
fn reason(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) => error.to_string(),
        fjall::Error::Storage(error) => error.to_string(),
        fjall::Error::Poisoned => "an earlier write has failed".into(),
        error => error.to_string(),
    }
}

/// Whom a record is for: the index is by recipient.
fn recipient(table: Table, item: &serde_dynamo::Item) -> Option<&str> {
    text(item, table.index_key())
}

#[cfg(test)]
mod tests;
