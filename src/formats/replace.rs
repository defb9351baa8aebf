//! How a file is written: under a temporary name beside its place, synced, then renamed. A crash, or a full disk,
//! leaves what was there before.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::{Error, Result};

/// Writes these bytes to this path, in place of whatever file is there.
///
/// # Errors
/// Whatever the operating system refuses; the file that was there is then untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if is_special(path) {
        return fs::write(path, bytes).map_err(Error::io("write", path));
    }
    // A link stays one, and what it leads to is replaced.
    let place = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut file = beside(place)?;
    if let Ok(before) = fs::metadata(place) {
        file.as_file().set_permissions(before.permissions()).map_err(Error::io("write", path))?;
    }
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
    written.map_err(Error::io("write", path))?;
    file.persist(place).map_err(|error| Error::io("write", path)(error.error))?;
    // The rename itself is on disk only once the folder is. Where a folder cannot be synced, the file still is whole.
    let _ = File::open(folder(place)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Finds out whether a file could be written here, before work is done that would be lost otherwise.
///
/// # Errors
/// A folder that is not there or not writable, or a path that is a folder.
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::file(path, "this is a folder, and a file is to be written", "name a file in it"));
    }
    match fs::metadata(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("write", path)(error)),
        _ if is_special(path) => Ok(()),
        _ => beside(&fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())).map(|_| ()),
    }
}

/// A terminal, a pipe or a device takes bytes, and stays what it is.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn beside(path: &Path) -> Result<NamedTempFile> {
    let mut builder = Builder::new();
    // As any new file, and not for its owner alone, as temporary files are.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(".tallynet-").tempfile_in(folder(path));
    // The kind of the error alone: its text would name the temporary file.
    file.map_err(|error| Error::io("write", path)(error.kind().into()))
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
