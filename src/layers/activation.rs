//! Activation as a layer of its own, as in `Activation('softmax')`. It has no parameters.

use ndarray::{ArrayView2, ArrayViewMut2, Zip};
use serde::{Deserialize, Serialize};

use super::{Backward, Built, Layer, LayerSpec, Misfit, Operation};
use crate::Real;
use crate::activations::ActivationKind;
use crate::shape::Shape;

/// The layer `Activation`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// Which one.
    pub activation: ActivationKind,
}

impl Activation {
    /// A layer that applies this activation.
    pub fn new(activation: ActivationKind) -> Self {
        Activation { activation }
    }
}

impl LayerSpec for Activation {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        if self.activation == ActivationKind::Softmax && input.dims().is_empty() {
            let problem = "softmax expects a last axis to divide among, and a sample here is a single number";
            return Err(Misfit::new(problem, "put a Dense layer in front of it"));
        }
        let reason = format!("{} only computes each value anew", self.activation);
        Ok(Built::weightless(input.clone(), Operation::activation(self.activation, input), reason))
    }
}

/// An activation that keeps its input, since its gradient cannot be told from its output.
pub(super) struct Kept(pub ActivationKind);

impl Layer for Kept {
    fn forward(&self, _: &[Real], x: ArrayView2<Real>, mut y: ArrayViewMut2<Real>, _: &mut [Real]) {
        Zip::from(&mut y).and(&x).for_each(|y, &x| *y = self.0.value(x));
    }

    fn backward(&self, pass: Backward) {
        if let Some(mut dx) = pass.dx {
            Zip::from(&mut dx).and(&pass.x).and(&pass.dy).for_each(|dx, &x, &dy| *dx = dy * self.0.slope_at_input(x));
        }
    }

    fn work(&self) -> usize {
        0
    }
}
