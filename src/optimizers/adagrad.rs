//! Adagrad: Duchi et al. 2011. The steps of a parameter shrink as its gradients accumulate.
//!
//! ```text
//! a ← a + g²,   w ← w − η·g / √(a + ε)
//! ```

use super::*;

optimizer_class! {
    /// The optimizer `Adagrad`.
    ///
    /// ```
    /// use tallynet::optimizers::{Adagrad, Options};
    /// assert_eq!(Adagrad::new(0.5).learning_rate().at(0), 0.5);
    /// ```
    Adagrad: learning_rate 0.001, weight_decay None;
    /// Initial sum of squares.
    initial_accumulator_value: f64 = 0.1, 0.0..f64::INFINITY;
    /// Term ε that keeps the denominator from 0.
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
        let rate = step.learning_rate as Real;
        let epsilon = self.epsilon as Real;
        let [accumulator, ..] = slots;
        for ((w, g), a) in params.iter_mut().zip(gradients).zip(accumulator.iter_mut()) {
            *a += g * g;
            *w -= rate * g / (*a + epsilon).sqrt();
        }
    }
}
