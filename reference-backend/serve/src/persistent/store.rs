//! The open store: what it has of an earlier process, and its checkpoints.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use reference_backend::function::{Deployment, Table};
use reference_backend_local::tables::{Change, EmbeddedTables, Logged, Stream, lane};

use super::codec::{self, Record};
use super::error::{DataError, not_read, reason, unusable};

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

/// The open store.
pub(super) struct Store {
    pub(super) database: Database,
    pub(super) items: Keyspace,
    pub(super) records: Keyspace,
    pub(super) about: Keyspace,
    pub(super) directory: PathBuf,
}

/// By table and shard: the first sequence that is not delivered, lane by lane.
pub(super) type Positions = HashMap<(Table, usize), Vec<u64>>;

impl Store {
    /// Opens or creates it.
    pub(super) fn open(directory: &Path) -> Result<Self, DataError> {
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
    pub(super) fn check(&self, deployment: &Deployment) -> Result<(), DataError> {
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

    /// Puts every item into its table.
    pub(super) fn restore_items(&self, tables: &EmbeddedTables) -> Result<(), DataError> {
        self.each(&self.items, |key, value| {
            let (table, _) = codec::parse_item_key(key).ok_or("no table has such a key")?;
            let item = serde_json::from_slice(value).map_err(|error| error.to_string())?;
            tables.restore(table, item).map_err(|error| error.to_string())
        })
    }

    /// Appends the undelivered records to the streams and to the store, with new sequence numbers. Returns the first
    /// sequence of each shard.
    pub(super) fn restore_streams(&self, streams: &[Arc<Stream>]) -> Result<Positions, DataError> {
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

    /// Adds checkpoints to a batch.
    pub(super) fn put_positions(&self, batch: &mut OwnedWriteBatch, positions: &Positions) {
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
