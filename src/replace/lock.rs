//! Locks of files that are being written. The operating system releases a lock when its process
//! ends in any way, so a killed process leaves none.
//!
//! A temporary file is locked too as long as it is written. One that is not locked was left behind
//! by a process that was killed, and is removed by the next one that writes to its folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{PREFIX, is_special, resolve_links};
use crate::{Error, Result};

/// Right of this process to write a file, until it is dropped. The lock is on a small file of its
/// own beside that file, which is itself replaced at every writing.
#[derive(Debug)]
pub struct WriteLock {
    path: PathBuf,
    _file: File,
}

impl WriteLock {
    /// Locks a path against other processes of tallynet. `None` for a terminal, a pipe or a device,
    /// and where the system has no locks or the folder takes no file.
    ///
    /// # Errors
    /// Another process holds the lock.
    pub fn new(path: &Path) -> Result<Option<WriteLock>> {
        let Ok(target) = resolve_links(path) else { return Ok(None) };
        let Some(folder) = target.parent().filter(|_| !is_special(path)) else { return Ok(None) };
        let name = target.file_name().unwrap_or_default();
        let mut hash = flate2::Crc::new();
        hash.update(name.as_encoded_bytes());
        let lock = folder.join(format!("{PREFIX}{:08x}.lock", hash.sum()));
        loop {
            let options = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
            let Ok(mut file) = options else { return Ok(None) };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(is_taken(path, &lock)),
                Err(TryLockError::Error(_)) => return Ok(None),
                Ok(()) => {}
            }
            // Between opening and locking, the last owner may have removed the file.
            if is_at(&file, &lock) {
                // The number is for the message of others; a full disk does not matter.
                let id = std::process::id().to_string();
                let _ = file.set_len(0).and_then(|()| file.write_all(id.as_bytes()));
                return Ok(Some(WriteLock { path: lock, _file: file }));
            }
        }
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// True if the path names this open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// True if the path names this open file, which elsewhere cannot be removed.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

fn is_taken(path: &Path, lock: &Path) -> Error {
    let process = match fs::read_to_string(lock) {
        Ok(id) if !id.is_empty() => format!(" (process {id})"),
        _ => String::new(),
    };
    let found = format!("another run of tallynet{process} is writing this file");
    Error::file(path, found, "wait for its end, or name another file")
}

/// True if this process holds the lock of a file that it has just created, or if the system has no
/// locks. False if the file was taken for a dead one and removed in between.
pub(super) fn hold(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        _ => path.exists(),
    }
}

/// Removes the temporary files in a folder that no living process holds. Locks of dead processes
/// stay: the next run that writes the same file takes them over.
pub(super) fn remove_dead(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_temporary = name.starts_with(PREFIX) && !name.ends_with(".lock");
        if !is_temporary || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        if let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}
