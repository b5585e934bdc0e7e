//! The first start of a directory. It may be killed at any moment; the next start then begins again.
//!
//! The store has many files and cannot be opened if some are missing. So the first start creates a marker file before
//! the store, and removes it once the store is complete and names its deployment. As long as the marker exists, no write
//! has been acknowledged and the directory may be cleared. The start in progress holds a lock on the marker.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::{DataError, unusable};

/// The marker of a first start that is not complete.
const MARKER: &str = "first-start";
/// A file that every store has.
const STORE_FILE: &str = "version";
/// Its size.
const STORE_FILE_BYTES: u64 = 4;
/// The store's lock, held for as long as it is open.
const LOCK: &str = "lock";
const KEYSPACES: &str = "keyspaces";

/// A first start that is in progress.
pub(super) struct FirstStart {
    directory: PathBuf,
    marker: PathBuf,
    /// Locked.
    _file: File,
}

/// What a directory contains.
pub(super) enum Directory {
    /// No complete store; one has to be created.
    New(FirstStart),
    /// A complete store.
    Existing,
}

/// Inspects a directory and prepares it for the store.
///
/// # Errors
/// [`DataError`]: it contains other files, or is in use.
pub(super) fn prepare(directory: &Path) -> Result<Directory, DataError> {
    let failed = |error: io::Error| unusable(directory, error.to_string());
    std::fs::create_dir_all(directory).map_err(failed)?;
    loop {
        let names = names(directory).map_err(failed)?;
        let marker = directory.join(MARKER);
        let begun = names.iter().any(|name| name == MARKER);
        let foreign = !names.iter().all(|name| name == MARKER || is_of_store(name));
        if !begun && names.iter().any(|name| name == STORE_FILE) && !is_stub(directory).map_err(failed)? {
            return not_in_use(directory).map(|()| Directory::Existing);
        }
        if foreign || !begun && !is_stub(directory).map_err(failed)? {
            return Err(unusable(directory, "there are other files in it".into()));
        }
        let file = File::options().create(true).truncate(false).write(true).open(&marker).map_err(failed)?;
        lock(&file, directory)?;
        // Another start may have removed it meanwhile.
        if !is_still_there(&file, &marker).map_err(failed)? {
            continue;
        }
        not_in_use(directory)?;
        remove_store(directory).map_err(failed)?;
        sync(directory).map_err(failed)?;
        return Ok(Directory::New(FirstStart { directory: directory.to_owned(), marker, _file: file }));
    }
}

impl FirstStart {
    /// Removes the marker: the store is complete and on the disk.
    pub(super) fn finish(self) -> Result<(), DataError> {
        let ended = std::fs::remove_file(&self.marker).and_then(|()| sync(&self.directory));
        ended.map_err(|error| unusable(&self.directory, error.to_string()))
    }
}

fn names(directory: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Whether a file of this name belongs to the store.
fn is_of_store(name: &std::ffi::OsString) -> bool {
    [STORE_FILE, LOCK, KEYSPACES].iter().any(|known| name == known)
        || Path::new(name).extension().is_some_and(|extension| extension == "jnl")
}

/// Whether the directory has at most an incomplete store: earlier versions created no marker.
fn is_stub(directory: &Path) -> io::Result<bool> {
    let version = std::fs::metadata(directory.join(STORE_FILE)).map_or(0, |version| version.len());
    if version >= STORE_FILE_BYTES {
        return Ok(false);
    }
    match std::fs::read_dir(directory.join(KEYSPACES)) {
        // The first keyspace comes after the version.
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Removes all files of the store.
fn remove_store(directory: &Path) -> io::Result<()> {
    for name in names(directory)? {
        if name == MARKER {
            continue;
        }
        let path = directory.join(name);
        if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
    }
    Ok(())
}

/// Refuses a directory whose store is open.
fn not_in_use(directory: &Path) -> Result<(), DataError> {
    match File::options().write(true).open(directory.join(LOCK)) {
        Ok(file) => lock(&file, directory),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(directory, error.to_string())),
    }
}

fn lock(file: &File, directory: &Path) -> Result<(), DataError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => DataError::InUse { directory: directory.to_owned() },
        TryLockError::Error(error) => unusable(directory, error.to_string()),
    })
}

fn is_still_there(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(now) => file.metadata().map(|then| then.ino() == now.ino()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
