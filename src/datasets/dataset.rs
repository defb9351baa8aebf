//! The form that data have in memory.

use ndarray::ArrayD;

use crate::Real;

/// One row of input a sample, on the first axis.
#[derive(Debug, Clone)]
pub enum Inputs {
    /// Bytes as they lie in the file. They stay bytes in memory and become numbers while a batch is gathered.
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
