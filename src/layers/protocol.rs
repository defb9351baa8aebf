//! Traits of a layer, and what the model passes to it.
//!
//! An op owns no parameters, no buffers and no name: the model does, and passes it views of
//! parameter arrays, input and output.

use std::fmt;
use std::sync::Arc;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Formula, pointwise};
use crate::activations::{ActivationKind, AnyActivation};
use crate::params::{ParamSpec, ParamViews, ParamViewsMut};
use crate::shape::Shape;
use crate::{Real, Result};

/// Options of a layer, as a user writes them and a file stores them.
///
/// ```
/// use tallynet::layers::{Backward, Built, Dense, Forward, Layer, Op, Operation};
/// use tallynet::{Result, model::Sequential, shape::Shape};
///
/// /// `y = 2·x`.
/// #[derive(Debug)]
/// struct Double;
///
/// impl Layer for Double {
///     fn build(&self, input: &Shape) -> Result<Built> {
///         Ok(Built::weightless(input.clone(), Some(Operation::op(Double))))
///     }
/// }
///
/// impl Op for Double {
///     fn forward(&self, mut pass: Forward) {
///         pass.y.assign(&(&pass.x * 2.0));
///     }
///     fn backward(&self, pass: Backward) {
///         if let Some(mut dx) = pass.dx {
///             dx.assign(&(&pass.dy * 2.0));
///         }
///     }
/// }
///
/// let model = Sequential::builder([4]).add(Double).add(Dense::new(1)).build(0)?;
/// assert!(model.layer("double_1").is_some());
/// # Ok::<(), tallynet::Error>(())
/// ```
pub trait Layer: fmt::Debug + Send + Sync {
    /// Class name in summaries and errors; by default the name of the type.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// Infers output shape, parameters and operations for an input of this shape.
    ///
    /// # Errors
    /// [`Error::shape`](crate::Error::shape) for an input or options that do not fit.
    fn build(&self, input: &Shape) -> Result<Built>;

    /// Size n of the vocabulary, for a layer whose input values are indices from 0 to n − 1.
    fn vocabulary_size(&self) -> Option<usize> {
        None
    }
}

/// A layer built for one input shape.
pub struct Built {
    /// Shape of an output sample.
    pub output: Shape,
    /// Parameter arrays, in order.
    pub params: Vec<ParamSpec>,
    /// Operations to run, in order; none for a layer that only changes a shape.
    pub operations: Vec<Operation>,
}

impl Built {
    /// A layer without parameters.
    pub fn weightless(output: Shape, operation: Option<Operation>) -> Built {
        Built { output, params: vec![], operations: operation.into_iter().collect() }
    }
}

/// One operation of the execution plan.
#[derive(Clone)]
pub enum Operation {
    /// Reads its input and writes its own output buffer.
    Op(Arc<dyn Op>),
    /// Overwrites the output of the operation before it.
    InPlace {
        /// Function applied.
        activation: ActivationKind,
        /// Length of the vectors that it acts on.
        width: usize,
    },
}

impl Operation {
    /// An operation with an output of its own.
    pub fn op(op: impl Op + 'static) -> Operation {
        Operation::Op(Arc::new(op))
    }

    /// Activation of an output of this shape; none for `linear`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn activation(activation: &AnyActivation, output: &Shape) -> Result<Option<Operation>> {
        activation.validate()?;
        let width = output.last();
        Ok(match activation {
            AnyActivation::BuiltIn(ActivationKind::Linear) => None,
            AnyActivation::BuiltIn(kind) if kind.keeps_input() => {
                Some(Operation::op(pointwise::KeepsInput(*kind)))
            }
            AnyActivation::BuiltIn(kind) => Some(Operation::InPlace { activation: *kind, width }),
            AnyActivation::Custom(function) => {
                let function = function.clone();
                Some(Operation::op(pointwise::CustomActivation { function, width }))
            }
            AnyActivation::Unknown(_) => None,
        })
    }
}

