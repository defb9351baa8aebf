//! Atomic replacement of files: written under a temporary name in the same folder, synced, then
//! renamed. A crash or a full disk leaves the old file intact.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{self, Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::{Error, Result};

/// Writes these bytes to this path and replaces the file there, if any.
///
/// # Errors
/// I/O errors; the old file is then unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes).map_err(Error::io("write", path))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_special(path) {
        return fs::write(path, bytes);
    }
    let target = resolve_links(path)?;
    let mut file = temporary_file(&target)?;
    if let Ok(before) = fs::metadata(&target) {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target)?;
    // Syncing the folder makes the rename durable. If it fails, the file is still complete.
    if let Some(folder) = target.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Checks that a file can be written here, before a long computation.
///
/// # Errors
/// A folder that is missing or not writable, or a path that is a folder.
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        let found = "this is a folder, and a file is to be written";
        return Err(Error::file(path, found, "name a file in it"));
    }
    try_writing(path).map_err(Error::io("write", path))
}

fn try_writing(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ if is_special(path) => {}
        _ => drop(temporary_file(&resolve_links(path)?)?),
    }
    Ok(())
}

/// True for a terminal, a pipe or a device, which take bytes and cannot be replaced.
pub(crate) fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Absolute path of an existing or future file, with symbolic links resolved: writing then replaces
/// the target of a link, not the link.
///
/// # Errors
/// I/O errors, such as a cycle of links.
pub fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    // A link to a file that does not exist yet.
    if let Ok(target) = fs::read_link(path) {
        return resolve_links(&path.parent().unwrap_or(path).join(target));
    }
    let path = path::absolute(path)?;
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.join(name)),
        _ => Ok(path),
    }
}

/// A temporary file in the folder of `target`.
fn temporary_file(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    // Permissions of a regular new file; by default only the owner can read a temporary one.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(".tallynet-").tempfile_in(target.parent().unwrap_or(target));
    // Only the kind of the error, because its text would name the temporary file.
    file.map_err(|error| match error.kind() {
        kind @ ErrorKind::NotFound => {
            io::Error::new(kind, "the folder does not exist; create it, or name another")
        }
        kind => kind.into(),
    })
}
