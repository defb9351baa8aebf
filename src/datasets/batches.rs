//! Batches of a dataset. It is checked once against a model's shapes; then its rows are gathered
//! into batches, in any order.

use std::fmt::Display;

use ndarray::ArrayD;
use rand::seq::SliceRandom;

use super::{Dataset, Inputs, Targets, first_part};
use crate::kernels::rows::{argmax, prefetch, scale_bytes};
use crate::random::{self, Stream};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result};

/// Number of rows that are prefetched: shuffled rows come from anywhere in memory.
const PREFETCHED_ROWS: usize = 4;

/// Rows of a dataset that fits a model.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    x: Values<'a>,
    y: Values<'a>,
    sample_weights: Option<Vec<Real>>,
    input_width: usize,
    target_width: usize,
    /// Number of vectors along the last axis of an output row; each vector may have a label.
    positions: usize,
    /// First row in use, and number of rows: a validation split divides them.
    first: usize,
    len: usize,
}

/// Buffers that a batch is gathered into, as long as its rows need.
#[derive(Debug)]
pub struct BatchBuffers<'a> {
    /// Inputs.
    pub x: &'a mut [Real],
    /// Targets; empty for a prediction.
    pub y: &'a mut [Real],
    /// Factor of each row's loss.
    pub sample_weights: &'a mut [Real],
}

