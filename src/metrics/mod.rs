//! The catalogue of metrics: what is counted beside the loss, from the same forward passes.

mod accuracy;

use std::fmt;

use ndarray::ArrayView2;

use crate::Real;

/// A running measure: a few counters that samples add to, and what they come to.
///
/// Counters of different threads are added, so a metric is whatever a handful of sums can tell.
pub trait Metric: fmt::Debug + Send + Sync {
    /// How many counters it keeps, at most [`MAX_COUNTERS`].
    fn n_counters(&self) -> usize {
        2
    }

    /// Counts some vectors of the last axis: `y` is the truth, `p` what the model put out.
    fn count(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, counters: &mut [f64]);

    /// What the counters come to: by default the first, divided by the second.
    fn result(&self, counters: &[f64]) -> f64 {
        counters[0] / counters[1]
    }
}

/// The most counters that a metric may keep.
pub const MAX_COUNTERS: usize = 4;

/// Makes the metric that a name stands for, given how long a target's and an output's last axis is.
///
/// `accuracy` (or `acc`) is chosen as Keras 3 does, by shapes alone: binary for an output of one value, sparse for
/// targets of one class number, else categorical.
///
/// # Errors
/// A name that is not in the catalogue, with those that are.
pub fn by_name(name: &str, target_width: usize, output_width: usize) -> Result<Box<dyn Metric>, String> {
    match name {
        "accuracy" | "acc" => Ok(match (target_width, output_width) {
            (_, 1) => Box::new(accuracy::Binary),
            (1, _) => Box::new(accuracy::Sparse),
            _ => Box::new(accuracy::Categorical),
        }),
        _ => Err(format!("there is no metric {name:?} here; known: accuracy")),
    }
}
