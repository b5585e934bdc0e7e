//! Lanes over DynamoDB Streams.
//!
//! Shards close after some hours and have children. A child is read only once its parent is processed, so that the changes
//! of a key stay in order. A shard is read once for all its lanes, because DynamoDB throttles more than two readers; a slow
//! lane blocks its shard. Checkpoints are in memory only: after a restart every record of the stream is delivered again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use reference_backend::store::Backoff;
use reference_backend_local::background::Background;
use reference_backend_local::streams::{Mapping, Records, Targets, mappings};
use reference_backend_local::tables::Change;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::shards::{Cursor, ShardInfo, Shards};

/// Polling interval for new shards; they are also listed when a shard has ended.
const DISCOVER: Duration = Duration::from_secs(1);
/// Number of batches that may wait for a lane before its shard is no longer read.
const READ_AHEAD: usize = 2;
/// Pauses between retries of a failed request.
const TROUBLE: Backoff =
    Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(5), attempts: u32::MAX };

/// Minimum pauses between two reads of a shard; the profile's poll interval may be longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// After a read with records.
    pub(super) busy: Duration,
    /// After an empty read.
    pub(super) idle: Duration,
}

/// Starts the mappings of both streams, from their oldest records on; `streams` are those of the tables that have one.
/// Must be called inside a tokio runtime.
pub(super) fn start(targets: &Targets<'_>, streams: &[Shards], pace: Pace) -> Background {
    let mut background = Background::default();
    for mapping in mappings(targets) {
        if let Some(shards) = streams.iter().find(|shards| shards.table() == mapping.table) {
            background.spawn(mapping.counts().beat());
            background.spawn(follow(Arc::new(mapping), shards.clone(), pace));
        }
    }
    background
}

/// Reads every shard of a stream, parents first, without end.
async fn follow(mapping: Arc<Mapping>, shards: Shards, pace: Pace) {
    let mut progress = Progress::default();
    let mut reading = JoinSet::new();
    let mut failures = 0;
    loop {
        match shards.list().await {
            Ok(listed) => {
                failures = 0;
                for id in progress.readable(listed) {
                    reading.spawn(read(Arc::clone(&mapping), shards.open(id), pace));
                }
            }
            Err(error) => {
                tracing::warn!(%error, arn = shards.arn(), "the stream's shards cannot be listed; trying again");
                TROUBLE.sleep(failures).await;
                failures += 1;
            }
        }
        tokio::select! {
            Some(Ok(done)) = reading.join_next() => progress.done(done),
            () = tokio::time::sleep(DISCOVER) => {}
        }
    }
}

/// The shards that are being read or are processed.
#[derive(Debug, Default)]
struct Progress {
    started: HashSet<String>,
    done: HashSet<String>,
}

impl Progress {
    /// The shards that may be read now. A parent that is not listed has expired.
    fn readable(&mut self, listed: Vec<ShardInfo>) -> Vec<String> {
        let ids: HashSet<&str> = listed.iter().map(|shard| shard.id.as_str()).collect();
        self.started.retain(|id| ids.contains(id.as_str()) || !self.done.contains(id));
        self.done.retain(|id| ids.contains(id.as_str()));
        let ready = |shard: &ShardInfo| match &shard.parent {
            Some(parent) => {
                let history = !ids.contains(parent.as_str()) && !self.started.contains(parent);
                history || self.done.contains(parent)
            }
            None => true,
        };
        let fresh = listed.iter().filter(|shard| !self.started.contains(&shard.id) && ready(shard));
        let fresh: Vec<String> = fresh.map(|shard| shard.id.clone()).collect();
        self.started.extend(fresh.iter().cloned());
        fresh
    }

    fn done(&mut self, id: String) {
        self.done.insert(id);
    }
}

/// Reads one shard to its end and waits until its lanes have processed it; returns its id.
async fn read(mapping: Arc<Mapping>, mut cursor: Cursor, pace: Pace) -> String {
    let mut lanes = JoinSet::new();
    let senders: Vec<_> = (0..mapping.lanes())
        .map(|_| {
            let (sender, receiver) = mpsc::channel(READ_AHEAD);
            lanes.spawn(mapping.lane(cursor.arn(), 0, Received(receiver)).run());
            sender
        })
        .collect();
    let interval = mapping.poll_interval();
    let mut failures = 0;
    loop {
        let pause = match cursor.read().await {
            Ok(Some(changes)) => {
                failures = 0;
                let least = if changes.is_empty() { pace.idle } else { pace.busy };
                for (sender, records) in senders.iter().zip(by_lane(&mapping, changes)) {
                    // A lane ends only when its sender is dropped.
                    if !records.is_empty() && sender.send(records).await.is_err() {
                        tracing::error!(shard = cursor.id(), "a lane has ended before its shard");
                    }
                }
                interval.max(least)
            }
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, shard = cursor.id(), "the shard cannot be read; trying again");
                TROUBLE.sleep(failures).await;
                failures += 1;
                interval.max(pace.busy)
            }
        };
        tokio::time::sleep(pause).await;
    }
    drop(senders);
    while lanes.join_next().await.is_some() {}
    cursor.id().to_owned()
}

/// The records that match the filter, by lane.
fn by_lane(mapping: &Mapping, changes: Vec<Change>) -> Vec<Vec<Arc<Change>>> {
    let lanes = mapping.lanes();
    let mut sorted: Vec<Vec<Arc<Change>>> = (0..lanes).map(|_| Vec::new()).collect();
    let filtered_out = changes.iter().filter(|change| !mapping.events.contains(&change.kind)).count();
    mapping.counts().polled(changes.len(), filtered_out);
    for change in changes.into_iter().filter(|change| mapping.events.contains(&change.kind)) {
        if let Some(lane) = usize::try_from(change.lane(lanes)).ok().and_then(|lane| sorted.get_mut(lane)) {
            lane.push(Arc::new(change));
        }
    }
    sorted
}

/// The records of a lane.
struct Received(mpsc::Receiver<Vec<Arc<Change>>>);

impl Records for Received {
    async fn next(&mut self) -> Option<Vec<Arc<Change>>> {
        self.0.recv().await
    }

    /// Nothing to do: the position of the reader is in memory only.
    fn commit(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parent: Option<&str>) -> ShardInfo {
        ShardInfo { id: id.into(), parent: parent.map(Into::into) }
    }

    #[test]
    fn a_child_waits_for_its_parent_and_an_orphan_for_nobody() {
        let mut progress = Progress::default();
        let family =
            || vec![shard("child", Some("parent")), shard("parent", Some("trimmed")), shard("other", None)];
        assert_eq!(progress.readable(family()), ["parent", "other"]);
        assert!(progress.readable(family()).is_empty(), "each is read once, and the child waits");
        progress.done("other".into());
        assert!(progress.readable(family()).is_empty());
        progress.done("parent".into());
        assert_eq!(progress.readable(family()), ["child"]);
        // The parent is trimmed; a grandchild waits for the child all the same.
        let later = || vec![shard("grandchild", Some("child")), shard("child", Some("parent"))];
        assert!(progress.readable(later()).is_empty());
        progress.done("child".into());
        assert_eq!(progress.readable(later()), ["grandchild"]);
    }

    #[test]
    fn a_parent_that_is_trimmed_while_it_is_read_still_comes_first() {
        let mut progress = Progress::default();
        assert_eq!(progress.readable(vec![shard("parent", None)]), ["parent"]);
        let left = || vec![shard("child", Some("parent"))];
        assert!(progress.readable(left()).is_empty());
        progress.done("parent".into());
        assert_eq!(progress.readable(left()), ["child"]);
    }
}
