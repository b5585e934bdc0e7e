//! After a start, undelivered records wait for the players whom they are for.
//!
//! A push needs a socket, and no socket outlives the process. Without a wait every kept record would find its
//! recipient offline and be dropped, as on AWS for a player who is offline. So a shard with such records is held until
//! their recipients have connected again, or until the wait is over: then who is still away gets nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use reference_backend::function::Table;
use tokio::time::Instant;

use super::recipient;
use crate::tables::EmbeddedTables;
use crate::tables::data::text;
use crate::tables::stream::Stream;

/// How often it is looked who is back.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Shards that wait.
pub(in crate::tables) struct Held {
    /// Connections of former lives, which nobody listens to.
    stale: HashSet<String>,
    shards: Vec<HeldShard>,
    wait: Duration,
}

struct HeldShard {
    stream: Arc<Stream>,
    shard: usize,
    away: HashSet<String>,
}

impl EmbeddedTables {
    /// Whether a player has a socket of this process.
    fn is_back(&self, player: &str, stale: &HashSet<String>) -> bool {
        let connection = self.table(Table::Connections).data.get(player);
        connection.is_some_and(|stored| {
            text(&stored.item, Table::Connections.index_key()).is_some_and(|id| !stale.contains(id))
        })
    }
}

impl Held {
    /// Holds the shards of whatever is not delivered, or will be before its player is back.
    pub(super) fn of(tables: &EmbeddedTables, streams: &[Arc<Stream>], wait: Duration) -> Option<Self> {
        let unsettled = tables.unsettled();
        let mut shards = Vec::new();
        for stream in streams {
            for shard in 0..stream.shard_count() {
                let records = stream.records(shard);
                let images = records.iter().filter_map(|record| record.new_image.as_deref());
                let mut away: HashSet<String> = images
                    .filter_map(|image| recipient(stream.table, image))
                    .map(ToOwned::to_owned)
                    .collect();
                if stream.table == Table::Placements {
                    let own = unsettled.iter().filter(|of| stream.shard_of_key(&of.placement_id) == shard);
                    away.extend(own.map(|of| of.player_id.clone()));
                }
                if !away.is_empty() {
                    stream.hold(shard);
                    shards.push(HeldShard { stream: Arc::clone(stream), shard, away });
                }
            }
        }
        let connections = &tables.table(Table::Connections).data;
        let id = |item: &_| text(item, Table::Connections.index_key()).map(ToOwned::to_owned);
        let stale = || connections.scan(id).into_iter().collect();
        (!shards.is_empty()).then(|| Self { stale: stale(), shards, wait })
    }

    /// Lets shard after shard go on.
    pub(in crate::tables) async fn release(mut self, tables: Arc<EmbeddedTables>) {
        let deadline = Instant::now() + self.wait;
        loop {
            self.shards.retain_mut(|held| {
                held.away.retain(|player| !tables.is_back(player, &self.stale));
                let waits = !held.away.is_empty() && Instant::now() < deadline;
                if !waits {
                    if !held.away.is_empty() {
                        tracing::warn!(
                            players = held.away.len(),
                            table = held.stream.table.short_name(),
                            shard = held.shard,
                            "did not come back in time and miss what was kept for them"
                        );
                    }
                    held.stream.release(held.shard);
                }
                waits
            });
            if self.shards.is_empty() {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
