//! Values and derivatives of the built-in activations.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::ActivationKind::{self, *};
use crate::Real;
use crate::kernels::elementary::{exp, exp_m1, ln_1p, tail};
use crate::kernels::kernel;

const SELU_SCALE: Real = 1.0507009873554805_f64 as Real;
const SELU_ALPHA: Real = 1.6732632423543772_f64 as Real;
const LEAKY_SLOPE: Real = 0.2;

impl ActivationKind {
    /// `f(x)`, for all but softmax.
    #[inline(always)]
    pub fn value(self, x: Real) -> Real {
        match self {
            Linear | Softmax => x,
            // A bit mask passes NaN on, so that it shows in the loss. A plain `if` would compile to
            // a masked store, six times as slow.
            Relu => Real::from_bits(x.to_bits() & if x < 0.0 { 0 } else { !0 }),
            LeakyRelu => x * if x < 0.0 { LEAKY_SLOPE } else { 1.0 },
            Sigmoid => sigmoid(x),
            // (e²ˣ − 1) / (e²ˣ + 1), which rounds to 1 from x = 20 on.
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

    /// `f′(x)`, for all but softmax.
    #[inline(always)]
    pub fn slope_at_input(self, x: Real) -> Real {
        match self {
            Gelu => {
                let density = exp(-0.5 * x * x) * (0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) as Real;
                normal_distribution(x) + x * density
            }
            Silu => {
                let sigmoid = sigmoid(x);
                sigmoid * (1.0 + x * (1.0 - sigmoid))
            }
            Linear | Relu | Sigmoid | Tanh | Softmax | Elu | Selu | Softplus | Softsign
            | LeakyRelu | HardSigmoid | Exponential => self.slope_at_output(self.value(x), 1.0),
        }
    }

    /// `f′(x)·dy` where `f(x) = y`, for elementwise activations that do not keep their input.
    #[inline(always)]
    fn slope_at_output(self, y: Real, dy: Real) -> Real {
        // Bit mask, as for relu in `value`.
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

// Explicit loops: a closure might not be inlined, and its call is not vectorized.
kernel! {
    /// Replaces each `x` by `f(x)`.
    pub(crate) fn values_of(kind: ActivationKind, values: &mut [Real]) {
        each!(kind, |KIND| for x in values {
            *x = KIND.value(*x);
        })
    }
}

kernel! {
    /// Replaces each `dy` by `f′(x)·dy` where `f(x) = y`.
    pub(super) fn back_from_output(kind: ActivationKind, y: &[Real], dy: &mut [Real]) {
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

/// Φ(x), the cumulative normal distribution.
#[inline(always)]
fn normal_distribution(x: Real) -> Real {
    let tail = tail(x.abs() * FRAC_1_SQRT_2 as Real);
    if x > 0.0 { 1.0 - tail } else { tail }
}
