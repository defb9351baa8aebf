//! Atomic replacement of files: written under a temporary name in the same folder, synced, read
//! back, then renamed. A crash or a full disk leaves the old file intact.

mod lock;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{self, Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::{Error, Result};

pub use lock::WriteLock;

/// Beginning of the names of temporary files and locks.
const PREFIX: &str = ".tallynet-";

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
    let file = temporary_file(&target)?;
    if let Ok(before) = fs::metadata(&target) {
        file.as_file().set_permissions(before.permissions())?;
    }
    // The errors of `NamedTempFile` itself would name the temporary file.
    file.as_file().write_all(bytes)?;
    file.as_file().sync_all()?;
    if !holds(file.path(), bytes)? {
        return Err(io::Error::other("what is read back is not what was written; check the disk"));
    }
    file.persist(&target).map_err(|error| error.error)?;
    // Syncing the folder makes the rename durable. If it fails, the file is still complete.
    if let Some(folder) = target.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// True if the file has this content.
fn holds(path: &Path, mut bytes: &[u8]) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut part = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            return Ok(bytes.is_empty());
        }
        match bytes.strip_prefix(&part[..read]) {
            Some(rest) => bytes = rest,
            None => return Ok(false),
        }
    }
}

/// Checks that a file can be written here, before a long computation, and removes temporary files
/// that processes which were killed left in its folder.
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
        _ => {
            let target = resolve_links(path)?;
            lock::remove_dead(target.parent().unwrap_or(&target));
            drop(temporary_file(&target)?);
        }
    }
    Ok(())
}

/// True for a terminal, a pipe or a device, which take bytes and cannot be replaced.
pub fn is_special(path: &Path) -> bool {
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

/// A temporary file in the folder of `target`, locked until it is closed.
fn temporary_file(target: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = create_temporary_file(target)?;
        if lock::hold(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

fn create_temporary_file(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    // Permissions of a regular new file; by default only the owner can read a temporary one.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(PREFIX).tempfile_in(target.parent().unwrap_or(target));
    // Only the kind of the error, because its text would name the temporary file.
    file.map_err(|error| match error.kind() {
        kind @ ErrorKind::NotFound => {
            io::Error::new(kind, "the folder does not exist; create it, or name another")
        }
        kind => kind.into(),
    })
}
