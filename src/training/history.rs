//! `History`: the result of `fit`.

use serde::{Deserialize, Serialize};

use crate::formats::exact;
use crate::training::Logs;

/// Logs of all epochs of a training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Epochs, counted from 0.
    pub epochs: Vec<usize>,
    /// One series for each name: `loss`, `accuracy`, `val_loss`, …
    pub series: Vec<Series>,
    /// Training time of each epoch in seconds, without its validation.
    pub seconds: Vec<f64>,
}

/// Values of one name in the logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name in the logs.
    pub name: String,
    /// Value of each epoch.
    #[serde(with = "exact::list")]
    pub values: Vec<f64>,
}

impl History {
    pub(super) fn record(&mut self, epoch: usize, logs: Logs, seconds: f64) {
        self.epochs.push(epoch);
        self.seconds.push(seconds);
        for (name, value) in logs {
            match self.series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.values.push(value),
                None => self.series.push(Series { name, values: vec![value] }),
            }
        }
    }

    /// Values of one name, one per epoch.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.series.iter().find(|series| series.name == name).map(|series| &series.values[..])
    }

    /// Median training time of an epoch in seconds.
    pub fn median_seconds(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }
}
