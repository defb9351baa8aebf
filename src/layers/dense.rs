//! Dense: every unit is connected with every input.
//!
//! ```text
//! y  = x·W + b          forward
//! dW = xᵀ·dy            backward
//! db = Σ dy
//! dx = dy·Wᵀ            only where somebody below needs it
//! ```
//!
//! It acts on the last axis of any shape: an image of `h × w` positions is `h·w` rows of one
//! product.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Backward, Built, Count, Forward, Layer, LayerSpec, Misfit, Operation, misfit};
use crate::activations::ActivationKind;
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::matmul::{self, matmul};
use crate::kernels::rows;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut, per_position};

class! {
    /// `units` weighted sums of the last axis, each with a bias of its own, then an activation.
    Dense {
        /// The number of sums.
        units: usize = 0,
        /// What is applied to the sums.
        activation: ActivationKind = ActivationKind::Linear,
        /// Whether each unit has a bias.
        use_bias: bool = true,
        /// How the kernel's first values are drawn.
        kernel_initializer: Initializer = Initializer::GlorotUniform {},
        /// How the biases' first values are drawn.
        bias_initializer: Initializer = Initializer::Zeros {},
        /// The penalty on the kernel's size.
        kernel_regularizer: Option<L1L2> = None,
        /// The penalty on the biases' size.
        bias_regularizer: Option<L1L2> = None,
    }
}

impl Dense {
    /// A layer of so many units, with Keras's defaults.
    pub fn new(units: usize) -> Self {
        Dense { units, ..Dense::default() }
    }

    /// The same with an activation.
    pub fn activation(self, activation: ActivationKind) -> Self {
        Dense { activation, ..self }
    }

    fn count(&self, input: &Shape) -> Count {
        let (inputs, units) = (input.last(), self.units);
        let (biases, own) = match self.use_bias {
            true => (format!(" + {units} biases"), "a bias of its own"),
            false => (String::new(), "no bias"),
        };
        let mut reason =
            format!("each of the {units} units has {inputs} weights, one an input, and {own}");
        if input.dims().len() > 1 {
            reason += &format!("; all {} positions of the sample share them", input.n_positions());
        }
        let total = inputs.saturating_add(usize::from(self.use_bias)).saturating_mul(units);
        Count { formula: format!("{inputs} inputs × {units} units{biases}"), total, reason }
    }
}

impl LayerSpec for Dense {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let (inputs, units) = (input.last(), self.units);
        if input.dims().is_empty() || units == 0 {
            return misfit(
                format!(
                    "{units} units on {input}: it expects at least one unit, and an input with a last axis"
                ),
                "give Dense at least 1 unit, and an input such as Flatten makes",
            );
        }
        let kernel = ParamSpec::new(
            "kernel",
            vec![inputs, units],
            &self.kernel_initializer,
            self.kernel_regularizer,
        );
        let bias =
            ParamSpec::new("bias", vec![units], &self.bias_initializer, self.bias_regularizer);
        let output = input.with_last(units);
        let layer = Operation::layer(DenseLayer { inputs, units, positions: input.n_positions() });
        Ok(Built {
            params: [kernel].into_iter().chain(self.use_bias.then_some(bias)).collect(),
            operations: [layer]
                .into_iter()
                .chain(Operation::activation(self.activation, &output))
                .collect(),
            count: self.count(input),
            output,
        })
    }
}

struct DenseLayer {
    inputs: usize,
    units: usize,
    positions: usize,
}

impl Layer for DenseLayer {
    fn forward(&self, pass: Forward) {
        let (kernel, bias) = pass.params.split_at(self.inputs * self.units);
        let kernel =
            ArrayView2::from_shape((self.inputs, self.units), kernel).expect("sized at build");
        let mut y = per_position(pass.y, self.units);
        matmul(per_position(pass.x, self.inputs), kernel, y.view_mut(), false, pass.scratch);
        if !bias.is_empty() {
            rows::add_bias(flat_mut(y), bias);
        }
    }

    fn backward(&self, pass: Backward) {
        let size = (self.inputs, self.units);
        let (d_kernel, d_bias) = pass.d_params.split_at_mut(self.inputs * self.units);
        let d_kernel = ArrayViewMut2::from_shape(size, d_kernel).expect("sized at build");
        let (x, dy) = (per_position(pass.x, self.inputs), per_position(pass.dy, self.units));

        matmul(x.t(), dy, d_kernel, pass.accumulate, pass.scratch);
        if !d_bias.is_empty() {
            rows::sum_rows(flat(dy), d_bias, pass.accumulate);
        }
        if let Some(dx) = pass.dx {
            let kernel = &pass.params[..self.inputs * self.units];
            let kernel = ArrayView2::from_shape(size, kernel).expect("sized at build");
            matmul(dy, kernel.t(), per_position(dx, self.inputs), false, pass.scratch);
        }
    }

    fn scratch_len(&self) -> usize {
        matmul::scratch_len(self.units.max(self.inputs))
    }

    fn work(&self) -> usize {
        self.positions.saturating_mul(self.inputs).saturating_mul(self.units)
    }
}
