//! `Subject`: the data that are examined, and their use in a training.

use crate::datasets::values::position;
use crate::datasets::{Column, DataDescription, Dataset};
use crate::shape::Tuple;

/// Number of values of inputs that are read for a thorough and for a quick examination.
const MANY_VALUES: usize = 200_000_000;
const FEW_VALUES: usize = 100_000;

/// Number of features without names up to which they are columns rather than pixels.
const MAX_COLUMNS: usize = 64;

/// Extent of an examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Ranges of a sample of the rows, and the labels of all: milliseconds, before a training.
    Quick,
    /// All rules. Sets of more than 200 million values are examined on a sample of their rows.
    Thorough,
}

/// Use of the targets by a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetUse {
    /// Classes.
    Classes,
    /// Numbers.
    Numbers,
    /// Not known; the description decides if it has classes or targets, else the values.
    Unknown,
}

/// Use of the inputs by the first layers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InputUse {
    /// Numbers, multiplied by `scale` and shifted by `offset`: 1 and 0 unless there is a Rescaling.
    Numbers {
        /// Factor.
        scale: f64,
        /// Term that is added.
        offset: f64,
    },
    /// Numbers that a layer normalizes, such as Normalization.
    Normalized,
    /// Indices of an Embedding.
    Indices,
}

/// Data that are examined, and their use.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Samples to train on.
    pub train: &'a Dataset,
    /// Samples to validate on.
    pub validation: Option<&'a Dataset>,
    /// Samples to evaluate on.
    pub test: Option<&'a Dataset>,
    /// Names of columns and classes.
    pub description: Option<&'a DataDescription>,
    /// Use of the inputs.
    pub inputs: InputUse,
    /// Use of the targets.
    pub targets: TargetUse,
    /// True if the last samples are split off to validate on, in the order of the data.
    pub splits_off_last: bool,
    /// Extent.
    pub effort: Effort,
}

impl<'a> Subject<'a> {
    /// Thorough examination of a training set, of which nothing else is known.
    pub fn new(train: &'a Dataset) -> Subject<'a> {
        Subject {
            train,
            validation: None,
            test: None,
            description: None,
            inputs: InputUse::Numbers { scale: 1.0, offset: 0.0 },
            targets: TargetUse::Unknown,
            splits_off_last: false,
            effort: Effort::Thorough,
        }
    }

    /// Use of the targets as given; if unknown, by the description: `Classes` if it names classes,
    /// `Numbers` if it names targets.
    pub(crate) fn target_use(&self) -> TargetUse {
        if self.targets != TargetUse::Unknown {
            return self.targets;
        }
        match self.description {
            Some(data) if !data.classes.is_empty() => TargetUse::Classes,
            Some(data) if !data.targets.is_empty() => TargetUse::Numbers,
            _ => TargetUse::Unknown,
        }
    }

    /// The sets beside the training set, with their names.
    pub(super) fn other_sets(&self) -> Vec<NamedSet<'a>> {
        let mut sets = vec![];
        if let Some(data) = self.validation {
            sets.push(NamedSet { name: "validation set", data });
        }
        if let Some(data) = self.test {
            sets.push(NamedSet { name: "test set", data });
        }
        sets
    }

    /// All sets, with their names.
    pub(crate) fn all_sets(&self) -> Vec<NamedSet<'a>> {
        let mut sets = vec![NamedSet { name: "training set", data: self.train }];
        sets.extend(self.other_sets());
        sets
    }

    /// Maximum number of values of inputs that a rule reads.
    pub(crate) fn max_values(&self) -> usize {
        match self.effort {
            Effort::Quick => FEW_VALUES,
            Effort::Thorough => MANY_VALUES,
        }
    }

    /// Name of a class.
    pub(super) fn class(&self, label: usize) -> String {
        let names = self.description.map_or(&[][..], |description| &description.classes);
        match names.get(label) {
            Some(name) if *name != label.to_string() => format!("{label} ({name:?})"),
            _ => label.to_string(),
        }
    }

    /// True if the features are columns of a table, and not pixels or positions.
    pub(super) fn is_table(&self) -> bool {
        let is_narrow = match self.train.x.shape() {
            [_, width] => *width <= MAX_COLUMNS,
            _ => false,
        };
        self.has_columns() || is_narrow && self.train.x.byte_scale().is_none()
    }

    /// Name of a row of the inputs: a table's are counted from 1, and an array's from 0.
    pub(super) fn row(&self, index: usize) -> String {
        if self.has_columns() {
            return format!("row {}", index + 1);
        }
        format!("row {index} (from 0)")
    }

    /// True if the data are a table whose columns have names.
    pub(crate) fn has_columns(&self) -> bool {
        self.description.is_some_and(|data| !data.columns.is_empty())
    }

    /// Name of a feature: that of a table's column, or its position in the sample, from 0.
    pub(super) fn feature(&self, index: usize) -> String {
        let columns = self.description.map_or(&[][..], |description| &description.columns);
        let mut first = 0;
        for column in columns {
            match column {
                Column::Numeric { name } if index == first => return format!("{name:?}"),
                Column::Numeric { .. } => first += 1,
                Column::Categorical { name, values } => {
                    if let Some(value) = values.get(index - first) {
                        return format!("{name:?} = {value:?}");
                    }
                    first += values.len();
                }
            }
        }
        let shape = self.train.x.shape().get(1..).unwrap_or_default();
        if shape.len() < 2 {
            return format!("column {index}");
        }
        let position = position(index, shape);
        format!("position {}", Tuple(&position))
    }

    /// Names of the first few features: `columns 3, 4`.
    pub(super) fn features(&self, indices: &[usize]) -> String {
        let mut names = listed(indices, |index| self.feature(*index));
        for kind in ["column", "position"] {
            if names.len() > 1 && names[0].starts_with(kind) {
                for name in &mut names {
                    *name = name.trim_start_matches(kind).trim_start().to_string();
                }
                names[0] = format!("{kind}s {}", names[0]);
            }
        }
        names.join(", ")
    }
}

/// Number of features, rows or classes that a finding names.
pub(super) const LISTED: usize = 5;

/// Names of the first few of these, and the number of the others: `and 3 more`.
pub(super) fn listed<T>(all: &[T], name: impl Fn(&T) -> String) -> Vec<String> {
    let mut names: Vec<String> = all.iter().take(LISTED).map(name).collect();
    if all.len() > LISTED {
        names.push(format!("and {} more", all.len() - LISTED));
    }
    names
}

/// Data set with its name.
pub(crate) struct NamedSet<'a> {
    pub name: &'static str,
    pub data: &'a Dataset,
}
