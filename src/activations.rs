//! Activations: functions of each value, or of each vector of the last axis, under Keras's names.
//!
//! Most gradients follow from the output `y`, so these activations run in place. Gelu and silu need
//! their input, so they write to a buffer of their own.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::fmt;
use std::sync::Arc;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::classes::unknown;
use crate::kernels::elementary::{exp, exp_m1, ln_1p, tail};
use crate::kernels::{kernel, rows};
use crate::shape::{flat, flat_mut};
use crate::{Real, Result};

/// Defines the enum, `ALL` and `each!`. `each!` runs an expression with the activation as a
/// constant, so that each loop is compiled without a branch per value.
macro_rules! activations {
    ($d:tt $($(#[$meta:meta])* $kind:ident,)*) => {
        /// Built-in activation.
        ///
        /// ```
        /// use tallynet::activations::ActivationKind;
        /// assert_eq!(ActivationKind::by_name("relu")?, ActivationKind::Relu);
        /// assert_eq!(ActivationKind::HardSigmoid.value(0.0), 0.5);
        /// # Ok::<(), tallynet::Error>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ActivationKind {
            $($(#[$meta])* $kind,)*
        }

        impl ActivationKind {
            /// Every activation.
            pub const ALL: [ActivationKind; [$(ActivationKind::$kind),*].len()] =
                [$(ActivationKind::$kind),*];
        }

        macro_rules! each {
            ($d kind:expr, |$d constant:ident| $d run:expr) => {
                match $d kind {
                    $(ActivationKind::$kind => {
                        const $d constant: ActivationKind = ActivationKind::$kind;
                        $d run
                    })*
                }
            };
        }
    };
}

activations! { $
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
    /// `x·Φ(x)`, where Φ is the exact normal distribution function, not its tanh approximation.
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
    /// `x/6 + ½`, clipped to [0, 1], as Keras 3 defines it.
    HardSigmoid,
    /// `e^x`.
    Exponential,
}

use ActivationKind::*;

const SELU_SCALE: Real = 1.0507009873554805_f64 as Real;
const SELU_ALPHA: Real = 1.6732632423543772_f64 as Real;
const LEAKY_SLOPE: Real = 0.2;

impl ActivationKind {
    /// Activation of this name; `swish` means silu. The error for an unknown name lists all.
    pub fn by_name(name: &str) -> Result<ActivationKind> {
        let deserializer: value::StrDeserializer<value::Error> = name.into_deserializer();
        ActivationKind::deserialize(deserializer).map_err(|_| {
            let known = ActivationKind::ALL.map(|kind| kind.to_string());
            unknown("activation", "activation", name, &known)
        })
    }

    /// True if the gradient needs the input and not only the output.
    pub fn keeps_input(self) -> bool {
        match self {
            Gelu | Silu => true,
            Linear | Relu | Sigmoid | Tanh | Softmax | Elu | Selu | Softplus | Softsign
            | LeakyRelu | HardSigmoid | Exponential => false,
        }
    }

    /// Replaces each `x` by `y`. `width` is the length of the last axis.
    pub fn forward(self, width: usize, values: ArrayViewMut2<Real>) {
        match self {
            Softmax => rows::softmax(flat_mut(values), width),
            _ => values_of(self, flat_mut(values)),
        }
    }

    /// Replaces the gradient with respect to `y` by that with respect to `x`, for activations that
    /// do not keep their input.
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

/// Φ(x), the cumulative normal distribution.
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

/// Custom activation, which converts into an [`AnyActivation`].
///
/// ```
/// use tallynet::{Real, activations::{ActivationFunction, AnyActivation}};
///
/// #[derive(Debug)]
/// struct Square;
/// impl ActivationFunction for Square {
///     fn forward(&self, _width: usize, values: &mut [Real]) {
///         values.iter_mut().for_each(|x| *x *= *x);
///     }
///     fn backward(&self, _width: usize, x: &[Real], dy: &mut [Real]) {
///         dy.iter_mut().zip(x).for_each(|(dy, x)| *dy *= 2.0 * x);
///     }
/// }
/// assert_eq!(AnyActivation::from(Square).to_string(), "Square");
/// ```
pub trait ActivationFunction: fmt::Debug + Send + Sync {
    /// Class name in summaries and errors; by default the name of the type.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// Replaces each `x` by `y`. `width` is the length of the last axis.
    fn forward(&self, width: usize, values: &mut [Real]);

    /// Replaces the gradient with respect to the output by that with respect to the input `x`.
    fn backward(&self, width: usize, x: &[Real], dy: &mut [Real]);
}

/// Activation of a layer: built-in, by kind or name, or custom. Custom ones cannot be saved.
///
/// ```
/// use tallynet::activations::{ActivationKind, AnyActivation};
/// assert_eq!(AnyActivation::from("relu").kind(), Some(ActivationKind::Relu));
/// assert!(AnyActivation::from("rectified").validate().is_err());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyActivation {
    /// Built-in activation.
    BuiltIn(ActivationKind),
    /// Custom activation.
    Custom(Arc<dyn ActivationFunction>),
    /// Unknown name, rejected by [`AnyActivation::validate`].
    Unknown(String),
}

impl AnyActivation {
    /// Kind of a built-in activation.
    pub fn kind(&self) -> Option<ActivationKind> {
        match self {
            AnyActivation::BuiltIn(kind) => Some(*kind),
            AnyActivation::Custom(_) | AnyActivation::Unknown(_) => None,
        }
    }

    /// Rejects an unknown name; the error lists the known ones.
    pub fn validate(&self) -> Result<()> {
        match self {
            AnyActivation::BuiltIn(_) | AnyActivation::Custom(_) => Ok(()),
            AnyActivation::Unknown(name) => ActivationKind::by_name(name).map(drop),
        }
    }
}

impl Default for AnyActivation {
    fn default() -> Self {
        Linear.into()
    }
}

/// Keras's name, or the class name of a custom activation.
impl fmt::Display for AnyActivation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            AnyActivation::BuiltIn(kind) => kind.fmt(f),
            AnyActivation::Custom(function) => f.write_str(function.class_name()),
            AnyActivation::Unknown(name) => f.write_str(name),
        }
    }
}

impl From<ActivationKind> for AnyActivation {
    fn from(kind: ActivationKind) -> Self {
        AnyActivation::BuiltIn(kind)
    }
}

impl From<&str> for AnyActivation {
    fn from(name: &str) -> Self {
        match ActivationKind::by_name(name) {
            Ok(kind) => AnyActivation::BuiltIn(kind),
            Err(_) => AnyActivation::Unknown(name.to_string()),
        }
    }
}

impl<T: ActivationFunction + 'static> From<T> for AnyActivation {
    fn from(function: T) -> Self {
        AnyActivation::Custom(Arc::new(function))
    }
}

impl Serialize for AnyActivation {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if let AnyActivation::Custom(function) = self {
            let class = function.class_name();
            let problem = format!("the activation {class} is from outside the crate");
            return Err(serde::ser::Error::custom(problem));
        }
        self.to_string().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AnyActivation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        ActivationKind::deserialize(deserializer).map(AnyActivation::BuiltIn)
    }
}
