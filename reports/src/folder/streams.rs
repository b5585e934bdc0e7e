//! One pass over the line files of a run folder: every line is checked, and none is kept.
//!
//! The series is read by one thread and the log by two, each half of it: decoding is most of the work.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::thread;

use hdrhistogram::Histogram;
use serde::Deserialize;

use super::hlog::HlogReader;
use super::lines::{Lines, last_line, line_from, lines_before};
use super::{FolderError, LATENCY, SERIES};
use crate::digest::{Digest, Intervals, Passes, Seconds};
use crate::format::{Manifest, SeriesLine, Summary};

/// Reads both files through.
///
/// # Errors
/// [`FolderError`] with file and line, that of the series first.
pub(super) fn read(
    dir: &Path,
    manifest: &Manifest,
    summary: Option<&Summary>,
) -> Result<(Digest, BTreeMap<String, Histogram<u64>>), FolderError> {
    let (series, log) = (dir.join(SERIES), dir.join(LATENCY));
    let end_s = last_second(&series)?.map_or(0.0, |t| t as f64 + 1.0);
    let Passes { mut seconds, mut intervals } = Passes::new(manifest, summary, end_s);
    let middle = line_from(&log, std::fs::metadata(&log).map_or(0, |log| log.len()) / 2)?;
    let mut later = Intervals::new(&manifest.phases, intervals.grid());
    thread::scope(|threads| {
        let first = threads.spawn(|| add_intervals(&log, 0..middle, &mut intervals));
        let second = threads.spawn(|| add_intervals(&log, middle..u64::MAX, &mut later));
        let of_series = add_seconds(&series, &mut seconds);
        let of_log =
            [first, second].map(|half| half.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        of_series?;
        of_log.into_iter().collect::<Result<(), _>>()
    })?;
    intervals.merge(later).map_err(|e| unloggable(&log, "", &e))?;
    Ok(Passes { seconds, intervals }.end(manifest))
}

/// The start of the last second of the series; a line that cannot be read is left to the pass itself.
fn last_second(series: &Path) -> Result<Option<u64>, FolderError> {
    #[derive(Deserialize)]
    struct Second {
        t: u64,
    }
    let second = last_line(series)?.and_then(|line| serde_json::from_slice::<Second>(&line).ok());
    Ok(second.map(|second| second.t))
}

fn add_seconds(series: &Path, seconds: &mut Seconds) -> Result<(), FolderError> {
    let mut lines = Lines::of(series)?;
    while let Some(line) = lines.next_json::<SeriesLine>()? {
        seconds.add(&line);
    }
    Ok(())
}

fn add_intervals(log: &Path, bytes: Range<u64>, intervals: &mut Intervals) -> Result<(), FolderError> {
    let start = bytes.start;
    let mut reader = HlogReader::within(log, bytes)?;
    loop {
        let added = reader.next(
            |_| true,
            |entry| {
                let added = intervals.add(entry.tag, entry.start.as_secs(), entry.recorded);
                added.map_err(|e| unloggable(log, entry.tag, &e))
            },
        );
        match added {
            Ok(None) => return Ok(()),
            Ok(Some(added)) => added?,
            // Lines are counted from the beginning of the part.
            Err(FolderError::Interval { path, line, reason }) => {
                let line = line + lines_before(log, start)?;
                return Err(FolderError::Interval { path, line, reason });
            }
            Err(e) => return Err(e),
        }
    }
}

fn unloggable(path: &Path, tag: &str, error: &impl ToString) -> FolderError {
    FolderError::Unloggable { path: path.to_path_buf(), tag: tag.to_owned(), reason: error.to_string() }
}
