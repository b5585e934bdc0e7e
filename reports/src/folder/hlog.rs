//! `latency.hlog`: an `HdrHistogram` interval log (V2, deflated), which the Java and JavaScript tools open as well.
//!
//! Values are microseconds. The log's `BaseTime` is the run's start, so an interval's time stamp is an offset in
//! seconds. `Interval_Max`, which exists only for human readers, is in milliseconds (`MaxValueDivisor` 1000).

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, LogIteratorError, Tag,
};
use jiff::Timestamp;

use super::FolderError;
use super::lines::{LineFile, Lines};
use super::payload::Decoder;
use crate::digest::Recorded;
use crate::printable;

/// Milliseconds in the log's human-readable maximum, microseconds in its histograms.
const MAX_VALUE_DIVISOR: f64 = 1000.0;

/// Column names, as the Java implementation writes them.
const LEGEND: &str =
    "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n";

/// Writes the interval log.
pub(super) struct HlogWriter {
    file: LineFile,
    serializer: V2DeflateSerializer,
    started_at: Timestamp,
    begun: bool,
}

impl HlogWriter {
    /// The log of a run that starts at `started_at`, unless [`begin`](Self::begin) gives a later instant. Nothing is written yet.
    pub(super) fn new(file: LineFile, started_at: Timestamp) -> Self {
        Self { file, serializer: V2DeflateSerializer::new(), started_at, begun: false }
    }

    /// The run starts: writes the head of the log, which names the instant.
    pub(super) fn begin(&mut self, started_at: Timestamp) -> Result<(), FolderError> {
        self.started_at = started_at;
        self.head()
    }

    /// Writes the head, unless it is there.
    fn head(&mut self) -> Result<(), FolderError> {
        if self.begun {
            return Ok(());
        }
        let Self { file, serializer, started_at, begun } = self;
        let mut header = Vec::new();
        IntervalLogWriterBuilder::new()
            .add_comment("[Histogram log format version 1.3]")
            .add_comment("[Values in microseconds, Interval_Max in milliseconds]")
            .with_start_time((*started_at).into())
            .with_base_time((*started_at).into())
            .with_max_value_divisor(MAX_VALUE_DIVISOR)
            .begin_log_with(&mut header, serializer)
            .map_err(FolderError::io("write", file.path()))?;
        header.extend_from_slice(LEGEND.as_bytes());
        file.append(&header)?;
        *begun = true;
        Ok(())
    }

    pub(super) fn interval(
        &mut self,
        tag: &str,
        start_offset: Duration,
        length: Duration,
        histogram: &Histogram<u64>,
    ) -> Result<(), FolderError> {
        self.head()?;
        let path = self.file.path();
        let unloggable = |reason: String| FolderError::Unloggable {
            path: path.to_path_buf(),
            tag: tag.to_owned(),
            reason,
        };
        let log_tag =
            Tag::new(tag).ok_or_else(|| unloggable("a tag holds no space, comma or line end".into()))?;
        let mut line = Vec::new();
        IntervalLogWriterBuilder::new()
            .with_max_value_divisor(MAX_VALUE_DIVISOR)
            .begin_log_with(&mut line, &mut self.serializer)
            .map_err(FolderError::io("write", path))?
            .write_histogram(histogram, start_offset, length, Some(log_tag))
            .map_err(|e| unloggable(e.to_string()))?;
        // The crate's writer begins every log with its divisor; ours began long ago.
        let header = line.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.file.append(&line[header..])
    }

    pub(super) fn sync(&mut self) -> Result<(), FolderError> {
        self.head()?;
        self.file.sync()
    }
}

/// One decoded interval of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval<'a> {
    /// The tag as [printable](crate::printable) text, see [`Tag`](super::Tag); empty when the log gives none.
    pub tag: &'a str,
    /// Seconds since the run's start.
    pub start_s: f64,
    /// Length in seconds.
    pub length_s: f64,
    /// Values in microseconds.
    pub histogram: Histogram<u64>,
}

/// One interval of the log, of which only the counts that are not 0 are there.
pub(super) struct Entry<'a> {
    /// Printable text.
    pub(super) tag: &'a str,
    pub(super) start: Duration,
    pub(super) length: Duration,
    pub(super) recorded: &'a [Recorded],
}

/// Reads the intervals of a log, or of a part of it, one after the other.
pub(super) struct HlogReader {
    path: PathBuf,
    lines: Lines,
    decoder: Decoder,
}

impl HlogReader {
    /// The intervals of the lines that begin at some bytes of the log; the first byte begins a line.
    pub(super) fn within(path: &Path, bytes: Range<u64>) -> Result<Self, FolderError> {
        Ok(Self { path: path.to_path_buf(), lines: Lines::within(path, bytes)?, decoder: Decoder::new() })
    }

    /// What `take` makes of the next interval whose tag is wanted; `None` at the end.
    pub(super) fn next<R>(
        &mut self,
        wanted: impl Fn(&str) -> bool,
        take: impl FnOnce(Entry<'_>) -> R,
    ) -> Result<Option<R>, FolderError> {
        let Self { path, lines, decoder } = self;
        while let Some((line, text)) = lines.next()? {
            let malformed = |reason: String| FolderError::Interval { path: path.clone(), line, reason };
            let entry = match IntervalLogIterator::new(text).next() {
                None | Some(Ok(LogEntry::StartTime(_) | LogEntry::BaseTime(_))) => continue,
                Some(Ok(LogEntry::Interval(entry))) => entry,
                Some(Err(LogIteratorError::ParseError { .. })) => {
                    return Err(malformed("not an interval, a comment or a legend".into()));
                }
            };
            let tag = entry.tag();
            let tag = printable::line(tag.as_ref().map_or("", |tag| tag.as_str()));
            if !wanted(&tag) {
                continue;
            }
            let recorded = decoder.decode(entry.encoded_histogram()).map_err(|e| malformed(e.to_string()))?;
            let (start, length) = (entry.start_timestamp(), entry.duration());
            return Ok(Some(take(Entry { tag: &tag, start, length, recorded })));
        }
        Ok(None)
    }
}

impl Entry<'_> {
    /// As one of the crate's histograms, of three digits and any size.
    pub(super) fn histogram(&self) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("three digits are allowed");
        for Recorded { low, count, .. } in self.recorded {
            histogram.record_n(*low, *count).expect("a histogram of any size takes any value");
        }
        histogram
    }
}
