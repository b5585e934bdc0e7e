//! Reading a run folder back, also one that a killed run left behind.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use hdrhistogram::Histogram;
use serde::de::DeserializeOwned;

use super::hlog::{HlogReader, Interval};
use super::lines::Lines;
use super::{
    CAPACITY, CLOUDWATCH, ERRORS, FolderError, LATENCY, MANIFEST, SCENARIO, SERIES, SUMMARY, Series, Tag,
    rebuild, streams,
};
use crate::digest::Digest;
use crate::format::capacity::Capacity;
use crate::format::{
    CloudWatch, Document, ErrorSample, FunctionSummary, Manifest, SeriesLine, Status, Summary,
};
use crate::printable::from_json;
use crate::server;

/// A run folder: its documents in memory, its line files read through once. Its source is not trusted: every string but the scenario's text is [printable](crate::printable).
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
    /// The run in at most [`MAX_BINS`](crate::digest::MAX_BINS) bins.
    pub digest: Digest,
    /// The seconds of the run in the order of the file, read again when they are looked at: see [`Series`].
    pub series: Series,
    /// By [`Tag`] as text: all intervals merged. Microseconds. The log holds measured arrivals only.
    pub histograms: BTreeMap<String, Histogram<u64>>,
    /// Server-side series, once fetched.
    pub cloudwatch: Option<CloudWatch>,
    /// First samples of each error class.
    pub errors: Vec<ErrorSample>,
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
        let summary = read_summary(dir, &manifest)?;
        let (digest, histograms) = streams::read(dir, &manifest, summary.as_ref())?;
        Ok(Self {
            dir: dir.to_path_buf(),
            scenario_toml: read_text(&dir.join(SCENARIO))?.unwrap_or_default(),
            summary,
            manifest,
            digest,
            series: Series::of(dir.join(SERIES)),
            histograms,
            cloudwatch: read_document(dir, CLOUDWATCH)?,
            errors: read_lines(dir, ERRORS)?,
        })
    }

    /// Reads `summary.json` and `cloudwatch.json` again, after one of them was saved; the line files only grow while a run goes on.
    ///
    /// # Errors
    /// As [`read`](Self::read); nothing is changed then.
    pub fn refresh(&mut self) -> Result<(), FolderError> {
        let (summary, cloudwatch) =
            (read_summary(&self.dir, &self.manifest)?, read_document(&self.dir, CLOUDWATCH)?);
        (self.summary, self.cloudwatch) = (summary, cloudwatch);
        Ok(())
    }

    /// Every second of the run in the order of the file, read from the disk one at a time.
    pub fn seconds(&self) -> impl Iterator<Item = Result<SeriesLine, FolderError>> + use<> {
        let (lines, error) = match Lines::of(&self.dir.join(SERIES)) {
            Ok(lines) => (Some(lines), None),
            Err(error) => (None, Some(error)),
        };
        error.map(Err).into_iter().chain(lines.into_iter().flat_map(Lines::json))
    }

    /// Every interval of `latency.hlog` in the order of the file, read from the disk and decoded one at a time: a long run has more of
    /// them than memory for all at once.
    pub fn intervals(&self) -> impl Iterator<Item = Result<Interval<'_>, FolderError>> + '_ {
        self.intervals_of(|_| true)
    }

    /// The intervals whose tag is wanted; the others are not decoded.
    pub fn intervals_of(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = Result<Interval<'_>, FolderError>> {
        let mut opened = Some(HlogReader::within(&self.dir.join(LATENCY), 0..u64::MAX));
        std::iter::from_fn(move || {
            let mut reader = match opened.take()? {
                Ok(reader) => reader,
                Err(e) => return Some(Err(e)),
            };
            let known = |tag: &str| wanted(tag) && self.histograms.contains_key(tag);
            let next = reader.next(known, |entry| {
                // A tag lives as long as the folder does.
                let (tag, _) = self.histograms.get_key_value(entry.tag)?;
                let (start_s, length_s) = (entry.start.as_secs_f64(), entry.length.as_secs_f64());
                Some(Interval { tag, start_s, length_s, histogram: entry.histogram() })
            });
            // After an error nothing follows.
            opened = next.is_ok().then_some(Ok(reader));
            next.map(Option::flatten).transpose()
        })
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
            None => Cow::Owned(rebuild::summary(&self.manifest, &self.digest, &self.histograms)),
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

/// The summary with its status.
fn read_summary(dir: &Path, manifest: &Manifest) -> Result<Option<Summary>, FolderError> {
    let mut summary: Option<Summary> = read_document(dir, SUMMARY)?;
    if let Some(summary) = &mut summary {
        // Older runs have no status, and a run whose files could not all be written has failed in any case.
        let of_run = summary.status_in(manifest.state);
        let kept = summary.verdict.status.filter(|_| of_run != Status::Failed);
        summary.conclude(kept.unwrap_or(of_run));
    }
    Ok(summary)
}

fn read_lines<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Vec<T>, FolderError> {
    Lines::of(&dir.join(name))?.json().collect()
}
