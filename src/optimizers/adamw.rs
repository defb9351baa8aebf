//! AdamW: Loshchilov and Hutter 2019. Adam's step behind a decay of the weights: `w ← w − w·λ·η`, then as Adam.

use super::options::options;
use super::{Adam, Common, LearningRate, MAX_SLOTS, Optimizer, Options, Step};
use crate::Real;

options! {
    /// The optimizer `AdamW`: [`Adam`] whose weights decay if nothing else is said.
    AdamW: learning_rate 0.001, weight_decay Some(0.004);
    /// As Adam's.
    beta_1: f64 = 0.9, 0.0..1.0;
    /// As Adam's.
    beta_2: f64 = 0.999, 0.0..1.0;
    /// As Adam's.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
    /// As Adam's.
    amsgrad: bool = false;
}

impl AdamW {
    fn adam(&self) -> Adam {
        let &AdamW { beta_1, beta_2, epsilon, amsgrad, .. } = self;
        Adam { beta_1, beta_2, epsilon, amsgrad, ..Adam::default() }
    }
}

impl Optimizer for AdamW {
    fn slots(&self) -> &'static [&'static str] {
        self.adam().slots()
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut [&mut [Real]; MAX_SLOTS]) {
        self.adam().update(step, params, gradients, slots);
    }
}
