//! The two losses of regression: the mean over the vector of `(y − p)²` or of `|y − p|`.

use serde::{Deserialize, Serialize};

use super::Loss;
use crate::Real;

/// The loss `mean_squared_error`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanSquaredError {}

/// The loss `mean_absolute_error`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsoluteError {}

impl Loss for MeanSquaredError {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        y.iter().zip(p).map(|(y, p)| (y - p) * (y - p)).sum::<Real>() / p.len() as Real
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let factor = 2.0 / p.len() as Real;
        dp.iter_mut().zip(y).zip(p).for_each(|((d, y), p)| *d = factor * (p - y));
    }
}

impl Loss for MeanAbsoluteError {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        y.iter().zip(p).map(|(y, p)| (y - p).abs()).sum::<Real>() / p.len() as Real
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let n = p.len() as Real;
        for ((d, y), p) in dp.iter_mut().zip(y).zip(p) {
            *d = if p == y { 0.0 } else { (p - y).signum() / n };
        }
    }
}
