//! Flatten: a sample's axes become one, in row-major order. It changes a shape and moves nothing.

use serde::{Deserialize, Serialize};

use super::{Built, LayerSpec, Misfit};
use crate::shape::Shape;

/// `(None, 1, 28, 28)` becomes `(None, 784)`; a sample that is one number becomes a vector of length 1.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl LayerSpec for Flatten {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let axes: Vec<_> = input.dims().iter().map(usize::to_string).collect();
        let reason = match axes.len() {
            0 => "it only gives the sample an axis".to_string(),
            _ => format!("it only lays the sample's axes end to end: {} = {}", axes.join(" × "), input.n_values()),
        };
        Ok(Built::weightless(Shape::from([input.n_values()]), None, reason))
    }
}
