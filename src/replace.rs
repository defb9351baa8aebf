//! How a file is written: under a temporary name beside its place, synced, then renamed. A crash,
//! or a full disk, leaves what was there before.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{self, Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::{Error, Result};

/// Writes these bytes to this path, in place of whatever file is there.
///
/// # Errors
/// Whatever the operating system refuses; the file that was there is then untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        if is_special(path) {
            return fs::write(path, bytes);
        }
        let (place, mut file) = beside(path)?;
        if let Ok(before) = fs::metadata(&place) {
            file.as_file().set_permissions(before.permissions())?;
        }
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&place)?;
        // The rename itself is on disk only once the folder is. Where a folder cannot be synced,
        // the file still is whole.
        let _ = place.parent().map(|folder| File::open(folder)?.sync_all());
        Ok(())
    };
    write().map_err(Error::io("write", path))
}

/// Finds out whether a file could be written here, before work is done that would be lost
/// otherwise.
///
/// # Errors
/// A folder that is not there or not writable, or a path that is a folder.
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::file(
            path,
            "this is a folder, and a file is to be written",
            "name a file in it",
        ));
    }
    let outcome = match fs::metadata(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ if is_special(path) => Ok(()),
        _ => beside(path).map(drop),
    };
    outcome.map_err(Error::io("write", path))
}

/// A terminal, a pipe or a device takes bytes, and stays what it is.
pub(crate) fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Where a file is, or would be: a link stays one, and what it leads to is the place.
///
/// # Errors
/// Whatever the operating system refuses, such as links in a circle.
pub fn place(path: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(path), fs::read_link(path)) {
        (Ok(place), _) => Ok(place),
        (Err(error), _) if error.kind() != ErrorKind::NotFound => Err(error),
        // A link that leads nowhere yet.
        (_, Ok(target)) => place(&path.parent().unwrap_or(path).join(target)),
        _ => {
            let path = path::absolute(path)?;
            let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
            Ok(folder
                .zip(path.file_name())
                .map_or(path.clone(), |(folder, name)| folder.join(name)))
        }
    }
}

/// The file's place and a temporary file in the same folder.
fn beside(path: &Path) -> io::Result<(PathBuf, NamedTempFile)> {
    let place = place(path)?;
    let mut builder = Builder::new();
    // As any new file, and not for its owner alone, as temporary files are.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(".tallynet-").tempfile_in(place.parent().unwrap_or(&place));
    // The kind of the error alone: its text would name the temporary file.
    file.map(|file| (place, file)).map_err(|error| match error.kind() {
        kind @ ErrorKind::NotFound => {
            io::Error::new(kind, "the folder does not exist; create it, or name another")
        }
        kind => kind.into(),
    })
}
