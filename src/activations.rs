//! Activations: functions applied to each value, or to each vector of the last axis, under Keras's names.
//!
//! Most can be undone from their own output `y`, so they run in place and cost no memory. Two cannot, [gelu and
//! silu](ActivationKind::needs_input): those keep their input beside their output.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2, Zip};
use serde::{Deserialize, Serialize};

use crate::Real;
use crate::kernels::rows;
use crate::shape::{flat, flat_mut, per_position};

/// An activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// `x`, unchanged.
    #[default]
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `1 / (1 + e^−x)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `e^xⱼ / Σₖ e^xₖ` along the last axis.
    Softmax,
    /// `x` above 0, `e^x − 1` below.
    Elu,
    /// `λ·x` above 0, `λ·α·(e^x − 1)` below, with the two constants of Klambauer et al. 2017.
    Selu,
    /// `x·Φ(x)` with the normal distribution's Φ: Keras's exact form, not the approximation by tanh.
    Gelu,
    /// `x·σ(x)`.
    #[serde(alias = "swish")]
    Silu,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x` above 0, `0.2·x` below.
    LeakyRelu,
    /// `x/6 + ½`, cut to [0, 1], as Keras 3 defines it.
    HardSigmoid,
    /// `e^x`.
    Exponential,
}

use ActivationKind::*;

const SELU_SCALE: Real = 1.0507009873554805_f64 as Real;
const SELU_ALPHA: Real = 1.6732632423543772_f64 as Real;
const LEAKY_SLOPE: Real = 0.2;

impl ActivationKind {
    /// Every activation.
    #[rustfmt::skip]
    pub const ALL: [ActivationKind; 14] = [
        Linear, Relu, Sigmoid, Tanh, Softmax, Elu, Selu, Gelu, Silu, Softplus, Softsign, LeakyRelu, HardSigmoid, Exponential,
    ];

    /// Whether its gradient cannot be told from its output alone.
    pub fn needs_input(self) -> bool {
        matches!(self, Gelu | Silu)
    }

    /// Turns each `x` into `y`. Vectors of the last axis have this width.
    pub fn forward(self, width: usize, mut values: ArrayViewMut2<Real>) {
        match self {
            Softmax => rows::softmax(flat_mut(values), width),
            Relu => rows::relu(flat_mut(values)),
            _ => values.mapv_inplace(|x| self.value(x)),
        }
    }

    /// Turns the gradient at `y` into the gradient at `x`, given `y`.
    pub fn backward(self, width: usize, y: ArrayView2<Real>, mut dy: ArrayViewMut2<Real>) {
        match self {
            Softmax => Zip::from(per_position(y, width).rows())
                .and(per_position(dy, width).rows_mut())
                .for_each(rows::softmax_backward),
            Relu => rows::relu_backward(flat(y), flat_mut(dy)),
            _ => dy.zip_mut_with(&y, |dy, &y| *dy *= self.slope_at_output(y)),
        }
    }

    /// `f(x)`, for all but softmax.
    pub fn value(self, x: Real) -> Real {
        match self {
            Linear | Softmax => x,
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Tanh => x.tanh(),
            Elu if x > 0.0 => x,
            Elu => x.exp_m1(),
            Selu => SELU_SCALE * if x > 0.0 { x } else { SELU_ALPHA * x.exp_m1() },
            Gelu => x * normal_distribution(x),
            Silu => x / (1.0 + (-x).exp()),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Softsign => x / (1.0 + x.abs()),
            // Written so that a NaN stays one, and shows in the loss.
            Relu if x < 0.0 => 0.0,
            LeakyRelu if x < 0.0 => LEAKY_SLOPE * x,
            Relu | LeakyRelu => x,
            HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Exponential => x.exp(),
        }
    }

    /// `f′(x)`, for those that need their input.
    pub fn slope_at_input(self, x: Real) -> Real {
        if self == Gelu {
            let density = (-0.5 * x * x).exp() * (0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) as Real;
            return normal_distribution(x) + x * density;
        }
        let sigmoid = Sigmoid.value(x);
        sigmoid * (1.0 + x * (1.0 - sigmoid))
    }

    /// `f′(x)` where `f(x) = y`, for those that act on each value and do not need their input.
    fn slope_at_output(self, y: Real) -> Real {
        match self {
            Sigmoid => y * (1.0 - y),
            Tanh => 1.0 - y * y,
            Elu if y > 0.0 => 1.0,
            Elu => y + 1.0,
            Selu if y > 0.0 => SELU_SCALE,
            Selu => y + SELU_SCALE * SELU_ALPHA,
            Softplus => -(-y).exp_m1(),
            Softsign => (1.0 - y.abs()) * (1.0 - y.abs()),
            LeakyRelu if y < 0.0 => LEAKY_SLOPE,
            HardSigmoid if y > 0.0 && y < 1.0 => 1.0 / 6.0,
            HardSigmoid => 0.0,
            Exponential => y,
            Linear | LeakyRelu | Relu | Softmax | Gelu | Silu => 1.0,
        }
    }
}

/// Φ(x), the share of a normal distribution below `x`.
fn normal_distribution(x: Real) -> Real {
    (0.5 * libm::erfc(-f64::from(x) * FRAC_1_SQRT_2)) as Real
}

/// Keras's name.
impl fmt::Display for ActivationKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.serialize(f)
    }
}
