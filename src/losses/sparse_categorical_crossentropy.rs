//! Categorical cross-entropy against class numbers: `−ln p_c` for the class `c`.
//!
//! The same numbers as [`CategoricalCrossentropy`](super::CategoricalCrossentropy) gives for one-hot vectors.

use serde::{Deserialize, Serialize};

use super::{Loss, TargetForm, clip, inside_clip, log_denominator};
use crate::Real;
use crate::activations::ActivationKind;

/// The loss `sparse_categorical_crossentropy`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseCategoricalCrossentropy {
    /// The model's output is logits, not yet probabilities.
    pub from_logits: bool,
}

impl Loss for SparseCategoricalCrossentropy {
    fn target_form(&self) -> TargetForm {
        TargetForm::Label
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        let class = y[0] as usize;
        if self.from_logits {
            let (largest, log) = log_denominator(p);
            return log - (p[class] - largest);
        }
        -clip(p[class] / p.iter().sum::<Real>()).ln()
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let class = y[0] as usize;
        if self.from_logits {
            let (largest, log) = log_denominator(p);
            dp.iter_mut().zip(p).for_each(|(d, z)| *d = (z - largest - log).exp());
            dp[class] -= 1.0;
            return;
        }
        let sum: Real = p.iter().sum();
        let through = inside_clip(p[class] / sum);
        dp.fill(if through { 1.0 / sum } else { 0.0 });
        dp[class] -= if through { 1.0 / p[class] } else { 0.0 };
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == ActivationKind::Softmax && !self.from_logits
    }

    fn gradient_through(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        dx.copy_from_slice(p);
        dx[y[0] as usize] -= 1.0;
    }
}
