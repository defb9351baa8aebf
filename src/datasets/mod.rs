//! Data sets in memory: inputs, targets and batches of them; readers of MNIST's files and of
//! `.npz` archives.

pub mod batches;
mod description;
pub mod mnist;
pub mod npz;
pub mod split;
pub mod synthetic;
pub mod table;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::{env, fs};

use ndarray::{ArrayD, Axis};

use crate::{Error, Real, Result};

pub use description::{Column, DataDescription, PictureSize};

/// Inputs of all samples: the first axis counts the samples.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::Inputs;
///
/// let mut inputs = Inputs::bytes(array![[0, 255], [51, 102]].into_dyn());
/// inputs.scale_bytes(1.0 / 255.0);
/// assert_eq!(inputs.shape(), [2, 2]);
/// assert_eq!(inputs.select(&[1, 1, 0])?.shape(), [3, 2]);
/// assert!(inputs.select(&[2]).is_err());
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Inputs {
    /// Bytes, which stay bytes in memory; gathering a batch converts them.
    Bytes {
        /// Bytes, as they are in the file.
        values: ArrayD<u8>,
        /// Factor of each byte: 1 for the numbers 0 to 255.
        scale: Real,
    },
    /// Numbers, used as they are.
    Reals(ArrayD<Real>),
}

impl Inputs {
    /// Bytes, taken as numbers from 0 to 255.
    pub fn bytes(values: ArrayD<u8>) -> Inputs {
        Inputs::Bytes { values, scale: 1.0 }
    }

    /// Lengths of the axes, the number of samples first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Inputs::Bytes { values, .. } => values.shape(),
            Inputs::Reals(values) => values.shape(),
        }
    }

    /// Factor of each byte, if these are bytes.
    pub fn byte_scale(&self) -> Option<Real> {
        match self {
            Inputs::Bytes { scale, .. } => Some(*scale),
            Inputs::Reals(_) => None,
        }
    }

    /// Sets the factor of each byte. Numbers stay as they are.
    pub fn scale_bytes(&mut self, by: Real) {
        if let Inputs::Bytes { scale, .. } = self {
            *scale = by;
        }
    }

    /// Copies the samples with these indices, in this order. An index out of range is an error.
    pub fn select(&self, indices: &[usize]) -> Result<Inputs> {
        Ok(match self {
            Inputs::Bytes { values, scale } => {
                Inputs::Bytes { values: select(values, indices)?, scale: *scale }
            }
            Inputs::Reals(values) => Inputs::Reals(select(values, indices)?),
        })
    }
}

/// Targets of all samples: the first axis counts the samples.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::Targets;
///
/// let labels = Targets::Labels(array![7, 0, 3].into_dyn());
/// let Targets::Labels(picked) = labels.select(&[2, 0])? else { unreachable!() };
/// assert_eq!(picked, array![3, 7].into_dyn());
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Targets {
    /// Integer labels from 0.
    Labels(ArrayD<u32>),
    /// Numbers: one-hot vectors or regression targets.
    Reals(ArrayD<Real>),
}

impl Targets {
    /// Lengths of the axes, the number of samples first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Targets::Labels(values) => values.shape(),
            Targets::Reals(values) => values.shape(),
        }
    }

    /// Copies the samples with these indices, in this order. An index out of range is an error.
    pub fn select(&self, indices: &[usize]) -> Result<Targets> {
        Ok(match self {
            Targets::Labels(values) => Targets::Labels(select(values, indices)?),
            Targets::Reals(values) => Targets::Reals(select(values, indices)?),
        })
    }
}

fn select<T: Clone>(values: &ArrayD<T>, indices: &[usize]) -> Result<ArrayD<T>> {
    let len = n_samples(values.shape());
    if let Some(index) = indices.iter().find(|&&index| index >= len) {
        let problem = format!("row {index} is asked for, and there are {len}, counted from 0");
        return Err(Error::option("indices", problem));
    }
    if values.ndim() == 0 {
        return Err(Error::Data("a single number has no rows".to_string()));
    }
    Ok(values.select(Axis(0), indices))
}

fn n_samples(shape: &[usize]) -> usize {
    shape.first().copied().unwrap_or(0)
}

/// Inputs and targets of the same samples.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::{Dataset, Inputs, Targets};
///
/// let x = Inputs::bytes(array![[1, 2], [3, 4], [5, 6], [7, 8]].into_dyn());
/// let data = Dataset { x, y: Targets::Labels(array![0, 1, 0, 1].into_dyn()) };
/// let (train, validation) = data.split(0.25)?;
/// assert_eq!((data.len(), train.len(), validation.len()), (4, 3, 1));
/// let (first, last) = data.split_at(1)?;
/// assert_eq!((first.len(), last.len()), (1, 3));
/// assert_eq!(data.select(&[3, 0, 3])?.len(), 3);
/// assert!(data.select(&[4]).is_err());
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Inputs.
    pub x: Inputs,
    /// Targets.
    pub y: Targets,
}

impl Dataset {
    /// Number of samples, by the inputs.
    pub fn len(&self) -> usize {
        n_samples(self.x.shape())
    }

