//! `TrainerHandle`: access of callbacks to the model in training.

use crate::model::Sequential;
use crate::{Error, Real, Result};

/// View of the model in training for callbacks. They can read all of it and change its weights and
/// its learning rate, but not replace the model, because all buffers are sized for it.
#[derive(Debug)]
pub struct TrainerHandle<'a> {
    model: &'a mut Sequential,
}

impl<'a> TrainerHandle<'a> {
    pub(super) fn new(model: &'a mut Sequential) -> Self {
        TrainerHandle { model }
    }

    /// Model in training.
    pub fn model(&self) -> &Sequential {
        self.model
    }

    /// Parameter vector: the values of all arrays, in the model's order.
    pub fn weights(&self) -> &[Real] {
        &self.model.parameters.values
    }

    /// Replaces all values of the parameter vector. Another length is an error.
    pub fn set_weights(&mut self, weights: &[Real]) -> Result<()> {
        self.check_length(weights)?;
        self.model.parameters.values.copy_from_slice(weights);
        Ok(())
    }

    /// Rejects a parameter vector of another length than the model's.
    pub(super) fn check_length(&self, weights: &[Real]) -> Result<()> {
        let (found, expected) = (weights.len(), self.weights().len());
        if found == expected {
            return Ok(());
        }
        let problem =
            format!("a callback has {found} weights for a model with {expected} parameters");
        Err(Error::weights("weights", problem))
    }

    /// Learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.model.compiled().map_or(0.0, |compiled| compiled.learning_rate())
    }

    /// Sets the learning rate of the following steps. A rate out of range is an error, as is an
    /// optimizer whose rate follows a schedule.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.model.compiled_mut()?.set_learning_rate(rate)
    }

    /// Records the best value so far of a name in the logs, which is saved with the model.
    pub(super) fn record_best(&mut self, name: &str, value: f64) {
        // An infinite loss is better than none, but JSON has no number for it.
        if value.is_finite() {
            self.model.best.insert(name.to_string(), value);
        }
    }

    /// Number of optimizer steps taken, those of earlier runs included.
    pub fn iteration(&self) -> u64 {
        self.model.compiled().map_or(0, |compiled| compiled.state().iteration)
    }
}
