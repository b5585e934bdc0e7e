//! A directory's first start, which may be killed at any moment and then begins anew.
//!
//! The store is many files, and no half of them can be opened. So the first start leaves a note before it makes any, and
//! takes it away when all are made and say whose they are: before that nothing has been acknowledged, and whoever finds
//! the note may remove everything. The note is locked by the start that is under way.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::unusable;
use crate::tables::keeper::DataError;

/// The note of a first start that has not come to its end.
const NOTE: &str = "first-start";
/// What the store has in every directory of its own.
const STORE_FILE: &str = "version";
/// Bytes of that.
const STORE_FILE_BYTES: u64 = 4;
/// The store's lock, held for as long as it is open.
const LOCK: &str = "lock";
const KEYSPACES: &str = "keyspaces";

/// The first start of a directory, until it is over.
pub(super) struct Beginning {
    directory: PathBuf,
    note: PathBuf,
    /// Locked.
    _file: File,
}

/// What a directory is to this start.
pub(super) enum Found {
    /// It is to be made.
    New(Beginning),
    /// It has a whole store.
    Ours,
}

/// Looks at a directory, and makes it fit to be opened.
///
/// # Errors
/// [`DataError`]: it is somebody else's, or in use.
pub(super) fn look(directory: &Path) -> Result<Found, DataError> {
    let failed = |error: io::Error| unusable(directory, error.to_string());
    std::fs::create_dir_all(directory).map_err(failed)?;
    loop {
        let names = names(directory).map_err(failed)?;
        let note = directory.join(NOTE);
        let begun = names.iter().any(|name| name == NOTE);
        let foreign = !names.iter().all(|name| name == NOTE || is_of_store(name));
        if !begun && names.iter().any(|name| name == STORE_FILE) && !is_stub(directory).map_err(failed)? {
            return not_in_use(directory).map(|()| Found::Ours);
        }
        if foreign || !begun && !is_stub(directory).map_err(failed)? {
            return Err(unusable(directory, "there are other files in it".into()));
        }
        let file = File::options().create(true).truncate(false).write(true).open(&note).map_err(failed)?;
        lock(&file, directory)?;
        // It may have been another start's, which is over now.
        if !is_still_there(&file, &note).map_err(failed)? {
            continue;
        }
        not_in_use(directory)?;
        remove_store(directory).map_err(failed)?;
        sync(directory).map_err(failed)?;
        return Ok(Found::New(Beginning { directory: directory.to_owned(), note, _file: file }));
    }
}

impl Beginning {
    /// Everything is there and on the disk.
    pub(super) fn end(self) -> Result<(), DataError> {
        let ended = std::fs::remove_file(&self.note).and_then(|()| sync(&self.directory));
        ended.map_err(|error| unusable(&self.directory, error.to_string()))
    }
}

fn names(directory: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Whether the store makes files of this name.
fn is_of_store(name: &std::ffi::OsString) -> bool {
    [STORE_FILE, LOCK, KEYSPACES].iter().any(|known| name == known)
        || Path::new(name).extension().is_some_and(|extension| extension == "jnl")
}

/// Whether this is what a store is before it is one, or nothing: an earlier version left no note.
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

/// Removes what a store has made, whatever there is of it.
fn remove_store(directory: &Path) -> io::Result<()> {
    for name in names(directory)? {
        if name == NOTE {
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
