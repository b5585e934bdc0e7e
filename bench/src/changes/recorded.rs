//! The noise of this project's own benches: the same code, measured again and again.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// One bench, measured again and again without any change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its criterion group and name.
    pub bench: String,
    /// On what, and how.
    pub how: String,
    /// Median times in nanoseconds, in the order of measurement.
    pub values: Vec<f64>,
}

/// The recording failed.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A program or file.
    #[error("{what}: {source}")]
    Io {
        /// Which.
        what: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Criterion wrote nothing that can be read.
    #[error("the bench left no estimates: {0}; name a bench of bench/benches that measures with criterion")]
    Nothing(String),
}

impl Recorded {
    /// Those that are kept with the project.
    ///
    /// # Panics
    /// If the kept file is no JSON of this form; a test reads it.
    #[must_use]
    pub fn kept() -> Vec<Self> {
        serde_json::from_str(include_str!("../../changes/noise.json"))
            .expect("bench/changes/noise.json is as recorded")
    }

    /// Mean of its values.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// Standard deviation of its values.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        (self.values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
            / (self.values.len() as f64 - 1.0))
            .sqrt()
    }
}

/// Runs the criterion bench `program` `times` times, one after the other, and reads the median time of each of its benches.
///
/// # Errors
/// [`RecordError`] when it cannot be run, or leaves no estimates.
pub fn record(program: &Path, filter: &str, times: usize, how: &str) -> Result<Vec<Recorded>, RecordError> {
    let home = std::env::temp_dir().join(format!("changes-{}", std::process::id()));
    let io = |what: &Path| {
        let what = what.display().to_string();
        move |source| RecordError::Io { what, source }
    };
    let mut all: Vec<Recorded> = Vec::new();
    for _ in 0..times {
        let status = Command::new(program)
            .args([
                "--bench",
                "--noplot",
                "--sample-size",
                "10",
                "--warm-up-time",
                "0.1",
                "--measurement-time",
                "0.2",
                filter,
            ])
            .env("CRITERION_HOME", &home)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .map_err(io(program))?;
        if !status.success() {
            return Err(RecordError::Nothing(status.to_string()));
        }
        let provenance = history::Provenance::default();
        let entries =
            history::read(&home, &provenance).map_err(|error| RecordError::Nothing(error.to_string()))?;
        for entry in entries {
            for measure in entry.measures {
                let bench = format!("{}/{}", entry.name, measure.name);
                match all.iter_mut().find(|recorded| recorded.bench == bench) {
                    Some(recorded) => recorded.values.push(measure.value),
                    None => all.push(Recorded { bench, how: how.to_owned(), values: vec![measure.value] }),
                }
            }
        }
        fs::remove_dir_all(&home).map_err(io(&home))?;
    }
    Ok(all)
}
