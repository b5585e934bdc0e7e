//! After a start, undelivered records wait until their recipients reconnect.
//!
//! A push needs a socket, and no socket outlives the process. Without a wait every restored record would find its
//! recipient offline and be dropped, as on AWS. So a shard with such records is paused until their recipients have
//! reconnected or the wait is over. Recipients who reconnect later do not get their records.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use reference_backend::function::Table;
use reference_backend_local::tables::{EmbeddedTables, Stream, text};
use tokio::time::Instant;

/// Interval of the checks for reconnected players.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The shards that are paused.
pub(super) struct ReconnectWait {
    /// Ids of connections of earlier processes.
    stale: HashSet<String>,
    shards: Vec<PausedShard>,
    wait: Duration,
}

struct PausedShard {
    stream: Arc<Stream>,
    shard: usize,
    away: HashSet<String>,
}

impl ReconnectWait {
    /// Pauses the shards that have, or may get, records for players who are not connected.
    pub(super) fn new(tables: &EmbeddedTables, streams: &[Arc<Stream>], wait: Duration) -> Option<Self> {
        let pending = tables.pending_placements();
        let mut shards = Vec::new();
        for stream in streams {
            for shard in 0..stream.shard_count() {
                let records = stream.records(shard);
                // The recipient of a record is the index key of its table.
                let images = records.iter().filter_map(|record| record.new_image.as_deref());
                let mut away: HashSet<String> = images
                    .filter_map(|image| text(image, stream.table.index_key()))
                    .map(ToOwned::to_owned)
                    .collect();
                if stream.table == Table::Placements {
                    let own = pending.iter().filter(|of| stream.shard_of_key(&of.placement_id) == shard);
                    away.extend(own.map(|of| of.player_id.clone()));
                }
                if !away.is_empty() {
                    stream.pause(shard);
                    shards.push(PausedShard { stream: Arc::clone(stream), shard, away });
                }
            }
        }
        let id = |item: &_| text(item, Table::Connections.index_key()).map(ToOwned::to_owned);
        let stale = || tables.scan(Table::Connections, id).into_iter().collect();
        (!shards.is_empty()).then(|| Self { stale: stale(), shards, wait })
    }

    /// Resumes each shard once its recipients have reconnected or the wait is over.
    pub(super) async fn resume(mut self, tables: Arc<EmbeddedTables>) {
        let deadline = Instant::now() + self.wait;
        loop {
            self.shards.retain_mut(|paused| {
                paused.away.retain(|player| !is_connected(&tables, player, &self.stale));
                let waits = !paused.away.is_empty() && Instant::now() < deadline;
                if !waits {
                    if !paused.away.is_empty() {
                        tracing::warn!(
                            players = paused.away.len(),
                            table = paused.stream.table.short_name(),
                            shard = paused.shard,
                            "players did not reconnect in time and miss their undelivered records"
                        );
                    }
                    paused.stream.resume(paused.shard);
                }
                waits
            });
            if self.shards.is_empty() {
                return;
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }
}

/// Whether a player is connected to this process.
fn is_connected(tables: &EmbeddedTables, player: &str, stale: &HashSet<String>) -> bool {
    let connection = tables.item(Table::Connections, player);
    connection
        .is_some_and(|item| text(&item, Table::Connections.index_key()).is_some_and(|id| !stale.contains(id)))
}
