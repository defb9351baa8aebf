//! Activation as a layer of its own, as in `Activation('softmax')`. It has no parameters.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Built, Count, LayerSpec, Misfit, Operation, config_of};
use crate::activations::ActivationKind;
use crate::shape::Shape;

/// The layer `Activation`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    activation: ActivationKind,
}

impl Activation {
    /// A layer that applies this activation.
    pub fn new(activation: ActivationKind) -> Self {
        Activation { activation }
    }
}

impl LayerSpec for Activation {
    fn class_name(&self) -> &'static str {
        "Activation"
    }

    fn config(&self) -> Map<String, Value> {
        config_of(self)
    }

    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        if self.activation == ActivationKind::Softmax && input.dims().is_empty() {
            return Err(Misfit {
                problem: "softmax expects a last axis to divide among, and a sample here is a single number"
                    .to_string(),
                remedy: "put a Dense layer in front of it".to_string(),
            });
        }
        Ok(Built {
            output: input.clone(),
            params: vec![],
            operations: self.activation.in_place(input.last()).map(Operation::InPlace).into_iter().collect(),
            count: Count {
                formula: "no weights".to_string(),
                total: 0,
                reason: format!("{} only computes each value anew", self.activation),
            },
        })
    }
}
