//! Adam: Kingma and Ba 2015, in the form that Keras computes, where ε is added to the uncorrected
//! root.
//!
//! ```text
//! m ← m + (1 − β₁)·(g − m),   v ← v + (1 − β₂)·(g² − v)
//! w ← w − α·m / (√v + ε),     α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ),   t counted from 1
//! amsgrad (Reddi et al. 2018): the largest v so far stands in place of v below the root
//! ```

use super::*;
use crate::kernels::rows::{self, flush_denormal};

/// Makes Adam under a name and with a decay of the weights.
macro_rules! adam {
    ($(#[$doc:meta])* $name:ident, $weight_decay:expr) => {
        optimizer! {
            $(#[$doc])*
            $name: learning_rate 0.001, weight_decay $weight_decay;
            /// How slowly the mean of the gradients moves, β₁.
            beta_1: f64 = 0.9, 0.0..1.0;
            /// How slowly the mean of their squares moves, β₂.
            beta_2: f64 = 0.999, 0.0..1.0;
            /// What keeps the denominator from 0, ε.
            epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
            /// Whether the denominator never shrinks.
            amsgrad: bool = false;
        }

        impl Optimizer for $name {
            fn slots(&self) -> &'static [&'static str] {
                if self.amsgrad { &["momentum", "velocity", "largest_velocity"] } else { &["momentum", "velocity"] }
            }

            fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
                let t = (step.iteration + 1) as f64;
                let alpha = step.learning_rate * (1.0 - self.beta_2.powf(t)).sqrt() / (1.0 - self.beta_1.powf(t));
                let factors = [alpha, 1.0 - self.beta_1, 1.0 - self.beta_2, self.epsilon].map(|factor| factor as Real);
                match slots {
                    [m, v, largest] if self.amsgrad => amsgrad(params, gradients, [m, v, largest], factors),
                    [m, v, _] => rows::adam(params, gradients, m, v, factors),
                }
            }
        }
    };
}

adam! {
    /// The optimizer `Adam`.
    Adam, None
}
adam! {
    /// The optimizer `AdamW` (Loshchilov and Hutter 2019): [`Adam`] whose weights decay if nothing
    /// else is said.
    AdamW, Some(0.004)
}

fn amsgrad(
    params: &mut [Real],
    gradients: &[Real],
    [m, v, largest]: [&mut [Real]; 3],
    factors: [Real; 4],
) {
    let [alpha, rest_1, rest_2, epsilon] = factors;
    let moments = m.iter_mut().zip(v).zip(largest);
    for ((w, &g), ((m, v), largest)) in params.iter_mut().zip(gradients).zip(moments) {
        *m = flush_denormal(*m + rest_1 * (g - *m));
        *v = flush_denormal(*v + rest_2 * (g * g - *v));
        *largest = largest.max(*v);
        *w -= alpha * *m / (largest.sqrt() + epsilon);
    }
}
