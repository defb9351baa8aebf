//! Data in memory: what a model is trained and measured on, and where it comes from.

pub mod batches;
mod dataset;
pub mod made_up;
pub mod mnist;
pub mod npz;
mod unpack;

pub use dataset::{Dataset, Inputs, Targets, TrainTest};

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The place of the data: `explicit` or else the environment variable `TALLYNET_DATA`, if given, and otherwise the first
/// of `data/` and `data/mnist.npz`, in the current folder and then in tallynet's source tree, that is there.
///
/// # Errors
///
/// A place that is given and does not exist, or no place that is there.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf> {
    let given = explicit.map(|path| ("find the data at", path.to_path_buf()));
    if let Some((action, path)) = given.or_else(|| Some(("find what TALLYNET_DATA names,", from_environment()?))) {
        fs::metadata(&path).map_err(Error::io(action, &path))?;
        return Ok(path);
    }
    let folders = [PathBuf::from("data"), Path::new(env!("CARGO_MANIFEST_DIR")).join("data")];
    let places = folders.iter().flat_map(|folder| [folder.clone(), folder.join("mnist.npz")]);
    if let Some(place) = places.clone().find(|place| mnist::is_in(place) || place.is_file()) {
        return Ok(place);
    }
    let places: Vec<_> = places.map(|place| format!("\n    {}", place.display())).collect();
    Err(Error::Data(format!(
        "no data found; looked for the four MNIST files (raw or .gz) and for mnist.npz here:{}\n  name the folder or the \
         .npz file to use, or set TALLYNET_DATA to it",
        places.concat()
    )))
}

/// The place that the environment variable `TALLYNET_DATA` names.
pub fn from_environment() -> Option<PathBuf> {
    env::var_os("TALLYNET_DATA").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Loads a folder with MNIST's four files or a `.npz` file with Keras's four arrays.
///
/// # Errors
///
/// Whatever is wrong with the files, and a path that is neither.
pub fn load(path: &Path) -> Result<TrainTest> {
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    let is_npz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
    if metadata.is_dir() {
        mnist::load(path)
    } else if metadata.is_file() && is_npz {
        npz::load(path)
    } else {
        let remedy =
            "name the folder that holds the four MNIST files, or a .npz file with x_train, y_train, x_test, y_test";
        Err(Error::file(path, "this is neither a folder nor a .npz file", remedy))
    }
}

/// A complaint about content, which [`explain`] tells from the operating system's refusals.
fn wrong(found: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, found.into())
}

/// For `map_err`: the error to report for what went wrong with the file at `path`.
fn explain(path: &Path, remedy: &str) -> impl FnOnce(io::Error) -> Error {
    move |error| match error.kind() {
        ErrorKind::InvalidData => Error::file(path, error.to_string(), remedy),
        _ => Error::io("load", path)(error),
    }
}

/// What a file is that begins so, in words that follow "expected here, but".
fn what_is(start: &[u8]) -> String {
    match start {
        [] => "the file is empty".into(),
        [0x1f, 0x8b, ..] => "this is a gzip file".into(),
        [b'P', b'K', ..] => "this is a zip archive".into(),
        [0, 0, 8, 1, ..] => "this is a label file (magic number 2049)".into(),
        [0, 0, 8, 3, ..] => "this is an image file (magic number 2051)".into(),
        _ if start.trim_ascii_start().starts_with(b"<") => {
            "this is an HTML page; the download was redirected or refused".into()
        }
        _ => format!("this begins with the bytes {:02x?}", start.get(..4).unwrap_or(start)),
    }
}
