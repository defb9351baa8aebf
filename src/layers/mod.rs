//! The catalogue of layers: what a user writes (a [`LayerSpec`], whose fields have Keras's names), and the mathematics
//! that it becomes once its input's shape is known (a [`Layer`] over borrowed views).
//!
//! A layer owns no parameters, no buffers and no name: the model does. It is handed its slice of the parameter
//! vector, its input and its output, and reads like its formula.

mod batch_normalization;
mod conv2d;
mod dense;
mod dropout;
mod image;
mod pointwise;
mod pooling2d;
mod reshape;

pub use batch_normalization::BatchNormalization;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use dropout::Dropout;
pub use image::{DataFormat, ZeroPadding2D};
pub use pointwise::{Activation, ELU, LeakyReLU, ReLU, Rescaling, Softmax};
pub use pooling2d::{AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D};
pub use reshape::{Flatten, Reshape};

use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Real;
use crate::activations::ActivationKind;
use crate::classes::classes;
use crate::params::ParamSpec;
use crate::shape::Shape;

classes! {
    /// A layer of any class, before it knows its input.
    AnyLayer: LayerSpec {
        "Activation" => Activation,
        "AveragePooling2D" => AveragePooling2D,
        "BatchNormalization" => BatchNormalization,
        "Conv2D" => Conv2D,
        "Dense" => Dense,
        "Dropout" => Dropout,
        "ELU" => ELU,
        "Flatten" => Flatten,
        "GlobalAveragePooling2D" => GlobalAveragePooling2D,
        "GlobalMaxPooling2D" => GlobalMaxPooling2D,
        "LeakyReLU" => LeakyReLU,
        "MaxPooling2D" => MaxPooling2D,
        "ReLU" => ReLU,
        "Rescaling" => Rescaling,
        "Reshape" => Reshape,
        "Softmax" => Softmax,
        "ZeroPadding2D" => ZeroPadding2D,
    }
}

/// What a user writes and a file stores: a layer before it knows its input.
pub trait LayerSpec: fmt::Debug {
    /// Fixes every size for an input of this shape, or says why that cannot be.
    fn build(&self, input: &Shape) -> Result<Built, Misfit>;
}

/// Why a layer cannot follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What the layer expected and what it got.
    pub problem: String,
    /// The change that would fix it.
    pub remedy: String,
}

fn misfit<T>(problem: impl Into<String>, remedy: impl Into<String>) -> Result<T, Misfit> {
    Err(Misfit { problem: problem.into(), remedy: remedy.into() })
}

/// A layer that knows all its sizes.
pub struct Built {
    /// The shape of its output.
    pub output: Shape,
    /// The parameter arrays it asks for, in order.
    pub params: Vec<ParamSpec>,
    /// What runs, in order. A layer that only changes a shape runs nothing.
    pub operations: Vec<Operation>,
    /// Why it has as many parameters as it has.
    pub count: Count,
}

impl Built {
    /// A layer without parameters; `reason` says what it does instead of having some.
    fn weightless(output: Shape, operation: Option<Operation>, reason: impl Into<String>) -> Result<Built, Misfit> {
        let count = Count { formula: "no weights".to_string(), total: 0, reason: reason.into() };
        Ok(Built { output, params: vec![], operations: operation.into_iter().collect(), count })
    }
}

/// The arithmetic of a parameter count, made from the layer's sizes and not from its arrays.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// In numbers and words: `784 inputs × 10 units + 10 biases`.
    pub formula: String,
    /// What that comes to.
    pub total: usize,
    /// The reason behind the formula, as one would tell it.
    pub reason: String,
}

/// One thing that runs.
pub enum Operation {
    /// Reads its input and writes an output of its own.
    Layer(Box<dyn Layer>),
    /// Changes the output of the layer below in place; its vectors have this width.
    InPlace(ActivationKind, usize),
}

impl Operation {
    fn layer(layer: impl Layer + 'static) -> Operation {
        Operation::Layer(Box::new(layer))
    }

