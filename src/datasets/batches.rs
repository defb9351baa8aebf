//! Rows of a dataset as a model takes them: checked once against its shapes, then gathered a few at a time, in any
//! order.

use ndarray::ArrayD;
use rand::seq::SliceRandom;

use super::{Dataset, Inputs, Targets};
use crate::kernels::rows::{prefetch, scale_bytes};
use crate::random::{self, Stream};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result};

/// How many rows before its turn a row is asked for: shuffled rows come from anywhere in memory.
const FETCHED_AHEAD: usize = 4;

/// How a model wants its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As long as the output; class numbers are spread out to vectors with 1 at the class.
    Vector,
    /// One class number for each vector of the output's last axis.
    Label,
}

/// A dataset that fits a model.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    x: Values<'a>,
    y: Source<'a>,
    weights: Option<Vec<Real>>,
    input_width: usize,
    target_width: usize,
    /// The rows in use: a validation split takes some from the end.
    first: usize,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
enum Values<'a> {
    Bytes(&'a [u8], Real),
    Reals(&'a [Real]),
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    /// Class numbers, written as they are.
    Labels(&'a [u32]),
    /// Class numbers, spread out to so many classes.
    Spread(&'a [u32], usize),
    /// Numbers, written as they are.
    Reals(&'a [Real]),
}

impl<'a> Rows<'a> {
    /// Checks a dataset against a model's shapes. Axes of length 1 are added or dropped to fit; what does not fit is an
    /// error with both shapes and a remedy.
    pub fn new(data: &'a Dataset, input: &Shape, output: &Shape, encoding: Encoding) -> Result<Rows<'a>> {
        let inputs = Rows::inputs_only(&data.x, input)?;
        let shape = data.y.shape();
        let targets = shape.first().copied().unwrap_or(1);
        if targets != inputs.len {
            let len = inputs.len;
            return Err(Error::Data(format!("there are {len} inputs and {targets} targets; each sample needs both")));
        }
        if inputs.len > u32::MAX as usize {
            return Err(Error::Data(format!("{} rows are more than can be numbered", inputs.len)));
        }
        let classes = output.last();
        let sample = Shape::from(&shape[1..]).squeezed();
        let as_output = sample == output.squeezed();
        let as_classes = sample == output.with_last(1).squeezed();
        let y = match (&data.y, encoding) {
            (Targets::Labels(labels), Encoding::Label) if as_classes => Source::Labels(checked(labels, classes)?),
            (Targets::Labels(labels), Encoding::Vector) if as_output => Source::Labels(contiguous(labels)?),
            (Targets::Labels(labels), Encoding::Vector) if as_classes && classes > 1 => {
                Source::Spread(checked(labels, classes)?, classes)
            }
            (Targets::Reals(values), Encoding::Vector) if as_output => Source::Reals(contiguous(values)?),
            (Targets::Reals(values), Encoding::Label) if as_classes => {
                let values = contiguous(values)?;
                if let Some(row) = values.iter().position(|&y| y < 0.0 || y.fract() != 0.0 || y >= classes as Real) {
                    return Err(no_class(row, values[row], classes));
                }
                Source::Reals(values)
            }
            _ => {
                let per_class = class_shape(output);
                let needed = match encoding {
                    Encoding::Vector if classes > 1 => format!("{output}, or class numbers of {per_class}"),
                    Encoding::Vector => output.to_string(),
                    Encoding::Label => format!("class numbers of {per_class}"),
                };
                return Err(Error::Data(format!(
                    "the targets have the shape {}, and for an output of {output} the loss takes {needed}\n  check that \
                     the targets belong to this model; class numbers go with sparse_categorical_crossentropy, one-hot \
                     vectors with categorical_crossentropy",
                    Tuple(shape)
                )));
            }
        };
        let target_width = if encoding == Encoding::Label { output.n_positions() } else { output.n_values() };
        Ok(Rows { y, target_width, ..inputs })
    }

    /// Checks inputs alone, for a prediction.
    pub fn inputs_only(x: &'a Inputs, input: &Shape) -> Result<Rows<'a>> {
        let [len, sample @ ..] = x.shape() else {
            return Err(Error::Data("the inputs are a single number; they need one row a sample".to_string()));
        };
        if Shape::from(sample).squeezed() != input.squeezed() {
            let remedy = match Shape::from(sample).n_values() == input.n_values() {
                true => "reshape the data, or begin the model with their shape and Flatten",
                false => "choose the data that belong to the model, or build the model for this shape",
            };
            let (shape, sample) = (Tuple(x.shape()), Tuple(sample));
            return Err(Error::Data(format!(
                "the inputs have the shape {shape}, {len} samples of {sample}, and the model takes {input}\n  {remedy}"
            )));
        }
        if *len == 0 {
            return Err(Error::Data("the dataset has no rows".to_string()));
        }
        let x = match x {
            Inputs::Bytes { values, scale } => Values::Bytes(contiguous(values)?, *scale),
            Inputs::Reals(values) => Values::Reals(contiguous(values)?),
        };
        let y = Source::Reals(&[]);
        Ok(Rows { x, y, weights: None, input_width: input.n_values(), target_width: 0, first: 0, len: *len })
    }

    /// Lets the rows count differently: by a number for each, or for each class.
    pub fn weighted(mut self, samples: Option<&[Real]>, classes: Option<&[(usize, Real)]>) -> Result<Rows<'a>> {
        let wrong = |problem: &str| Err(Error::Argument(problem.to_string()));
        self.weights = match (samples, classes) {
            (None, None) => self.weights,
            (Some(_), Some(_)) => return wrong("give either a sample_weight or a class_weight, and not both"),
            (Some(weights), None) if weights.len() != self.len => {
                let (given, len) = (weights.len(), self.len);
                return wrong(&format!("there are {given} sample weights for {len} rows; give one for each"));
            }
            (Some(weights), None) => Some(weights.to_vec()),
            (None, Some(classes)) => {
                let of = |class: usize| classes.iter().find(|(named, _)| *named == class).map_or(1.0, |(_, w)| *w);
                match self.y {
                    Source::Labels(labels) if self.target_width == 1 => {
                        Some(labels.iter().map(|&label| of(label as usize)).collect())
                    }
                    Source::Spread(labels, classes) if self.target_width == classes => {
                        Some(labels.iter().map(|&label| of(label as usize)).collect())
                    }
                    Source::Reals(values) if self.target_width == 1 => {
                        Some(values.iter().map(|y| of(y.round() as usize)).collect())
                    }
                    Source::Reals(values) => {
                        let class = |row: &[Real]| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
                        let rows = values.chunks_exact(self.target_width);
                        Some(rows.map(|row| of(class(row).unwrap_or(0))).collect())
                    }
                    _ => return wrong("a class_weight needs targets with one class a row"),
                }
            }
        };
        match self.weights.iter().flatten().find(|weight| !weight.is_finite()) {
            Some(weight) => wrong(&format!("a weight of a row is a finite number, and not {weight}")),
            None => Ok(self),
        }
    }

    /// The number of rows.
    #[allow(clippy::len_without_is_empty)] // There is always a row.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The numbers of a row of targets.
    pub fn target_width(&self) -> usize {
        self.target_width
    }

    /// Splits off the last rows for validation, as Keras does: the training part is the floor of `len · (1 − share)`.
    /// A share that leaves no row on one side is an error.
    pub fn split(&self, share: f64) -> Result<(Rows<'a>, Rows<'a>)> {
        let len = self.len;
        let training = (len as f64 * (1.0 - share)).floor() as usize;
        if !(0.0..1.0).contains(&share) || training == 0 || training == len {
            return Err(Error::Argument(format!(
                "a validation split of {share} of {len} rows leaves none on one side; take one between 0 and 1, such as 0.1"
            )));
        }
        let rest = Rows { first: self.first + training, len: len - training, ..self.clone() };
        Ok((Rows { len: training, ..self.clone() }, rest))
    }

    /// Writes the rows with these numbers, one behind the other: inputs, targets (unless there are none) and weights.
    pub fn gather(&self, numbers: impl Iterator<Item = usize> + Clone, [x, y, weights]: [&mut [Real]; 3]) {
        let numbers = numbers.map(|row| self.first + row);
        let (width, target_width) = (self.input_width, self.target_width);
        let mut ahead = numbers.clone().skip(FETCHED_AHEAD);
        for ((row, x), weight) in numbers.clone().zip(x.chunks_exact_mut(width)).zip(weights) {
            if let (Some(row), Values::Bytes(values, _)) = (ahead.next(), self.x) {
                prefetch(&values[row * width..][..width]);
            }
            match self.x {
                Values::Bytes(values, scale) => scale_bytes(&values[row * width..][..width], scale, x),
                Values::Reals(values) => x.copy_from_slice(&values[row * width..][..width]),
            }
            *weight = self.weights.as_ref().map_or(1.0, |weights| weights[row]);
        }
        for (row, y) in numbers.zip(y.chunks_exact_mut(target_width.max(1))) {
            match self.y {
                Source::Labels(labels) => {
                    let labels = &labels[row * target_width..][..target_width];
                    y.iter_mut().zip(labels).for_each(|(y, label)| *y = *label as Real);
                }
                Source::Spread(labels, classes) => {
                    let positions = target_width / classes;
                    y.fill(0.0);
                    let labels = &labels[row * positions..][..positions];
                    y.chunks_exact_mut(classes).zip(labels).for_each(|(y, label)| y[*label as usize] = 1.0);
                }
                Source::Reals(values) => y.copy_from_slice(&values[row * target_width..][..target_width]),
            }
        }
    }

    /// What the data look like, as far as it can make a loss infinite.
    pub fn suspicion(&self) -> Option<String> {
        let too_large = |largest: Real| {
            (largest > 10.0).then(|| format!("the inputs reach {largest}; scale them to about 1, images by 1/255"))
        };
        match self.x {
            Values::Bytes(_, scale) => too_large(255.0 * scale),
            Values::Reals(values) if values.iter().any(|x| !x.is_finite()) => {
                Some("the inputs hold values that are not finite; mend or drop those rows".to_string())
            }
            Values::Reals(values) => too_large(values.iter().fold(0.0, |max, x| x.abs().max(max))),
        }
    }
}

/// The order in which an epoch, counted from 0, takes the rows.
pub fn shuffle(order: &mut [u32], seed: u64, epoch: usize) {
    order.iter_mut().zip(0..).for_each(|(row, number)| *row = number);
    order.shuffle(&mut random::generator(seed, Stream::Shuffle(epoch as u32)));
}

fn contiguous<T>(array: &ArrayD<T>) -> Result<&[T]> {
    let problem = "an array is not in row-major order; copy it with as_standard_layout";
    array.as_slice().ok_or_else(|| Error::Data(problem.to_string()))
}

fn checked(labels: &ArrayD<u32>, classes: usize) -> Result<&[u32]> {
    let labels = contiguous(labels)?;
    match labels.iter().position(|&label| label as usize >= classes) {
        Some(row) => Err(no_class(row, labels[row], classes)),
        None => Ok(labels),
    }
}

fn no_class(row: usize, label: impl std::fmt::Display, classes: usize) -> Error {
    let last = classes - 1;
    Error::Data(format!(
        "label {label} at position {row} is no class: the model has {classes}, so classes are 0 to {last}\n  count \
         classes from 0, or give the model's last layer more units"
    ))
}

/// `(None, 218, 218)` for an output of `(None, 218, 218, 10)`.
fn class_shape(output: &Shape) -> Shape {
    Shape::from(&output.dims()[..output.dims().len().saturating_sub(1)])
}
