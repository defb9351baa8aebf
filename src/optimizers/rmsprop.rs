//! RMSprop: Hinton 2012. A gradient is divided by the root of its own mean square.
//!
//! ```text
//! v ← ρ·v + (1 − ρ)·g²,       s = η·g / √(v + ε),   w ← w − s
//! centered                    ḡ ← ρ·ḡ + (1 − ρ)·g,   v − ḡ² replaces v under the root
//! with momentum μ             b ← μ·b + s,           w ← w − b
//! ```

use super::*;

optimizer_class! {
    /// The optimizer `RMSprop`.
    ///
    /// ```
    /// use tallynet::optimizers::{Optimizer, RMSprop};
    /// let centered = RMSprop { centered: true, ..RMSprop::new(0.01) };
    /// assert_eq!(centered.slots(), ["velocity", "average_gradient"]);
    /// ```
    RMSprop: learning_rate 0.001, weight_decay None;
    /// Decay rate ρ of the mean square.
    rho: f64 = 0.9, 0.0..=1.0;
    /// Momentum μ: fraction of the previous update that is added.
    momentum: f64 = 0.0, 0.0..=1.0;
    /// Term ε that keeps the denominator from 0.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
    /// True if the variance of the gradient replaces its mean square.
    centered: bool = false;
}

impl Optimizer for RMSprop {
    fn slots(&self) -> &'static [&'static str] {
        match (self.momentum != 0.0, self.centered) {
            (false, false) => &["velocity"],
            (true, false) => &["velocity", "momentum"],
            (false, true) => &["velocity", "average_gradient"],
            (true, true) => &["velocity", "momentum", "average_gradient"],
        }
    }

    fn interleaves_slots(&self) -> bool {
        false
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let rate = step.learning_rate as Real;
        let rho = self.rho as Real;
        let one_minus_rho = (1.0 - self.rho) as Real;
        let epsilon = self.epsilon as Real;
        // The slots in use, in their order; for the others, empty iterators.
        let mut kept = slots.iter_mut().map(|slot| slot.iter_mut());
        let mut next_if = |used: bool| {
            let slot = if used { kept.next() } else { None };
            slot.unwrap_or_default()
        };
        let velocities = next_if(true);
        let mut momenta = next_if(self.momentum != 0.0);
        let mut averages = next_if(self.centered);
        for ((w, &g), v) in params.iter_mut().zip(gradients).zip(velocities) {
            *v = flush_denormal(rho * *v + one_minus_rho * g * g);
            let mut square = *v;
            if let Some(average) = averages.next() {
                *average = flush_denormal(rho * *average + one_minus_rho * g);
                // Rounding may take the variance of an unchanging gradient below 0.
                square = (square - *average * *average).max(0.0);
            }
            let mut change = rate * g / (square + epsilon).sqrt();
            if let Some(momentum) = momenta.next() {
                *momentum = flush_denormal(self.momentum as Real * *momentum + change);
                change = *momentum;
            }
            *w -= change;
        }
    }
}
