//! Features of a model from the columns of a table.

use std::ops::Range;

use ndarray::ArrayD;

use super::dictionary::Vocabulary;
use crate::datasets::{Column, Inputs};
use crate::{Error, Real, Result};

/// Features that a column becomes.
#[derive(Debug)]
pub struct Feature {
    /// Position of the column among those that were read.
    pub position: usize,
    /// Name of the column.
    pub name: String,
    /// Strings; `None` for numbers.
    pub vocabulary: Option<Vocabulary>,
}

impl Feature {
    /// Number of features.
    fn width(&self) -> usize {
        self.vocabulary.as_ref().map_or(1, |vocabulary| vocabulary.values.len())
    }

    /// Description of the column.
    pub fn into_column(self) -> Column {
        match self.vocabulary {
            None => Column::Numeric { name: self.name },
            Some(Vocabulary { values, .. }) => Column::Categorical { name: self.name, values },
        }
    }
}

/// Neighboring columns that are encoded in one way.
enum Run<'a> {
    /// Columns of numbers, which are copied.
    Numbers(Range<usize>),
    /// Column of strings, which becomes a one-hot vector.
    Strings { position: usize, vocabulary: &'a Vocabulary },
}

/// Joins neighboring columns of numbers: a wide row is then copied at once.
fn runs(features: &[Feature]) -> Vec<Run<'_>> {
    let mut runs = vec![];
    for Feature { position, vocabulary, .. } in features {
        match (vocabulary, runs.last_mut()) {
            (Some(vocabulary), _) => runs.push(Run::Strings { position: *position, vocabulary }),
            (None, Some(Run::Numbers(columns))) if columns.end == *position => columns.end += 1,
            (None, _) => runs.push(Run::Numbers(*position..position + 1)),
        }
    }
    runs
}

/// Encodes rows of `width` numbers. The features take the place of the numbers, so that a large
/// table is in memory once.
pub fn encode(mut values: Vec<Real>, width: usize, features: &[Feature]) -> Result<Inputs> {
    let n_rows = values.len() / width.max(1);
    let new_width: usize = features.iter().map(Feature::width).sum();
    let Some(length) = n_rows.checked_mul(new_width) else {
        return Err(too_large(n_rows, new_width));
    };
    if length > values.len() {
        let missing = length - values.len();
        values.try_reserve_exact(missing).map_err(|_| too_large(n_rows, new_width))?;
        values.resize(length, 0.0);
    }
    let runs = runs(features);
    let mut row_before = vec![0.0; width];
    let mut encode_at = |row: usize| {
        row_before.copy_from_slice(&values[row * width..][..width]);
        encode_row(&row_before, &runs, &mut values[row * new_width..][..new_width]);
    };
    // A row must not be written over others that are still to be read.
    if new_width <= width {
        (0..n_rows).for_each(&mut encode_at);
    } else {
        (0..n_rows).rev().for_each(&mut encode_at);
    }
    values.truncate(length);
    values.shrink_to_fit();
    let array = ArrayD::from_shape_vec(vec![n_rows, new_width], values);
    Ok(Inputs::Reals(array.map_err(|error| Error::Data(error.to_string()))?))
}

/// Writes the features of a row.
fn encode_row(row: &[Real], runs: &[Run], to: &mut [Real]) {
    let mut rest = to;
    for run in runs {
        let width = match run {
            Run::Numbers(columns) => columns.len(),
            Run::Strings { vocabulary, .. } => vocabulary.values.len(),
        };
        let (own, after) = rest.split_at_mut(width);
        match run {
            Run::Numbers(columns) => own.copy_from_slice(&row[columns.clone()]),
            Run::Strings { position, vocabulary } => {
                own.fill(0.0);
                // Codes are below 1,000, which a `Real` holds exactly.
                own[vocabulary.ranks[row[*position] as usize]] = 1.0;
            }
        }
        rest = after;
    }
}

fn too_large(n_rows: usize, width: usize) -> Error {
    Error::Memory(format!(
        "{n_rows} rows of {width} features do not fit into memory\n  ignore columns with many \
         different strings"
    ))
}
