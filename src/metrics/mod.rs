//! The catalogue of metrics: what is counted beside the loss, from the same forward passes.

mod accuracy;

use std::fmt;

use crate::{Error, Real, Result};

/// A running measure: a few counters that vectors of the last axis add to, and what they come to.
///
/// Counters of different threads are added, so a metric is whatever a handful of sums can tell.
pub trait Metric: fmt::Debug + Send + Sync {
    /// Counts one vector: `y` is the truth, `p` what the model put out.
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]);

    /// What the counters come to: by default the first, divided by the second.
    fn result(&self, counters: &[f64; MAX_COUNTERS]) -> f64 {
        counters[0] / counters[1]
    }
}

/// The counters that a metric has.
pub const MAX_COUNTERS: usize = 4;

/// Makes the metric that a name stands for, given how long a target's and an output's last axis is; an error lists all
/// names.
///
/// `accuracy` (or `acc`) is chosen as Keras 3 does, by shapes alone: binary for an output of one value, sparse for
/// targets of one class number, else categorical.
pub fn by_name(name: &str, target_width: usize, output_width: usize) -> Result<Box<dyn Metric>> {
    match name {
        "accuracy" | "acc" => Ok(match (target_width, output_width) {
            (_, 1) => Box::new(accuracy::Binary),
            (1, _) => Box::new(accuracy::Sparse),
            _ => Box::new(accuracy::Categorical),
        }),
        _ => Err(Error::Argument(format!("there is no metric {name:?} here; known: accuracy"))),
    }
}
