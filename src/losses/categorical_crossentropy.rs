//! Categorical cross-entropy against one-hot vectors: `−Σⱼ yⱼ·ln pⱼ`.
//!
//! As Keras computes it, from probabilities: divided by their sum, clipped to `[1e-7, 1 − 1e-7]`, then the logarithm.
//! The gradient through a last softmax is `p·Σy − y` at the logits: exact for any logit, where the clip would let
//! none through (Keras on TensorFlow takes the same one).

use serde::{Deserialize, Serialize};

use super::{Loss, clip, inside_clip, log_denominator};
use crate::Real;
use crate::activations::ActivationKind;

/// The loss `categorical_crossentropy`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CategoricalCrossentropy {
    /// The model's output is logits, not yet probabilities.
    pub from_logits: bool,
    /// How much of each target is shared out among all classes, from 0 to 1.
    pub label_smoothing: f64,
}

impl CategoricalCrossentropy {
    fn smooth(&self, y: Real, classes: usize) -> Real {
        let smoothing = self.label_smoothing as Real;
        y * (1.0 - smoothing) + smoothing / classes as Real
    }
}

impl Loss for CategoricalCrossentropy {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        let targets = y.iter().map(|&y| self.smooth(y, p.len())).zip(p);
        if self.from_logits {
            let (largest, log) = log_denominator(p);
            return targets.map(|(y, z)| y * (log - (z - largest))).sum();
        }
        let sum: Real = p.iter().sum();
        // A class that is not the truth adds nothing, unless the vector is no longer one of numbers.
        targets.filter(|(y, _)| *y != 0.0 || sum == 0.0 || sum.is_nan()).map(|(y, p)| -y * clip(p / sum).ln()).sum()
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let smooth = |y: &Real| self.smooth(*y, p.len());
        if self.from_logits {
            let (largest, log) = log_denominator(p);
            let total: Real = y.iter().map(smooth).sum();
            return dp
                .iter_mut()
                .zip(y)
                .zip(p)
                .for_each(|((d, y), z)| *d = (z - largest - log).exp() * total - smooth(y));
        }
        let sum: Real = p.iter().sum();
        let unclipped = |p: Real| inside_clip(p / sum);
        let shared: Real = y.iter().zip(p).filter(|(_, p)| unclipped(**p)).map(|(y, _)| smooth(y) / sum).sum();
        for ((d, y), &p) in dp.iter_mut().zip(y).zip(p) {
            *d = shared - if unclipped(p) { smooth(y) / p } else { 0.0 };
        }
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == ActivationKind::Softmax && !self.from_logits
    }

    fn gradient_through(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        let smooth = |y: &Real| self.smooth(*y, p.len());
        let total: Real = y.iter().map(smooth).sum();
        dx.iter_mut().zip(y).zip(p).for_each(|((d, y), p)| *d = p * total - smooth(y));
    }
}
