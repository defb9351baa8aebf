//! Stochastic gradient descent, with momentum and Nesterov's variant.
//!
//! ```text
//! without momentum   w ← w − η·g
//! with momentum μ    m ← μ·m − η·g,   w ← w + m
//! nesterov           m ← μ·m − η·g,   w ← w + μ·m − η·g
//! ```

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{MAX_SLOTS, Optimizer, Step};
use crate::{Error, Real, Result};

/// The optimizer `SGD`, with Keras's defaults: learning rate 0.01, no momentum.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { learning_rate: 0.01, momentum: 0.0, nesterov: false }
    }
}

impl Sgd {
    /// Descent with this learning rate, a finite number that is not negative.
    ///
    /// # Errors
    /// Any other number.
    pub fn new(learning_rate: f64) -> Result<Self> {
        if !(learning_rate.is_finite() && learning_rate >= 0.0) {
            return Err(Error::Argument(format!(
                "a learning rate is 0 or more, such as 0.01, and not {learning_rate}"
            )));
        }
        Ok(Sgd { learning_rate, ..Sgd::default() })
    }

    /// How much of its last move a parameter keeps, from 0 to 1.
    ///
    /// # Errors
    /// A number outside that range.
    pub fn momentum(mut self, momentum: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&momentum) {
            return Err(Error::Argument(format!("a momentum is between 0 and 1, such as 0.9, and not {momentum}")));
        }
        self.momentum = momentum;
        Ok(self)
    }

    /// Whether the move is taken from where the momentum leads.
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }
}

impl Optimizer for Sgd {
    fn class_name(&self) -> &'static str {
        "SGD"
    }

    fn config(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum"] }
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut [&mut [Real]; MAX_SLOTS]) {
        let (rate, momentum) = (step.learning_rate, self.momentum as Real);
        if momentum == 0.0 {
            params.iter_mut().zip(gradients).for_each(|(w, g)| *w -= rate * g);
            return;
        }
        for ((w, g), m) in params.iter_mut().zip(gradients).zip(slots[0].iter_mut()) {
            *m = momentum * *m - rate * g;
            *w += if self.nesterov { momentum * *m - rate * g } else { *m };
        }
    }
}