    /// True if there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Splits off the last `share` of the samples, by the rule of Keras's `validation_split`: the
    /// first part has `floor(len · (1 − share))` of them. A share outside \[0, 1\] is an error.
    pub fn split(&self, share: f64) -> Result<(Dataset, Dataset)> {
        if !(0.0..=1.0).contains(&share) {
            let problem = format!("a share of {share} of the rows; take one from 0 to 1");
            return Err(Error::option("share", problem));
        }
        self.split_at(first_part(self.len(), share))
    }

    /// Copies the first `n` samples and the others. An `n` beyond the end is an error, and so are
    /// inputs and targets that differ in number.
    pub fn split_at(&self, n: usize) -> Result<(Dataset, Dataset)> {
        let len = self.len();
        if n > len {
            let problem = format!("{n} rows are asked for, and there are {len}");
            return Err(Error::option("n", problem));
        }
        let indices: Vec<usize> = (0..len).collect();
        let (first, last) = indices.split_at(n);
        Ok((self.select(first)?, self.select(last)?))
    }

    /// Copies the samples with these indices, in this order. An index out of range is an error, and
    /// so are inputs and targets that differ in number.
    pub fn select(&self, indices: &[usize]) -> Result<Dataset> {
        self.check_lengths()?;
        Ok(Dataset { x: self.x.select(indices)?, y: self.y.select(indices)? })
    }

    /// Checks that there are as many targets as inputs.
    fn check_lengths(&self) -> Result<()> {
        let (n_inputs, n_targets) = (self.len(), n_samples(self.y.shape()));
        if n_inputs == n_targets {
            return Ok(());
        }
        Err(Error::Data(format!(
            "there are {n_inputs} inputs and {n_targets} targets; each sample needs both"
        )))
    }
}

/// Number of rows that are left if the last `share` of `len` rows is split off, as Keras rounds it.
fn first_part(len: usize, share: f64) -> usize {
    (len as f64 * (1.0 - share)).floor() as usize
}

/// A training set and a test set.
#[derive(Debug, Clone)]
pub struct TrainTest {
    /// Samples to train on.
    pub train: Dataset,
    /// Samples to evaluate on.
    pub test: Dataset,
}

/// Finds the data: `explicit`, or else the environment variable `TALLYNET_DATA`, or else the first
/// of `data/` and `data/mnist.npz` that exists, in the current folder and then in tallynet's source
/// tree. A path that is given and does not exist is an error, and so is finding none.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = explicit {
        fs::metadata(path).map_err(Error::io("find the data at", path))?;
        return Ok(path.to_path_buf());
    }
    if let Some(path) = from_environment() {
        fs::metadata(&path).map_err(Error::io("find what TALLYNET_DATA names,", &path))?;
        return Ok(path);
    }
    let folders = [PathBuf::from("data"), Path::new(env!("CARGO_MANIFEST_DIR")).join("data")];
    let mut searched = String::new();
    for path in folders.into_iter().flat_map(|folder| [folder.clone(), folder.join("mnist.npz")]) {
        if mnist::is_in(&path) || path.is_file() {
            return Ok(path);
        }
        searched += &format!("\n    {}", path.display());
    }
    Err(Error::Data(format!(
        "no data found; looked for the four MNIST files (raw or .gz) and for mnist.npz \
         here:{searched}\n  name the folder or the .npz file to use, or set TALLYNET_DATA to it"
    )))
}

/// Paths of all files that [`load`] reads from `path`, packed and unpacked.
pub fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { mnist::files(path) } else { vec![path.to_path_buf()] }
}

/// Path in the environment variable `TALLYNET_DATA`.
pub fn from_environment() -> Option<PathBuf> {
    variable("TALLYNET_DATA")
}

/// Path in an environment variable; `None` if it is unset or empty.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Loads a folder with MNIST's four files, or a `.npz` file with Keras's four arrays. Bytes are
/// not scaled; [`Inputs::scale_bytes`] does that. Errors are those of [`mnist::load`] and
/// [`npz::load`], and a path to anything else.
pub fn load(path: &Path) -> Result<TrainTest> {
    if is_folder(path)? { mnist::load(path) } else { npz::load(path) }
}

/// Loads the test set alone: a `.npz` file needs no training arrays. Errors are those of [`load`].
pub fn load_test(path: &Path) -> Result<Dataset> {
    if is_folder(path)? { Ok(mnist::load(path)?.test) } else { npz::load_test(path) }
}

/// True for a folder, false for a `.npz` file; anything else is an error.
fn is_folder(path: &Path) -> Result<bool> {
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    let is_npz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
    if metadata.is_dir() || (metadata.is_file() && is_npz) {
        return Ok(metadata.is_dir());
    }
    let help = "name a folder with the four MNIST files, or a .npz file with x_train, y_train, \
                x_test and y_test";
    Err(Error::file(path, "this is neither a folder nor a .npz file", help))
}

/// A file that is open at its beginning.
struct OpenFile {
    file: File,
    size: u64,
    /// First bytes of the file, at most 64.
    start: Vec<u8>,
}

impl OpenFile {
    fn new(path: &Path) -> Result<OpenFile> {
        let open = || {
            let (mut file, mut start) = (File::open(path)?, vec![]);
            file.by_ref().take(64).read_to_end(&mut start)?;
            file.rewind()?;
            Ok(OpenFile { size: file.metadata()?.len(), file, start })
        };
        open().map_err(Error::io("load", path))
    }
}

/// Description of a file by its first bytes; follows "… is expected here, but".
fn describe(start: &[u8]) -> String {
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