/// Numbers of an array, in row-major order.
#[derive(Debug, Clone, Copy)]
enum Values<'a> {
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
    fn write(self, first: usize, to: &mut [Real]) {
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

impl<'a> Rows<'a> {
    /// Checks a dataset against a model's shapes. A `sparse` loss takes integer labels, one for
    /// each vector along the output's last axis; for other losses they become one-hot vectors.
    /// Axes of length 1 are added or dropped to fit. Errors are shapes that do not fit, counts that
    /// differ, labels out of range, and arrays that are not in row-major order.
    pub fn new(data: &'a Dataset, input: &Shape, output: &Shape, sparse: bool) -> Result<Rows<'a>> {
        let inputs = Rows::inputs_only(&data.x, input)?;
        data.check_lengths()?;
        if inputs.len > u32::MAX as usize {
            return Err(Error::Data(format!("{} rows are more than can be numbered", inputs.len)));
        }
        let classes = output.last();
        let form = target_form(&data.y, output, sparse)?;
        let n_labels = if form == TargetForm::Vectors { None } else { Some(classes) };
        let y = match &data.y {
            Targets::Labels(array) => {
                let labels = checked_targets(array, n_labels)?;
                if form == TargetForm::OneHot {
                    Values::OneHot { labels, classes }
                } else {
                    Values::Labels(labels)
                }
            }
            Targets::Reals(array) => Values::Reals(checked_targets(array, n_labels)?),
        };
        let target_width = if sparse { output.n_positions() } else { output.n_values() };
        Ok(Rows { y, target_width, positions: output.n_positions(), ..inputs })
    }

    /// Checks inputs alone, for a prediction. Errors are a shape that does not fit and no rows.
    pub fn inputs_only(x: &'a Inputs, input: &Shape) -> Result<Rows<'a>> {
        let [len, sample @ ..] = x.shape() else {
            let problem = "the inputs are a single number; they need one row a sample";
            return Err(Error::Data(problem.to_string()));
        };
        if Shape::from(sample).squeezed() != input.squeezed() {
            let help = if Shape::from(sample).n_values() == input.n_values() {
                "reshape the data, or begin the model with their shape and Flatten"
            } else {
                "choose the data that belong to the model, or build the model for this shape"
            };
            let (shape, sample) = (Tuple(x.shape()), Tuple(sample));
            return Err(Error::Data(format!(
                "the inputs have the shape {shape}, {len} samples of {sample}, and the model takes \
                 {input}\n  {help}"
            )));
        }
        if *len == 0 {
            return Err(Error::Data("the dataset has no rows".to_string()));
        }
        let values = match x {
            Inputs::Bytes { values, scale } => {
                Values::Bytes { values: contiguous(values)?, scale: *scale }
            }
            Inputs::Reals(values) => Values::Reals(contiguous(values)?),
        };
        Ok(Rows {
            x: values,
            y: Values::Reals(&[]),
            sample_weights: None,
            input_width: input.n_values(),
            target_width: 0,
            positions: 0,
            first: 0,
            len: *len,
        })
    }

    /// The same rows with the integer labels as targets, if these become one-hot vectors.
    pub fn as_integer_labels(&self) -> Option<Rows<'a>> {
        let Values::OneHot { labels, classes } = self.y else { return None };
        let target_width = self.target_width / classes;
        Some(Rows { y: Values::Labels(labels), target_width, ..self.clone() })
    }

    /// Weights the loss of each row: by `sample_weight`, one number a row, or by `class_weight`,
    /// pairs of a label and its weight (1 for other labels). Giving both is an error, and so are
    /// another number of weights than rows, targets with several labels a row for `class_weight`,
    /// and weights that are not finite.
    pub fn weighted(
        self,
        sample_weight: Option<&[Real]>,
        class_weight: Option<&[(usize, Real)]>,
    ) -> Result<Rows<'a>> {
        let wrong = |problem: &str| Err(Error::option("sample_weight", problem));
        let weights = match (sample_weight, class_weight) {
            (None, None) => return Ok(self),
            (Some(_), Some(_)) => {
                return wrong("give either a sample_weight or a class_weight, and not both");
            }
            (Some(weights), None) => {
                let (given, rows) = (weights.len(), self.len);
                if given != rows {
                    return wrong(&format!(
                        "there are {given} sample weights for {rows} rows; give one for each"
                    ));
                }
                weights.to_vec()
            }
            (None, Some(classes)) => {
                if self.positions != 1 {
                    return wrong("a class_weight needs targets with one class a row");
                }
                self.weights_by_class(classes)
            }
        };
        if let Some(weight) = weights.iter().find(|weight| !weight.is_finite()) {
            return wrong(&format!("a weight of a row is a finite number, and not {weight}"));
        }
        Ok(Rows { sample_weights: Some(weights), ..self })
    }

    /// Weight of each row by its label, which for a vector of targets is the argmax.
    fn weights_by_class(&self, class_weight: &[(usize, Real)]) -> Vec<Real> {
        let mut y = vec![0.0; self.target_width];
        let mut weights = Vec::with_capacity(self.first + self.len);
        for row in 0..self.first + self.len {
            self.y.write(row * self.target_width, &mut y);
            let label = match y[..] {
                [number] => number.round_ties_even(),
                _ => argmax(&y) as Real,
            };
            let named = class_weight.iter().find(|(class, _)| *class as Real == label);
            weights.push(named.map_or(1.0, |(_, weight)| *weight));
        }
        weights
    }

    /// Number of rows.
    #[allow(clippy::len_without_is_empty)] // There is always a row.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Number of target values of a row.
    pub fn target_width(&self) -> usize {
        self.target_width
    }

    /// Splits off the last rows for validation, as Keras does: the training part is the floor of
    /// `len · (1 − share)`. A share that leaves no row on one side is an error.
    pub fn split(self, share: f64) -> Result<(Rows<'a>, Rows<'a>)> {
        let len = self.len;
        let training = first_part(len, share);
        if !(0.0..1.0).contains(&share) || training == 0 || training == len {
            let problem = format!(
                "a validation split of {share} of {len} rows leaves none on one side; take one \
                 between 0 and 1, such as 0.1"
            );
            return Err(Error::option("validation_split", problem));
        }
        let rest = Rows { first: self.first + training, len: len - training, ..self.clone() };
        Ok((Rows { len: training, ..self }, rest))
    }

    /// Prefetches the next few of the rows with these indices.
    pub fn prefetch_rows<'n>(&self, indices: impl Iterator<Item = &'n u32>) {
        for &index in indices.take(PREFETCHED_ROWS) {
            self.prefetch_row(self.first + index as usize);
        }
    }

    /// Prefetches a row, counted from the first of the dataset.
    fn prefetch_row(&self, row: usize) {
        if let Values::Bytes { values, .. } = self.x {
            prefetch(&values[row * self.input_width..][..self.input_width]);
        }
    }

    /// Writes the rows with these indices to the buffers, in this order. Targets are left out if
    /// their buffer is empty.
    pub fn gather(&self, indices: impl Iterator<Item = usize> + Clone, to: BatchBuffers) {
        let rows = indices.map(|index| self.first + index);
        let mut ahead = rows.clone().skip(PREFETCHED_ROWS);
        let inputs = to.x.chunks_exact_mut(self.input_width);
        for ((row, x), weight) in rows.clone().zip(inputs).zip(to.sample_weights) {
            if let Some(row) = ahead.next() {
                self.prefetch_row(row);
            }
            self.x.write(row * self.input_width, x);
            *weight = self.sample_weights.as_ref().map_or(1.0, |weights| weights[row]);
        }
        for (row, y) in rows.zip(to.y.chunks_exact_mut(self.target_width.max(1))) {
            self.y.write(row * self.target_width, y);
        }
    }

    /// Refuses input values outside `0..n_words`; a fraction is cut off.
    pub fn check_words(&self, n_words: Option<usize>) -> Result<()> {
        let Some(n) = n_words else { return Ok(()) };
        let is_word = |value: Real| (0.0..n as Real).contains(&value.trunc());
        let wrong = match self.x {
            Values::Reals(values) => values.iter().position(|value| !is_word(*value)),
            Values::Bytes { values, scale } => {
                values.iter().position(|value| !is_word(Real::from(*value) * scale))
            }
            Values::Labels(_) | Values::OneHot { .. } => None,
        };
        let Some(position) = wrong else { return Ok(()) };
        let mut value = [0.0];
        self.x.write(position, &mut value);
        Err(Error::Data(format!(
            "the inputs hold {} in row {}, and the Embedding layer has the {n} words 0 to {}\n  \
             number the words from 0 on, or build the model with a larger input_dim",
            value[0],
            position / self.input_width.max(1),
            n - 1
        )))
    }

    /// A property of the data that can make the loss infinite or NaN, and how to change it.
    pub fn divergence_cause(&self) -> Option<String> {
        for (name, values) in [("targets", self.y), ("inputs", self.x)] {
            if let Values::Reals(values) = values
                && values.iter().any(|value| !value.is_finite())
            {
                return Some(format!(
                    "the {name} hold values that are not finite; correct or drop those rows"
                ));
            }
        }
        let largest = match self.x {
            Values::Bytes { scale, .. } => 255.0 * scale,
            Values::Reals(values) => values.iter().fold(0.0, |max, x| x.abs().max(max)),
            Values::Labels(_) | Values::OneHot { .. } => 0.0,
        };
        if largest > 10.0 {
            return Some(format!(
                "the inputs reach {largest}; scale them to about 1, images by 1/255"
            ));
        }
        None
    }
}

