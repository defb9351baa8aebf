//! Rescaling: `y = x·scale + offset`, as when the bytes of an image become numbers from 0 to 1.

use serde::{Deserialize, Serialize};

use super::{Built, LayerSpec, Misfit, pointwise};
use crate::Real;
use crate::shape::Shape;

/// The layer `Rescaling`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rescaling {
    /// What each value is multiplied by.
    pub scale: f64,
    /// What is added to the product.
    pub offset: f64,
}

impl Default for Rescaling {
    fn default() -> Self {
        Rescaling { scale: 1.0, offset: 0.0 }
    }
}

impl LayerSpec for Rescaling {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let (scale, offset) = (self.scale as Real, self.offset as Real);
        if !(scale.is_finite() && offset.is_finite()) {
            let problem = format!("scale is {} and offset is {}", self.scale, self.offset);
            return Err(Misfit::new(problem, "give scale and offset finite numbers"));
        }
        let operation = pointwise::operation(move |x| x * scale + offset, move |_| scale);
        Ok(Built::weightless(input.clone(), Some(operation), "it only computes each value anew"))
    }
}
