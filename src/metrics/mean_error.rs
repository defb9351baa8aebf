//! The mean over all values of a function of the truth and the output: `|y − p|` or `(y − p)²`.

use super::{MAX_COUNTERS, Metric};
use crate::Real;

#[derive(Debug)]
pub(super) struct MeanError(pub fn(Real) -> Real);

impl Metric for MeanError {
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
        counters[0] += y.iter().zip(p).map(|(y, p)| f64::from(self.0(y - p))).sum::<f64>();
        counters[1] += p.len() as f64;
    }

    fn lower_is_better(&self) -> bool {
        true
    }
}
