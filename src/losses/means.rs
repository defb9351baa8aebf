//! Losses that are a mean over the vector, `Σⱼ ℓ(yⱼ, pⱼ) / n`: regression losses and binary
//! cross-entropy.

use super::{Loss, TargetKind, clip, is_inside_clip, sum, unit_interval};
use crate::activations::ActivationKind::{self, Sigmoid};
use crate::classes::class;
use crate::{Error, Real, Result};

fn mean(y: &[Real], p: &[Real], loss: impl Fn(Real, Real) -> Real) -> Real {
    sum(y.iter().zip(p).map(|(y, p)| loss(*y, *p))) / p.len() as Real
}

/// Writes the gradient; `slope(y, p, n)` is `dℓ/dp / n`.
fn slopes(y: &[Real], p: &[Real], dp: &mut [Real], slope: impl Fn(Real, Real, Real) -> Real) {
    let n = p.len() as Real;
    for ((dp, y), p) in dp.iter_mut().zip(y).zip(p) {
        *dp = slope(*y, *p, n);
    }
}

class! {
    /// The loss `mean_squared_error`: `(p − y)²`.
    ///
    /// ```
    /// use tallynet::losses::{Loss, MeanSquaredError};
    /// assert_eq!(MeanSquaredError {}.value(&[1.0, 0.0], &[3.0, 0.0]), 2.0);
    /// ```
    MeanSquaredError {}
}

impl Loss for MeanSquaredError {
    fn target_kind(&self) -> Option<TargetKind> {
        Some(TargetKind::Numbers)
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        mean(y, p, |y, p| (p - y) * (p - y))
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        slopes(y, p, dp, |y, p, n| 2.0 / n * (p - y));
    }
}

class! {
    /// The loss `mean_absolute_error`: `|p − y|`.
    ///
    /// ```
    /// use tallynet::losses::{Loss, MeanAbsoluteError};
    /// assert_eq!(MeanAbsoluteError {}.value(&[1.0, 0.0], &[3.0, 0.0]), 1.0);
    /// ```
    MeanAbsoluteError {}
}

impl Loss for MeanAbsoluteError {
    fn target_kind(&self) -> Option<TargetKind> {
        Some(TargetKind::Numbers)
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        mean(y, p, |y, p| (p - y).abs())
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        slopes(y, p, dp, |y, p, n| if p - y == 0.0 { 0.0 } else { (p - y).signum() / n });
    }
}

class! {
    /// The loss `huber` (Huber 1964) of the error `e = p − y`: `½·e²` where `|e| ≤ δ`, else
    /// `δ·|e| − ½·δ²`, so that outliers do not dominate.
    ///
    /// ```
    /// use tallynet::losses::{Huber, Loss};
    /// assert_eq!(Huber { delta: 1.0 }.value(&[0.0, 0.0], &[1.0, 2.0]), (0.5 + 1.5) / 2.0);
    /// ```
    Huber {
        /// Error δ at which the loss turns from quadratic to linear.
        delta: f64 = 1.0,
    }
}

impl Loss for Huber {
    fn target_kind(&self) -> Option<TargetKind> {
        Some(TargetKind::Numbers)
    }

    fn validate(&self) -> Result<()> {
        if (0.0..f64::INFINITY).contains(&self.delta) {
            return Ok(());
        }
        let problem = format!("delta is {}, and it is 0 or more, such as 1", self.delta);
        Err(Error::option("delta", problem))
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        let delta = self.delta as Real;
        mean(y, p, |y, p| {
            let e = p - y;
            if e.abs() <= delta { e * e / 2.0 } else { delta * (e.abs() - delta / 2.0) }
        })
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let delta = self.delta as Real;
        slopes(y, p, dp, |y, p, n| {
            let e = p - y;
            if e.abs() <= delta { e / n } else { delta * e.signum() / n }
        });
    }
}

class! {
    /// The loss `binary_crossentropy`: `−y·ln p − (1 − y)·ln(1 − p)`.
    ///
    /// Probabilities are clipped to `[1e-7, 1 − 1e-7]`, as in Keras. Fused with a final sigmoid,
    /// the gradient with respect to the logits is `(p − y) / n`.
    ///
    /// ```
    /// use tallynet::losses::{BinaryCrossentropy, Loss};
    /// let loss = BinaryCrossentropy::default().value(&[1.0], &[0.5]);
    /// assert!((f64::from(loss) - 2f64.ln()).abs() < 1e-6);
    /// ```
    BinaryCrossentropy {
        /// True if the model outputs logits instead of probabilities.
        from_logits: bool = false,
        /// Smoothing s from 0 to 1: targets become `y·(1 − s) + s/2`.
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
    fn target_kind(&self) -> Option<TargetKind> {
        Some(TargetKind::Binary)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn validate(&self) -> Result<()> {
        unit_interval("label_smoothing", self.label_smoothing)
    }

    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        mean(y, p, |y, p| {
            let y = self.smooth(y);
            if self.from_logits {
                p.max(0.0) - p * y + (-p.abs()).exp().ln_1p()
            } else {
                -y * clip(p).ln() - (1.0 - y) * (1.0 - clip(p)).ln()
            }
        })
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        slopes(y, p, dp, |y, p, n| {
            let y = self.smooth(y);
            let slope = if self.from_logits {
                Sigmoid.value(p) - y
            } else if is_inside_clip(p) {
                (1.0 - y) / (1.0 - p) - y / p
            } else {
                0.0
            };
            slope / n
        });
    }

    fn fuses_with(&self, last: ActivationKind) -> bool {
        last == Sigmoid && !self.from_logits
    }

    fn gradient_wrt_logits(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        slopes(y, p, dx, |y, p, n| (p - self.smooth(y)) / n);
    }
}
