//! Rows of a dataset as a model takes them: checked once against its shapes, then gathered a few at a time, in any
//! order.

use rand::seq::SliceRandom;

use super::{Dataset, Inputs, Targets};
use crate::kernels::rows::scale_bytes;
use crate::random::{self, Stream};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result};

/// How a model wants its targets, vector by vector of its output's last axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Class numbers are spread out to a vector with 1 at the class; anything else must be as long as the output.
    OneHot,
    /// One class number each.
    Label,
}

/// A dataset that fits a model.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    x: Values<'a>,
    y: Source<'a>,
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
    /// Checks a dataset against a model's shapes. Axes of length 1 are added or dropped to fit.
    ///
    /// # Errors
    /// What does not fit, both shapes, and what to do.
    pub fn new(data: &'a Dataset, input: &Shape, output: &Shape, encoding: Encoding) -> Result<Rows<'a>> {
        let inputs = Rows::inputs_only(&data.x, input)?;
        let (len, y_shape) = (inputs.len, data.y.shape());
        if y_shape.first() != Some(&len) {
            return Err(Error::Data(format!(
                "there are {len} inputs and {} targets; each sample needs one of both",
                y_shape.first().map_or(1, |n| *n)
            )));
        }
        if len == 0 {
            return Err(Error::Data("the dataset has no rows".to_string()));
        }
        let classes = output.last();
        let per_class = Shape::from(&y_shape[1..]).squeezed() == output.squeezed();
        let per_position = Shape::from(&y_shape[1..]).squeezed() == output.with_last(1).squeezed();
        let y = match (&data.y, encoding) {
            (Targets::Labels(labels), Encoding::Label) if per_position => {
                Source::Labels(checked(contiguous(labels)?, classes)?)
            }
            (Targets::Labels(labels), Encoding::OneHot) if per_position && classes > 1 => {
                Source::Spread(checked(contiguous(labels)?, classes)?, classes)
            }
            (Targets::Labels(labels), Encoding::OneHot) if per_class => Source::Labels(contiguous(labels)?),
            (Targets::Reals(values), Encoding::OneHot) if per_class => Source::Reals(contiguous(values)?),
            (Targets::Reals(values), Encoding::Label) if per_position => {
                let values = contiguous(values)?;
                if let Some(row) = values.iter().position(|&y| y < 0.0 || y.fract() != 0.0 || y >= classes as Real) {
                    return Err(no_class(row, values[row], classes));
                }
                Source::Reals(values)
            }
            _ => {
                return Err(Error::Data(format!(
                    "the targets have the shape {}, and for an output of {output} the loss takes {}\n  {}",
                    Tuple(y_shape),
                    match encoding {
                        Encoding::OneHot => format!("{output}, or class numbers of {}", class_shape(output)),
                        Encoding::Label => format!("class numbers of {}", class_shape(output)),
                    },
                    "check that the targets belong to this model; class numbers go with \
                     sparse_categorical_crossentropy, one-hot rows with categorical_crossentropy"
                )));
            }
        };
        let target_width = match encoding {
            Encoding::OneHot => output.n_values(),
            Encoding::Label => output.n_positions(),
        };
        Ok(Rows { y, target_width, ..inputs })
    }

    /// Checks inputs alone, for a prediction.
    ///
    /// # Errors
    /// What does not fit, both shapes, and what to do.
    pub fn inputs_only(x: &'a Inputs, input: &Shape) -> Result<Rows<'a>> {
        let shape = x.shape();
        let [len, sample @ ..] = shape else {
            return Err(Error::Data("the inputs are a single number; they need one row a sample".to_string()));
        };
        if Shape::from(sample).squeezed() != input.squeezed() {
            let remedy = match Shape::from(sample).n_values() == input.n_values() {
                true => "reshape the data, or begin the model with their shape and Flatten",
                false => "choose the data that belong to the model, or build the model for this shape",
            };
            return Err(Error::Data(format!(
                "the inputs have the shape {}, {len} samples of {}, and the model takes {input}\n  {remedy}",
                Tuple(shape),
                Tuple(sample),
            )));
        }
        let values = match x {
            Inputs::Bytes { values, scale } => Values::Bytes(contiguous(values)?, *scale),
            Inputs::Reals(values) => Values::Reals(contiguous(values)?),
        };
        Ok(Rows {
            x: values,
            y: Source::Reals(&[]),
            input_width: input.n_values(),
            target_width: 0,
            first: 0,
            len: *len,
        })
    }

    /// The number of rows.
    #[allow(clippy::len_without_is_empty)] // There is always a row.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The numbers of a row of inputs.
    pub fn input_width(&self) -> usize {
        self.input_width
    }

    /// The numbers of a row of targets.
    pub fn target_width(&self) -> usize {
        self.target_width
    }

    /// Splits off the last rows for validation, as Keras does: the training part is the floor of `len · (1 − share)`.
    ///
    /// # Errors
    /// A share that leaves no row on one side.
    pub fn split(&self, share: f64) -> Result<(Rows<'a>, Rows<'a>)> {
        let training = (self.len as f64 * (1.0 - share)).floor() as usize;
        if !(0.0..1.0).contains(&share) || training == 0 || training == self.len {
            return Err(Error::Argument(format!(
                "a validation split of {share} of {} rows leaves no row on one side; take one between 0 and 1, such as 0.1",
                self.len
            )));
        }
        let mut parts = (self.clone(), self.clone());
        parts.0.len = training;
        parts.1.first += training;
        parts.1.len -= training;
        Ok(parts)
    }

    /// Writes the rows with these numbers, one behind the other: their inputs to `x`, and their targets to `y` unless
    /// there are none.
    pub fn gather(&self, numbers: impl Iterator<Item = usize> + Clone, x: &mut [Real], y: &mut [Real]) {
        let numbers = numbers.map(|row| self.first + row);
        let (width, target_width) = (self.input_width, self.target_width);
        for (row, x) in numbers.clone().zip(x.chunks_exact_mut(width)) {
            match self.x {
                Values::Bytes(values, scale) => scale_bytes(&values[row * width..][..width], scale, x),
                Values::Reals(values) => x.copy_from_slice(&values[row * width..][..width]),
            }
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
        let values = match self.x {
            Values::Reals(values) => values,
            Values::Bytes(_, scale) => {
                let unscaled = scale * 255.0 > 10.0;
                return unscaled
                    .then(|| "the inputs are bytes up to 255, unscaled; have them divided by 255".to_string());
            }
        };
        if values.iter().any(|x| !x.is_finite()) {
            return Some("the inputs hold values that are not finite; mend or drop those rows".to_string());
        }
        let largest = values.iter().fold(0.0, |max: Real, x| max.max(x.abs()));
        (largest > 10.0).then(|| format!("the inputs reach {largest}; scale them to about 1, images by 1/255"))
    }
}

/// The order in which an epoch, counted from 0, takes the rows.
pub fn shuffle(order: &mut [u32], seed: u64, epoch: usize) {
    order.iter_mut().zip(0..).for_each(|(row, number)| *row = number);
    order.shuffle(&mut random::generator(seed, Stream::Shuffle(epoch as u32)));
}

fn contiguous<T>(array: &ndarray::ArrayD<T>) -> Result<&[T]> {
    array
        .as_slice()
        .ok_or_else(|| Error::Data("an array is not in row-major order; copy it with as_standard_layout".to_string()))
}

fn checked(labels: &[u32], classes: usize) -> Result<&[u32]> {
    match labels.iter().position(|&label| label as usize >= classes) {
        Some(row) => Err(no_class(row, labels[row], classes)),
        None => Ok(labels),
    }
}

fn no_class(row: usize, label: impl std::fmt::Display, classes: usize) -> Error {
    Error::Data(format!(
        "label {label} at position {row} is no class: the model has {classes}, so classes are 0 to {}\n  {}",
        classes - 1,
        "count classes from 0, or give the model's last layer more units"
    ))
}

/// `(None, 218, 218)` for an output of `(None, 218, 218, 10)`.
fn class_shape(output: &Shape) -> Shape {
    Shape::from(&output.dims()[..output.dims().len().saturating_sub(1)])
}
