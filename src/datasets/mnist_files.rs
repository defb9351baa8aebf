//! Finds MNIST's four files in a folder, as the many downloads name and nest them:
//! `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, in capitals, as EMNIST calls them, each in
//! a folder of its own, in `MNIST/raw`, compressed with gzip or not. The bytes of a file say
//! whether it is compressed, and not its extension.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::datasets::identify::identify_folder;
use crate::{Error, Result};

/// One of the four files.
pub(super) struct MnistFile {
    pub name: &'static str,
    /// Lengths of the axes, as the header must give them.
    pub shape: &'static [u32],
}

/// The four files: images and labels for training, then for the test.
pub(super) const FILES: [MnistFile; 4] = [
    MnistFile { name: "train-images-idx3-ubyte", shape: &[60_000, 28, 28] },
    MnistFile { name: "train-labels-idx1-ubyte", shape: &[60_000] },
    MnistFile { name: "t10k-images-idx3-ubyte", shape: &[10_000, 28, 28] },
    MnistFile { name: "t10k-labels-idx1-ubyte", shape: &[10_000] },
];

/// Levels of folders that are searched, the named one included: `MNIST/raw` is two below it.
const LEVELS: usize = 3;
/// Number of entries of a folder that are looked at.
const MAX_ENTRIES: usize = 4096;
/// Number of folders of a level that are searched.
const MAX_FOLDERS: usize = 64;
/// Number of names that an error lists.
const LISTED: usize = 12;

/// One of the four files on the disk.
#[derive(Clone, Debug)]
pub(super) struct FoundFile {
    pub path: PathBuf,
    /// True if the bytes are those of a gzip file.
    pub is_compressed: bool,
    /// True if the name is that of a raw file, without `.gz`.
    pub has_raw_name: bool,
}

/// Files that can be one of the four, the preferred one first.
pub(super) fn candidates(folder: &Path, file: &MnistFile) -> Result<Vec<FoundFile>> {
    let mut folders = vec![folder.to_path_buf()];
    for _ in 0..LEVELS {
        let mut found: Vec<FoundFile> = vec![];
        for folder in &folders {
            found.extend(in_folder(folder, file));
        }
        if !found.is_empty() {
            return in_one_folder(folder, found);
        }
        folders = folders.iter().flat_map(|folder| entries(folder)).collect();
        folders.retain(|path| path.is_dir());
        folders.sort();
        folders.truncate(MAX_FOLDERS);
    }
    Ok(vec![])
}

/// Candidates directly in this folder: raw files before compressed ones, MNIST's own names first.
fn in_folder(folder: &Path, file: &MnistFile) -> Vec<FoundFile> {
    let mut found = vec![];
    for path in entries(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let raw_name = name.strip_suffix(".gz").unwrap_or(&name);
        if normalized(raw_name) == file.name && path.is_file() {
            let has_raw_name = raw_name == name;
            found.push(FoundFile { is_compressed: is_compressed(&path), has_raw_name, path });
        }
    }
    found.sort_by_key(|found| {
        let is_own_name = found.path.file_name().is_some_and(|name| name == file.name);
        (found.is_compressed, !found.has_raw_name, !is_own_name, found.path.clone())
    });
    found
}

/// The candidates, which must all be in one folder: files of two data sets must not mix.
fn in_one_folder(searched: &Path, found: Vec<FoundFile>) -> Result<Vec<FoundFile>> {
    let other = found.iter().find(|other| other.path.parent() != found[0].path.parent());
    if let Some(other) = other {
        let (one, other) = (found[0].path.display(), other.path.display());
        let found = format!("it holds several data sets: {one} and {other}");
        return Err(Error::file(searched, found, "name the folder of one of them"));
    }
    Ok(found)
}

/// MNIST's own spelling of the name of a raw file, in lower case.
fn normalized(name: &str) -> String {
    let name = name.replace(['.', '_', ' '], "-");
    let name = name.strip_prefix("emnist-mnist-").unwrap_or(&name);
    match name.strip_prefix("test-") {
        Some(rest) => format!("t10k-{rest}"),
        None => name.to_string(),
    }
}

/// True if a file begins as a gzip file does.
fn is_compressed(path: &Path) -> bool {
    let mut start = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    // An unreadable file fails with its own error later; its name says what to try.
    match read {
        Ok(()) => start == [0x1f, 0x8b],
        Err(_) => false,
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    entries.take(MAX_ENTRIES).flatten().map(|entry| entry.path()).collect()
}

/// The four files in `folder`, each with its candidates. The error names those that are missing,
/// and lists what is there.
pub(super) fn find_all(folder: &Path, help: &str) -> Result<Vec<Vec<FoundFile>>> {
    let mut all = vec![];
    let mut missing = vec![];
    for file in &FILES {
        let found = candidates(folder, file)?;
        if found.is_empty() {
            missing.push(format!("{0} or {0}.gz", file.name));
        }
        all.push(found);
    }
    if missing.is_empty() {
        return Ok(all);
    }
    let found = format!("these files are missing: {}; {}", missing.join(", "), content(folder));
    Err(Error::file(folder, found, help))
}

/// `it holds a.txt, b/`, or the kind of the folder if it is known.
fn content(folder: &Path) -> String {
    if let Some(identity) = identify_folder(folder) {
        return format!("this is {}", identity.what);
    }
    let mut names = vec![];
    for path in entries(folder) {
        let slash = if path.is_dir() { "/" } else { "" };
        names.push(format!("{}{slash}", path.file_name().unwrap_or_default().to_string_lossy()));
    }
    names.sort();
    if names.is_empty() {
        return "the folder is empty".to_string();
    }
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let others = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it holds {}{others}", names.join(", "))
}

/// Paths of the four files, raw and compressed: those that are there, and those that may be
/// written.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![];
    for file in &FILES {
        paths.extend([folder.join(file.name), folder.join(format!("{}.gz", file.name))]);
        let found = candidates(folder, file).unwrap_or_default();
        paths.extend(found.into_iter().map(|found| found.path));
    }
    paths
}

/// True if at least one of the four files is in the folder or below, even of several data sets.
pub(super) fn is_in(folder: &Path) -> bool {
    FILES.iter().any(|file| match candidates(folder, file) {
        Ok(found) => !found.is_empty(),
        Err(_) => true,
    })
}
