//! Adamax: Kingma and Ba 2015. Adam with the largest decayed gradient in the denominator.
//!
//! ```text
//! m ← m + (1 − β₁)·(g − m),   u ← max(β₂·u, |g|)
//! w ← w − η·m / ((1 − β₁ᵗ)·(u + ε)),   t counted from 1
//! ```

use super::*;

optimizer_class! {
    /// The optimizer `Adamax`.
    ///
    /// ```
    /// use tallynet::optimizers::{Adamax, Options};
    /// assert_eq!(Adamax::new(0.002).learning_rate().at(0), 0.002);
    /// ```
    Adamax: learning_rate 0.001, weight_decay None;
    /// Decay rate β₁ of the mean gradient.
    beta_1: f64 = 0.9, 0.0..1.0;
    /// Decay rate β₂ of the largest gradient.
    beta_2: f64 = 0.999, 0.0..1.0;
    /// Term ε that keeps the denominator from 0.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
}

impl Optimizer for Adamax {
    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "norm"]
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let correction = 1.0 - self.beta_1.powf((step.iteration + 1) as f64);
        let rate = (step.learning_rate / correction) as Real;
        let [momenta, norms, _] = slots;
        let moments = momenta.iter_mut().zip(norms.iter_mut());
        for ((w, &g), (m, u)) in params.iter_mut().zip(gradients).zip(moments) {
            approach(m, g, (1.0 - self.beta_1) as Real);
            *u = flush_denormal((self.beta_2 as Real * *u).max(g.abs()));
            *w -= rate * *m / (*u + self.epsilon as Real);
        }
    }
}
