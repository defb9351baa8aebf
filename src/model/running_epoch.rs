//! The epoch in whose middle a training was interrupted.

use serde::{Deserialize, Serialize};

/// Epoch that a training was interrupted in: the next one on the same data, with batches of the
/// same size and the same metrics, goes on with its next batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunningEpoch {
    /// Number of batches that are done.
    pub batches: usize,
    /// Rows of a batch.
    pub batch_size: usize,
    /// Rows of the training set.
    pub rows: usize,
    /// `loss` and the names of the metrics.
    pub names: Vec<String>,
    /// Sums of loss and metrics over the batches that are done, as bits: JSON has no number for
    /// every sum.
    pub(crate) sums: Vec<u64>,
}

impl RunningEpoch {
    /// Number of batches of the whole epoch.
    pub fn all_batches(&self) -> usize {
        self.rows.div_ceil(self.batch_size.max(1))
    }
}
