//! Adagrad: Duchi et al. 2011. Every parameter's steps shrink as its gradients add up.
//!
//! ```text
//! a ← a + g²,   w ← w − η·g / √(a + ε)
//! ```

use super::*;

optimizer! {
    /// The optimizer `Adagrad`.
    Adagrad: learning_rate 0.001, weight_decay None;
    /// What the sum of squares starts from.
    initial_accumulator_value: f64 = 0.1, 0.0..f64::INFINITY;
    /// What keeps the denominator from 0, ε.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
}

impl Optimizer for Adagrad {
    fn slots(&self) -> &'static [&'static str] {
        &["accumulator"]
    }

    fn initial_slot(&self) -> Real {
        self.initial_accumulator_value as Real
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let (rate, epsilon) = (step.learning_rate as Real, self.epsilon as Real);
        for ((w, g), a) in params.iter_mut().zip(gradients).zip(slots[0].iter_mut()) {
            *a += g * g;
            *w -= rate * g / (*a + epsilon).sqrt();
        }
    }
}