/// Forward and backward pass of a layer. Rows are samples; the values of a row are in row-major
/// order of the sample's shape.
pub trait Op: Send + Sync {
    /// Writes the output for `x` to `y`.
    fn forward(&self, pass: Forward);

    /// Computes the gradients with respect to the parameters and the input from `dy`. Every array
    /// of `d_params` must be written (or added to, if `accumulate`): its old content is not
    /// cleared.
    fn backward(&self, pass: Backward);

    /// Length of the scratch memory that both passes may use.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Approximate multiplications of the forward pass of one row; the number of shards depends on
    /// it.
    fn work(&self) -> usize {
        0
    }

    /// Inference in terms that an export to another program translates; `None` refuses it.
    fn formula(&self) -> Option<Formula> {
        None
    }

    /// Statistics of the whole batch that the op needs in training, if any.
    fn batch_statistics(&self) -> Option<&dyn BatchStatistics> {
        None
    }
}

/// Statistics of the whole batch, for an op whose training-mode result depends on them. Each
/// micro-batch contributes partial sums, merged within a shard in row order and over the shards by
/// a tree, before the forward pass and again before the backward pass.
pub trait BatchStatistics: Send + Sync {
    /// Maximum number of sums, in the forward or the backward pass.
    fn n_sums(&self) -> usize;

    /// Writes the forward sums of a micro-batch.
    fn collect(&self, x: ArrayView2<Real>, sums: &mut [f64]);

    /// Merges the forward sums of a micro-batch into those of the rows before it.
    fn merge(&self, total: &mut [f64], part: &[f64]);

    /// Writes the backward sums of a micro-batch, which are merged by addition, and its gradients
    /// with respect to the parameters: [`Op::backward`] then writes only `dx`.
    fn collect_backward(&self, pass: Backward, sums: &mut [f64]);

    /// Updates the non-trainable parameters (running mean and variance) once per step.
    fn update_running(&self, sums: &[f64], params: ParamViewsMut);
}

/// Seed, optimizer step, op and row: they identify the op's random stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepContext {
    /// Seed of the training.
    pub seed: u64,
    /// Optimizer steps taken so far.
    pub iteration: u64,
    /// Index of the op in the plan.
    pub op: usize,
    /// Index, within the batch, of the micro-batch's first row.
    pub first_row: usize,
}

/// Context of an op that is being trained.
#[derive(Debug, Clone, Copy)]
pub struct TrainContext<'a> {
    /// Identity of the op's random stream.
    pub step: StepContext,
    /// Merged forward sums of the op's [`BatchStatistics`].
    pub forward_sums: &'a [f64],
    /// Merged backward sums, once known.
    pub backward_sums: &'a [f64],
}

/// Arguments of a forward pass.
pub struct Forward<'a> {
    /// Context in training; none in inference, and for a frozen layer.
    pub training: Option<TrainContext<'a>>,
    /// Parameter arrays of the layer.
    pub params: ParamViews<'a>,
    /// Input.
    pub x: ArrayView2<'a, Real>,
    /// Output, to be overwritten.
    pub y: ArrayViewMut2<'a, Real>,
    /// Scratch memory of at least [`Op::scratch_len`] values, with any content.
    pub scratch: &'a mut [Real],
}

/// Arguments of a backward pass.
pub struct Backward<'a> {
    /// Context in training; none for a frozen layer.
    pub training: Option<TrainContext<'a>>,
    /// Parameter arrays of the layer.
    pub params: ParamViews<'a>,
    /// Input of the forward pass.
    pub x: ArrayView2<'a, Real>,
    /// Gradient with respect to the output.
    pub dy: ArrayView2<'a, Real>,
    /// Gradients with respect to the parameters, to be written.
    pub d_params: ParamViewsMut<'a>,
    /// True if gradients are added to `d_params`, false if they replace its content.
    pub accumulate: bool,
    /// Gradient with respect to the input, to be overwritten, if a layer below needs it.
    pub dx: Option<ArrayViewMut2<'a, Real>>,
    /// Scratch memory of at least [`Op::scratch_len`] values, with any content.
    pub scratch: &'a mut [Real],
}
