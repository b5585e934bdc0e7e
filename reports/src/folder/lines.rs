//! A file that grows by whole lines, even when the disk fills up in the middle of one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::FolderError;
use crate::printable::from_json;

/// An append-only file of lines.
#[derive(Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines; anything beyond is the rest of a failed write.
    committed: u64,
    torn: bool,
}

impl LineFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, FolderError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(FolderError::io("create", &path))?;
        Ok(Self { path, file, committed: 0, torn: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole lines (`bytes` ends with a newline). After a failure the file ends where it did before,
    /// at the latest when the next append succeeds.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), FolderError> {
        self.try_append(bytes).map_err(FolderError::io("write", &self.path))
    }

    fn try_append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            self.mend()?;
        }
        if let Err(error) = self.file.write_all(bytes) {
            self.torn = true;
            // A second failure changes nothing: the next append tries again.
            let _ = self.mend();
            return Err(error);
        }
        self.committed += bytes.len() as u64;
        Ok(())
    }

    fn mend(&mut self) -> io::Result<()> {
        self.file.set_len(self.committed)?;
        self.file.seek(SeekFrom::Start(self.committed))?;
        self.torn = false;
        Ok(())
    }

    /// Appends one value as a line of JSON.
    pub(super) fn append_json<T: Serialize>(&mut self, value: &T) -> Result<(), FolderError> {
        let mut line = serde_json::to_vec(value).map_err(|source| FolderError::Json {
            path: self.path.clone(),
            line: None,
            source,
        })?;
        line.push(b'\n');
        self.append(&line)
    }

    /// Waits until everything is on the disk.
    pub(super) fn sync(&self) -> Result<(), FolderError> {
        self.file.sync_all().map_err(FolderError::io("sync", &self.path))
    }
}

/// A longer line is no line of a run folder.
const LONGEST_LINE: u64 = 64 << 20;

/// Reads the lines of a file one after the other, so that a file of any size takes the room of one line. A last line without its end, as
/// a killed run leaves it, is none.
pub(super) struct Lines {
    path: PathBuf,
    reader: Take<BufReader<File>>,
    line: Vec<u8>,
    number: usize,
}

impl Lines {
    /// The lines of a file; none where there is no such file.
    pub(super) fn of(path: &Path) -> Result<Self, FolderError> {
        Self::within(path, 0..u64::MAX)
    }

    /// The lines that begin at some bytes of a file; the first byte begins a line.
    pub(super) fn within(path: &Path, bytes: Range<u64>) -> Result<Self, FolderError> {
        let io = |e| FolderError::io("read", path)(e);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => File::open("/dev/null").map_err(io)?,
            Err(e) => return Err(io(e)),
        };
        if bytes.start > 0 {
            file.seek(SeekFrom::Start(bytes.start)).map_err(io)?;
        }
        let reader = BufReader::with_capacity(256 << 10, file).take(bytes.end - bytes.start);
        Ok(Self { path: path.to_path_buf(), reader, line: Vec::new(), number: 0 })
    }

    /// The next line with its end, and its number from 1.
    pub(super) fn next(&mut self) -> Result<Option<(usize, &[u8])>, FolderError> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(LONGEST_LINE);
        limited.read_until(b'\n', &mut self.line).map_err(FolderError::io("read", &self.path))?;
        if self.line.last() != Some(&b'\n') {
            let too_long = self.line.len() as u64 == LONGEST_LINE;
            let line = self.number + 1;
            return if too_long {
                Err(FolderError::Endless { path: self.path.clone(), line })
            } else {
                Ok(None)
            };
        }
        self.number += 1;
        Ok(Some((self.number, &self.line)))
    }

    /// The next line as JSON.
    pub(super) fn next_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FolderError> {
        let Some((number, line)) = self.next()? else { return Ok(None) };
        let value = str::from_utf8(line).map_err(serde::de::Error::custom).and_then(from_json);
        let json = |source| FolderError::Json { path: self.path.clone(), line: Some(number), source };
        value.map(Some).map_err(json)
    }

    /// Each line as JSON; an error is the last.
    pub(super) fn json<T: DeserializeOwned>(mut self) -> impl Iterator<Item = Result<T, FolderError>> {
        let mut failed = false;
        std::iter::from_fn(move || {
            let next = if failed { None } else { self.next_json().transpose() };
            failed = matches!(next, Some(Err(_)));
            next
        })
    }
}

