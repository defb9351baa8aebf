//! Activations: functions applied to each value, or to each vector of the last axis.
//!
//! Those here can be undone from their own output, so they run in place and cost no memory: forward turns `x` into
//! `y`, backward turns `dy` into `dx` given `y`.

use std::fmt;
use std::str::FromStr;

use ndarray::{ArrayView2, ArrayViewMut2, Zip};
use serde::{Deserialize, Serialize};

use crate::Real;
use crate::kernels::rows;
use crate::shape::{per_position, per_position_mut};

/// An activation under Keras's name.
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
}

impl ActivationKind {
    /// What runs for it on vectors of the last axis with this length: nothing for `linear`.
    pub fn in_place(self, width: usize) -> Option<InPlace> {
        (self != ActivationKind::Linear).then_some(InPlace { kind: self, width })
    }
}

impl fmt::Display for ActivationKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for ActivationKind {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        use serde::de::IntoDeserializer;
        Self::deserialize(name.into_deserializer())
    }
}

/// The mathematics of an activation, in place.
#[derive(Debug, Clone, Copy)]
pub struct InPlace {
    kind: ActivationKind,
    /// The length of the last axis.
    width: usize,
}

impl InPlace {
    /// Which activation it is; a loss that has a closed form with it asks.
    pub fn kind(&self) -> ActivationKind {
        self.kind
    }

    /// Turns each `x` into `y`.
    pub fn forward(&self, mut values: ArrayViewMut2<Real>) {
        match self.kind {
            ActivationKind::Linear => {}
            // Written so that a NaN stays one, and shows in the loss.
            ActivationKind::Relu => values.mapv_inplace(|x| if x < 0.0 { 0.0 } else { x }),
            ActivationKind::Sigmoid => values.mapv_inplace(|x| 1.0 / (1.0 + (-x).exp())),
            ActivationKind::Tanh => values.mapv_inplace(Real::tanh),
            ActivationKind::Softmax => {
                per_position_mut(values, self.width).rows_mut().into_iter().for_each(rows::softmax)
            }
        }
    }

    /// Turns the gradient at `y` into the gradient at `x`.
    pub fn backward(&self, y: ArrayView2<Real>, mut dy: ArrayViewMut2<Real>) {
        match self.kind {
            ActivationKind::Linear => {}
            ActivationKind::Relu => dy.zip_mut_with(&y, |dy, &y| *dy = if y > 0.0 { *dy } else { 0.0 }),
            ActivationKind::Sigmoid => dy.zip_mut_with(&y, |dy, &y| *dy *= y * (1.0 - y)),
            ActivationKind::Tanh => dy.zip_mut_with(&y, |dy, &y| *dy *= 1.0 - y * y),
            ActivationKind::Softmax => Zip::from(per_position(y, self.width).rows())
                .and(per_position_mut(dy, self.width).rows_mut())
                .for_each(rows::softmax_backward),
        }
    }
}
