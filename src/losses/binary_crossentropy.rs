//! Binary cross-entropy: the mean over the vector of `−y·ln p − (1 − y)·ln(1 − p)`.
//!
//! From probabilities it is clipped to `[1e-7, 1 − 1e-7]`, as in Keras. The gradient through a last sigmoid is
//! `(p − y) / n` at the logits.

use serde::{Deserialize, Serialize};

use super::{Loss, clip, inside_clip};
use crate::Real;
use crate::activations::ActivationKind;

/// The loss `binary_crossentropy`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryCrossentropy {
    /// The model's output is logits, not yet probabilities.
    pub from_logits: bool,
    /// How far each target is moved towards ½, from 0 to 1.
    pub label_smoothing: f64,
}

impl BinaryCrossentropy {
    fn smooth(&self, y: Real) -> Real {
        let smoothing = self.label_smoothing as Real;
        y * (1.0 - smoothing) + smoothing / 2.0
    }
}

impl Loss for BinaryCrossentropy {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        let each = |(&y, &p): (&Real, &Real)| {
            let y = self.smooth(y);
            match self.from_logits {
                true => p.max(0.0) - p * y + (-p.abs()).exp().ln_1p(),
                false => -y * clip(p).ln() - (1.0 - y) * (1.0 - clip(p)).ln(),
            }
        };
        y.iter().zip(p).map(each).sum::<Real>() / p.len() as Real
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let n = p.len() as Real;
        for ((d, y), &p) in dp.iter_mut().zip(y).zip(p) {
            let y = self.smooth(*y);
            let slope = match self.from_logits {
                true => ActivationKind::Sigmoid.value(p) - y,
                false if inside_clip(p) => (1.0 - y) / (1.0 - p) - y / p,
                false => 0.0,
            };
            *d = slope / n;
        }
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == ActivationKind::Sigmoid && !self.from_logits
    }

    fn gradient_through(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        let n = p.len() as Real;
        dx.iter_mut().zip(y).zip(p).for_each(|((d, y), p)| *d = (p - self.smooth(*y)) / n);
    }
}
