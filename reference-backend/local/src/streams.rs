//! Event source mappings: from the tables' streams to the functions that push.
//!
//! A lane is one of the concurrent batches of a shard (AWS: `ParallelizationFactor`). Each lane has its own reader, and a
//! key always belongs to the same lane, so that its changes stay in order. A lane invokes the function with one batch at a
//! time and continues once that batch is delivered, or dropped because its retries are exhausted or it is too old. The
//! records come from a [`Records`]: the stream of an embedded table, or a shard of DynamoDB Streams.

mod batch;
mod counts;
mod describe;
mod embedded;
mod event;
mod lane;
mod mapping;
mod profile;

pub use self::counts::{EventCounts, mapping_uuid};
pub(crate) use self::describe::describe;
use self::embedded::LogLane;
pub use self::lane::{Lane, Records};
pub use self::mapping::{Mapping, Targets, mappings};
pub use self::profile::{OwnStream, StreamsProfile};
use super::account::arn;
use super::background::Background;
use super::tables::EmbeddedTables;

/// The label of every embedded stream.
pub(crate) const LABEL: &str = "2024-01-01T00:00:00.000";

/// Starts the mappings of both streams at their oldest records (TRIM_HORIZON). Must be called inside a tokio runtime.
pub fn start(targets: &Targets<'_>, tables: &EmbeddedTables) -> Background {
    let mut background = Background::default();
    for mapping in mappings(targets) {
        let Some(stream) = tables.stream(mapping.table) else { continue };
        background.spawn(mapping.counts().beat());
        let arn = stream_arn(tables.name(mapping.table));
        for shard in 0..stream.shard_count() {
            let lane = |lane| LogLane::new(stream.register(shard), &mapping, lane);
            // All readers are registered before the first one reads, so that no record is removed as processed.
            let lanes: Vec<_> = (0..mapping.lanes()).map(lane).collect();
            for records in lanes {
                background.spawn(mapping.lane(&arn, shard, records).run());
            }
        }
    }
    background
}

/// ARN of the stream of an embedded table.
#[must_use]
pub fn stream_arn(table_name: &str) -> String {
    arn("dynamodb", &format!("table/{table_name}/stream/{LABEL}"))
}

#[cfg(test)]
mod tests;
