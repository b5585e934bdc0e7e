//! Reading a run folder back, also one that a killed run left behind.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use hdrhistogram::Histogram;
use serde::de::DeserializeOwned;

use super::hlog::{self, Interval};
use super::lines::parse_json_lines;
use super::{
    CAPACITY, CLOUDWATCH, ERRORS, FolderError, LATENCY, MANIFEST, SCENARIO, SERIES, SUMMARY, Tag, rebuild,
};
use crate::format::capacity::Capacity;
use crate::format::{
    CloudWatch, Document, ErrorSample, FunctionSummary, Manifest, SeriesLine, Status, Summary,
};
use crate::printable::{self, from_json};
use crate::server;

/// A run folder in memory. Its source is not trusted: every string but the scenario's text is [printable](crate::printable).
#[derive(Debug)]
pub struct RunFolder {
    /// Where it was read from.
    pub dir: PathBuf,
    /// What ran.
    pub manifest: Manifest,
    /// The scenario as run; empty when the file is missing.
    pub scenario_toml: String,
    /// The summary, unless the run was killed before it wrote one. See [`RunFolder::summary_or_rebuilt`].
    pub summary: Option<Summary>,
    /// The seconds of the run in ascending order.
    pub series: Vec<SeriesLine>,
    /// By [`Tag`] as text: all intervals merged. Microseconds. The log holds measured arrivals only.
    pub histograms: BTreeMap<String, Histogram<u64>>,
    /// Server-side series, once fetched.
    pub cloudwatch: Option<CloudWatch>,
    /// First samples of each error class.
    pub errors: Vec<ErrorSample>,
    hlog: String,
    hlog_path: PathBuf,
}

impl RunFolder {
    /// Reads a run folder. Only `manifest.json` must exist; a last line without its newline, as a killed run leaves
    /// it, is ignored.
    ///
    /// # Errors
    /// [`FolderError::Io`] when a file cannot be read, [`FolderError::Json`] or [`FolderError::Interval`] with file
    /// and line when one is malformed, [`FolderError::SchemaVersion`] when it is of a version that this one cannot read.
    pub fn read(dir: &Path) -> Result<Self, FolderError> {
        let manifest = read_manifest(dir)?;
        let mut summary: Option<Summary> = read_document(dir, SUMMARY)?;
        if let Some(summary) = &mut summary {
            // Older runs have no status, and a run whose files could not all be written has failed in any case.
            let of_run = summary.status_in(manifest.state);
            let kept = summary.verdict.status.filter(|_| of_run != Status::Failed);
            summary.conclude(kept.unwrap_or(of_run));
        }
        let cloudwatch: Option<CloudWatch> = read_document(dir, CLOUDWATCH)?;
        let mut folder = Self {
            dir: dir.to_path_buf(),
            manifest,
            scenario_toml: read_text(&dir.join(SCENARIO))?.unwrap_or_default(),
            summary,
            series: read_lines(dir, SERIES)?,
            histograms: BTreeMap::new(),
            cloudwatch,
            errors: read_lines(dir, ERRORS)?,
            hlog_path: dir.join(LATENCY),
            hlog: read_text(&dir.join(LATENCY))?.unwrap_or_default(),
        };
        folder.histograms = folder.merge()?;
        Ok(folder)
    }

    /// Every interval of `latency.hlog` in the order of the file, decoded one at a time: a long run has more of them
    /// than memory for all at once.
    pub fn intervals(&self) -> impl Iterator<Item = Result<Interval<'_>, FolderError>> + '_ {
        hlog::intervals(&self.hlog_path, &self.hlog)
    }

    /// The merged histogram of a tag, in microseconds; `None` when nothing was recorded under it.
    #[must_use]
    pub fn histogram(&self, tag: Tag<'_>) -> Option<&Histogram<u64>> {
        self.histograms.get(&tag.to_string()).filter(|histogram| !histogram.is_empty())
    }

