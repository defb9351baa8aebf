//! Dense: every unit is connected with every input.
//!
//! ```text
//! y  = x·W + b          forward
//! dW = xᵀ·dy            backward
//! db = Σ dy
//! dx = dy·Wᵀ            only where somebody below needs it
//! ```
//!
//! It acts on the last axis of any shape: an image of `h × w` positions is `h·w` rows of one product.

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::{Backward, Built, Count, Layer, LayerSpec, Misfit, Operation};
use crate::Real;
use crate::activations::ActivationKind;
use crate::initializers::Initializer;
use crate::kernels::matmul::{self, matmul};
use crate::kernels::rows;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, per_position, per_position_mut};

/// `units` weighted sums of the last axis, each with a bias of its own, then an activation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dense {
    /// The number of sums.
    pub units: usize,
    /// What is applied to the sums.
    pub activation: ActivationKind,
    /// Whether each unit has a bias.
    pub use_bias: bool,
    /// How the kernel's first values are drawn.
    pub kernel_initializer: Initializer,
    /// How the biases' first values are drawn.
    pub bias_initializer: Initializer,
    /// The penalty on the kernel's size.
    pub kernel_regularizer: Option<L1L2>,
    /// The penalty on the biases' size.
    pub bias_regularizer: Option<L1L2>,
}

impl Default for Dense {
    fn default() -> Self {
        Dense {
            units: 0,
            activation: ActivationKind::Linear,
            use_bias: true,
            kernel_initializer: Initializer::GlorotUniform {},
            bias_initializer: Initializer::Zeros {},
            kernel_regularizer: None,
            bias_regularizer: None,
        }
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
}

impl LayerSpec for Dense {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let (inputs, units) = (input.last(), self.units);
        if input.dims().is_empty() || units == 0 {
            let problem =
                format!("{units} units on {input}: it expects at least one unit, and an input with a last axis");
            return Err(Misfit::new(problem, "give Dense at least 1 unit, and an input such as Flatten makes"));
        }
        let mut params =
            vec![ParamSpec::new("kernel", vec![inputs, units], &self.kernel_initializer, self.kernel_regularizer)];
        if self.use_bias {
            params.push(ParamSpec::new("bias", vec![units], &self.bias_initializer, self.bias_regularizer));
        }
        let output = input.with_last(units);
        let layer = DenseLayer { inputs, units, use_bias: self.use_bias, positions: input.n_positions() };
        let operations = [Operation::Layer(Box::new(layer))].into_iter();
        let operations = operations.chain(Operation::activation(self.activation, &output)).collect();
        Ok(Built { output, params, operations, count: self.count(input) })
    }
}

impl Dense {
    fn count(&self, input: &Shape) -> Count {
        let (inputs, units) = (input.last(), self.units);
        let mut formula = format!("{inputs} inputs × {units} units");
        let mut total = inputs.saturating_mul(units);
        let mut reason = format!("each of the {units} units has {inputs} weights, one an input, and ");
        if self.use_bias {
            formula += &format!(" + {units} biases");
            total = total.saturating_add(units);
            reason += "a bias of its own";
        } else {
            reason += "no bias";
        }
        if input.dims().len() > 1 {
            reason += &format!("; all {} positions of the sample share them", input.n_positions());
        }
        Count { formula, total, reason }
    }
}

struct DenseLayer {
    inputs: usize,
    units: usize,
    use_bias: bool,
    positions: usize,
}

impl Layer for DenseLayer {
    fn forward(&self, params: &[Real], x: ArrayView2<Real>, y: ArrayViewMut2<Real>, scratch: &mut [Real]) {
        let (kernel, bias) = params.split_at(self.inputs * self.units);
        let kernel = view(kernel, self.inputs, self.units);
        let mut y = per_position_mut(y, self.units);
        matmul(per_position(x, self.inputs), kernel, y.view_mut(), false, scratch);
        if self.use_bias {
            rows::add_to_each(y, bias);
        }
    }

    fn backward(&self, pass: Backward) {
        let weights = self.inputs * self.units;
        let (d_kernel, d_bias) = pass.d_params.split_at_mut(weights);
        let d_kernel = ArrayViewMut2::from_shape((self.inputs, self.units), d_kernel).expect("sized at build");
        let kernel = view(&pass.params[..weights], self.inputs, self.units);
        let (x, dy) = (per_position(pass.x, self.inputs), per_position(pass.dy, self.units));

        matmul(x.t(), dy, d_kernel, pass.accumulate, pass.scratch);
        if self.use_bias {
            rows::sum(dy, d_bias, pass.accumulate);
        }
        if let Some(dx) = pass.dx {
            let dx = per_position_mut(dx, self.inputs);
            matmul(dy, kernel.t(), dx, false, pass.scratch);
        }
    }

    fn scratch_len(&self) -> usize {
        matmul::scratch_len(self.units.max(self.inputs))
    }

    fn work(&self) -> usize {
        self.positions.saturating_mul(self.inputs).saturating_mul(self.units)
    }
}

fn view(values: &[Real], rows: usize, columns: usize) -> ArrayView2<'_, Real> {
    ArrayView2::from_shape((rows, columns), values).expect("sized at build")
}
