//! Words for the data of a recorded training.

use std::fmt;

use crate::model::{RecordedData, Validation};

impl fmt::Display for RecordedData {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            RecordedData::Path(path) => f.write_str(path),
            RecordedData::Synthetic => f.write_str("synthetic"),
        }
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Validation::TestSet(n) => write!(f, "the test set of {n} samples"),
            Validation::Set(n) => write!(f, "a validation set of {n} samples"),
            Validation::Last { n, .. } => write!(f, "the last {n} samples of the training set"),
            Validation::Drawn { n, fraction } => {
                write!(f, "{n} samples drawn from the training set ({fraction})")
            }
        }
    }
}
