//! `DataDescription`: names and encodings of the data that a model was trained on.

use serde::{Deserialize, Serialize};

use super::Dataset;
use super::checksum::checksum;

/// Names and encodings of a data set. They travel in the model's file, so that later inputs are
/// prepared alike and outputs are named.
///
/// ```
/// use tallynet::datasets::{Column, DataDescription};
/// let values = vec!["blue".into(), "red".into()];
/// let color = Column::Categorical { name: "color".into(), values };
/// let age = Column::Numeric { name: "age".into() };
/// let data = DataDescription { columns: vec![age, color], ..DataDescription::default() };
/// assert_eq!(data.n_features(), 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataDescription {
    /// Name of each class, by its integer label; empty if the labels have no names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Names of the target columns of a table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Input columns of a table, in the order of the features.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Size of the images of an image folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageShape>,
    /// Samples that the model was trained on, by which a test set is told from them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingSplit>,
}

/// Samples that a model was trained on, recognized again by a checksum, and the fraction of them
/// that was held out to test on.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::{Dataset, Inputs, Targets, TrainingSplit};
///
/// let x = Inputs::bytes(array![[1, 2], [3, 4]].into_dyn());
/// let data = Dataset { x, y: Targets::Labels(array![0, 1].into_dyn()) };
/// let training = TrainingSplit::of(&data, Some(0.5), 0);
/// assert!(training.is_of(&data));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingSplit {
    /// Number of samples, those held out included.
    pub n_samples: usize,
    /// CRC-32 of the inputs and the targets.
    pub checksum: u32,
    /// Fraction that [`split::shuffled`](super::split::shuffled) held out; `None` if none was.
    pub test_split: Option<f64>,
    /// Seed of the split.
    pub seed: u64,
}

impl TrainingSplit {
    /// Describes these samples, before a split.
    pub fn of(data: &Dataset, test_split: Option<f64>, seed: u64) -> TrainingSplit {
        TrainingSplit { n_samples: data.len(), checksum: checksum(data), test_split, seed }
    }

    /// True for the same samples in the same order.
    pub fn is_of(&self, data: &Dataset) -> bool {
        self.n_samples == data.len() && self.checksum == checksum(data)
    }
}

/// Input column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Column {
    /// Numbers: one feature.
    Numeric {
        /// Name in the table's header.
        name: String,
    },
    /// Strings: one feature per value, 1 for the value of the row and 0 for the others.
    Categorical {
        /// Name in the table's header.
        name: String,
        /// Values, in the order of the features.
        values: Vec<String>,
    },
}

impl Column {
    /// Name in the table's header.
    pub fn name(&self) -> &str {
        match self {
            Column::Numeric { name } | Column::Categorical { name, .. } => name,
        }
    }
}

/// Size that images are scaled to, in pixels, and their channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// 1 for gray, 3 for RGB.
    pub channels: usize,
}

impl ImageShape {
    /// Number of values of an image.
    pub fn n_values(&self) -> usize {
        self.height * self.width * self.channels
    }
}

impl DataDescription {
    /// Number of features that the columns become.
    pub fn n_features(&self) -> usize {
        let mut n = 0;
        for column in &self.columns {
            n += match column {
                Column::Numeric { .. } => 1,
                Column::Categorical { values, .. } => values.len(),
            };
        }
        n
    }
}
