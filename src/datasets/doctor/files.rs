//! Rule `not-the-data`: web pages, pointers of Git LFS and empty files in place of data files.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::subject::listed;
use super::{Finding, Severity};
use crate::datasets::identify::stand_in;

/// Maximum number of files that are examined.
const MAX_FILES: usize = 20_000;
/// Maximum number of entries of folders that are visited.
const MAX_ENTRIES: usize = 100_000;
/// Maximum depth of folders below the one that is examined.
const MAX_DEPTH: usize = 4;
/// Number of bytes by which a file is identified.
const START: u64 = 4096;

/// Examines a file, or the files of a folder, by their first bytes. Files that cannot be opened are
/// left to the readers.
///
/// ```
/// use tallynet::datasets::doctor::examine_files;
///
/// let path = std::env::temp_dir().join("tallynet-doctor-example.npz");
/// std::fs::write(&path, "<!DOCTYPE html><html>Sign in</html>").unwrap();
/// let findings = examine_files(&path);
/// assert!(findings[0].found.contains("a web page (HTML)"));
/// # std::fs::remove_file(&path).unwrap();
/// ```
pub fn examine_files(path: &Path) -> Vec<Finding> {
    let mut files = Files { paths: vec![], n_entries: 0 };
    if path.is_dir() {
        files.collect(path, 0);
    } else if path.is_file() {
        files.paths.push(path.to_path_buf());
    }
    let mut kinds: Vec<Kind> = vec![];
    for file in files.paths {
        let Some(identity) = start_of(&file).and_then(|start| stand_in(&start)) else { continue };
        match kinds.iter_mut().find(|kind| kind.what == identity.what) {
            Some(kind) => kind.paths.push(file),
            None => {
                kinds.push(Kind { what: identity.what, help: identity.help, paths: vec![file] });
            }
        }
    }
    kinds.iter().map(|kind| kind.finding(path)).collect()
}

/// Files of one kind.
struct Kind {
    what: &'static str,
    help: &'static str,
    paths: Vec<PathBuf>,
}

impl Kind {
    fn finding(&self, folder: &Path) -> Finding {
        let n = self.paths.len();
        let found = if n == 1 {
            format!("a file is {}", self.what)
        } else {
            format!("{n} files are each {}", self.what)
        };
        let names = listed(&self.paths, |path| {
            let name = path.strip_prefix(folder).ok().filter(|name| !name.as_os_str().is_empty());
            name.unwrap_or(path).display().to_string()
        });
        Finding::new(Severity::Problem, "not-the-data", found)
            .at(names.join(", "))
            .because("it stands in place of the data, which are not in it")
            .remedy(self.help)
    }
}

/// First bytes of a file; `None` if it cannot be read, or is a page by its name.
fn start_of(path: &Path) -> Option<Vec<u8>> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if matches!(extension.to_str(), Some("html" | "htm" | "xml" | "md" | "py")) {
        return None;
    }
    let mut start = vec![];
    // Files in /proc and /sys report a length of 0, and reading some of them blocks.
    if fs::metadata(path).ok()?.len() == 0 {
        return Some(start);
    }
    File::open(path).ok()?.take(START).read_to_end(&mut start).ok()?;
    Some(start)
}

/// Files of a folder.
struct Files {
    paths: Vec<PathBuf>,
    /// Number of entries of folders that were visited.
    n_entries: usize,
}

impl Files {
    /// Lists the files of a folder, but for hidden ones and those of a file manager.
    fn collect(&mut self, folder: &Path, depth: usize) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let entries = entries.take(MAX_ENTRIES - self.n_entries);
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        self.n_entries += entries.len();
        entries.sort_unstable();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let is_of_system =
                name.starts_with('.') || ["thumbs.db", "desktop.ini"].contains(&&*name);
            if is_of_system || self.paths.len() >= MAX_FILES {
                continue;
            }
            if path.is_file() {
                self.paths.push(path);
            } else if path.is_dir() && depth < MAX_DEPTH {
                self.collect(&path, depth + 1);
            }
        }
    }
}