    /// What runs for an activation behind an output of this shape: nothing for `linear`.
    fn activation(kind: ActivationKind, output: &Shape) -> Option<Operation> {
        match kind {
            ActivationKind::Linear => None,
            _ if kind.needs_input() => {
                Some(pointwise::operation(move |x| kind.value(x), move |x| kind.slope_at_input(x)))
            }
            _ => Some(Operation::InPlace(kind, output.last())),
        }
    }
}

/// A layer's mathematics. Rows are samples; a row's values lie in row-major order of the sample's shape.
pub trait Layer: Send + Sync {
    /// Writes the layer's value at `x` into `y`.
    fn forward(&self, params: &[Real], x: ArrayView2<Real>, y: ArrayViewMut2<Real>, scratch: &mut [Real]);

    /// Writes the gradients of the loss, given the one at the output.
    fn backward(&self, pass: Backward);

    /// Numbers of scratch memory, with any content, that both passes may use.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Multiplications that the forward pass of one row takes, about: what the work is shared out by.
    fn work(&self) -> usize {
        0
    }

    /// What the layer does instead while it is trained, if that is something else.
    fn in_training(&self) -> Option<&dyn InTraining> {
        None
    }
}

/// A layer that does something else in training than afterwards.
///
/// It may look at the whole batch: each chunk of rows then makes sums, which are joined in the order of the rows
/// before any chunk goes on, on the way up and on the way down.
pub trait InTraining: Send + Sync {
    /// How many sums it makes of a chunk; 0 for a layer that looks at each row alone.
    fn n_sums(&self) -> usize {
        0
    }

    /// Writes a chunk's sums.
    fn sums(&self, _x: ArrayView2<Real>, _sums: &mut [f64]) {}

    /// Adds a chunk's sums to those of the rows before it.
    fn join(&self, _total: &mut [f64], _part: &[f64]) {}

    /// [`Layer::forward`] in training.
    fn forward(&self, pass: Forward);

    /// Writes a chunk's sums for the way down; those of chunks are simply added.
    fn gradient_sums(&self, _sums: &[f64], _x: ArrayView2<Real>, _dy: ArrayView2<Real>, _gradient_sums: &mut [f64]) {}

    /// [`Layer::backward`] in training.
    fn backward(&self, moment: Moment, sums: Sums, pass: Backward);

    /// Changes the parameters that no gradient moves, once a step.
    fn settle(&self, _sums: &[f64], _params: &mut [Real]) {}
}

/// Where a training is: what random numbers may depend on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// The seed of the training.
    pub seed: u64,
    /// Steps taken so far.
    pub iteration: u64,
    /// The place of the layer in what runs.
    pub layer: usize,
    /// The number, within the batch, of the chunk's first row.
    pub first_row: usize,
}

/// What a forward pass in training reads and writes.
pub struct Forward<'a> {
    /// Where the training is.
    pub moment: Moment,
    /// The sums of the whole batch.
    pub sums: &'a [f64],
    /// The layer's parameters.
    pub params: &'a [Real],
    /// The input.
    pub x: ArrayView2<'a, Real>,
    /// Where the output goes.
    pub y: ArrayViewMut2<'a, Real>,
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [Real],
}

/// The sums that a backward pass in training is given.
#[derive(Debug, Clone, Copy)]
pub struct Sums<'a> {
    /// Those of the whole batch on the way up.
    pub forward: &'a [f64],
    /// Those of the whole batch on the way down.
    pub backward: &'a [f64],
    /// Those of this chunk on the way down.
    pub own: &'a [f64],
}

/// What a backward pass reads and writes.
pub struct Backward<'a> {
    /// The layer's parameters.
    pub params: &'a [Real],
    /// The input of the forward pass.
    pub x: ArrayView2<'a, Real>,
    /// The gradient of the loss at the output.
    pub dy: ArrayView2<'a, Real>,
    /// Where the gradient at the parameters goes.
    pub d_params: &'a mut [Real],
    /// Whether it is added to what is there, or replaces it.
    pub accumulate: bool,
    /// Where the gradient at the input goes, if somebody below needs it. Overwritten.
    pub dx: Option<ArrayViewMut2<'a, Real>>,
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [Real],
}
