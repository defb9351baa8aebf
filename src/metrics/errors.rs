//! Errors of a regression, as means over all values.

use super::{Metric, Ratio};
use crate::Real;
use crate::classes::class;

class! {
    /// The metric `mean_absolute_error`: the mean of `|y − p|` over all values.
    ///
    /// ```
    /// use tallynet::metrics::{MeanAbsoluteError, Metric};
    /// assert_eq!(MeanAbsoluteError {}.count(&[1.0, 0.0], &[3.0, 0.0]).value(), 1.0);
    /// ```
    MeanAbsoluteError {}
}

impl Metric for MeanAbsoluteError {
    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        mean(y, p, Real::abs)
    }

    fn lower_is_better(&self) -> bool {
        true
    }
}

class! {
    /// The metric `mean_squared_error`: the mean of `(y − p)²` over all values.
    ///
    /// ```
    /// use tallynet::metrics::{MeanSquaredError, Metric};
    /// assert_eq!(MeanSquaredError {}.count(&[1.0, 0.0], &[3.0, 0.0]).value(), 2.0);
    /// ```
    MeanSquaredError {}
}

impl Metric for MeanSquaredError {
    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        mean(y, p, |error| error * error)
    }

    fn lower_is_better(&self) -> bool {
        true
    }
}

fn mean(y: &[Real], p: &[Real], of: fn(Real) -> Real) -> Ratio {
    let numerator = y.iter().zip(p).map(|(y, p)| f64::from(of(y - p))).sum();
    Ratio { numerator, denominator: p.len() as f64 }
}
