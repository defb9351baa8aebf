//! `LoadedData`: the data sets of a source and what is known about them.

use std::path::PathBuf;

use super::doctor::Warning;
use super::{DataDescription, Dataset};

/// Data sets that a source holds, and what is known about them.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::{Dataset, Inputs, LoadedData, Targets};
///
/// let x = Inputs::bytes(array![[1, 2], [3, 4]].into_dyn());
/// let data = LoadedData::from(Dataset { x, y: Targets::Labels(array![0, 1].into_dyn()) });
/// assert!(data.test.is_none() && data.description.classes.is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct LoadedData {
    /// Samples to train on.
    pub train: Dataset,
    /// Samples to validate on, if the source sets some apart.
    pub validation: Option<Dataset>,
    /// Samples to evaluate on, if the source sets some apart.
    pub test: Option<Dataset>,
    /// Files of the samples of `test`, or of `train` if there is no test set; empty unless the
    /// samples are images.
    pub files: Vec<PathBuf>,
    /// Names of the classes and size of the images.
    pub description: DataDescription,
    /// Remarks for the user, such as files that were ignored.
    pub warnings: Vec<Warning>,
}

impl From<Dataset> for LoadedData {
    fn from(train: Dataset) -> LoadedData {
        LoadedData {
            train,
            validation: None,
            test: None,
            files: vec![],
            description: DataDescription::default(),
            warnings: vec![],
        }
    }
}
