//! DynamoDB's part of the local stack: three tables with keys, index, conditions, TTL, batch limits and streams.
//!
//! Reads are served from memory. A [`Persistence`] makes the writes outlive the process.
//!
//! Differences from AWS: the index is always up to date, a read is never stale, a stream's shards neither split nor close,
//! and a write costs the index once, where AWS writes twice if the value of its key changes and not at all if nothing does.

mod capacity;
mod check;
mod data;
mod keys;
mod meter;
mod number;
mod pending;
mod persistence;
mod profile;
mod size;
mod stream;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reference_backend::function::{Deployment, Table};
use reference_backend::ports::{
    BATCH_GET_LIMIT, BATCH_PUT_LIMIT, BatchGet, Clock, Condition, TableError, TableStore,
};
use serde_dynamo::Item;
use tokio::time::Instant;

use self::check::{check_index_key, check_key};
pub use self::data::text;
use self::data::{Checked, Data};
use self::keys::hash;
use self::meter::{Meter, Operation, Written};
pub use self::pending::PendingPlacement;
pub use self::persistence::{Logged, Persistence, Write};
pub use self::profile::{Latency, OwnLatency, OwnTable, TablesProfile};
use self::size::{read_half_units, write_units};
pub use self::stream::{Change, ChangeKind, Foreign, Reader, Stream, lane};
use super::background::Background;
use super::metrics::Metrics;

/// Most bytes that one BatchGetItem returns.
const BATCH_GET_BYTES: usize = 16 * 1024 * 1024;

/// The tables of one deployment.
pub struct EmbeddedTables {
    /// By table, in the order of [`Table::ALL`].
    tables: Vec<Embedded>,
    sweep_every: Duration,
    clock: Arc<dyn Clock>,
    /// Makes writes outlive the process; none keeps the tables in memory only.
    persistence: Option<Arc<dyn Persistence>>,
}

struct Embedded {
    data: Data,
    meter: Meter,
    name: String,
    /// The settings of this table.
    profile: TablesProfile,
}

impl EmbeddedTables {
    /// Empty tables in memory.
    #[must_use]
    pub fn new(
        profile: &TablesProfile,
        deployment: &Deployment,
        metrics: &Metrics,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Self::empty(profile, deployment, metrics, clock, None)
    }

    /// Empty tables whose writes `persistence` gets. What an earlier process left is restored before they are used:
    /// [`Self::restore`], [`Stream::restore`].
    #[must_use]
    pub fn persisted(
        profile: &TablesProfile,
        deployment: &Deployment,
        metrics: &Metrics,
        clock: Arc<dyn Clock>,
        persistence: Arc<dyn Persistence>,
    ) -> Arc<Self> {
        Self::empty(profile, deployment, metrics, clock, Some(persistence))
    }

    fn empty(
        profile: &TablesProfile,
        deployment: &Deployment,
        metrics: &Metrics,
        clock: Arc<dyn Clock>,
        persistence: Option<Arc<dyn Persistence>>,
    ) -> Arc<Self> {
        let table = |table: &Table| {
            let name = deployment.table_name(*table);
            let profile = profile.of(*table);
            let data = Data::new(*table, &profile, persistence.clone());
            let meter = Meter::new(*table, &name, &profile, metrics);
            Embedded { data, meter, name, profile }
        };
        let sweep_every = Duration::from_secs_f64(profile.ttl_sweep_s);
        Arc::new(Self { tables: Table::ALL.iter().map(table).collect(), sweep_every, clock, persistence })
    }

    /// Restores an item of an earlier process: neither a stream nor the persistence gets it.
    ///
    /// # Errors
    /// [`TableError::Validation`] if it is no item of this table.
    pub fn restore(&self, table: Table, item: Item) -> Result<(), TableError> {
        let data = &self.table(table).data;
        data.restore(data.check(item)?);
        Ok(())
    }

    /// An item, without the latency, faults and metrics of a request.
    #[must_use]
    pub fn item(&self, table: Table, key: &str) -> Option<Arc<Item>> {
        self.table(table).data.get(key).map(|stored| stored.item)
    }

    /// Filters and maps all items of a table, without the latency, faults and metrics of a request.
    pub fn scan<T>(&self, table: Table, wanted: impl Fn(&Item) -> Option<T>) -> Vec<T> {
        self.table(table).data.scan(wanted)
    }

    /// Saves how far the streams have delivered, and closes their [`Persistence`]. No write succeeds after that.
    pub async fn close(&self) {
        if let Some(persistence) = &self.persistence {
            persistence.close().await;
        }
    }

    /// Refuses a write that could not be persisted.
    fn writable(&self) -> Result<(), TableError> {
        self.persistence.as_ref().map_or(Ok(()), |persistence| persistence.writable())
    }

