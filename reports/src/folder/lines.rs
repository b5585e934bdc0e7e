//! A file that grows by whole lines, even when the disk fills up in the middle of one.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
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

/// The part of a line file that was written completely: a killed run leaves a last line without its newline.
pub(super) fn whole_lines(text: &str) -> &str {
    text.rfind('\n').map_or("", |end| &text[..=end])
}

/// Parses every whole line of a JSON-lines file.
pub(super) fn parse_json_lines<T: DeserializeOwned>(path: &Path, text: &str) -> Result<Vec<T>, FolderError> {
    whole_lines(text)
        .lines()
        .enumerate()
        .map(|(index, line)| {
            from_json(line).map_err(|source| FolderError::Json {
                path: path.to_path_buf(),
                line: Some(index + 1),
                source,
            })
        })
        .collect()
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

    #[test]
    fn only_lines_with_their_end_are_whole() {
        assert_eq!(whole_lines("a\nb\nc"), "a\nb\n");
        assert_eq!(whole_lines("a"), "");
        assert_eq!(whole_lines(""), "");
    }
}
