//! `latency.hlog`: an `HdrHistogram` interval log (V2, deflated), which the Java and JavaScript tools open as well.
//!
//! Values are microseconds. The log's `BaseTime` is the run's start, so an interval's time stamp is an offset in
//! seconds. `Interval_Max`, which exists only for human readers, is in milliseconds (`MaxValueDivisor` 1000).

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, LogIteratorError, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use jiff::Timestamp;

use super::FolderError;
use super::lines::{LineFile, whole_lines};

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
    /// The tag as written, see [`Tag`](super::Tag); empty when the log gives none.
    pub tag: &'a str,
    /// Seconds since the run's start.
    pub start_s: f64,
    /// Length in seconds.
    pub length_s: f64,
    /// Values in microseconds.
    pub histogram: Histogram<u64>,
}

/// Decodes the whole lines of a log one after the other; `path` is for messages.
pub(super) fn intervals<'a>(
    path: &'a Path,
    text: &'a str,
) -> impl Iterator<Item = Result<Interval<'a>, FolderError>> + 'a {
    let text = whole_lines(text);
    let mut deserializer = Deserializer::new();
    // The iterator gives the offset of malformed entries only.
    let at = move |offset: usize, reason: String| FolderError::Interval {
        path: path.to_path_buf(),
        line: text[..offset].matches('\n').count() + 1,
        reason,
    };
    IntervalLogIterator::new(text.as_bytes()).filter_map(move |entry| match entry {
        Ok(LogEntry::Interval(entry)) => {
            let encoded = entry.encoded_histogram();
            let offset = encoded.as_ptr() as usize - text.as_ptr() as usize;
            let histogram = STANDARD
                .decode(encoded)
                .map_err(|e| e.to_string())
                .and_then(|bytes| {
                    deserializer.deserialize(&mut Cursor::new(bytes)).map_err(|e| e.to_string())
                })
                .map_err(|reason| at(offset, reason));
            Some(histogram.map(|histogram| Interval {
                tag: entry.tag().map_or("", |tag| tag.as_str()),
                start_s: entry.start_timestamp().as_secs_f64(),
                length_s: entry.duration().as_secs_f64(),
                histogram,
            }))
        }
        Ok(LogEntry::StartTime(_) | LogEntry::BaseTime(_)) => None,
        Err(LogIteratorError::ParseError { offset }) => {
            Some(Err(at(offset, "not an interval, a comment or a legend".into())))
        }
    })
}
