//! Stochastic gradient descent, with momentum and Nesterov's variant.
//!
//! ```text
//! without momentum   w ← w − η·g
//! with momentum μ    m ← μ·m − η·g,   w ← w + m
//! nesterov           m ← μ·m − η·g,   w ← w + μ·m − η·g
//! ```

use super::*;
use crate::kernels::rows::map2_inplace;

optimizer_class! {
    /// The optimizer `SGD`.
    ///
    /// ```
    /// use tallynet::optimizers::{Optimizer, Sgd};
    /// let nesterov = Sgd { momentum: 0.9, nesterov: true, ..Sgd::new(0.1) };
    /// assert_eq!(nesterov.slots(), ["momentum"]);
    /// ```
    Sgd: learning_rate 0.01, weight_decay None;
    /// Momentum μ from 0 to 1: fraction of the previous update that is added.
    momentum: f64 = 0.0, 0.0..=1.0;
    /// True for Nesterov's variant of momentum.
    nesterov: bool = false;
}

impl Optimizer for Sgd {
    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum"] }
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let rate = step.learning_rate as Real;
        let momentum = self.momentum as Real;
        if momentum == 0.0 {
            return map2_inplace(params, gradients, |w, g| w - rate * g);
        }
        let [moves, ..] = slots;
        for ((w, g), m) in params.iter_mut().zip(gradients).zip(moves.iter_mut()) {
            *m = momentum * *m - rate * g;
            *w += if self.nesterov { momentum * *m - rate * g } else { *m };
        }
    }
}
