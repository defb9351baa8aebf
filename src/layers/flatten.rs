//! Flatten: a sample's axes become one, in row-major order. It changes a shape and moves nothing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Built, Count, LayerSpec, Misfit, config_of};
use crate::shape::Shape;

/// `(None, 1, 28, 28)` becomes `(None, 784)`; a sample that is one number becomes a vector of length 1.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flatten {}

impl Flatten {
    /// A layer that flattens its input.
    pub fn new() -> Self {
        Self::default()
    }
}

impl LayerSpec for Flatten {
    fn class_name(&self) -> &'static str {
        "Flatten"
    }

    fn config(&self) -> Map<String, Value> {
        config_of(self)
    }

    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let reason = match input.dims() {
            [] => "it only gives the sample an axis".to_string(),
            dims => {
                let axes: Vec<_> = dims.iter().map(usize::to_string).collect();
                format!("it only lays the sample's axes end to end: {} = {}", axes.join(" × "), input.n_values())
            }
        };
        Ok(Built {
            output: Shape::from([input.n_values()]),
            params: vec![],
            operations: vec![],
            count: Count { formula: "no weights".to_string(), total: 0, reason },
        })
    }
}
