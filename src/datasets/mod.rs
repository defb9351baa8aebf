//! Data in memory: what a model is trained and measured on, the form that it has, and where it
//! comes from.

pub mod batches;
pub mod made_up;
pub mod mnist;
pub mod npz;

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};
use std::{env, fs};

use ndarray::ArrayD;

use crate::{Error, Real, Result};

/// One row of input a sample, on the first axis.
#[derive(Debug, Clone)]
pub enum Inputs {
    /// Bytes as they lie in the file. They stay bytes in memory and become numbers while a batch is
    /// gathered.
    Bytes {
        /// The bytes.
        values: ArrayD<u8>,
        /// What each is multiplied by: 1 for the number that it is.
        scale: Real,
    },
    /// Numbers, used as they are.
    Reals(ArrayD<Real>),
}

impl Inputs {
    /// Bytes, taken as the numbers from 0 to 255 that they are.
    pub fn bytes(values: ArrayD<u8>) -> Inputs {
        Inputs::Bytes { values, scale: 1.0 }
    }

    /// The lengths of the axes, the number of rows first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Inputs::Bytes { values, .. } => values.shape(),
            Inputs::Reals(values) => values.shape(),
        }
    }

    /// What each byte is multiplied by, if these are bytes.
    pub fn byte_scale(&self) -> Option<Real> {
        match self {
            Inputs::Bytes { scale, .. } => Some(*scale),
            Inputs::Reals(_) => None,
        }
    }

    /// Has bytes multiplied by this number from now on. Numbers stay as they are.
    pub fn scale_bytes(&mut self, by: Real) {
        if let Inputs::Bytes { scale, .. } = self {
            *scale = by;
        }
    }
}

/// What the model should answer, one row a sample, on the first axis.
#[derive(Debug, Clone)]
pub enum Targets {
    /// Class numbers from 0.
    Labels(ArrayD<u32>),
    /// Numbers: one-hot rows, regression targets.
    Reals(ArrayD<Real>),
}

impl Targets {
    /// The lengths of the axes, the number of rows first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Targets::Labels(values) => values.shape(),
            Targets::Reals(values) => values.shape(),
        }
    }
}

/// Inputs and targets with the same number of rows.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The inputs.
    pub x: Inputs,
    /// The targets.
    pub y: Targets,
}

/// A training and a test set.
#[derive(Debug, Clone)]
pub struct TrainTest {
    /// What the model is trained on.
    pub train: Dataset,
    /// What the test score is taken on.
    pub test: Dataset,
}

/// The place of the data: `explicit` or else the environment variable `TALLYNET_DATA`, if given,
/// and otherwise the first of `data/` and `data/mnist.npz`, in the current folder and then in
/// tallynet's source tree, that is there. Errors are a place that is given and does not exist, and
/// no place that is there.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf> {
    let given = explicit.map(|path| ("find the data at", path.to_path_buf()));
    if let Some((action, path)) =
        given.or_else(|| Some(("find what TALLYNET_DATA names,", from_environment()?)))
    {
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

/// The files that [`load`] reads at this place, those that are there only packed included.
pub fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { mnist::files(path) } else { vec![path.to_path_buf()] }
}

/// The place that the environment variable `TALLYNET_DATA` names.
pub fn from_environment() -> Option<PathBuf> {
    variable("TALLYNET_DATA")
}

/// The path that an environment variable holds, if it does.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Loads a folder with MNIST's four files or a `.npz` file with Keras's four arrays. Bytes are the
/// numbers that they are: [`Inputs::scale_bytes`] divides them. Errors are whatever is wrong with
/// the files, and a path that is neither.
pub fn load(path: &Path) -> Result<TrainTest> {
    by_form(path, mnist::load, npz::load)
}

/// Loads the test set alone: the two arrays for it are all that a `.npz` file needs then.
pub fn load_test(path: &Path) -> Result<Dataset> {
    by_form(path, |path| Ok(mnist::load(path)?.test), npz::load_test)
}

fn by_form<D>(
    path: &Path,
    mnist: fn(&Path) -> Result<D>,
    npz: fn(&Path) -> Result<D>,
) -> Result<D> {
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    let is_npz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
    if metadata.is_dir() {
        mnist(path)
    } else if metadata.is_file() && is_npz {
        npz(path)
    } else {
        let remedy = "name a folder with the four MNIST files, or a .npz file with x_train, y_train, x_test and y_test";
        Err(Error::file(path, "this is neither a folder nor a .npz file", remedy))
    }
}

/// A file, its size and its first bytes.
fn open(path: &Path) -> io::Result<(File, u64, Vec<u8>)> {
    let (mut file, mut start) = (File::open(path)?, vec![]);
    file.by_ref().take(64).read_to_end(&mut start)?;
    file.rewind()?;
    let size = file.metadata()?.len();
    Ok((file, size, start))
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
