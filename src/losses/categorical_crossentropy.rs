//! Categorical cross-entropy, `−Σⱼ yⱼ·ln pⱼ`, against one-hot vectors or, with the same numbers,
//! against class numbers.
//!
//! As Keras computes it, from probabilities: divided by their sum, clipped to `[1e-7, 1 − 1e-7]`,
//! then the logarithm. The gradient through a last softmax is `p·Σy − y` at the logits: exact for
//! any logit, where the clip would let none through (Keras on TensorFlow takes the same one).

use std::iter;

use super::{AnyLoss, Loss, clip, is_inside_clip, outside, sum};
use crate::Real;
use crate::activations::ActivationKind::{self, Softmax};
use crate::classes::class;
use crate::kernels::rows;

class! {
    /// The loss `categorical_crossentropy`.
    CategoricalCrossentropy {
        /// The model's output is logits, not yet probabilities.
        from_logits: bool = false,
        /// How much of each target is shared out among all classes, from 0 to 1.
        label_smoothing: f64 = 0.0,
    }
}

class! {
    /// The loss `sparse_categorical_crossentropy`.
    SparseCategoricalCrossentropy {
        /// The model's output is logits, not yet probabilities.
        from_logits: bool = false,
    }
}

impl Loss for CategoricalCrossentropy {
    fn problem(&self) -> Option<String> {
        outside("label_smoothing", self.label_smoothing, 0.0..=1.0)
    }

    fn of_class_numbers(&self) -> Option<AnyLoss> {
        let from_logits = self.from_logits;
        (self.label_smoothing == 0.0).then(|| SparseCategoricalCrossentropy { from_logits }.into())
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        value(self.from_logits, self.smooth(y).zip(p.iter().copied()), p)
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        gradient(self.from_logits, self.smooth(y), p, dp);
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == Softmax && !self.from_logits
    }

    fn gradient_through(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        difference(self.smooth(y), p.iter().copied(), dx);
    }
}

impl Loss for SparseCategoricalCrossentropy {
    fn is_sparse(&self) -> bool {
        true
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        value(self.from_logits, iter::once((1.0, p[y[0] as usize])), p)
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        gradient(self.from_logits, one_hot(y, p), p, dp);
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == Softmax && !self.from_logits
    }

    fn gradient_through(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
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

/// The loss, where `pairs` are the targets that count, each with its output.
fn value(from_logits: bool, pairs: impl Iterator<Item = (Real, Real)>, p: &[Real]) -> Real {
    if from_logits {
        let (largest, log) = log_denominator(p);
        return sum(pairs.map(|(y, z)| y * (log - (z - largest))));
    }
    let total = rows::sum(p);
    // A class that is not the truth adds nothing, unless the vector is no longer one of numbers.
    let counts = |(y, _): &(Real, Real)| *y != 0.0 || total == 0.0 || total.is_nan();
    sum(pairs.filter(counts).map(|(y, p)| -y * clip(p / total).ln()))
}

fn gradient(from_logits: bool, y: impl Iterator<Item = Real> + Clone, p: &[Real], dp: &mut [Real]) {
    if from_logits {
        let (largest, log) = log_denominator(p);
        return difference(y, p.iter().map(|z| (z - largest - log).exp()), dp);
    }
    let total = rows::sum(p);
    let unclipped = |p: Real| is_inside_clip(p / total);
    let shared = sum(y.clone().zip(p).filter(|(_, p)| unclipped(**p)).map(|(y, _)| y / total));
    for ((d, y), &p) in dp.iter_mut().zip(y).zip(p) {
        *d = shared - if unclipped(p) { y / p } else { 0.0 };
    }
}

/// `p·Σy − y`, the gradient at the logits of which the p are the softmax.
fn difference(
    y: impl Iterator<Item = Real> + Clone,
    p: impl Iterator<Item = Real>,
    dx: &mut [Real],
) {
    let total = sum(y.clone());
    dx.iter_mut().zip(y).zip(p).for_each(|((d, y), p)| *d = p * total - y);
}

/// The largest logit and `ln Σ e^(zⱼ − largest)`: together the logarithm of a softmax's
/// denominator.
fn log_denominator(logits: &[Real]) -> (Real, Real) {
    let largest = logits.iter().copied().fold(Real::NEG_INFINITY, Real::max);
    (largest, sum(logits.iter().map(|z| (z - largest).exp())).ln())
}
