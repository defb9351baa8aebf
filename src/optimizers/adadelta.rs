//! Adadelta: Zeiler 2012. Steps are scaled by the root mean square of the steps before.
//!
//! ```text
//! a ← ρ·a + (1 − ρ)·g²,   s = g·√(d + ε) / √(a + ε)
//! d ← ρ·d + (1 − ρ)·s²,   w ← w − η·s
//! ```

use super::*;

optimizer_class! {
    /// The optimizer `Adadelta`. The paper's learning rate is 1.
    ///
    /// ```
    /// use tallynet::optimizers::{Adadelta, Options};
    /// assert_eq!(Adadelta::default().learning_rate().at(0), 0.001);
    /// ```
    Adadelta: learning_rate 0.001, weight_decay None;
    /// Decay rate ρ of both mean squares.
    rho: f64 = 0.95, 0.0..=1.0;
    /// Term ε that keeps the denominator from 0, and the first steps above 0.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
}

impl Optimizer for Adadelta {
    fn slots(&self) -> &'static [&'static str] {
        &["accumulated_grad", "accumulated_delta_var"]
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let rate = step.learning_rate as Real;
        let epsilon = self.epsilon as Real;
        let share = (1.0 - self.rho) as Real;
        let [squares, changes, _] = slots;
        let averages = squares.iter_mut().zip(changes.iter_mut());
        for ((w, &g), (a, d)) in params.iter_mut().zip(gradients).zip(averages) {
            approach(a, g * g, share);
            let change = g * (*d + epsilon).sqrt() / (*a + epsilon).sqrt();
            approach(d, change * change, share);
            *w -= rate * change;
        }
    }
}
