//! Nadam: Dozat 2016. Adam with Nesterov's momentum, in the form that Keras computes.
//!
//! ```text
//! m ← m + (1 − β₁)·(g − m),   v ← v + (1 − β₂)·(g² − v),   t counted from 1
//! uₜ = β₁·(1 − ½·0.96ᵗ),      Uₜ = u₁·u₂·…·uₜ
//! m̂  = uₜ₊₁·m / (1 − Uₜ₊₁) + (1 − uₜ)·g / (1 − Uₜ)
//! w ← w − η·m̂ / (√(v / (1 − β₂ᵗ)) + ε)
//! ```
//!
//! Keras keeps Uₜ as a variable, `u_product`; here it is computed from t.

use super::*;

optimizer_class! {
    /// The optimizer `Nadam`.
    ///
    /// ```
    /// use tallynet::optimizers::{Nadam, Optimizer};
    /// let u_product = Nadam::new(0.002).last_variable(1).unwrap();
    /// assert!((u_product - 0.9 * (1.0 - 0.5 * 0.96)).abs() < 1e-9);
    /// ```
    Nadam: learning_rate 0.001, weight_decay None;
    /// Decay rate β₁ of the mean gradient.
    beta_1: f64 = 0.9, 0.0..1.0;
    /// Decay rate β₂ of the mean squared gradient.
    beta_2: f64 = 0.999, 0.0..1.0;
    /// Term ε that keeps the denominator from 0.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
}

impl Nadam {
    /// The momentum uₜ of step t.
    fn u(&self, t: f64) -> f64 {
        self.beta_1 * (1.0 - 0.5 * 0.96_f64.powf(t))
    }

    /// The product Uₜ. From the thousandth step on, uₜ equals β₁ in double precision.
    fn u_product(&self, t: u64) -> f64 {
        let first: f64 = (1..=t.min(1000)).map(|t| self.u(t as f64)).product();
        first * self.beta_1.powf(t.saturating_sub(1000) as f64)
    }
}

impl Optimizer for Nadam {
    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn last_variable(&self, steps: u64) -> Option<f64> {
        Some(self.u_product(steps))
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let t = (step.iteration + 1) as f64;
        let product = self.u_product(step.iteration + 1);
        let u_next = self.u(t + 1.0);
        let rate = step.learning_rate;
        let of_momentum = (rate * u_next / (1.0 - product * u_next)) as Real;
        let of_gradient = (rate * (1.0 - self.u(t)) / (1.0 - product)) as Real;
        let of_velocity = (1.0 / (1.0 - self.beta_2.powf(t))) as Real;
        let epsilon = self.epsilon as Real;
        let [momenta, velocities, _] = slots;
        let moments = momenta.iter_mut().zip(velocities.iter_mut());
        for ((w, &g), (m, v)) in params.iter_mut().zip(gradients).zip(moments) {
            approach(m, g, (1.0 - self.beta_1) as Real);
            approach(v, g * g, (1.0 - self.beta_2) as Real);
            *w -= (of_momentum * *m + of_gradient * g) / ((of_velocity * *v).sqrt() + epsilon);
        }
    }
}
