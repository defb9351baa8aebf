//! The catalogue of layers: what a user writes (a [`LayerSpec`], whose fields have Keras's names),
//! and the mathematics that it becomes once its input's shape is known (a [`Layer`] over borrowed
//! views).
//!
//! A layer owns no parameters, no buffers and no name: the model does. It is handed its slice of
//! the parameter vector, its input and its output, and reads like its formula.

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
use crate::activations::ActivationKind::{self, Linear};
use crate::classes::classes;
use crate::params::ParamSpec;
use crate::shape::Shape;

classes! {
    /// A layer of any class, before it knows its input.
    AnyLayer: LayerSpec as as_layer {
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
pub trait LayerSpec: fmt::Debug + Send + Sync {
    /// Class name in summaries and errors: the type's own.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

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
    fn weightless(
        output: Shape,
        operation: Option<Operation>,
        reason: impl Into<String>,
    ) -> Result<Built, Misfit> {
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
            Linear => None,
            _ if kind.keeps_input() => Some(Operation::layer(pointwise::KeepsInput(kind))),
            _ => Some(Operation::InPlace(kind, output.last())),
        }
    }
}

/// A layer's mathematics. Rows are samples; a row's values lie in row-major order of the sample's
/// shape.
pub trait Layer: Send + Sync {
    /// Writes the layer's value at `x` into `y`.
    fn forward(&self, pass: Forward);

    /// Writes the gradients of the loss, given the one at the output.
    fn backward(&self, pass: Backward);

    /// Numbers of scratch memory, with any content, that both passes may use.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Multiplications that the forward pass of one row takes, about: what the work is shared out
    /// by.
    fn work(&self) -> usize {
        0
    }

    /// How it looks at the whole batch while it is trained, if it does.
    fn coupling(&self) -> Option<&dyn Coupling> {
        None
    }
}

/// What a layer makes of the whole batch while it is trained: each chunk of rows makes sums, which
/// are joined in the order of the rows before any chunk goes through the layer, on the way up and
/// on the way down.
pub trait Coupling: Send + Sync {
    /// How many sums a chunk makes, each way at most.
    fn n_sums(&self) -> usize;

    /// Writes a chunk's sums for the way up.
    fn sums(&self, x: ArrayView2<Real>, sums: &mut [f64]);

    /// Adds a chunk's sums for the way up to those of the rows before it.
    fn join(&self, total: &mut [f64], part: &[f64]);

    /// Writes a chunk's sums for the way down, which are simply added, and its gradients at the
    /// parameters: [`Layer::backward`] then writes `dx` alone.
    fn gradient_sums(&self, pass: Backward, gradient_sums: &mut [f64]);

    /// Changes the parameters that no gradient moves, once a step, given the sums on the way up.
    fn settle(&self, sums: &[f64], params: &mut [Real]);
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

/// What a layer knows while it is trained.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// Where the training is.
    pub moment: Moment,
    /// What a [`Coupling`] made of the whole batch on the way up.
    pub sums: &'a [f64],
    /// The same on the way down.
    pub gradient_sums: &'a [f64],
}

/// What a forward pass reads and writes.
pub struct Forward<'a> {
    /// Only while the layer is trained: it may then do something else than afterwards.
    pub training: Option<Training<'a>>,
    /// The layer's parameters.
    pub params: &'a [Real],
    /// The input.
    pub x: ArrayView2<'a, Real>,
    /// Where the output goes. Overwritten.
    pub y: ArrayViewMut2<'a, Real>,
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [Real],
}

/// What a backward pass reads and writes.
pub struct Backward<'a> {
    /// As in the forward pass.
    pub training: Option<Training<'a>>,
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
