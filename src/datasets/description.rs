//! `DataDescription`: names and encodings of the data that a model was trained on.

use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Texts: one feature per value, 1 for the value of the row and 0 for the others.
    Categorical {
        /// Name in the table's header.
        name: String,
        /// Values, in the order of the features.
        values: Vec<String>,
    },
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
