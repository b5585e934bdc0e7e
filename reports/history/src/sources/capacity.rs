//! A search for the highest load as an entry.

use std::path::{Component, Path};

use reports::capacity::{self, Capacity, Ended, Vary};
use reports::folder::read_manifest;
use reports::format::Manifest;
use reports::history::{Kind, Unit};
use xxhash_rust::xxh3::Xxh3;

use super::Provenance;
use super::digest::short;
use crate::entry::{Entry, Measure, Validity};
use crate::error::HistoryError;
use crate::host;

pub(super) fn read(folder: &Path, provenance: &Provenance) -> Result<Entry, HistoryError> {
    let capacity = capacity::read(folder)?;
    if capacity.ended == Ended::Unfinished {
        return Err(HistoryError::Unfinished { path: folder.into() });
    }
    let manifest = first_manifest(folder, &capacity)?;
    let commit = provenance.commit_of_run(manifest.commit.as_ref());
    Ok(Entry {
        kind: Kind::Capacity,
        key: format!("{} {} {}", capacity.name, capacity.target, capacity.started_at),
        name: capacity.name.clone(),
        digest: Some(digest(&capacity, &manifest)),
        target: capacity.target.clone(),
        host: host::class(&manifest.host),
        os: manifest.host.os.clone(),
        branch: provenance.branch_of(commit.as_ref()),
        commit,
        version: capacity.version.clone(),
        at: capacity.started_at,
        validity: validity(capacity.ended),
        measures: measures(&capacity),
    })
}

/// What the first run says of machine and commit; nothing where no run was made.
fn first_manifest(folder: &Path, capacity: &Capacity) -> Result<Manifest, HistoryError> {
    let below = |run: &&std::path::PathBuf| run.components().all(|part| matches!(part, Component::Normal(_)));
    let first = capacity.steps.iter().filter_map(|step| step.run.as_ref()).find(below);
    Ok(first.map(|run| read_manifest(&folder.join(run))).transpose()?.unwrap_or_default())
}

/// Each run has a scenario of its own; what they share is what was varied, and when a load holds.
fn digest(capacity: &Capacity, manifest: &Manifest) -> String {
    let mut hash = Xxh3::new();
    let players = if capacity.vary == Vary::Rate { manifest.players } else { 0 };
    hash.update(format!("{:?} {players} {} ", capacity.vary, manifest.protocol).as_bytes());
    for threshold in &capacity.thresholds {
        hash.update(threshold.as_bytes());
        hash.update(b"\n");
    }
    short(&hash)
}

/// Only a search that found its knee says how much the target holds; the others bound it on one side.
fn validity(ended: Ended) -> Validity {
    let reason = match ended {
        Ended::Found => return Validity::Valid,
        Ended::NeverFailed => "no knee up to the highest load: a lower bound",
        Ended::NothingHeld => "the lowest load failed: an upper bound",
        Ended::GeneratorLimit => "the generator reached its limit before the target",
        Ended::OutOfTime => "time ran out before the knee was found",
        Ended::Interrupted => "it was interrupted",
        Ended::Unfinished => "it is not finished",
    };
    Validity::Invalid(reason.into())
}

fn measures(capacity: &Capacity) -> Vec<Measure> {
    let unit = match capacity.vary {
        Vary::Rate => Unit::PerSecond,
        Vary::Players => Unit::Players,
    };
    let knee = capacity.knee.map(|knee| Measure::new("knee", unit, knee.estimate));
    let held = capacity.held.map(|held| Measure::new("held", unit, held));
    held.into_iter().chain(knee).collect()
}
