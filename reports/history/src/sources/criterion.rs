//! Criterion's benches: `target/criterion/**/new/{benchmark,estimates,sample}.json`, criterion 0.3 to 0.8.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use reports::history::{Kind, Unit};
use reports::printable;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::Xxh3;

use super::Provenance;
use super::digest::short;
use crate::entry::{Entry, Measure, Validity};
use crate::error::HistoryError;
use crate::host;

/// Folders below each other at most: `group/function/value/new` has four.
const DEPTH: usize = 8;

/// What a bench is called where criterion gives no name beside its group's.
const TIME: &str = "time";

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// One entry for each bench below `folder`; none where there is none.
pub(super) fn read(folder: &Path, provenance: &Provenance) -> Result<Vec<Entry>, HistoryError> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found)?;
    found.sort();
    found.iter().map(|new| bench(new, provenance)).collect()
}

/// Every folder `new` with estimates in it; links are not followed.
fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), HistoryError> {
    let failed = |source| HistoryError::Io { path: folder.into(), source };
    if folder.ends_with("new") && folder.join("estimates.json").exists() {
        found.push(folder.into());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for inner in fs::read_dir(folder).map_err(failed)? {
        let inner = inner.map_err(failed)?;
        if inner.file_type().map_err(failed)?.is_dir() {
            collect(&inner.path(), depth - 1, found)?;
        }
    }
    Ok(())
}

/// A bench. Its median time counts, which outliers among its samples do not move.
fn bench(new: &Path, provenance: &Provenance) -> Result<Entry, HistoryError> {
    let (id, benchmark): (_, Benchmark) = document(&new.join("benchmark.json"))?;
    let (content, estimates): (_, Estimates) = document(&new.join("estimates.json"))?;
    let estimated = new.join("estimates.json");
    let failed = |source| HistoryError::Io { path: estimated.clone(), source };
    // Criterion does not say when it measured; that is when it wrote.
    let written = fs::metadata(&estimated).and_then(|file| file.modified()).map_err(failed)?;
    let mut hash = Xxh3::new();
    hash.update(id.as_bytes());
    hash.update(content.as_bytes());
    // Two measurements have other samples, even where their estimates were the same.
    hash.update(&fs::read(new.join("sample.json")).unwrap_or_default());
    let parts = [benchmark.function_id, benchmark.value_str];
    let name = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    let name = if name.is_empty() { TIME.to_owned() } else { printable::line(&name).into_owned() };
    let group = printable::line(&benchmark.group_id).into_owned();
    let commit = provenance.commit_of_bench();
    Ok(Entry {
        kind: Kind::Bench,
        key: format!("{group}/{name} {}", short(&hash)),
        name: group,
        digest: None,
        target: String::new(),
        host: host::class(&provenance.host),
        os: provenance.host.os.clone(),
        branch: provenance.branch_of(commit.as_ref()),
        commit,
        version: String::new(),
        at: Timestamp::try_from(written).unwrap_or_default(),
        validity: Validity::Valid,
        measures: vec![Measure::new(name, Unit::Ns, estimates.median.point_estimate)],
    })
}

fn document<T: DeserializeOwned>(path: &Path) -> Result<(String, T), HistoryError> {
    let text = fs::read_to_string(path).map_err(|source| HistoryError::Io { path: path.into(), source })?;
    match serde_json::from_str(&text) {
        Ok(document) => Ok((text, document)),
        Err(source) => Err(HistoryError::Criterion { path: path.into(), source }),
    }
}