    /// Waits until every write so far is durable. Before that no write is acknowledged, and no condition is reported as
    /// failed because of another write.
    async fn flushed(&self) -> Result<(), TableError> {
        match &self.persistence {
            Some(persistence) => persistence.flushed().await,
            None => Ok(()),
        }
    }

    /// Deletes expired items every `ttl_sweep_s`. Until then they can still be read, as on AWS.
    pub fn start_sweeper(self: &Arc<Self>) -> Background {
        let tables = Arc::clone(self);
        Background::with(async move {
            let mut ticks = tokio::time::interval(tables.sweep_every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                tables.sweep().await;
            }
        })
    }

    /// Deletes the expired items.
    pub async fn sweep(&self) {
        let now_ms = self.clock.epoch_ms();
        for table in &self.tables {
            let deleted = table.data.sweep(now_ms / 1_000, now_ms).await;
            if deleted > 0 {
                table.meter.expired(deleted);
            }
        }
    }

    /// The stream of a table, if it has one.
    #[must_use]
    pub fn stream(&self, table: Table) -> Option<Arc<Stream>> {
        self.table(table).data.stream.clone()
    }

    /// Name of a table in its deployment.
    #[must_use]
    pub fn name(&self, table: Table) -> &str {
        &self.table(table).name
    }

    /// The clock that stamps their changes.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn table(&self, table: Table) -> &Embedded {
        &self.tables[table as usize]
    }
}

impl Embedded {
    /// The injected fault of operations that are not batches.
    fn fault(&self, operation: Operation) -> Result<(), TableError> {
        if !self.profile.throttle_rate.hits() {
            return Ok(());
        }
        self.meter.fault(operation);
        Err(self.throttle(operation))
    }

    /// Hash of an item's value in the index, if it is in there.
    fn index_hash(&self, item: &Item) -> Option<u64> {
        text(item, self.data.table().index_key()).map(hash)
    }

    /// Hash of the index's value of the item with this key; none if the index limits nothing.
    fn stored_index_hash(&self, key: &str) -> Option<u64> {
        let stored = self.meter.index_limits_writes().then(|| self.data.get(key)).flatten()?;
        self.index_hash(&stored.item)
    }

    fn throttle(&self, operation: Operation) -> TableError {
        self.meter.throttled(operation);
        TableError::Throttled(self.name.clone())
    }
}

#[async_trait]
impl TableStore for EmbeddedTables {
    async fn put(&self, table: Table, item: Item, condition: Option<Condition>) -> Result<(), TableError> {
        let started = Instant::now();
        let table = self.table(table);
        table.profile.latency.put.wait().await;
        table.fault(Operation::Put)?;
        let checked = table.data.check(item)?;
        let units = write_units(checked.stored.size);
        let index_hash = table.index_hash(&checked.stored.item);
        if !table.meter.may_write(checked.key.hash, index_hash, units) {
            return Err(table.throttle(Operation::Put));
        }
        self.writable()?;
        let touched = table.data.put(checked, condition.as_ref(), self.clock.epoch_ms());
        self.flushed().await?;
        table.data.wake(touched?);
        let index_units = if index_hash.is_some() { units } else { 0 };
        table.meter.wrote(Operation::Put, started, Written { units, index_units });
        Ok(())
    }

    async fn get(&self, table: Table, key: &str) -> Result<Option<Item>, TableError> {
        let started = Instant::now();
        let table = self.table(table);
        table.profile.latency.get.wait().await;
        table.fault(Operation::Get)?;
        check_key(table.data.table(), key)?;
        let found = table.data.get(key);
        let half_units = read_half_units(found.as_ref().map_or(0, |stored| stored.size), true);
        if !table.meter.may_read(hash(key), half_units) {
            return Err(table.throttle(Operation::Get));
        }
        table.meter.read(Operation::Get, started, half_units);
        Ok(found.map(|stored| Arc::unwrap_or_clone(stored.item)))
    }

    async fn delete(&self, table: Table, key: &str, condition: Option<Condition>) -> Result<(), TableError> {
        let started = Instant::now();
        let table = self.table(table);
        table.profile.latency.delete.wait().await;
        table.fault(Operation::Delete)?;
        check_key(table.data.table(), key)?;
        if !table.meter.may_write(hash(key), table.stored_index_hash(key), 1) {
            return Err(table.throttle(Operation::Delete));
        }
        self.writable()?;
        let deleted = table.data.delete(key, condition.as_ref(), self.clock.epoch_ms());
        self.flushed().await?;
        let (size, touched) = deleted?;
        table.data.wake(touched);
        let units = write_units(size);
        let index_units = if size > 0 { units } else { 0 };
        table.meter.wrote(Operation::Delete, started, Written { units, index_units });
        Ok(())
    }

