//! Options of training that come with a script or a handwritten JSON.

use serde_json::Value;
use tallynet::model::Sequential;

use super::data::DataSource;
use super::{Failure, Outcome, output};

/// Options of training that come with a description.
#[derive(Debug, Default)]
pub struct Plan {
    /// Number of epochs.
    pub epochs: Option<usize>,
    /// Batch size.
    pub batch_size: Option<usize>,
    /// Fraction of the training samples to validate on.
    pub validation_split: Option<f64>,
    /// True to shuffle the training samples in each epoch.
    pub shuffle: Option<bool>,
    /// Callbacks as `{"class_name": …, "config": {…}}`.
    pub callbacks: Vec<Value>,
    /// Data set of Keras that a script loads.
    pub dataset: Option<String>,
    /// Factor of the bytes of the inputs in a script.
    pub byte_scale: Option<f64>,
    /// Parts of a script's `fit` that are ignored.
    pub notes: Vec<String>,
    /// Reason for which the data of a script are not known, with its line.
    pub unknown_data: Option<String>,
    /// Fraction of its data that a script splits off.
    pub test_fraction: Option<f64>,
    /// True for a script.
    pub is_script: bool,
    /// True for a script that trains its model.
    pub has_fit: bool,
}

impl Plan {
    /// Refuses to train a script on other data than those that it loads, unless they are named; a
    /// script whose data set is unknown gets a notice.
    pub fn check_data(&self, source: &DataSource, is_named: bool, model: &Sequential) -> Outcome {
        for note in &self.notes {
            output::notice(&format!("warning: {note}"));
        }
        match &self.unknown_data {
            Some(_) if is_named => {
                output::notice(
                    "The script's own data and their preparation are replaced by --data.",
                );
            }
            Some(reason) => {
                let message = format!("{reason}\n  give the data with --data");
                return Err(Failure::usage(message));
            }
            None => {}
        }
        if !self.is_script || is_named {
            return Ok(());
        }
        match (&self.dataset, source) {
            (_, DataSource::Synthetic(_)) => {}
            (Some(dataset), _) if dataset == "mnist" => {}
            (Some(dataset), _) => {
                let message = format!("the script trains on {dataset}; give it with --data");
                return Err(Failure::usage(message));
            }
            (None, _) if model.input_shape().n_values() != 28 * 28 => {
                let shape = model.input_shape();
                return Err(Failure::usage(format!(
                    "the script loads its data in a way that is not supported, and the model takes \
                     {shape}, which MNIST does not fit; give the data with --data"
                )));
            }
            (None, _) => output::notice(
                "The script loads its data in a way that is not supported: MNIST is used (--data \
                 names others).",
            ),
        }
        Ok(())
    }
}
