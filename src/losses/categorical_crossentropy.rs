//! Categorical cross-entropy, `−Σⱼ yⱼ·ln pⱼ`, against one-hot targets or, with the same result,
//! integer labels.
//!
//! As in Keras, probabilities are divided by their sum and clipped to `[1e-7, 1 − 1e-7]` before the
//! logarithm. Fused with a final softmax, the gradient with respect to the logits is `p·Σy − y`,
//! even for clipped probabilities (as in Keras on TensorFlow).

use std::iter;

use super::{AnyLoss, Loss, TargetForm, TargetKind, clip, is_inside_clip, sum, unit_interval};
use crate::activations::ActivationKind::{self, Softmax};
use crate::classes::class;
use crate::kernels::rows;
use crate::{Real, Result};

class! {
    /// The loss `categorical_crossentropy`.
    ///
    /// ```
    /// use tallynet::losses::{CategoricalCrossentropy, Loss};
    /// let loss = CategoricalCrossentropy::default().value(&[0.0, 1.0], &[0.5, 0.5]);
    /// assert!((f64::from(loss) - 2f64.ln()).abs() < 1e-6);
    /// ```
    CategoricalCrossentropy {
        /// True if the model outputs logits instead of probabilities.
        from_logits: bool = false,
        /// Fraction of each target that is spread evenly over all classes, from 0 to 1.
        label_smoothing: f64 = 0.0,
    }
}

class! {
    /// The loss `sparse_categorical_crossentropy`: [`CategoricalCrossentropy`] on integer labels.
    ///
    /// ```
    /// use tallynet::losses::{Loss, SparseCategoricalCrossentropy};
    /// let loss = SparseCategoricalCrossentropy { from_logits: true }.value(&[1.0], &[0.0, 0.0]);
    /// assert!((f64::from(loss) - 2f64.ln()).abs() < 1e-6);
    /// ```
    SparseCategoricalCrossentropy {
        /// True if the model outputs logits instead of probabilities.
        from_logits: bool = false,
    }
}

impl Loss for CategoricalCrossentropy {
    fn target_kind(&self) -> Option<TargetKind> {
        Some(TargetKind::Class)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn validate(&self) -> Result<()> {
        unit_interval("label_smoothing", self.label_smoothing)
    }

    fn as_sparse(&self) -> Option<AnyLoss> {
        if self.label_smoothing != 0.0 {
            return None;
        }
        Some(SparseCategoricalCrossentropy { from_logits: self.from_logits }.into())
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        value(self.from_logits, self.smooth(y).zip(p.iter().copied()), p)
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        gradient(self.from_logits, self.smooth(y), p, dp);
    }

    fn fuses_with(&self, last: ActivationKind) -> bool {
        last == Softmax && !self.from_logits
    }

    fn gradient_wrt_logits(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        difference(self.smooth(y), p.iter().copied(), dx);
    }
}

impl Loss for SparseCategoricalCrossentropy {
    fn target_form(&self) -> TargetForm {
        TargetForm::Labels
    }

    fn target_kind(&self) -> Option<TargetKind> {
        Some(TargetKind::Class)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        value(self.from_logits, iter::once((1.0, p[y[0] as usize])), p)
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        gradient(self.from_logits, one_hot(y, p), p, dp);
    }

    fn fuses_with(&self, last: ActivationKind) -> bool {
        last == Softmax && !self.from_logits
    }

    fn gradient_wrt_logits(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        dx.copy_from_slice(p);
        dx[y[0] as usize] -= 1.0;
    }
}

impl CategoricalCrossentropy {
    fn smooth(&self, y: &[Real]) -> impl Iterator<Item = Real> + Clone {
        let smoothing = self.label_smoothing as Real;
        let share = smoothing / y.len() as Real;
        y.iter().map(move |y| y * (1.0 - smoothing) + share)
    }
}

fn one_hot(y: &[Real], p: &[Real]) -> impl Iterator<Item = Real> + Clone {
    let class = y[0] as usize;
    (0..p.len()).map(move |j| Real::from(u8::from(j == class)))
}

/// Loss of (target, output) pairs; pairs with a zero target may be omitted.
fn value(from_logits: bool, pairs: impl Iterator<Item = (Real, Real)>, p: &[Real]) -> Real {
    if from_logits {
        let LogDenominator { largest, log_sum } = LogDenominator::of(p);
        return sum(pairs.map(|(y, z)| y * (log_sum - (z - largest))));
    }
    let total = rows::sum(p);
    // A zero target only propagates NaN.
    let counts = |(y, _): &(Real, Real)| *y != 0.0 || total == 0.0 || total.is_nan();
    sum(pairs.filter(counts).map(|(y, p)| -y * clip(p / total).ln()))
}

fn gradient(from_logits: bool, y: impl Iterator<Item = Real> + Clone, p: &[Real], dp: &mut [Real]) {
    if from_logits {
        let LogDenominator { largest, log_sum } = LogDenominator::of(p);
        return difference(y, p.iter().map(|z| (z - largest - log_sum).exp()), dp);
    }
    let total = rows::sum(p);
    let unclipped = |p: Real| is_inside_clip(p / total);
    let shared = sum(y.clone().zip(p).filter(|(_, p)| unclipped(**p)).map(|(y, _)| y / total));
    for ((d, y), &p) in dp.iter_mut().zip(y).zip(p) {
        *d = shared - if unclipped(p) { y / p } else { 0.0 };
    }
}

/// `p·Σy − y`: the gradient with respect to the logits, given their softmax p.
fn difference(
    y: impl Iterator<Item = Real> + Clone,
    p: impl Iterator<Item = Real>,
    dx: &mut [Real],
) {
    let total = sum(y.clone());
    for ((dx, y), p) in dx.iter_mut().zip(y).zip(p) {
        *dx = p * total - y;
    }
}

/// The logarithm of a softmax's denominator, in two parts that cannot overflow.
struct LogDenominator {
    /// The largest logit.
    largest: Real,
    /// `ln Σ e^(zⱼ − largest)`.
    log_sum: Real,
}

impl LogDenominator {
    fn of(logits: &[Real]) -> Self {
        let largest = logits.iter().copied().fold(Real::NEG_INFINITY, Real::max);
        let log_sum = sum(logits.iter().map(|z| (z - largest).exp())).ln();
        LogDenominator { largest, log_sum }
    }
}
