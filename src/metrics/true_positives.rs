//! Precision and recall: how many of the values predicted to be positive (over ½), or of those that are (not 0), are
//! both. 0 where there is none to divide by.

use super::{MAX_COUNTERS, Metric};
use crate::Real;

/// The share of true positives among the values that this function of (is positive, is predicted to be) picks.
#[derive(Debug)]
pub(super) struct TruePositives {
    pub among: fn(bool, bool) -> bool,
}

impl Metric for TruePositives {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        for (is, predicted) in y.iter().zip(p).map(|(y, p)| (*y != 0.0, *p > 0.5)) {
            counters[0] += f64::from(u8::from(is && predicted));
            counters[1] += f64::from(u8::from((self.among)(is, predicted)));
        }
    }

    fn result(&self, counters: &[f64; MAX_COUNTERS]) -> f64 {
        counters[0] / counters[1].max(1.0)
    }
}