/// Where the first line begins that begins at or after a byte of a file.
pub(super) fn line_from(path: &Path, byte: u64) -> Result<u64, FolderError> {
    let Some(before) = byte.checked_sub(1) else { return Ok(0) };
    // The line that holds the byte before ends there.
    let mut lines = Lines::within(path, before..u64::MAX)?;
    Ok(before + lines.next()?.map_or(0, |(_, line)| line.len() as u64))
}

/// How many lines end before a byte of a file.
pub(super) fn lines_before(path: &Path, byte: u64) -> Result<usize, FolderError> {
    let mut lines = Lines::within(path, 0..byte)?;
    let mut number = 0;
    while let Some((line, _)) = lines.next()? {
        number = line;
    }
    Ok(number)
}

/// The last whole line of a file.
pub(super) fn last_line(path: &Path) -> Result<Option<Vec<u8>>, FolderError> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(None) };
    let mut back = 64 << 10;
    loop {
        let from = metadata.len().saturating_sub(back);
        let mut lines = Lines::within(path, line_from(path, from)?..u64::MAX)?;
        let mut last = None;
        while let Some((_, line)) = lines.next()? {
            last = Some(line.to_vec());
        }
        if last.is_some() || from == 0 {
            return Ok(last);
        }
        back *= 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/dev/full` answers every write as a full disk does.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_with_a_remedy() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().write(true).open(&path).expect("exists on Linux");
        let mut lines = LineFile { path, file, committed: 0, torn: false };
        let error = lines.append(b"a line\n").expect_err("the disk is full").to_string();
        assert!(error.contains("/dev/full") && error.contains("free disk space"), "{error}");
        lines.append(b"a line\n").expect_err("it still is");
    }

    #[test]
    fn what_a_failed_write_left_is_gone_after_the_next_one() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut lines = LineFile::create(dir.path().join("lines")).expect("writable");
        lines.append(b"one\n").expect("writable");
        // As when the disk fills up in the middle of a line and cannot even be truncated.
        lines.file.write_all(b"tw").expect("writable");
        lines.torn = true;
        lines.append(b"three\n").expect("writable");
        assert_eq!(std::fs::read_to_string(lines.path()).expect("readable"), "one\nthree\n");
    }

    fn file(content: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(content.as_bytes()).expect("writable");
        file
    }

    #[test]
    fn only_lines_with_their_end_are_whole() {
        for (content, whole) in [("a\nb\nc", &["a\n", "b\n"][..]), ("a", &[]), ("", &[]), ("\n", &["\n"])] {
            let file = file(content);
            let mut lines = Lines::of(file.path()).expect("readable");
            for (number, line) in (1..).zip(whole) {
                assert_eq!(lines.next().expect("readable"), Some((number, line.as_bytes())));
            }
            assert_eq!(lines.next().expect("readable"), None);
            assert_eq!(
                last_line(file.path()).expect("readable").as_deref(),
                whole.last().map(|line| line.as_bytes())
            );
        }
        assert_eq!(Lines::of(Path::new("/nowhere")).expect("no lines").next().expect("none"), None);
    }

    #[test]
    fn parts_of_a_file_share_its_lines() {
        let content = "one\ntwo\n\nthree\nfo";
        let file = file(content);
        let starts = [(0, 0), (1, 4), (4, 4), (5, 8), (8, 8), (9, 9), (10, 15), (15, 15), (16, 15)];
        for (byte, from) in starts {
            assert_eq!(line_from(file.path(), byte).expect("readable"), from, "{byte}");
        }
        assert_eq!(lines_before(file.path(), 9).expect("readable"), 3);
        let mut part = Lines::within(file.path(), 4..9).expect("readable");
        assert_eq!(part.next().expect("readable"), Some((1, &b"two\n"[..])));
        assert_eq!(part.next().expect("readable"), Some((2, &b"\n"[..])));
        assert_eq!(part.next().expect("readable"), None);
    }

    #[test]
    fn the_last_line_is_found_however_long() {
        let long = "x".repeat(300_000);
        let file = file(&format!("first\n{long}\ntorn"));
        assert_eq!(last_line(file.path()).expect("readable").map(|line| line.len()), Some(300_001));
    }
}
