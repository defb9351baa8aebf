//! Activation as a layer of its own, as in `Activation('softmax')`. It has no parameters.

use serde::{Deserialize, Serialize};

use super::{Built, LayerSpec, Misfit, Operation};
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
