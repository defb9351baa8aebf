//! Huber 1964: quadratic near the truth, linear far from it, so that outliers do not rule. The mean over the vector of
//! `½·e²` where `|e| ≤ δ`, else `δ·|e| − ½·δ²`, for `e = p − y`. The gradient is e, cut off at ±δ.

use serde::{Deserialize, Serialize};

use super::Loss;
use crate::Real;

/// The loss `huber`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// How far the quadratic part reaches, δ.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

impl Loss for Huber {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        let delta = self.delta as Real;
        let each = |error: Real| if error <= delta { error * error / 2.0 } else { delta * (error - delta / 2.0) };
        y.iter().zip(p).map(|(y, p)| each((p - y).abs())).sum::<Real>() / p.len() as Real
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let (delta, n) = (self.delta as Real, p.len() as Real);
        for (d, error) in dp.iter_mut().zip(y.iter().zip(p).map(|(y, p)| p - y)) {
            *d = if error.abs() <= delta { error } else { delta * error.signum() } / n;
        }
    }
}
