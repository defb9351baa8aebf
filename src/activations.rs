//! Activations: functions applied to each value, or to each vector of the last axis, under Keras's
//! names.
//!
//! Most can be undone from their own output `y`, so they run in place and cost no memory. Two
//! cannot, gelu and silu: those keep their input beside their output.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::Real;
use crate::kernels::elementary::{exp, exp_m1, ln_1p, tail};
use crate::kernels::{kernel, rows};
use crate::shape::{flat, flat_mut};

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
    /// `x·Φ(x)` with the normal distribution's Φ: Keras's exact form, not the approximation by
    /// tanh.
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

/// Runs `$run` with the activation as a constant, so that a loop is compiled for each one and none
/// asks which it is.
macro_rules! each {
    ($kind:expr, |$constant:ident| $run:expr) => { each!($kind, $constant, $run, Linear Relu Sigmoid Tanh Softmax Elu
        Selu Gelu Silu Softplus Softsign LeakyRelu HardSigmoid Exponential) };
    ($kind:expr, $constant:ident, $run:expr, $($each:ident)*) => {
        match $kind {
            $($each => {
                const $constant: ActivationKind = $each;
                $run
            })*
        }
    };
}

impl ActivationKind {
    /// Every activation.
    #[rustfmt::skip]
    pub const ALL: [ActivationKind; 14] = [
        Linear, Relu, Sigmoid, Tanh, Softmax, Elu, Selu, Gelu, Silu, Softplus, Softsign, LeakyRelu, HardSigmoid, Exponential,
    ];

    /// Turns each `x` into `y`. Vectors of the last axis have this width.
    pub fn forward(self, width: usize, values: ArrayViewMut2<Real>) {
        match self {
            Softmax => rows::softmax(flat_mut(values), width),
            _ => values_of(self, flat_mut(values)),
        }
    }

    /// Turns the gradient at `y` into the gradient at `x`, given `y`.
    pub fn backward(self, width: usize, y: ArrayView2<Real>, dy: ArrayViewMut2<Real>) {
        match self {
            Softmax => rows::softmax_backward(flat(y), flat_mut(dy), width),
            _ => back_from_output(self, flat(y), flat_mut(dy)),
        }
    }

    /// `f(x)`, for all but softmax.
    #[inline(always)]
    pub fn value(self, x: Real) -> Real {
        match self {
            Linear | Softmax => x,
            // As a mask, so that a NaN stays one and shows in the loss: the choice between a number
            // and itself would become a store under a mask, six times as slow.
            Relu => Real::from_bits(x.to_bits() & if x < 0.0 { 0 } else { !0 }),
            LeakyRelu => x * if x < 0.0 { LEAKY_SLOPE } else { 1.0 },
            Sigmoid => sigmoid(x),
            // (e²ˣ − 1) / (e²ˣ + 1), which is 1 from 20 on.
            Tanh => {
                let m1 = exp_m1(2.0 * x.clamp(-20.0, 20.0));
                m1 / (m1 + 2.0)
            }
            Elu => {
                if x > 0.0 {
                    x
                } else {
                    exp_m1(x)
                }
            }
            Selu => SELU_SCALE * if x > 0.0 { x } else { SELU_ALPHA * exp_m1(x) },
            Gelu => x * normal_distribution(x),
            Silu => x * sigmoid(x),
            Softplus => x.max(0.0) + ln_1p(exp(-x.abs())),
            Softsign => x / (1.0 + x.abs()),
            HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Exponential => exp(x),
        }
    }

    /// `f′(x)`, for those that need their input.
    #[inline(always)]
    pub fn slope_at_input(self, x: Real) -> Real {
        if self == Gelu {
            let density = exp(-0.5 * x * x) * (0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) as Real;
            return normal_distribution(x) + x * density;
        }
        let sigmoid = sigmoid(x);
        sigmoid * (1.0 + x * (1.0 - sigmoid))
    }

    /// `f′(x)·dy` where `f(x) = y`, for those that act on each value and do not need their input.
    #[inline(always)]
    fn slope_at_output(self, y: Real, dy: Real) -> Real {
        // As in the value of relu.
        let where_positive =
            |dy: Real| Real::from_bits(dy.to_bits() & if y > 0.0 { !0 } else { 0 });
        dy * match self {
            Relu => return where_positive(dy),
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
            Softplus => -exp_m1(-y),
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
            Linear | Softmax | Gelu | Silu => 1.0,
        }
    }
}

#[inline(always)]
fn sigmoid(x: Real) -> Real {
    1.0 / (1.0 + exp(-x))
}

// The loops are written out, since a closure might stay a call that is not vectorized.
kernel! {
    /// Replaces each `x` by `f(x)`.
    pub(crate) fn values_of(kind: ActivationKind, values: &mut [Real]) {
        each!(kind, |KIND| for x in values {
            *x = KIND.value(*x);
        })
    }
}

kernel! {
    /// Replaces each `dy` by `f′(x)·dy`, given `y = f(x)`.
    fn back_from_output(kind: ActivationKind, y: &[Real], dy: &mut [Real]) {
        each!(kind, |KIND| for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = KIND.slope_at_output(y, *dy);
        })
    }
}

kernel! {
    /// Replaces each `dy` by `f′(x)·dy`.
    pub(crate) fn back_from_input(kind: ActivationKind, x: &[Real], dy: &mut [Real]) {
        each!(kind, |KIND| for (dy, &x) in dy.iter_mut().zip(x) {
            *dy *= KIND.slope_at_input(x);
        })
    }
}

/// Φ(x), the share of a normal distribution below `x`.
#[inline(always)]
fn normal_distribution(x: Real) -> Real {
    let tail = tail(x.abs() * FRAC_1_SQRT_2 as Real);
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// Keras's name.
impl fmt::Display for ActivationKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.serialize(f)
    }
}
