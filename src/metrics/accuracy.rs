//! Accuracy: the share of right answers, in the three forms that Keras chooses between.

use ndarray::{ArrayView1, ArrayView2};

use super::Metric;
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
    fn count(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, counters: &mut [f64]) {
        let right = y.rows().into_iter().zip(p.rows()).filter(|&(y, p)| largest(y) == largest(p)).count();
        tally(counters, right, p.nrows());
    }
}

impl Metric for Sparse {
    fn count(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, counters: &mut [f64]) {
        let right = y.iter().zip(p.rows()).filter(|&(&y, p)| y as usize == largest(p)).count();
        tally(counters, right, p.nrows());
    }
}

impl Metric for Binary {
    fn count(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, counters: &mut [f64]) {
        let right = y.iter().zip(p).filter(|&(&y, &p)| Real::from(u8::from(p > 0.5)) == y).count();
        tally(counters, right, p.len());
    }
}

fn tally(counters: &mut [f64], right: usize, all: usize) {
    counters[0] += right as f64;
    counters[1] += all as f64;
}

fn largest(row: ArrayView1<Real>) -> usize {
    row.iter().enumerate().fold((0, Real::NEG_INFINITY), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0
}
