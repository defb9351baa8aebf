//! Record of the trainings of a model: where each began, and the logs of its epochs. It travels in
//! the model's file, beside the description of the data.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Trainings of a model, from first to last. A further training is added to them.
///
/// It has no times and no names of outputs, so that the same training gives the same file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrainingRecord {
    /// Calls of `fit`, each with consecutive epochs.
    pub runs: Vec<TrainingRun>,
}

/// One call of `fit`, or several with consecutive epochs. What is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingRun {
    /// Words of the command, without flags that only name outputs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Version of tallynet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Data of the training.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "if_known")]
    pub data: Option<RecordedData>,
    /// Number of samples trained on in each epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_samples: Option<usize>,
    /// Samples that the values of names such as `val_loss` are of.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "if_known")]
    pub validation: Option<Validation>,
    /// Seed of shuffling and dropout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Rows of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Optimizer with its options, as in the model's file.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub optimizer: Value,
    /// Name of the loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<String>,
    /// Fingerprint of the weights at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// First epoch, counted from 0.
    pub first_epoch: usize,
    /// One series for each name in the logs.
    pub series: Vec<LoggedSeries>,
}

/// The value, or `None` if another version wrote it in another form: the record must not make a
/// file unreadable.
fn if_known<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// Data of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedData {
    /// Folder or file.
    Path(String),
    /// Small synthetic task.
    Synthetic,
}

/// Samples that a training validates on, with their number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validation {
    /// Test set.
    TestSet(usize),
    /// Validation set beside the test set.
    Set(usize),
    /// Last samples of the training set.
    Last {
        /// Number of samples.
        n: usize,
        /// Fraction of the training set.
        fraction: f64,
    },
    /// Samples of the training set, drawn by class.
    Drawn {
        /// Number of samples.
        n: usize,
        /// Fraction of the training set.
        fraction: f64,
    },
}

/// Values of one name in the logs, one per epoch of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoggedSeries {
    /// Name: `loss`, `accuracy`, `val_loss`, …
    pub name: String,
    /// Values to seven digits; `None` for an epoch without it, or a value that is not finite.
    pub values: Vec<Option<f64>>,
}

impl TrainingRun {
    /// Values of one name, one per epoch.
    pub fn get(&self, name: &str) -> Option<&[Option<f64>]> {
        self.series.iter().find(|series| series.name == name).map(|series| &series.values[..])
    }

    /// Number of epochs.
    pub fn n_epochs(&self) -> usize {
        self.series.iter().map(|series| series.values.len()).max().unwrap_or(0)
    }

    /// Number of the epoch after the last, counted from 0.
    fn next_epoch(&self) -> usize {
        self.first_epoch.saturating_add(self.n_epochs())
    }

    /// Sets the value of a name in the last of `n_epochs` epochs.
    fn set(&mut self, name: &str, value: f64, n_epochs: usize) {
        let place = self.series.iter().position(|series| series.name == name);
        let place = place.unwrap_or_else(|| {
            self.series.push(LoggedSeries { name: name.to_string(), values: vec![] });
            self.series.len() - 1
        });
        let values = &mut self.series[place].values;
        values.resize(n_epochs, None);
        if let Some(last) = values.last_mut() {
            *last = seven_digits(value);
        }
    }
}

impl TrainingRecord {
    /// True if no training is known.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a run, in place of a last one that ended within its first epoch.
    pub fn begin(&mut self, run: TrainingRun) {
        if self.runs.last().is_some_and(|last| last.n_epochs() == 0) {
            self.runs.pop();
        }
        self.runs.push(run);
    }

    /// Sets the logs of an epoch, counted from 0: the last one of the last run, or the one after
    /// it. Any other begins a run.
    pub fn set_epoch(&mut self, epoch: usize, logs: &[(String, f64)]) {
        let goes_on = match self.runs.last() {
            Some(run) if run.n_epochs() == 0 => true,
            Some(run) => epoch == run.next_epoch() || epoch.saturating_add(1) == run.next_epoch(),
            None => false,
        };
        if !goes_on {
            self.runs.push(TrainingRun::default());
        }
        let Some(run) = self.runs.last_mut() else { return };
        if run.n_epochs() == 0 {
            run.first_epoch = epoch;
        }
        let n_epochs = epoch.saturating_sub(run.first_epoch) + 1;
        for (name, value) in logs {
            run.set(name, *value, n_epochs);
        }
        for series in &mut run.series {
            series.values.resize(n_epochs, None);
        }
    }
}

/// The value to seven digits, which take a third of the room in a file; `None` unless it is finite.
fn seven_digits(value: f64) -> Option<f64> {
    let rounded: Option<f64> = format!("{value:.6e}").parse().ok();
    rounded.filter(|value| value.is_finite())
}
