//! Stochastic gradient descent, with momentum and Nesterov's variant.
//!
//! ```text
//! without momentum   w ← w − η·g
//! with momentum μ    m ← μ·m − η·g,   w ← w + m
//! nesterov           m ← μ·m − η·g,   w ← w + μ·m − η·g
//! ```

use serde::{Deserialize, Serialize};

use super::{MAX_SLOTS, Optimizer, Step, first_problem, not_negative};
use crate::Real;

/// The optimizer `SGD`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// How far a step goes, η.
    pub learning_rate: f64,
    /// How much of its last move a parameter keeps, μ, from 0 to 1.
    pub momentum: f64,
    /// Whether the move is taken from where the momentum leads.
    pub nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { learning_rate: 0.01, momentum: 0.0, nesterov: false }
    }
}

impl Sgd {
    /// Plain descent with this learning rate.
    pub fn new(learning_rate: f64) -> Self {
        Sgd { learning_rate, ..Sgd::default() }
    }
}

impl Optimizer for Sgd {
    fn problem(&self) -> Option<String> {
        first_problem(&[
            ("a learning rate", self.learning_rate, not_negative(self.learning_rate), "0 or more, such as 0.01"),
            ("a momentum", self.momentum, (0.0..=1.0).contains(&self.momentum), "between 0 and 1, such as 0.9"),
        ])
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn learning_rate_mut(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum"] }
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut [&mut [Real]; MAX_SLOTS]) {
        let (rate, momentum) = (step.learning_rate as Real, self.momentum as Real);
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
