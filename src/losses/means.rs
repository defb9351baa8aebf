//! The losses that are a mean over the vector, `Σⱼ ℓ(yⱼ, pⱼ) / n`: those of regression, and binary cross-entropy.

use super::{Loss, clip, is_inside_clip};
use crate::Real;
use crate::activations::ActivationKind::{self, Sigmoid};
use crate::classes::class;

class! {
    /// The loss `mean_squared_error`: `(y − p)²`.
    MeanSquaredError {}
}

class! {
    /// The loss `mean_absolute_error`: `|y − p|`.
    MeanAbsoluteError {}
}

class! {
    /// The loss `huber` (Huber 1964), quadratic near the truth and linear far from it, so that outliers do not rule:
    /// `½·e²` where `|e| ≤ δ`, else `δ·|e| − ½·δ²`, for `e = p − y`. The gradient is e, cut off at ±δ.
    Huber {
        /// How far the quadratic part reaches, δ.
        delta: f64 = 1.0,
    }
}

class! {
    /// The loss `binary_crossentropy`: `−y·ln p − (1 − y)·ln(1 − p)`.
    ///
    /// From probabilities it is clipped to `[1e-7, 1 − 1e-7]`, as in Keras. The gradient through a last sigmoid is
    /// `(p − y) / n` at the logits.
    BinaryCrossentropy {
        /// The model's output is logits, not yet probabilities.
        from_logits: bool = false,
        /// How far each target is moved towards ½, from 0 to 1.
        label_smoothing: f64 = 0.0,
    }
}

fn mean(y: &[Real], p: &[Real], loss: impl Fn(Real, Real) -> Real) -> Real {
    y.iter().zip(p).map(|(y, p)| loss(*y, *p)).sum::<Real>() / p.len() as Real
}

/// Writes the gradient, of which `slope` makes each number from y, p and n.
fn slopes(y: &[Real], p: &[Real], to: &mut [Real], slope: impl Fn(Real, Real, Real) -> Real) {
    let n = p.len() as Real;
    to.iter_mut().zip(y).zip(p).for_each(|((to, y), p)| *to = slope(*y, *p, n));
}

impl Loss for MeanSquaredError {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        mean(y, p, |y, p| (y - p) * (y - p))
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        slopes(y, p, dp, |y, p, n| 2.0 / n * (p - y));
    }
}

impl Loss for MeanAbsoluteError {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        mean(y, p, |y, p| (y - p).abs())
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        slopes(y, p, dp, |y, p, n| if p == y { 0.0 } else { (p - y).signum() / n });
    }
}

impl Loss for Huber {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        let delta = self.delta as Real;
        let of = |error: Real| if error <= delta { error * error / 2.0 } else { delta * (error - delta / 2.0) };
        mean(y, p, |y, p| of((p - y).abs()))
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let delta = self.delta as Real;
        let of = |error: Real| if error.abs() <= delta { error } else { delta * error.signum() };
        slopes(y, p, dp, |y, p, n| of(p - y) / n);
    }
}

impl BinaryCrossentropy {
    fn smooth(&self, y: Real) -> Real {
        let smoothing = self.label_smoothing as Real;
        y * (1.0 - smoothing) + smoothing / 2.0
    }
}

impl Loss for BinaryCrossentropy {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        mean(y, p, |y, p| match (self.from_logits, self.smooth(y)) {
            (true, y) => p.max(0.0) - p * y + (-p.abs()).exp().ln_1p(),
            (false, y) => -y * clip(p).ln() - (1.0 - y) * (1.0 - clip(p)).ln(),
        })
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let of = |y: Real, p: Real| match self.from_logits {
            true => Sigmoid.value(p) - y,
            false if is_inside_clip(p) => (1.0 - y) / (1.0 - p) - y / p,
            false => 0.0,
        };
        slopes(y, p, dp, |y, p, n| of(self.smooth(y), p) / n);
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == Sigmoid && !self.from_logits
    }

    fn gradient_through(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        slopes(y, p, dx, |y, p, n| (p - self.smooth(y)) / n);
    }
}
