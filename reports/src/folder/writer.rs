//! Writing a run folder while the run goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::Timestamp;

use super::atomic::{save_manifest, save_summary};
use super::hlog::HlogWriter;
use super::lines::LineFile;
use super::{ERRORS, FolderError, LATENCY, SCENARIO, SERIES, save, save_cloudwatch};
use crate::format::{CloudWatch, ErrorSample, Manifest, SeriesLine, Summary};

/// Writes one run folder. Every failure is returned and none of them spoils the writer: after a full disk has room
/// again, the next call writes on, and the files hold whole lines only.
pub struct RunWriter {
    dir: PathBuf,
    manifest: Manifest,
    series: LineFile,
    errors: LineFile,
    latency: HlogWriter,
}

/// Makes a directory with its parents, where there is none; one with something in it is refused.
///
/// # Errors
/// [`FolderError::NotEmpty`] when the directory holds anything, [`FolderError::Io`] when it cannot be made.
pub fn make(dir: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(dir).map_err(FolderError::io("create the directory", dir))?;
    is_free(dir)
}

/// Whether a run may be written there: a directory that is empty, or none yet.
///
/// # Errors
/// [`FolderError::NotEmpty`] when it holds anything, [`FolderError::Io`] when it cannot be looked at.
pub fn is_free(dir: &Path) -> Result<(), FolderError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FolderError::io("list", dir)(error)),
    };
    match entries.count() {
        0 => Ok(()),
        _ => Err(FolderError::NotEmpty { path: dir.to_path_buf() }),
    }
}

impl RunWriter {
    /// Makes the directory with its parents, and writes `manifest.json` and `scenario.toml` at once, so that even a
    /// run that is killed in its first second can be identified. `manifest.state` should be [`Running`](crate::format::RunState::Running).
    ///
    /// # Errors
    /// [`FolderError::NotEmpty`] when the directory holds anything, [`FolderError::Io`] when it cannot be written.
    pub fn create(dir: &Path, manifest: &Manifest, scenario_toml: &str) -> Result<Self, FolderError> {
        make(dir)?;
        save_manifest(dir, manifest)?;
        save(dir, SCENARIO, scenario_toml.as_bytes())?;
        Ok(Self {
            dir: dir.to_path_buf(),
            manifest: manifest.clone(),
            series: LineFile::create(dir.join(SERIES))?,
            errors: LineFile::create(dir.join(ERRORS))?,
            latency: HlogWriter::new(LineFile::create(dir.join(LATENCY))?, manifest.run.started_at),
        })
    }

    /// The plan begins: from now on `started_at` is the run's start in every file. Until then the manifest holds the
    /// instant of the command; fetching tokens may take long after it.
    ///
    /// # Errors
    /// [`FolderError::Io`]; the manifest or the head of the log is then as it was.
    pub fn begin(&mut self, started_at: Timestamp) -> Result<(), FolderError> {
        self.manifest.run.started_at = started_at;
        self.manifest.run.ended_at = started_at;
        save_manifest(&self.dir, &self.manifest)?;
        self.latency.begin(started_at)
    }

    /// The folder that is being written.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends a second to `series.jsonl`.
    ///
    /// # Errors
    /// [`FolderError::Io`]; the line is then missing and the writer remains usable.
    pub fn second(&mut self, line: &SeriesLine) -> Result<(), FolderError> {
        self.series.append_json(line)
    }

    /// Appends a histogram in microseconds to `latency.hlog`. `tag` is a [`Tag`](super::Tag) as text,
    /// `start_offset` the time since the run's start.
    ///
    /// # Errors
    /// [`FolderError::Unloggable`] for a tag with a space, comma or line end; [`FolderError::Io`].
    pub fn interval(
        &mut self,
        tag: &str,
        start_offset: Duration,
        length: Duration,
        histogram: &Histogram<u64>,
    ) -> Result<(), FolderError> {
        self.latency.interval(tag, start_offset, length, histogram)
    }

    /// Appends a sample to `errors.jsonl`. Which samples are worth keeping is the caller's choice.
    ///
    /// # Errors
    /// [`FolderError::Io`]; the sample is then missing and the writer remains usable.
    pub fn error_sample(&mut self, sample: &ErrorSample) -> Result<(), FolderError> {
        self.errors.append_json(sample)
    }

    /// Saves `cloudwatch.json`.
    ///
    /// # Errors
    /// [`FolderError::Io`]; an earlier file is then untouched.
    pub fn cloudwatch(&mut self, cloudwatch: &CloudWatch) -> Result<(), FolderError> {
        save_cloudwatch(&self.dir, cloudwatch)
    }

    /// Saves `summary.json`.
    ///
    /// # Errors
    /// [`FolderError::Io`]; an earlier file is then untouched.
    pub fn summary(&mut self, summary: &Summary) -> Result<(), FolderError> {
        save_summary(&self.dir, summary)
    }

    /// Ends the run: syncs the line files to the disk and saves the manifest with its last state.
    ///
    /// # Errors
    /// [`FolderError::Io`]; may be called again.
    pub fn finish(&mut self, manifest: &Manifest) -> Result<(), FolderError> {
        self.series.sync()?;
        self.errors.sync()?;
        self.latency.sync()?;
        save_manifest(&self.dir, manifest)
    }
}
