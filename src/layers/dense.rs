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
use serde_json::{Map, Value};

use super::{Backward, Built, Count, Layer, LayerSpec, Misfit, Operation, config_of};
use crate::Real;
use crate::activations::ActivationKind;
use crate::initializers::Initializer;
use crate::kernels::matmul::{self, matmul};
use crate::kernels::rows;
use crate::params::ParamSpec;
use crate::shape::{Shape, per_position, per_position_mut};

/// `units` weighted sums of the last axis, each with a bias of its own, then an activation.
///
/// It has `inputs · units` weights and `units` biases: see Keras's `Dense`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    units: usize,
    #[serde(default)]
    activation: ActivationKind,
    #[serde(default = "yes")]
    use_bias: bool,
    #[serde(default = "glorot_uniform")]
    kernel_initializer: Initializer,
    #[serde(default = "zeros")]
    bias_initializer: Initializer,
}

fn yes() -> bool {
    true
}
fn glorot_uniform() -> Initializer {
    Initializer::GlorotUniform {}
}
fn zeros() -> Initializer {
    Initializer::Zeros {}
}

impl Dense {
    /// A layer of so many units, with bias and without an activation.
    pub fn new(units: usize) -> Self {
        Dense {
            units,
            activation: ActivationKind::Linear,
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
        }
    }

    /// What is applied to the sums.
    pub fn activation(mut self, activation: ActivationKind) -> Self {
        self.activation = activation;
        self
    }

    /// Whether each unit has a bias.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }
}

impl LayerSpec for Dense {
    fn class_name(&self) -> &'static str {
        "Dense"
    }

    fn config(&self) -> Map<String, Value> {
        config_of(self)
    }

    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let (inputs, units) = (input.last(), self.units);
        if input.dims().is_empty() || inputs == 0 || units == 0 {
            return Err(Misfit {
                problem: format!("{units} units on {inputs} inputs: it expects at least one of each on the last axis"),
                remedy: "give Dense at least 1 unit and an input with a last axis, such as Flatten makes".to_string(),
            });
        }
        let mut params = vec![ParamSpec {
            name: "kernel",
            shape: vec![inputs, units],
            initializer: self.kernel_initializer.clone(),
        }];
        if self.use_bias {
            params.push(ParamSpec { name: "bias", shape: vec![units], initializer: self.bias_initializer.clone() });
        }
        let output = input.with_last(units);
        let layer = DenseLayer { inputs, units, use_bias: self.use_bias, positions: input.n_positions() };
        let mut operations = vec![Operation::Layer(Box::new(layer))];
        operations.extend(self.activation.in_place(units).map(Operation::InPlace));
        Ok(Built { output, params, operations, count: count(input, inputs, units, self.use_bias) })
    }
}

fn count(input: &Shape, inputs: usize, units: usize, use_bias: bool) -> Count {
    let weights = inputs.saturating_mul(units);
    let each =
        if inputs == 1 { "1 weight, for its input".to_string() } else { format!("{inputs} weights, one an input") };
    let mut reason = format!("each of the {units} units has {each}");
    reason += if use_bias { ", and a bias of its own" } else { ", and no bias" };
    if input.dims().len() > 1 {
        reason += &format!("; all {} positions of the sample share them", input.n_positions());
    }
    Count {
        formula: match use_bias {
            true => format!("{inputs} inputs × {units} units + {units} biases"),
            false => format!("{inputs} inputs × {units} units"),
        },
        total: weights.saturating_add(if use_bias { units } else { 0 }),
        reason,
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
        self.positions * self.inputs * self.units
    }
}

fn view(values: &[Real], rows: usize, columns: usize) -> ArrayView2<'_, Real> {
    ArrayView2::from_shape((rows, columns), values).expect("sized at build")
}
