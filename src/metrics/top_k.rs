//! Top-k accuracy: the output at the class is among the k largest, so fewer than k others are larger.

use super::accuracy::{largest, tally};
use super::{MAX_COUNTERS, Metric};
use crate::Real;

/// The class is a target of one number, or where a longer target is largest.
#[derive(Debug)]
pub(super) struct TopK {
    pub k: usize,
}

impl Metric for TopK {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        let class = if y.len() == 1 { y[0] as usize } else { largest(y) };
        let larger = |than: Real| p.iter().filter(|&&other| other > than).count();
        let right = p.get(class).is_some_and(|&value| value.is_finite() && larger(value) < self.k);
        tally(counters, usize::from(right), 1);
    }
}
