//! Activations: functions applied to each value, or to each vector of the last axis, under Keras's names.
//!
//! Most can be undone from their own output `y`, so they run in place and cost no memory. Two cannot, [gelu and
//! silu](ActivationKind::needs_input): those keep their input beside their output.

use std::fmt;
use std::str::FromStr;

use ndarray::{ArrayView2, ArrayViewMut2, Zip};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};

use crate::Real;
use crate::kernels::rows;
use crate::shape::{per_position, per_position_mut};

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
    pub const ALL: [ActivationKind; 14] = [
        Linear,
        Relu,
        Sigmoid,
        Tanh,
        Softmax,
        Elu,
        Selu,
        Gelu,
        Silu,
        Softplus,
        Softsign,
        LeakyRelu,
        HardSigmoid,
        Exponential,
    ];

    /// Whether its gradient cannot be told from its output alone.
    pub fn needs_input(self) -> bool {
        matches!(self, Gelu | Silu)
    }

    /// Turns each `x` into `y`. Vectors of the last axis have this width.
    pub fn forward(self, width: usize, mut values: ArrayViewMut2<Real>) {
        match self {
            Softmax => per_position_mut(values, width).rows_mut().into_iter().for_each(rows::softmax),
            Relu => rows::relu(values.as_slice_mut().unwrap_or_default()),
            _ => values.mapv_inplace(|x| self.value(x)),
        }
    }

    /// Turns the gradient at `y` into the gradient at `x`, given `y`.
    pub fn backward(self, width: usize, y: ArrayView2<Real>, mut dy: ArrayViewMut2<Real>) {
        match self {
            Softmax => Zip::from(per_position(y, width).rows())
                .and(per_position_mut(dy, width).rows_mut())
                .for_each(rows::softmax_backward),
            Relu => rows::relu_backward(y.to_slice().unwrap_or_default(), dy.as_slice_mut().unwrap_or_default()),
            _ => dy.zip_mut_with(&y, |dy, &y| *dy *= self.slope_at_output(y)),
        }
    }

    /// `f(x)`, for all but softmax.
    pub fn value(self, x: Real) -> Real {
        match self {
            Linear | Softmax => x,
            // Written so that a NaN stays one, and shows in the loss.
            Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Tanh => x.tanh(),
            Elu => {
                if x > 0.0 {
                    x
                } else {
                    x.exp_m1()
                }
            }
            Selu => SELU_SCALE * if x > 0.0 { x } else { SELU_ALPHA * x.exp_m1() },
            Gelu => x * normal_distribution(x),
            Silu => x / (1.0 + (-x).exp()),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Softsign => x / (1.0 + x.abs()),
            LeakyRelu => {
                if x < 0.0 {
                    LEAKY_SLOPE * x
                } else {
                    x
                }
            }
            HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Exponential => x.exp(),
        }
    }

    /// `f′(x)`, for those that need their input.
    pub fn slope_at_input(self, x: Real) -> Real {
        match self {
            Gelu => {
                let density = (-0.5 * x * x).exp()
                    * (0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2) as Real;
                normal_distribution(x) + x * density
            }
            _ => {
                let sigmoid = Sigmoid.value(x);
                sigmoid * (1.0 + x * (1.0 - sigmoid))
            }
        }
    }

    /// `f′(x)` where `f(x) = y`.
    fn slope_at_output(self, y: Real) -> Real {
        match self {
            Linear | Softmax | Gelu | Silu => 1.0,
            Relu => {
                if y > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Sigmoid => y * (1.0 - y),
            Tanh => 1.0 - y * y,
            Elu => {
                if y > 0.0 {
                    1.0
                } else {
                    y + 1.0
                }
            }
            Selu => {
                if y > 0.0 {
                    SELU_SCALE
                } else {
                    y + SELU_SCALE * SELU_ALPHA
                }
            }
            Softplus => -(-y).exp_m1(),
            Softsign => (1.0 - y.abs()) * (1.0 - y.abs()),
            LeakyRelu => {
                if y < 0.0 {
                    LEAKY_SLOPE
                } else {
                    1.0
                }
            }
            HardSigmoid => {
                if y > 0.0 && y < 1.0 {
                    1.0 / 6.0
                } else {
                    0.0
                }
            }
            Exponential => y,
        }
    }
}

/// Φ(x), the share of a normal distribution below `x`.
fn normal_distribution(x: Real) -> Real {
    (0.5 * libm::erfc(-f64::from(x) * std::f64::consts::FRAC_1_SQRT_2)) as Real
}

impl fmt::Display for ActivationKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for ActivationKind {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}
