//! Columns from which a model probably learns nothing that holds for new rows.

use super::features::Feature;
use crate::Real;

/// Number of texts in a column above which there is a doubt about it.
const MANY_TEXTS: usize = 50;

/// Number of rows from which on a column that counts up is probably an identifier.
const MANY_ROWS: usize = 20;

/// A line for each column of numbers that count up with the rows, as identifiers do, and for each
/// column of very many texts, such as dates. The values are row by row, `width` in each.
pub fn about(values: &[Real], width: usize, features: &[Feature]) -> Vec<String> {
    let mut doubts = vec![];
    for Feature { position, name, vocabulary } in features {
        let column = || values.iter().skip(*position).step_by(width.max(1));
        match vocabulary {
            Some(vocabulary) if vocabulary.values.len() > MANY_TEXTS => doubts.push(format!(
                "column {name:?} holds {n} different texts and becomes {n} features; a new text is \
                 an error when the model predicts (--ignore {name:?} leaves the column out)",
                n = vocabulary.values.len()
            )),
            None if values.len() / width.max(1) > MANY_ROWS && counts_up(column()) => {
                doubts.push(format!(
                    "column {name:?} counts up from row to row, as an identifier does; --ignore \
                     {name:?} leaves it out"
                ));
            }
            _ => {}
        }
    }
    doubts
}

/// True for whole numbers, each larger than the one before.
fn counts_up<'a>(column: impl Iterator<Item = &'a Real> + Clone) -> bool {
    let pairs = column.clone().zip(column.skip(1));
    pairs.into_iter().all(|(a, b)| a < b && a.fract() == 0.0 && b.fract() == 0.0)
}
