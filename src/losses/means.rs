//! The losses that are a mean over the vector, `Σⱼ ℓ(yⱼ, pⱼ) / n`: those of regression, and binary
//! cross-entropy.

use super::{Loss, clip, is_inside_clip, outside, sum};
use crate::Real;
use crate::activations::ActivationKind::{self, Sigmoid};
use crate::classes::class;

fn mean(y: &[Real], p: &[Real], loss: impl Fn(Real, Real) -> Real) -> Real {
    sum(y.iter().zip(p).map(|(y, p)| loss(*y, *p))) / p.len() as Real
}

/// Writes the gradient, of which `slope` makes each number from y, p and n.
fn slopes(y: &[Real], p: &[Real], to: &mut [Real], slope: impl Fn(Real, Real, Real) -> Real) {
    let n = p.len() as Real;
    to.iter_mut().zip(y).zip(p).for_each(|((to, y), p)| *to = slope(*y, *p, n));
}

/// Makes losses of regression, each of its options, of ℓ and of the slope `dℓ/dp / n`, for the
/// error `e = p − y`.
macro_rules! regression {
    ($($(#[$doc:meta])* $name:ident { $($options:tt)* }: |$self:ident, $e:ident, $n:ident| $loss:expr, $slope:expr
        $(, where $problem:expr)?;)*) => {$(
        class! {
            $(#[$doc])*
            $name { $($options)* }
        }

        impl Loss for $name {
            $(fn problem(&$self) -> Option<String> {
                $problem
            })?

            fn value(&$self, y: &[Real], p: &[Real]) -> Real {
                let loss = |$e: Real| $loss;
                mean(y, p, |y, p| loss(p - y))
            }

            fn gradient(&$self, y: &[Real], p: &[Real], dp: &mut [Real]) {
                let slope = |$e: Real, $n: Real| $slope;
                slopes(y, p, dp, |y, p, n| slope(p - y, n));
            }
        }
    )*};
}

regression! {
    /// The loss `mean_squared_error`: `e²`.
    MeanSquaredError {}: |self, e, n| e * e, 2.0 / n * e;

    /// The loss `mean_absolute_error`: `|e|`.
    MeanAbsoluteError {}: |self, e, n| e.abs(), if e == 0.0 { 0.0 } else { e.signum() / n };

    /// The loss `huber` (Huber 1964), quadratic near the truth and linear far from it, so that
    /// outliers do not rule: `½·e²` where `|e| ≤ δ`, else `δ·|e| − ½·δ²`. The slope is e, cut off
    /// at ±δ.
    Huber {
        /// How far the quadratic part reaches, δ.
        delta: f64 = 1.0,
    }: |self, e, n| match self.delta as Real {
        delta if e.abs() <= delta => e * e / 2.0,
        delta => delta * (e.abs() - delta / 2.0),
    }, match self.delta as Real {
        delta if e.abs() <= delta => e / n,
        delta => delta * e.signum() / n,
    }, where match (0.0..f64::INFINITY).contains(&self.delta) {
        true => None,
        false => Some(format!("delta is {}, and it is 0 or more, such as 1", self.delta)),
    };
}

class! {
    /// The loss `binary_crossentropy`: `−y·ln p − (1 − y)·ln(1 − p)`.
    ///
    /// From probabilities it is clipped to `[1e-7, 1 − 1e-7]`, as in Keras. The gradient through a
    /// last sigmoid is `(p − y) / n` at the logits.
    BinaryCrossentropy {
        /// The model's output is logits, not yet probabilities.
        from_logits: bool = false,
        /// How far each target is moved towards ½, from 0 to 1.
        label_smoothing: f64 = 0.0,
    }
}

impl BinaryCrossentropy {
    fn smooth(&self, y: Real) -> Real {
        let smoothing = self.label_smoothing as Real;
        y * (1.0 - smoothing) + smoothing / 2.0
    }
}

impl Loss for BinaryCrossentropy {
    fn problem(&self) -> Option<String> {
        outside("label_smoothing", self.label_smoothing, 0.0..=1.0)
    }

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