/// Writes the order of the rows in an epoch; epochs count from 0.
pub fn shuffle(order: &mut [u32], seed: u64, epoch: usize) {
    for (row, number) in order.iter_mut().zip(0..) {
        *row = number;
    }
    order.shuffle(&mut random::generator(seed, Stream::Shuffle(epoch as u32)));
}

/// Form in which a loss gets its targets.
#[derive(Clone, Copy, PartialEq)]
enum TargetForm {
    /// Vectors of the output's shape, as they are given.
    Vectors,
    /// Integer labels, as they are given.
    Labels,
    /// One-hot vectors, from integer labels.
    OneHot,
}

/// Chooses the form that a loss takes these targets in; targets that fit none are an error.
fn target_form(targets: &Targets, output: &Shape, sparse: bool) -> Result<TargetForm> {
    let classes = output.last();
    // One label a vector: `(None, 218, 218)` for an output of `(None, 218, 218, 10)`.
    let of_labels = match output.dims() {
        [positions @ .., _] => Shape::from(positions),
        [] => output.clone(),
    };
    let sample = Shape::from(targets.shape().get(1..).unwrap_or(&[])).squeezed();
    let fits_labels = sample == of_labels.squeezed();
    let is_labels = matches!(targets, Targets::Labels(_));
    if sparse && fits_labels {
        return Ok(TargetForm::Labels);
    }
    if !sparse && sample == output.squeezed() {
        return Ok(TargetForm::Vectors);
    }
    if !sparse && fits_labels && is_labels && classes > 1 {
        return Ok(TargetForm::OneHot);
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

fn contiguous<T>(array: &ArrayD<T>) -> Result<&[T]> {
    let problem = "an array is not in row-major order; copy it with as_standard_layout";
    array.as_slice().ok_or_else(|| Error::Data(problem.to_string()))
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
            "label {} at position {row} is no class: the model has {classes}, so classes are 0 to \
             {}\n  count classes from 0, or give the model's last layer more units",
            values[row],
            classes - 1
        )));
    }
    Ok(values)
}
