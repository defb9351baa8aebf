//! Arrays of a dataset as batches read them, and numbers in them that are not finite.

use ndarray::ArrayD;

use super::Inputs;
use crate::kernels::rows::scale_bytes;
use crate::shape::Tuple;
use crate::{Error, Real, Result};

/// Numbers of an array, in row-major order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    Bytes {
        values: &'a [u8],
        scale: Real,
    },
    Labels(&'a [u32]),
    /// Labels that become one-hot vectors of length `classes`.
    OneHot {
        labels: &'a [u32],
        classes: usize,
    },
    Reals(&'a [Real]),
}

impl Values<'_> {
    /// Fills `to` with the numbers from position `first` on.
    pub fn write(self, first: usize, to: &mut [Real]) {
        match self {
            Values::Bytes { values, scale } => scale_bytes(&values[first..][..to.len()], scale, to),
            Values::Labels(labels) => {
                for (to, label) in to.iter_mut().zip(&labels[first..]) {
                    *to = *label as Real;
                }
            }
            Values::OneHot { labels, classes } => {
                to.fill(0.0);
                let labels = &labels[first / classes..];
                for (vector, label) in to.chunks_exact_mut(classes).zip(labels) {
                    vector[*label as usize] = 1.0;
                }
            }
            Values::Reals(values) => to.copy_from_slice(&values[first..][..to.len()]),
        }
    }
}

impl Inputs {
    /// The numbers, which must be in row-major order.
    pub(super) fn values(&self) -> Result<Values<'_>> {
        match self {
            Inputs::Bytes { values, scale } => {
                Ok(Values::Bytes { values: contiguous(values)?, scale: *scale })
            }
            Inputs::Reals(values) => Ok(Values::Reals(contiguous(values)?)),
        }
    }
}

/// Numbers of an array, which must be in row-major order.
pub(super) fn contiguous<T>(array: &ArrayD<T>) -> Result<&[T]> {
    let problem = "an array is not in row-major order; copy it with as_standard_layout";
    array.as_slice().ok_or_else(|| Error::Data(problem.to_string()))
}

/// Description of the first number that is not finite, in an array with rows of this shape:
/// `NaN in row 3, column 1 (from 0)`.
pub(super) fn not_finite(values: &[Real], row_shape: &[usize]) -> Option<String> {
    let first = values.iter().position(|value| !value.is_finite())?;
    let width = row_shape.iter().product::<usize>().max(1);
    let row = first / width;
    let position = position(first % width, row_shape);
    let place = match position[..] {
        [] => String::new(),
        [column] => format!(", column {column}"),
        _ => format!(", position {}", Tuple(&position)),
    };
    let more = values[first..].iter().filter(|value| !value.is_finite()).count() - 1;
    let others = match more {
        0 => String::new(),
        1 => " and once more".to_string(),
        _ => format!(" and {more} more times"),
    };
    Some(format!("{} in row {row}{place} (from 0){others}", values[first]))
}

/// Position along each axis of an element of a row-major array, by its index.
pub(super) fn position(index: usize, axes: &[usize]) -> Vec<usize> {
    let mut position = vec![0; axes.len()];
    let mut rest = index;
    for (along, axis) in position.iter_mut().zip(axes).rev() {
        let length = usize::max(*axis, 1);
        *along = rest % length;
        rest /= length;
    }
    position
}
