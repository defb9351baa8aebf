//! Data sets in memory, batches of them, and readers of MNIST, CIFAR, IDX, `.npy`, `.npz`, CSV
//! tables and image folders.

pub mod arrays;
pub mod batches;
mod checksum;
pub mod cifar;
mod description;
pub mod doctor;
mod folder;
pub(crate) mod identify;
pub mod idx;
pub mod images;
mod loaded;
pub mod mnist;
mod mnist_files;
pub mod npy;
pub mod npz;
mod sample_names;
mod source;
pub mod split;
pub mod synthetic;
pub mod table;
mod targets;
mod values;

pub use folder::FolderKind;
pub use source::{files, find, from_environment, load, load_test, load_train};
pub use targets::Targets;

use ndarray::{ArrayD, Axis};

use crate::{Error, Real, Result};

pub use description::{Column, DataDescription, ImageShape, TrainingSplit};
pub use loaded::LoadedData;
pub use sample_names::SampleNames;

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

    /// Splits off the last `fraction` of the samples, by the rule of Keras's `validation_split`:
    /// the first part has `floor(len · (1 − fraction))` of them. A fraction outside \[0, 1\] is an
    /// error.
    pub fn split(&self, fraction: f64) -> Result<(Dataset, Dataset)> {
        if !(0.0..=1.0).contains(&fraction) {
            let problem = format!("a fraction of {fraction} of the rows; take one from 0 to 1");
            return Err(Error::option("fraction", problem));
        }
        self.split_at(first_part(self.len(), fraction))
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

    /// Checks that all numbers are finite. The error names the row and the column of the first that
    /// is not, counted from 0.
    ///
    /// ```
    /// # use ndarray::array;
    /// # use tallynet::datasets::{Dataset, Inputs, Targets};
    /// # use tallynet::Real;
    /// let x = Inputs::Reals(array![[0.5, 1.0], [0.0, Real::NAN]].into_dyn());
    /// let data = Dataset { x, y: Targets::Labels(array![0, 1].into_dyn()) };
    /// let error = data.check_finite().unwrap_err().to_string();
    /// assert!(error.contains("the inputs hold NaN in row 1, column 1"));
    /// ```
    pub fn check_finite(&self) -> Result<()> {
        let mut arrays = vec![];
        if let Inputs::Reals(x) = &self.x {
            arrays.push(("inputs", x));
        }
        if let Targets::Reals(y) = &self.y {
            arrays.push(("targets", y));
        }
        for (name, array) in arrays {
            let row_shape = array.shape().get(1..).unwrap_or_default();
            if let Some(found) = values::not_finite(values::contiguous(array)?, row_shape) {
                let help = "correct or drop those rows; no loss can be computed from them";
                return Err(Error::Data(format!("the {name} hold {found}\n  {help}")));
            }
        }
        Ok(())
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

/// Number of rows that are left if the last `fraction` of `len` rows is split off, as Keras rounds
/// it.
fn first_part(len: usize, fraction: f64) -> usize {
    (len as f64 * (1.0 - fraction)).floor() as usize
}

/// A training set and a test set.
#[derive(Debug, Clone)]
pub struct TrainTest {
    /// Samples to train on.
    pub train: Dataset,
    /// Samples to evaluate on.
    pub test: Dataset,
}
