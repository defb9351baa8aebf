//! Columns from which a model probably learns nothing that holds for new rows.

use super::features::Feature;
use crate::Real;

/// Number of strings in a column above which there is a warning about it.
const MANY_STRINGS: usize = 50;

/// Number of rows from which on a column that counts up is probably an identifier.
const MANY_ROWS: usize = 20;

/// A line for each column of numbers that count up with the rows, as identifiers do, and for each
/// column of very many strings, such as dates. The values are row by row, `width` in each.
pub fn of_columns(values: &[Real], width: usize, features: &[Feature]) -> Vec<String> {
    let mut warnings = vec![];
    for Feature { position, name, vocabulary } in features {
        let column = || values.iter().skip(*position).step_by(width.max(1));
        match vocabulary {
            Some(vocabulary) if vocabulary.values.len() > MANY_STRINGS => warnings.push(format!(
                "column {name:?} holds {n} different strings and becomes {n} features; a new \
                 string is an error when the model predicts (--ignore {name:?} ignores the column)",
                n = vocabulary.values.len()
            )),
            None if values.len() / width.max(1) > MANY_ROWS && counts_up(column()) => {
                warnings.push(format!(
                    "column {name:?} counts up from row to row, as an identifier does; --ignore \
                     {name:?} ignores it"
                ));
            }
            _ => {}
        }
    }
    warnings
}

/// True for whole numbers, each larger than the one before.
fn counts_up<'a>(column: impl Iterator<Item = &'a Real> + Clone) -> bool {
    let pairs = column.clone().zip(column.skip(1));
    pairs.into_iter().all(|(a, b)| a < b && a.fract() == 0.0 && b.fract() == 0.0)
}
