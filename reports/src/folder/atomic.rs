//! Replacing a whole file atomically: readers never see half of it.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;

use super::{CLOUDWATCH, FolderError, MANIFEST, SUMMARY};
use crate::format::{CloudWatch, Manifest, Summary};

/// Writes `content` to `dir/name` by way of a synced temporary file in the same directory and a rename.
///
/// # Errors
/// [`FolderError::Io`]; the old file is then untouched and the temporary one gone.
pub(crate) fn save(dir: &Path, name: &str, content: &[u8]) -> Result<(), FolderError> {
    let path = dir.join(name);
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        // As any other file: the umask takes away what others may not do.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(dir)
        .map_err(FolderError::io("create a file beside", &path))?;
    file.write_all(content)
        .and_then(|()| file.as_file().sync_all())
        .map_err(FolderError::io("write", &path))?;
    file.persist(&path).map_err(|e| FolderError::io("replace", &path)(e.error))?;
    Ok(())
}

/// Writes `content` to the file `path`, replacing it whole or not at all.
///
/// # Errors
/// [`FolderError::Io`]; an old file is then untouched.
pub fn save_as(path: &Path, content: &[u8]) -> Result<(), FolderError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) => save(dir, name, content),
        None => Err(FolderError::io("write", path)(std::io::ErrorKind::InvalidInput.into())),
    }
}

/// Saves a document as indented JSON, for people and diffs.
pub(crate) fn save_json<T: Serialize>(dir: &Path, name: &str, document: &T) -> Result<(), FolderError> {
    let mut json = serde_json::to_vec_pretty(document).map_err(|source| FolderError::Json {
        path: dir.join(name),
        line: None,
        source,
    })?;
    json.push(b'\n');
    save(dir, name, &json)
}

/// Saves `manifest.json` into an existing run folder, for instance when a run has failed and its writer is
/// gone.
///
/// # Errors
/// [`FolderError::Io`] when it cannot be written; the old file is then untouched.
pub fn save_manifest(dir: &Path, manifest: &Manifest) -> Result<(), FolderError> {
    save_json(dir, MANIFEST, manifest)
}

/// Saves `summary.json` into an existing run folder, for instance with a correlation added after the run.
///
/// # Errors
/// [`FolderError::Io`] when it cannot be written; the old file is then untouched.
pub fn save_summary(dir: &Path, summary: &Summary) -> Result<(), FolderError> {
    save_json(dir, SUMMARY, summary)
}

/// Saves `cloudwatch.json` into an existing run folder: CloudWatch lags, so this often happens after the run.
///
/// # Errors
/// [`FolderError::Io`] when it cannot be written; the old file is then untouched.
pub fn save_cloudwatch(dir: &Path, cloudwatch: &CloudWatch) -> Result<(), FolderError> {
    save_json(dir, CLOUDWATCH, cloudwatch)
}
