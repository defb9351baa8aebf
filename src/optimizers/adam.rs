//! Adam: Kingma and Ba 2015, in the form that Keras computes, where ε is added to the uncorrected root.
//!
//! ```text
//! m ← m + (1 − β₁)·(g − m),   v ← v + (1 − β₂)·(g² − v)
//! w ← w − α·m / (√v + ε),     α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ),   t counted from 1
//! ```

use serde::{Deserialize, Serialize};

use super::{MAX_SLOTS, Optimizer, Step, first_problem, not_negative};
use crate::Real;
use crate::kernels::rows;

/// The optimizer `Adam`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// How far a step goes, η.
    pub learning_rate: f64,
    /// How slowly the mean of the gradients moves, β₁.
    pub beta_1: f64,
    /// How slowly the mean of their squares moves, β₂.
    pub beta_2: f64,
    /// What keeps the denominator from 0, ε.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Optimizer for Adam {
    fn problem(&self) -> Option<String> {
        let share = |value: f64| (0.0..1.0).contains(&value);
        first_problem(&[
            ("a learning rate", self.learning_rate, not_negative(self.learning_rate), "0 or more, such as 0.001"),
            ("beta_1", self.beta_1, share(self.beta_1), "at least 0 and under 1, such as 0.9"),
            ("beta_2", self.beta_2, share(self.beta_2), "at least 0 and under 1, such as 0.999"),
            ("an epsilon", self.epsilon, not_negative(self.epsilon), "0 or more, such as 1e-7"),
        ])
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn learning_rate_mut(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut [&mut [Real]; MAX_SLOTS]) {
        let t = (step.iteration + 1) as f64;
        let alpha = step.learning_rate * (1.0 - self.beta_2.powf(t)).sqrt() / (1.0 - self.beta_1.powf(t));
        let [m, v, _] = slots;
        let factors = [alpha, 1.0 - self.beta_1, 1.0 - self.beta_2, self.epsilon].map(|factor| factor as Real);
        rows::adam(params, gradients, m, v, factors);
    }
}
