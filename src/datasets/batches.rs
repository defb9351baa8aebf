//! Rows of a dataset as a model takes them: checked once against its shapes, then gathered a few at
//! a time, in any order.

use std::fmt::Display;

use ndarray::ArrayD;
use rand::seq::SliceRandom;

use super::{Dataset, Inputs, Targets};
use crate::kernels::rows::{argmax, prefetch, scale_bytes};
use crate::random::{self, Stream};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result};

/// How many rows are asked for at a time, before their turn: shuffled rows come from anywhere in
/// memory.
const FETCHED_AHEAD: usize = 4;

/// A dataset that fits a model.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    x: Values<'a>,
    y: Values<'a>,
    weights: Option<Vec<Real>>,
    input_width: usize,
    target_width: usize,
    /// The vectors of a row of output, each of which has a class where the targets are classes.
    positions: usize,
    /// The rows in use: a validation split takes some from the end.
    first: usize,
    len: usize,
}

/// The numbers of an array, in row-major order.
#[derive(Debug, Clone, Copy)]
enum Values<'a> {
    Bytes(&'a [u8], Real),
    Labels(&'a [u32]),
    /// Class numbers, each of which stands for so many numbers: 1 at the class and 0 elsewhere.
    OneHot(&'a [u32], usize),
    Reals(&'a [Real]),
}

impl Values<'_> {
    /// Writes the numbers from this one on, as many as there is room for.
    fn write(self, first: usize, to: &mut [Real]) {
        match self {
            Values::Bytes(values, scale) => scale_bytes(&values[first..][..to.len()], scale, to),
            Values::Labels(values) => {
                to.iter_mut().zip(&values[first..]).for_each(|(to, label)| *to = *label as Real)
            }
            Values::OneHot(labels, classes) => {
                to.fill(0.0);
                let rows = to.chunks_exact_mut(classes).zip(&labels[first / classes..]);
                rows.for_each(|(row, label)| row[*label as usize] = 1.0);
            }
            Values::Reals(values) => to.copy_from_slice(&values[first..][..to.len()]),
        }
    }
}

impl<'a> Rows<'a> {
    /// Checks a dataset against a model's shapes; the targets of a `sparse` loss are class numbers,
    /// one for each vector of the output's last axis. Axes of length 1 are added or dropped to fit;
    /// what does not fit is an error with both shapes and a remedy.
    pub fn new(data: &'a Dataset, input: &Shape, output: &Shape, sparse: bool) -> Result<Rows<'a>> {
        let inputs = Rows::inputs_only(&data.x, input)?;
        let (len, shape, classes) = (inputs.len, data.y.shape(), output.last());
        let (n_targets, sample) =
            shape.split_first().map_or((0, shape), |(n, sample)| (*n, sample));
        if n_targets != len {
            return Err(Error::Data(format!(
                "there are {len} inputs and {n_targets} targets; each sample needs both"
            )));
        }
        if len > u32::MAX as usize {
            return Err(Error::Data(format!("{len} rows are more than can be numbered")));
        }
        // One class a vector: `(None, 218, 218)` for an output of `(None, 218, 218, 10)`.
        let per_class = Shape::from(output.dims().split_last().map_or(&[][..], |(_, rest)| rest));
        let sample = Shape::from(sample).squeezed();
        let (as_output, as_classes) = (sample == output.squeezed(), sample == per_class.squeezed());
        let one_hot = !sparse
            && !as_output
            && as_classes
            && classes > 1
            && matches!(data.y, Targets::Labels(_));
        if !(one_hot || if sparse { as_classes } else { as_output }) {
            let needed = match sparse {
                true => format!("class numbers of {per_class}"),
                false if classes > 1 => format!("{output}, or class numbers of {per_class}"),
                false => output.to_string(),
            };
            return Err(Error::Data(format!(
                "the targets have the shape {}, and for an output of {output} the loss takes {needed}\n  check that the \
                 targets belong to this model; class numbers go with sparse_categorical_crossentropy, one-hot vectors with \
                 categorical_crossentropy",
                Tuple(shape)
            )));
        }
        let limit = (sparse || one_hot).then_some(classes);
        let y = match &data.y {
            Targets::Labels(labels) if one_hot => Values::OneHot(targets(labels, limit)?, classes),
            Targets::Labels(labels) => Values::Labels(targets(labels, limit)?),
            Targets::Reals(values) => Values::Reals(targets(values, limit)?),
        };
        let target_width = if sparse { output.n_positions() } else { output.n_values() };
        Ok(Rows { y, target_width, positions: output.n_positions(), ..inputs })
    }

    /// The same rows with class numbers for targets, where those are spread out to one-hot vectors.
    pub fn as_class_numbers(&self) -> Option<Rows<'a>> {
        let Values::OneHot(labels, classes) = self.y else { return None };
        Some(Rows {
            y: Values::Labels(labels),
            target_width: self.target_width / classes,
            ..self.clone()
        })
    }

    /// Checks inputs alone, for a prediction.
    pub fn inputs_only(x: &'a Inputs, input: &Shape) -> Result<Rows<'a>> {
        let [len, sample @ ..] = x.shape() else {
            return Err(Error::Data(
                "the inputs are a single number; they need one row a sample".to_string(),
            ));
        };
        if Shape::from(sample).squeezed() != input.squeezed() {
            let remedy = match Shape::from(sample).n_values() == input.n_values() {
                true => "reshape the data, or begin the model with their shape and Flatten",
                false => {
                    "choose the data that belong to the model, or build the model for this shape"
                }
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
        let (y, input_width) = (Values::Reals(&[]), input.n_values());
        Ok(Rows {
            x,
            y,
            weights: None,
            input_width,
            target_width: 0,
            positions: 0,
            first: 0,
            len: *len,
        })
    }

    /// Lets the rows count differently: by a number for each, or for each class.
    pub fn weighted(
        self,
        samples: Option<&[Real]>,
        classes: Option<&[(usize, Real)]>,
    ) -> Result<Rows<'a>> {
        let wrong = |problem: String| Err(Error::option("sample_weight", problem));
        let weights: Vec<Real> = match (samples, classes) {
            (None, None) => return Ok(self),
            (Some(_), Some(_)) => {
                return wrong("give either a sample_weight or a class_weight, and not both".into());
            }
            (Some(weights), None) if weights.len() == self.len => weights.to_vec(),
            (Some(weights), None) => {
                let given = weights.len();
                return wrong(format!(
                    "there are {given} sample weights for {} rows; give one for each",
                    self.len
                ));
            }
            (None, Some(_)) if self.positions != 1 => {
                return wrong("a class_weight needs targets with one class a row".into());
            }
            (None, Some(classes)) => {
                let of = |class: Real| {
                    classes
                        .iter()
                        .find(|(named, _)| *named as Real == class)
                        .map_or(1.0, |(_, w)| *w)
                };
                let mut y = vec![0.0; self.target_width];
                let class = |row: usize| {
                    self.y.write(row * self.target_width, &mut y);
                    match y[..] {
                        [number] => number.round_ties_even(),
                        _ => argmax(&y) as Real,
                    }
                };
                (0..self.first + self.len).map(class).map(of).collect()
            }
        };
        match weights.iter().find(|weight| !weight.is_finite()) {
            Some(weight) => {
                wrong(format!("a weight of a row is a finite number, and not {weight}"))
            }
            None => Ok(Rows { weights: Some(weights), ..self }),
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

    /// Splits off the last rows for validation, as Keras does: the training part is the floor of
    /// `len · (1 − share)`. A share that leaves no row on one side is an error.
    pub fn split(self, share: f64) -> Result<(Rows<'a>, Rows<'a>)> {
        let len = self.len;
        let training = (len as f64 * (1.0 - share)).floor() as usize;
        if !(0.0..1.0).contains(&share) || training == 0 || training == len {
            return Err(Error::option(
                "validation_split",
                format!(
                    "a validation split of {share} of {len} rows leaves none on one side; take one between 0 and 1, such as 0.1"
                ),
            ));
        }
        let rest = Rows { first: self.first + training, len: len - training, ..self.clone() };
        Ok((Rows { len: training, ..self }, rest))
    }

    /// Asks for the next few of the rows with these numbers.
    pub fn fetch<'n>(&self, numbers: impl Iterator<Item = &'n u32>) {
        if let Values::Bytes(values, _) = self.x {
            let width = self.input_width;
            numbers
                .take(FETCHED_AHEAD)
                .for_each(|&row| prefetch(&values[(self.first + row as usize) * width..][..width]));
        }
    }

    /// Writes the rows with these numbers, one behind the other: inputs, targets (unless there are
    /// none) and weights.
    pub fn gather(
        &self,
        numbers: impl Iterator<Item = usize> + Clone,
        [x, y, weights]: [&mut [Real]; 3],
    ) {
        let numbers = numbers.map(|row| self.first + row);
        let (width, target_width) = (self.input_width, self.target_width);
        let mut ahead = numbers.clone().skip(FETCHED_AHEAD);
        for ((row, x), weight) in numbers.clone().zip(x.chunks_exact_mut(width)).zip(weights) {
            if let (Some(row), Values::Bytes(values, _)) = (ahead.next(), self.x) {
                prefetch(&values[row * width..][..width]);
            }
            self.x.write(row * width, x);
            *weight = self.weights.as_ref().map_or(1.0, |weights| weights[row]);
        }
        for (row, y) in numbers.zip(y.chunks_exact_mut(target_width.max(1))) {
            self.y.write(row * target_width, y);
        }
    }

    /// What the data look like, as far as it can make a loss infinite.
    pub fn suspicion(&self) -> Option<String> {
        if let Values::Reals(values) = self.y
            && values.iter().any(|y| !y.is_finite())
        {
            return Some(
                "the targets hold values that are not finite; mend or drop those rows".to_string(),
            );
        }
        let largest = match self.x {
            Values::Bytes(_, scale) => 255.0 * scale,
            Values::Reals(values) if values.iter().any(|x| !x.is_finite()) => {
                return Some(
                    "the inputs hold values that are not finite; mend or drop those rows"
                        .to_string(),
                );
            }
            Values::Reals(values) => values.iter().fold(0.0, |max, x| x.abs().max(max)),
            Values::Labels(_) | Values::OneHot(..) => 0.0,
        };
        (largest > 10.0)
            .then(|| format!("the inputs reach {largest}; scale them to about 1, images by 1/255"))
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

/// The numbers of targets, each checked to be one of so many classes where that is what they are.
fn targets<T: Copy + Into<f64> + Display>(
    array: &ArrayD<T>,
    classes: Option<usize>,
) -> Result<&[T]> {
    let values = contiguous(array)?;
    let Some(n) = classes else { return Ok(values) };
    let is_class = |y: f64| y >= 0.0 && y.fract() == 0.0 && y < n as f64;
    match values.iter().position(|y| !is_class((*y).into())) {
        None => Ok(values),
        Some(row) => Err(Error::Data(format!(
            "label {} at position {row} is no class: the model has {n}, so classes are 0 to {}\n  count classes from 0, or \
             give the model's last layer more units",
            values[row],
            n - 1
        ))),
    }
}
