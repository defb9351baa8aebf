//! What `fit` returns.

use crate::training::Logs;

/// The numbers of every epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The epochs, counted from 0.
    pub epochs: Vec<usize>,
    /// Each name (`loss`, `accuracy`, `val_loss`, …) with its values, one an epoch.
    pub values: Vec<(String, Vec<f64>)>,
    /// Seconds that each epoch's training took, its validation left out.
    pub seconds: Vec<f64>,
}

impl History {
    pub(super) fn record(&mut self, epoch: usize, logs: Logs, seconds: f64) {
        self.epochs.push(epoch);
        self.seconds.push(seconds);
        for (name, value) in logs {
            match self.values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => self.values.push((name, vec![value])),
            }
        }
    }

    /// The values of one name, one an epoch.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, values)| &values[..])
    }

    /// The median of the epochs' training times.
    pub fn median_seconds(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }
}
