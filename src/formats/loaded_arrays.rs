//! Parameter arrays of a model, read from a file one after the other.

use super::OTHER_SIZES;
use crate::model::Sequential;
use crate::{Error, Real, Result};

/// Number of arrays that do not fit of which a message tells.
const LISTED: usize = 20;

/// Number of values of a parameter array, counted in memory or in a file.
#[derive(Debug, Clone)]
pub struct ArrayCount {
    /// Full name: `dense_1/kernel`.
    pub name: String,
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Number of values counted.
    pub counted: usize,
}

/// Result of loading weights into a model.
#[derive(Debug)]
pub struct LoadedArrays {
    /// Parameter arrays as they are in the file.
    pub arrays: Vec<ArrayCount>,
    /// Parts of the file that were ignored, and oddities.
    pub warnings: Vec<String>,
    /// Arrays or layers of the file that the model does not have.
    pub surplus: Vec<String>,
}

/// Sets the parameter arrays of a model, one after the other, to the values that `read` returns for
/// the full name and the shape, and counts the values. The error names all arrays that do not fit.
pub fn read_arrays(
    model: &mut Sequential,
    mut read: impl FnMut(&str, &[usize]) -> Result<Vec<Real>>,
) -> Result<LoadedArrays> {
    let mut loaded = LoadedArrays { arrays: vec![], warnings: vec![], surplus: vec![] };
    let mut misfits = vec![];
    for entry in model.parameters.entries.clone() {
        let name = model.full_name(&entry);
        let shape = entry.spec.shape;
        let values = match read(&name, &shape) {
            Ok(values) => values,
            Err(Error::Weights { problem, .. }) => {
                misfits.push(Misfit { array: name, problem });
                continue;
            }
            Err(error) => return Err(error),
        };
        let counted = values.len();
        let not_finite = values.iter().filter(|value| !value.is_finite()).count();
        if not_finite > 0 {
            loaded
                .warnings
                .push(format!("{not_finite} of the {counted} numbers of {name} are not finite"));
        }
        model.parameters.values[entry.range].copy_from_slice(&values);
        loaded.arrays.push(ArrayCount { name, shape, counted });
    }
    match refuse(misfits, model.parameters.entries.len()) {
        Some(error) => Err(error),
        None => Ok(loaded),
    }
}

/// Array that does not fit.
struct Misfit {
    array: String,
    problem: String,
}

/// Error that names all of these arrays of a model with `n_arrays`; `None` without any.
fn refuse(misfits: Vec<Misfit>, n_arrays: usize) -> Option<Error> {
    let n_misfits = misfits.len();
    let mut misfits = misfits.into_iter();
    let first = misfits.next()?;
    if n_misfits == 1 {
        return Some(Error::weights(first.array, first.problem));
    }
    let ProblemAndHelp { problem, help } = divided(&first.problem);
    let mut text = format!("{n_misfits} of the model's {n_arrays} arrays do not fit:");
    text += &format!("\n    {problem}");
    for misfit in misfits.take(LISTED - 1) {
        text += &format!("\n    {}", divided(&misfit.problem).problem);
    }
    if n_misfits > LISTED {
        text += &format!("\n    and {} more", n_misfits - LISTED);
    }
    text += &format!("\n  {help}");
    Some(Error::weights(first.array, text))
}

struct ProblemAndHelp<'t> {
    problem: &'t str,
    help: &'t str,
}

/// The message of an array that does not fit: its help is the last line.
fn divided(message: &str) -> ProblemAndHelp<'_> {
    let (problem, help) = message.rsplit_once("\n  ").unwrap_or((message, OTHER_SIZES));
    ProblemAndHelp { problem, help }
}
