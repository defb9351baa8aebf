//! Accuracy: the share of right answers, in the three forms that Keras chooses between.

use serde::{Deserialize, Serialize};

use super::{MAX_COUNTERS, Metric};
use crate::Real;

/// The metric `categorical_accuracy`: the largest output is at the largest target; of equals the first counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalAccuracy {}

/// The metric `sparse_categorical_accuracy`: the largest output is at the class that the target names.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseCategoricalAccuracy {}

/// The metric `binary_accuracy`: each value, over the threshold or not, is the target.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryAccuracy {
    /// What a value must be over to count as 1.
    pub threshold: f64,
}

impl Default for BinaryAccuracy {
    fn default() -> Self {
        BinaryAccuracy { threshold: 0.5 }
    }
}

impl Metric for CategoricalAccuracy {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        tally(counters, usize::from(largest(y) == largest(p)), 1);
    }
}

impl Metric for SparseCategoricalAccuracy {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        tally(counters, usize::from(y[0] as usize == largest(p)), 1);
    }
}

impl Metric for BinaryAccuracy {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        let over = |p: Real| Real::from(u8::from(p > self.threshold as Real));
        let right = y.iter().zip(p).filter(|&(&y, &p)| over(p) == y).count();
        tally(counters, right, p.len());
    }
}

pub(super) fn tally(counters: &mut [f64], right: usize, all: usize) {
    counters[0] += right as f64;
    counters[1] += all as f64;
}

pub(super) fn largest(vector: &[Real]) -> usize {
    let first = (0, Real::NEG_INFINITY);
    vector.iter().enumerate().fold(first, |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0
}
