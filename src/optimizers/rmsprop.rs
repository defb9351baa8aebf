//! RMSprop: Hinton 2012. A gradient is divided by the root of its own mean square.
//!
//! ```text
//! v ← ρ·v + (1 − ρ)·g²,       s = η·g / √(v + ε),   w ← w − s
//! centered                    ḡ ← ρ·ḡ + (1 − ρ)·g,   v − ḡ² in place of v below the root
//! with momentum μ             b ← μ·b + s,           w ← w − b
//! ```

use super::*;
use crate::kernels::rows::flush_denormal;

optimizer! {
    /// The optimizer `RMSprop`.
    RMSprop: learning_rate 0.001, weight_decay None;
    /// How slowly the mean square moves, ρ.
    rho: f64 = 0.9, 0.0..=1.0;
    /// How much of its last move a parameter keeps, μ.
    momentum: f64 = 0.0, 0.0..=1.0;
    /// What keeps the denominator from 0, ε.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
    /// Whether the variance of the gradient stands in place of its mean square.
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

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let factors = [step.learning_rate, self.rho, 1.0 - self.rho, self.momentum, self.epsilon];
        let [rate, rho, rest, momentum, epsilon] = factors.map(|factor| factor as Real);
        let [velocities, second, third] = slots;
        let (moves, means) = if self.momentum == 0.0 { (third, second) } else { (second, third) };
        for (i, ((w, &g), v)) in
            params.iter_mut().zip(gradients).zip(velocities.iter_mut()).enumerate()
        {
            *v = flush_denormal(rho * *v + rest * g * g);
            let mut square = *v;
            if let Some(mean) = means.get_mut(i) {
                *mean = flush_denormal(rho * *mean + rest * g);
                // Never below 0, where rounding would take it for a gradient that does not change.
                square = (square - *mean * *mean).max(0.0);
            }
            let mut step = rate * g / (square + epsilon).sqrt();
            if let Some(last) = moves.get_mut(i) {
                *last = flush_denormal(momentum * *last + step);
                step = *last;
            }
            *w -= step;
        }
    }
}
