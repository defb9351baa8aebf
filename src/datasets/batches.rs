//! Batches of a dataset. It is checked once against a model's shapes; then its rows are gathered
//! into batches, in any order.

use rand::seq::SliceRandom;

use super::doctor::scale::divergence_cause;
use super::values::{Values, not_finite};
use super::{Dataset, Inputs, first_part, targets};
use crate::kernels::rows::{argmax, prefetch};
use crate::random::{self, Stream};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result};

/// Number of rows that are prefetched: shuffled rows come from anywhere in memory.
const PREFETCHED_ROWS: usize = 4;

/// Rows of a dataset that fits a model.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    pub(super) x: Values<'a>,
    pub(super) y: Values<'a>,
    pub(super) sample_weights: Option<Vec<Real>>,
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
    /// `sample_weights` of the batch.
    pub sample_weights: &'a mut [Real],
}

impl<'a> Rows<'a> {
    /// Checks a dataset against a model's shapes. A `sparse` loss takes integer labels, one for
    /// each vector along the output's last axis; for other losses they become one-hot vectors. Axes
    /// of length 1 are added or dropped to fit.
    ///
    /// # Errors
    /// Shapes that do not fit, counts that differ, labels out of range, and arrays that are not in
    /// row-major order.
    pub fn new(data: &'a Dataset, input: &Shape, output: &Shape, sparse: bool) -> Result<Rows<'a>> {
        let inputs = Rows::inputs_only(&data.x, input)?;
        data.check_lengths()?;
        if inputs.len > u32::MAX as usize {
            return Err(Error::Data(format!("{} rows are more than can be numbered", inputs.len)));
        }
        let y = targets::values(&data.y, output, sparse)?;
        let target_width = if sparse { output.n_positions() } else { output.n_values() };
        Ok(Rows { y, target_width, positions: output.n_positions(), ..inputs })
    }

    /// Checks only the inputs, for a prediction.
    ///
    /// # Errors
    /// A shape that does not fit the model, and an empty dataset.
    pub fn inputs_only(x: &'a Inputs, input: &Shape) -> Result<Rows<'a>> {
        let [len, sample @ ..] = x.shape() else {
            let problem = "the inputs are a single number; they need one row per sample";
            return Err(Error::Data(problem.to_string()));
        };
        if Shape::from(sample).squeezed() != input.squeezed() {
            let help = if Shape::from(x.shape()).squeezed() == input.squeezed() {
                "this is one sample; add an axis that counts the samples: x[None]"
            } else if Shape::from(sample).n_values() == input.n_values() {
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
        Ok(Rows {
            x: x.values()?,
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

    /// Weights the loss of each row: by `sample_weight`, one number per row, or by `class_weight`,
    /// pairs of a label and its weight (1 for other labels). Giving both is an error, and so are
    /// another number of weights than rows, targets with several labels per row for `class_weight`,
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
    /// `len · (1 − fraction)`. A fraction that leaves no row on one side is an error.
    pub fn split(self, fraction: f64) -> Result<(Rows<'a>, Rows<'a>)> {
        let len = self.len;
        let training = first_part(len, fraction);
        if !(0.0..1.0).contains(&fraction) || training == 0 || training == len {
            let problem = format!(
                "a validation split of {fraction} of {len} rows leaves none on one side; take one \
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

    /// Writes the rows with these indices to the buffers, in this order. Targets are omitted if
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

    /// Refuses input values outside `0..vocabulary_size`; a fraction is cut off.
    pub fn check_indices(&self, vocabulary_size: Option<usize>) -> Result<()> {
        let Some(n) = vocabulary_size else { return Ok(()) };
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
            "the inputs hold {} in row {}, and the Embedding takes indices 0 to {}\n  number the \
             tokens from 0 on, or build the model with a larger input_dim",
            value[0],
            position / self.input_width.max(1),
            n - 1
        )))
    }

    /// A property of the data that can make the loss infinite or NaN, and how to change it.
    pub fn divergence_cause(&self) -> Option<String> {
        for (name, values) in [("targets", self.y), ("inputs", self.x)] {
            let Values::Reals(values) = values else { continue };
            let width = if name == "inputs" { self.input_width } else { self.target_width };
            if let Some(found) = not_finite(values, &[width]) {
                return Some(format!(
                    "the {name} hold values that are not finite: {found}; correct or drop those \
                     rows"
                ));
            }
        }
        let largest = match self.x {
            Values::Bytes { scale, .. } => 255.0 * scale,
            Values::Reals(values) => values.iter().fold(0.0, |max, x| x.abs().max(max)),
            Values::Labels(_) | Values::OneHot { .. } => 0.0,
        };
        divergence_cause(f64::from(largest))
    }
}

/// Writes the order of the rows in an epoch; epochs count from 0.
pub fn shuffle(order: &mut [u32], seed: u64, epoch: usize) {
    for (row, number) in order.iter_mut().zip(0..) {
        *row = number;
    }
    order.shuffle(&mut random::generator(seed, Stream::Shuffle(epoch as u32)));
}
