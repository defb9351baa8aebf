//! Accuracy: the share of right answers, in the three forms that Keras chooses between.

use super::{MAX_COUNTERS, Metric};
use crate::Real;

/// The largest output is at the largest target; of equals the first counts.
#[derive(Debug)]
pub(super) struct Categorical;

/// The largest output is at the class that the target names.
#[derive(Debug)]
pub(super) struct Sparse;

/// Each value, over ½ or not, is the target.
#[derive(Debug)]
pub(super) struct Binary;

impl Metric for Categorical {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        tally(counters, usize::from(largest(y) == largest(p)), 1);
    }
}

impl Metric for Sparse {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        tally(counters, usize::from(y[0] as usize == largest(p)), 1);
    }
}

impl Metric for Binary {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        let right = y.iter().zip(p).filter(|&(&y, &p)| Real::from(u8::from(p > 0.5)) == y).count();
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
