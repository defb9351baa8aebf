//! Columns from which a model probably learns nothing that holds for new rows.

use super::features::Feature;
use crate::Real;
use crate::datasets::doctor::{Finding, Severity, Warning};

/// Number of strings in a column above which there is a warning about it.
const MANY_STRINGS: usize = 50;

/// Number of rows from which on a column that counts up is probably an identifier.
const MANY_ROWS: usize = 20;

const REASON: &str = "a row number, or a text of each row's own, tells nothing about new samples";

/// A warning for each column of numbers that count up with the rows, and for each column of very
/// many strings, such as dates. The values are row by row, `width` in each.
pub fn of_columns(values: &[Real], width: usize, features: &[Feature]) -> Vec<Warning> {
    let mut warnings = vec![];
    for Feature { position, name, vocabulary } in features {
        let column = || values.iter().skip(*position).step_by(width.max(1));
        match vocabulary {
            Some(vocabulary) if vocabulary.values.len() > MANY_STRINGS => {
                let n = vocabulary.values.len();
                let found =
                    format!("column {name:?} holds {n} different strings and becomes {n} features");
                let remedy = format!(
                    "a new string is an error when the model predicts (--ignore {name:?} ignores \
                     the column)"
                );
                warnings.push(warning(found, remedy));
            }
            None if values.len() / width.max(1) > MANY_ROWS && counts_up(column()) => {
                let found =
                    format!("column {name:?} counts up from row to row, as an identifier does");
                warnings.push(warning(found, format!("--ignore {name:?} ignores it")));
            }
            _ => {}
        }
    }
    warnings
}

fn warning(found: String, remedy: String) -> Warning {
    let text = format!("{found}; {remedy}");
    let finding = Finding::new(Severity::Odd, "reading", found).at("data").because(REASON);
    Warning { text, finding: finding.remedy(remedy) }
}

/// True for whole numbers, each larger than the one before.
fn counts_up<'a>(column: impl Iterator<Item = &'a Real> + Clone) -> bool {
    let pairs = column.clone().zip(column.skip(1));
    pairs.into_iter().all(|(a, b)| a < b && a.fract() == 0.0 && b.fract() == 0.0)
}
