//! Tables that outlive the process (`serve --data`), in an embedded store (fjall: a log-structured tree with a journal).
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
mod error;
mod first_start;
mod journal;
mod reconnect;
mod storage;
mod store;
mod writer;

pub use self::error::DataError;
pub use self::storage::DataConfig;

#[cfg(test)]
mod tests;