    /// The summary as written, or for a killed run one made from the series and the histograms. The latter is marked
    /// as invalid, for the tool never judged it.
    #[must_use]
    pub fn summary_or_rebuilt(&self) -> Cow<'_, Summary> {
        match &self.summary {
            Some(summary) => Cow::Borrowed(summary),
            None => Cow::Owned(rebuild::summary(&self.manifest, &self.series, &self.histograms)),
        }
    }

    /// The functions of the backend: from the summary's correlation, else made from the fetched series; empty when
    /// CloudWatch was not fetched.
    #[must_use]
    pub fn functions(&self) -> Vec<FunctionSummary> {
        let correlated = self.summary.as_ref().and_then(|summary| summary.correlation.as_ref());
        match (correlated, &self.cloudwatch) {
            (Some(correlation), _) if !correlation.functions.is_empty() => correlation.functions.clone(),
            (_, Some(cloudwatch)) => server::functions_within(cloudwatch, &self.summary_or_rebuilt().run),
            (_, None) => Vec::new(),
        }
    }

    fn merge(&self) -> Result<BTreeMap<String, Histogram<u64>>, FolderError> {
        let mut merged: BTreeMap<String, Histogram<u64>> = BTreeMap::new();
        for interval in self.intervals() {
            let interval = interval?;
            let tag = printable::line(interval.tag);
            match merged.get_mut(tag.as_ref()) {
                None => {
                    let mut first = interval.histogram;
                    // Decoded histograms are of fixed size, and a later interval may hold larger values.
                    first.auto(true);
                    merged.insert(tag.into_owned(), first);
                }
                Some(sum) => sum.add(&interval.histogram).map_err(|e| FolderError::Unloggable {
                    path: self.hlog_path.clone(),
                    tag: tag.into_owned(),
                    reason: e.to_string(),
                })?,
            }
        }
        Ok(merged)
    }
}

/// Reads `manifest.json` alone.
///
/// # Errors
/// [`FolderError::Io`] when it cannot be read, [`FolderError::Json`] when it is malformed, [`FolderError::SchemaVersion`]
/// when it is of a version that this one cannot read.
pub fn read_manifest(dir: &Path) -> Result<Manifest, FolderError> {
    read_document(dir, MANIFEST)?.ok_or_else(|| missing(&dir.join(MANIFEST)))
}

/// Reads `capacity.json`.
///
/// # Errors
/// [`FolderError::Io`] when it cannot be read, [`FolderError::Json`] when it is malformed, [`FolderError::SchemaVersion`]
/// when it is of a version that this one cannot read.
pub fn read_capacity(dir: &Path) -> Result<Capacity, FolderError> {
    read_document(dir, CAPACITY)?.ok_or_else(|| missing(&dir.join(CAPACITY)))
}

fn missing(path: &Path) -> FolderError {
    FolderError::io("read", path)(io::ErrorKind::NotFound.into())
}

fn read_text(path: &Path) -> Result<Option<String>, FolderError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(FolderError::io("read", path)(e)),
    }
}

/// A document of any version that can be read, as one of the present version; `None` where there is no such file.
fn read_document<T: DeserializeOwned + Document>(dir: &Path, name: &str) -> Result<Option<T>, FolderError> {
    let path = dir.join(name);
    let Some(text) = read_text(&path)? else {
        return Ok(None);
    };
    let mut document: T = match from_json(&text) {
        Ok(document) => document,
        Err(source) => return Err(FolderError::Json { path, line: None, source }),
    };
    let version = document.version();
    if !T::VERSIONS.contains(version) {
        return Err(FolderError::SchemaVersion { path, found: *version, read: T::VERSIONS });
    }
    *version = *T::VERSIONS.end();
    Ok(Some(document))
}

fn read_lines<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Vec<T>, FolderError> {
    let path = dir.join(name);
    let text = read_text(&path)?.unwrap_or_default();
    parse_json_lines(&path, &text)
}
