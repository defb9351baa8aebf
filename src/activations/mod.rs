//! Activations: functions of each value, or of each vector of the last axis, under Keras's names.
//!
//! Most gradients follow from the output `y`, so these activations run in place. Gelu and silu need
//! their input, so they write to a buffer of their own. A new activation is a line of
//! `activations!`, its value and derivative in `functions.rs`, and its case in
//! [`keeps_input`](ActivationKind::keeps_input).

mod custom;

use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Serialize};

use crate::classes::unknown;
use crate::kernels::rows;
use crate::shape::{flat, flat_mut};
use crate::{Real, Result};

pub use custom::{ActivationFunction, AnyActivation};
pub(crate) use functions::{back_from_input, values_of};

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

// Behind `activations!`, whose macro `each!` it uses.
mod functions;

use ActivationKind::*;
use functions::back_from_output;

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
}

/// Keras's name.
impl fmt::Display for ActivationKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.serialize(f)
    }
}
