//! `History`: the result of `fit`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::training::Logs;

/// Logs of all epochs of a training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Epochs, counted from 0.
    pub epochs: Vec<usize>,
    /// One series for each name: `loss`, `accuracy`, `val_loss`, …
    pub series: Vec<Series>,
    /// Training time of each epoch in seconds, without its validation.
    pub seconds: Vec<f64>,
}

/// Values of one name in the logs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Name in the logs.
    pub name: String,
    /// Value of each epoch.
    pub values: Vec<f64>,
}

impl History {
    /// The history without the times, its values as bits: JSON has no number for each.
    pub(super) fn to_exact(&self) -> Value {
        let mut series = vec![];
        for Series { name, values } in &self.series {
            let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
            series.push(json!({ "name": name, "bits": bits }));
        }
        json!({ "epochs": self.epochs, "seconds": self.seconds, "series": series })
    }

    /// The history of [`History::to_exact`].
    pub(super) fn from_exact(value: &Value) -> Option<History> {
        let mut history = History {
            epochs: Vec::deserialize(&value["epochs"]).ok()?,
            seconds: Vec::deserialize(&value["seconds"]).ok()?,
            series: vec![],
        };
        for series in value["series"].as_array()? {
            let bits = Vec::<u64>::deserialize(&series["bits"]).ok()?;
            let values = bits.into_iter().map(f64::from_bits).collect();
            history.series.push(Series { name: series["name"].as_str()?.to_string(), values });
        }
        Some(history)
    }

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