    async fn query_index(&self, table: Table, value: &str) -> Result<Vec<Item>, TableError> {
        let started = Instant::now();
        let table = self.table(table);
        table.profile.latency.query.wait().await;
        table.fault(Operation::Query)?;
        check_index_key(table.data.table(), value)?;
        let found = table.data.query(value);
        let half_units = read_half_units(found.iter().map(|stored| stored.size).sum(), false);
        if !table.meter.may_query(hash(value), half_units) {
            return Err(table.throttle(Operation::Query));
        }
        table.meter.queried(started, half_units);
        Ok(found.into_iter().map(|stored| Arc::unwrap_or_clone(stored.item)).collect())
    }

    async fn batch_get(&self, table: Table, keys: Vec<String>) -> Result<BatchGet, TableError> {
        let started = Instant::now();
        let table = self.table(table);
        table.profile.latency.batch_get.wait().await;
        check_batch(keys.len(), BATCH_GET_LIMIT, "BatchGetItem")?;
        check_different(keys.iter().map(String::as_str))?;
        let (asked, mut bytes, mut consumed) = (keys.len(), 0, 0);
        let mut answer = BatchGet { items: Vec::with_capacity(asked), unprocessed: Vec::new() };
        for key in keys {
            check_key(table.data.table(), &key)?;
            let found = table.data.get(&key);
            let size = found.as_ref().map_or(0, |stored| stored.size);
            let half_units = read_half_units(size, false);
            if bytes + size > BATCH_GET_BYTES
                || table.profile.unprocessed_rate.hits()
                || !table.meter.may_read(hash(&key), half_units)
            {
                answer.unprocessed.push(key);
                continue;
            }
            bytes += size;
            consumed += half_units;
            answer.items.extend(found.map(|stored| Arc::unwrap_or_clone(stored.item)));
        }
        if answer.unprocessed.len() == asked {
            table.meter.throttled(Operation::BatchGet);
        } else {
            table.meter.read(Operation::BatchGet, started, consumed);
        }
        Ok(answer)
    }

    async fn batch_put(&self, table: Table, items: Vec<Item>) -> Result<Vec<Item>, TableError> {
        let started = Instant::now();
        let table = self.table(table);
        table.profile.latency.batch_put.wait().await;
        check_batch(items.len(), BATCH_PUT_LIMIT, "BatchWriteItem")?;
        let checked =
            items.into_iter().map(|item| table.data.check(item)).collect::<Result<Vec<Checked>, _>>()?;
        check_different(checked.iter().map(|item| &*item.key.text))?;
        let (asked, now_ms, mut consumed, mut touched) =
            (checked.len(), self.clock.epoch_ms(), Written::default(), 0);
        let mut unprocessed = Vec::new();
        self.writable()?;
        for item in checked {
            let units = write_units(item.stored.size);
            let index_hash = table.index_hash(&item.stored.item);
            if table.profile.unprocessed_rate.hits()
                || !table.meter.may_write(item.key.hash, index_hash, units)
            {
                unprocessed.push(Arc::unwrap_or_clone(item.stored.item));
                continue;
            }
            consumed.units += units;
            consumed.index_units += if index_hash.is_some() { units } else { 0 };
            touched |= table.data.put(item, None, now_ms)?;
        }
        self.flushed().await?;
        table.data.wake(touched);
        if unprocessed.len() == asked {
            table.meter.throttled(Operation::BatchPut);
        } else {
            table.meter.wrote(Operation::BatchPut, started, consumed);
        }
        Ok(unprocessed)
    }
}

/// Refuses an empty batch, and one that is larger than DynamoDB allows.
///
/// # Errors
/// [`TableError::Validation`] in DynamoDB's words.
pub fn check_batch(asked: usize, limit: usize, operation: &str) -> Result<(), TableError> {
    match asked {
        0 => Err(TableError::Validation(format!(
            "1 validation error detected: Value at 'requestItems' of {operation} failed to satisfy constraint: \
             Member must have length greater than or equal to 1"
        ))),
        _ if asked > limit => {
            Err(TableError::Validation(format!("Too many items requested for the {operation} call")))
        }
        _ => Ok(()),
    }
}

/// Refuses duplicate keys.
///
/// # Errors
/// [`TableError::Validation`] in DynamoDB's words.
pub fn check_different<'a>(keys: impl Iterator<Item = &'a str>) -> Result<(), TableError> {
    let mut seen = HashSet::with_capacity(keys.size_hint().0);
    for key in keys {
        if !seen.insert(key) {
            return Err(TableError::Validation("Provided list of item keys contains duplicates".into()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
