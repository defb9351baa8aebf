//! Precision and recall: true positives among the predicted, or the actual, positives.

use super::{Metric, Ratio};
use crate::Real;
use crate::classes::class;

class! {
    /// The metric `precision`: true positives among all values predicted to be positive.
    ///
    /// ```
    /// use tallynet::metrics::{Metric, Precision};
    /// assert_eq!(Precision::default().count(&[1.0, 0.0, 1.0], &[0.9, 0.8, 0.1]).value(), 0.5);
    /// ```
    Precision {
        /// Values above it count as positive; `None` means ½. Keras also accepts lists.
        thresholds: Option<f64> = None,
    }
}

impl Metric for Precision {
    fn is_share(&self) -> bool {
        true
    }

    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        true_positives(y, p, self.thresholds, |_, predicted| predicted)
    }
}

class! {
    /// The metric `recall`: true positives among all values whose target is not 0.
    ///
    /// ```
    /// use tallynet::metrics::{Metric, Recall};
    /// assert_eq!(Recall::default().count(&[1.0, 0.0, 0.0], &[0.9, 0.8, 0.1]).value(), 1.0);
    /// ```
    Recall {
        /// Values above it count as positive; `None` means ½. Keras also accepts lists.
        thresholds: Option<f64> = None,
    }
}

impl Metric for Recall {
    fn is_share(&self) -> bool {
        true
    }

    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        true_positives(y, p, self.thresholds, |positive, _| positive)
    }
}

/// True positives among the values for which `counts(positive, predicted)` holds.
fn true_positives(
    y: &[Real],
    p: &[Real],
    threshold: Option<f64>,
    counts: fn(bool, bool) -> bool,
) -> Ratio {
    let threshold = threshold.unwrap_or(0.5) as Real;
    let mut ratio = Ratio::default();
    for (y, p) in y.iter().zip(p) {
        let positive = *y != 0.0;
        let predicted = *p > threshold;
        if counts(positive, predicted) {
            ratio += Ratio { numerator: f64::from(positive && predicted), denominator: 1.0 };
        }
    }
    ratio
}
