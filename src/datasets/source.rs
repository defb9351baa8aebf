//! Finds and loads data: the path, and its kind, told from its content and not from its name.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::{Dataset, FolderKind, TrainTest, mnist_files, npz};
use crate::datasets::identify::identify;
use crate::{Error, Result};

/// Finds the data: `explicit`, or else the environment variable `TALLYNET_DATA`, or else the first
/// of `data/` and `data/mnist.npz` that exists, in the current folder and then in tallynet's source
/// tree. A path that is given and does not exist is an error, and so is finding none.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = explicit {
        fs::metadata(path).map_err(Error::io("find the data at", path))?;
        return Ok(path.to_path_buf());
    }
    if let Some(path) = from_environment() {
        fs::metadata(&path).map_err(Error::io("find the path in TALLYNET_DATA:", &path))?;
        return Ok(path);
    }
    let folders = [PathBuf::from("data"), Path::new(env!("CARGO_MANIFEST_DIR")).join("data")];
    let mut searched = String::new();
    for path in folders.into_iter().flat_map(|folder| [folder.clone(), folder.join("mnist.npz")]) {
        if mnist_files::is_in(&path) || path.is_file() {
            return Ok(path);
        }
        searched += &format!("\n    {}", path.display());
    }
    Err(Error::Data(format!(
        "no data found; looked for the four MNIST files (raw or .gz) and for mnist.npz \
         here:{searched}\n  name the folder or the .npz file to use, or set TALLYNET_DATA to it"
    )))
}

/// Paths of all files that [`load`] reads from `path`, compressed and raw.
pub fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { FolderKind::of(path).files(path) } else { vec![path.to_path_buf()] }
}

/// Path in the environment variable `TALLYNET_DATA`.
pub fn from_environment() -> Option<PathBuf> {
    variable("TALLYNET_DATA")
}

/// Path in an environment variable; `None` if it is unset or empty.
pub(super) fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Loads a folder of MNIST's, CIFAR's, IDX or `.npy` files, or a `.npz` file with Keras's four
/// arrays, which may be a pipe. Bytes are not scaled;
/// [`Inputs::scale_bytes`](super::Inputs::scale_bytes) does that.
///
/// # Errors
/// Those of the readers, and a folder without a test set.
pub fn load(path: &Path) -> Result<TrainTest> {
    if !path.is_dir() {
        return npz::load(path);
    }
    let data = FolderKind::of(path).load(path, None, &mut |_| {})?;
    let Some(test) = data.test else { return Err(no_test_set(path)) };
    Ok(TrainTest { train: data.train, test })
}

/// Loads only the training set: a `.npz` file needs no test arrays.
///
/// # Errors
/// As [`load`].
pub fn load_train(path: &Path) -> Result<Dataset> {
    if path.is_dir() {
        return Ok(FolderKind::of(path).load(path, None, &mut |_| {})?.train);
    }
    npz::load_train(path)
}

/// Loads only the test set: a `.npz` file needs no training arrays.
///
/// # Errors
/// As [`load`].
pub fn load_test(path: &Path) -> Result<Dataset> {
    if path.is_dir() { Ok(load(path)?.test) } else { npz::load_test(path) }
}

/// Error for data without a test set.
pub(super) fn no_test_set(path: &Path) -> Error {
    Error::file(path, "there is no test set in here", "add one, or split one off: --test-split 0.2")
}

/// Number of bytes by which a file is identified.
const START: u64 = 4096;

/// Source of bytes that can be read from any position.
pub(super) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// A file that is open at its beginning.
pub(super) struct OpenFile {
    pub reader: Box<dyn ReadSeek>,
    pub size: u64,
    /// First bytes of the file, at most [`START`].
    pub start: Vec<u8>,
}

impl OpenFile {
    /// Opens a file. A pipe is read into memory, if it begins as NumPy's files do.
    pub fn new(path: &Path) -> Result<OpenFile> {
        OpenFile::open(path).map_err(Error::io("load", path))
    }

    fn open(path: &Path) -> io::Result<OpenFile> {
        let mut file = File::open(path)?;
        let mut start = vec![];
        file.by_ref().take(START).read_to_end(&mut start)?;
        let metadata = file.metadata()?;
        if metadata.is_file() {
            file.rewind()?;
            let reader = Box::new(BufReader::new(file));
            return Ok(OpenFile { reader, size: metadata.len(), start });
        }
        let mut bytes = start.clone();
        if start.starts_with(b"PK") || start.starts_with(b"\x93NUMPY") {
            file.read_to_end(&mut bytes)?;
        }
        Ok(OpenFile { size: bytes.len() as u64, reader: Box::new(Cursor::new(bytes)), start })
    }
}

/// Error for a file that is not `expected` (`a label file`), by its first bytes. The help is that
/// of the format that it really has, if it is known; else `help`.
pub(super) fn unexpected(expected: &str, start: &[u8], help: &str) -> Error {
    let (what, help) = match identify(start) {
        // Its members, by which it could be identified, are not in the first bytes.
        _ if start.starts_with(b"PK") => ("a zip archive", help.to_string()),
        // Data in another format, whose own help says to pass it with --data.
        Some(identity) if identity.help.contains("--data") => (identity.what, help.to_string()),
        Some(identity) => (identity.what, identity.help.to_string()),
        None => {
            let bytes = start.get(..4).unwrap_or(start);
            let found =
                format!("{expected} is expected here, but this begins with the bytes {bytes:02x?}");
            return Error::format(found, help);
        }
    };
    Error::format(format!("{expected} is expected here, but this is {what}"), help)
}
