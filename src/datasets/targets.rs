//! Targets: integers or numbers, and the form in which a loss takes them.
//!
//! The loss decides what they are, and not their type: a sparse loss takes labels, even if a file
//! holds them as floats; any other takes numbers of the output's shape, even if they are integers.

use std::fmt::Display;

use ndarray::ArrayD;

use super::select;
use super::values::{Values, contiguous};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result};

/// Targets of all samples: the first axis counts the samples.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::Targets;
///
/// let labels = Targets::Labels(array![7, 0, 3].into_dyn());
/// let Targets::Labels(picked) = labels.select(&[2, 0])? else { unreachable!() };
/// assert_eq!(picked, array![3, 7].into_dyn());
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Targets {
    /// Integers from 0: labels, or numbers of a regression.
    Labels(ArrayD<u32>),
    /// Numbers: one-hot vectors, regression targets, or labels held as floats.
    Reals(ArrayD<Real>),
}

impl Targets {
    /// Lengths of the axes, the number of samples first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Targets::Labels(values) => values.shape(),
            Targets::Reals(values) => values.shape(),
        }
    }

    /// Copies the samples with these indices, in this order. An index out of range is an error.
    pub fn select(&self, indices: &[usize]) -> Result<Targets> {
        Ok(match self {
            Targets::Labels(values) => Targets::Labels(select(values, indices)?),
            Targets::Reals(values) => Targets::Reals(select(values, indices)?),
        })
    }

    /// Multiplies integers, which become numbers: bytes of an image, scaled like those of the
    /// inputs. Numbers stay as they are.
    pub fn scale_integers(&mut self, by: Real) {
        if let Targets::Labels(values) = self {
            *self = Targets::Reals(values.mapv(|value| value as Real * by));
        }
    }
}

/// Checks targets against the output of a model, and chooses the form in which the loss takes them.
///
/// # Errors
/// Shapes that do not fit and numbers that are not labels where labels are needed.
pub(super) fn values<'a>(targets: &'a Targets, output: &Shape, sparse: bool) -> Result<Values<'a>> {
    let classes = output.last();
    let form = target_layout(targets, output, sparse)?;
    let n_labels = if form == TargetLayout::Vectors { None } else { Some(classes) };
    Ok(match targets {
        Targets::Labels(array) => {
            let labels = checked_targets(array, n_labels)?;
            if form == TargetLayout::OneHot {
                Values::OneHot { labels, classes }
            } else {
                Values::Labels(labels)
            }
        }
        Targets::Reals(array) => Values::Reals(checked_targets(array, n_labels)?),
    })
}

/// Form in which a loss gets its targets.
#[derive(Clone, Copy, PartialEq)]
enum TargetLayout {
    /// Vectors of the output's shape, as they are given.
    Vectors,
    /// Integer labels, as they are given.
    Labels,
    /// One-hot vectors, from integer labels.
    OneHot,
}

/// Chooses the form that a loss takes these targets in; targets that fit none are an error.
fn target_layout(targets: &Targets, output: &Shape, sparse: bool) -> Result<TargetLayout> {
    let classes = output.last();
    // One label per vector: `(None, 218, 218)` for an output of `(None, 218, 218, 10)`.
    let of_labels = match output.dims() {
        [positions @ .., _] => Shape::from(positions),
        [] => output.clone(),
    };
    let sample = Shape::from(targets.shape().get(1..).unwrap_or(&[])).squeezed();
    let fits_labels = sample == of_labels.squeezed();
    let is_labels = matches!(targets, Targets::Labels(_));
    if sparse && fits_labels {
        return Ok(TargetLayout::Labels);
    }
    if !sparse && sample == output.squeezed() {
        return Ok(TargetLayout::Vectors);
    }
    if !sparse && fits_labels && is_labels && classes > 1 {
        return Ok(TargetLayout::OneHot);
    }
    if let Targets::Reals(array) = targets
        && !sparse
        && fits_labels
    {
        // Names the first number that is not a label, such as the -1 of labels -1 and 1.
        checked_targets(array, Some(classes))?;
        return Err(Error::Data(format!(
            "the targets are one float per sample, and the loss takes {output}\n  save them as \
             integer labels, or choose sparse_categorical_crossentropy"
        )));
    }
    let needed = if sparse {
        format!("integer labels of {of_labels}")
    } else if classes > 1 {
        format!("{output}, or integer labels of {of_labels}")
    } else {
        output.to_string()
    };
    Err(Error::Data(format!(
        "the targets have the shape {}, and for an output of {output} the loss takes {needed}\n  \
         check that the targets belong to this model; integer labels go with \
         sparse_categorical_crossentropy, one-hot vectors with categorical_crossentropy",
        Tuple(targets.shape())
    )))
}

/// Values of targets. If `classes` is given, each must be an integer label below it.
fn checked_targets<T: Copy + Into<f64> + Display>(
    array: &ArrayD<T>,
    classes: Option<usize>,
) -> Result<&[T]> {
    let values = contiguous(array)?;
    let Some(classes) = classes else { return Ok(values) };
    let is_label = |y: f64| y >= 0.0 && y.fract() == 0.0 && y < classes as f64;
    if let Some(row) = values.iter().position(|&y| !is_label(y.into())) {
        return Err(Error::Data(format!(
            "label {} at position {row} is not a class: the model has {classes}, so classes are 0 \
             to {}\n  count classes from 0, or give the model's last layer more units; for numbers \
             that are not classes, choose a loss such as mse and one unit for each",
            values[row],
            classes - 1
        )));
    }
    Ok(values)
}
