//! Dense: every unit is connected to every input.
//!
//! ```text
//! y  = x·W + b          forward
//! dW = xᵀ·dy            backward
//! db = Σ dy
//! dx = dy·Wᵀ            only if a layer below needs it
//! ```
//!
//! It acts on the last axis of any shape: an image of `h × w` pixels gives `h·w` rows of one matrix
//! product.

use ndarray::{ArrayBase, Ix2, RawData};

use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::activations::AnyActivation;
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::matmul::{self, matmul};
use crate::kernels::rows;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Result};

class! {
    /// `units` weighted sums of the last axis, each with its own bias, then an activation.
    ///
    /// ```
    /// use tallynet::layers::{Dense, Layer};
    ///
    /// let built = Dense::new(10).build(&[784].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 10)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    Dense {
        /// Number of units.
        units: usize = 0,
        /// Activation of the sums.
        activation: AnyActivation = AnyActivation::default(),
        /// True if each unit has a bias.
        use_bias: bool = true,
        /// Initializer of the kernel.
        kernel_initializer: Initializer = Initializer::GlorotUniform {},
        /// Initializer of the bias.
        bias_initializer: Initializer = Initializer::Zeros {},
        /// Penalty on the kernel.
        kernel_regularizer: Option<L1L2> = None,
        /// Penalty on the bias.
        bias_regularizer: Option<L1L2> = None,
    }
}

impl Dense {
    /// A layer with this number of units and Keras's defaults.
    pub fn new(units: usize) -> Self {
        Dense { units, ..Dense::default() }
    }

    /// The same layer with this activation: a name, a kind, or a custom one.
    pub fn activation(self, activation: impl Into<AnyActivation>) -> Self {
        let activation = activation.into();
        Dense { activation, ..self }
    }
}

impl Layer for Dense {
    fn build(&self, input: &Shape) -> Result<Built> {
        let (inputs, units) = (input.last(), self.units);
        if input.dims().is_empty() || units == 0 {
            return Err(Error::shape(
                format!(
                    "units is {units} and the input is {input}; it needs at least one unit, and an \
                     input with a last axis"
                ),
                "give Dense at least 1 unit, and an input with at least one axis, such as the \
                 output of Flatten",
            ));
        }
        let output = input.with_last(units);
        let kernel = [inputs, units];
        let mut params = vec![ParamSpec::new(
            "kernel",
            kernel,
            &self.kernel_initializer,
            self.kernel_regularizer,
        )];
        if self.use_bias {
            let bias = [units];
            params.push(ParamSpec::new(
                "bias",
                bias,
                &self.bias_initializer,
                self.bias_regularizer,
            ));
        }
        let mut operations =
            vec![Operation::op(DenseOp { inputs, units, positions: input.n_positions() })];
        operations.extend(Operation::activation(&self.activation, &output)?);
        Ok(Built { output, params, operations })
    }
}

struct DenseOp {
    inputs: usize,
    units: usize,
    positions: usize,
}

impl Op for DenseOp {
    fn forward(&self, pass: Forward) {
        let (kernel, bias) = (pass.params.matrix("kernel"), pass.params.get("bias"));
        let mut y = per_position(pass.y, self.units);
        matmul(per_position(pass.x, self.inputs), kernel, y.view_mut(), false, pass.scratch);
        if !bias.is_empty() {
            rows::add_bias(flat_mut(y), bias);
        }
    }

    fn backward(&self, mut pass: Backward) {
        let x = per_position(pass.x, self.inputs);
        let dy = per_position(pass.dy, self.units);

        matmul(x.t(), dy, pass.d_params.matrix("kernel"), pass.accumulate, pass.scratch);
        let d_bias = pass.d_params.get("bias");
        if !d_bias.is_empty() {
            rows::sum_rows(flat(dy), d_bias, pass.accumulate);
        }
        if let Some(dx) = pass.dx {
            let kernel = pass.params.matrix("kernel");
            matmul(dy, kernel.t(), per_position(dx, self.inputs), false, pass.scratch);
        }
    }

    fn scratch_len(&self) -> usize {
        matmul::scratch_len(self.units.max(self.inputs))
    }

    fn work(&self) -> usize {
        self.positions.saturating_mul(self.inputs).saturating_mul(self.units)
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Dense)
    }
}

/// View with one row per vector of the last axis, which the layer acts on at any rank.
fn per_position<S: RawData>(view: ArrayBase<S, Ix2>, width: usize) -> ArrayBase<S, Ix2> {
    let positions = view.len() / width.max(1);
    view.into_shape_with_order((positions, width)).expect("contiguous rows of whole vectors")
}
