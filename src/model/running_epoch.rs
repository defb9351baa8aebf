//! The epoch in whose middle a training was interrupted.

use serde::{Deserialize, Serialize};

use super::Sequential;

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

impl Sequential {
    /// End of what was trained: `epoch 3, batch 57 of 469`, or `epoch 2` if that is complete.
    pub fn trained_until(&self) -> String {
        let epochs = self.epochs_done;
        match &self.running_epoch {
            Some(running) => {
                let (batches, all) = (running.batches, running.all_batches());
                format!("epoch {}, batch {batches} of {all}", epochs.saturating_add(1))
            }
            None => format!("epoch {epochs}"),
        }
    }
}
