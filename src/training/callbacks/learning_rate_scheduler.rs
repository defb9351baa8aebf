//! `LearningRateScheduler`: a learning rate for every epoch.

use super::{Callback, Control, Logs, log_learning_rate};
use crate::Result;
use crate::model::Sequential;

/// Sets the learning rate of an epoch, counted from 0, to what a function makes of its number and of the rate before.
/// It is logged as `learning_rate`.
///
/// ```
/// use tallynet::training::LearningRateScheduler;
///
/// let halves = LearningRateScheduler::new(|epoch, rate| if epoch == 0 { rate } else { rate / 2.0 });
/// ```
#[derive(Debug, Clone)]
pub struct LearningRateScheduler<F>(F);

impl<F: FnMut(usize, f64) -> f64 + Send> LearningRateScheduler<F> {
    /// Sets what this function makes of an epoch and of a rate.
    pub fn new(schedule: F) -> Self {
        LearningRateScheduler(schedule)
    }
}

impl<F: FnMut(usize, f64) -> f64 + Send> Callback for LearningRateScheduler<F> {
    fn on_epoch_begin(&mut self, model: &mut Sequential, epoch: usize) -> Result<()> {
        let compiled = model.compiled_mut()?;
        compiled.set_learning_rate((self.0)(epoch, compiled.learning_rate()))
    }

    fn on_epoch_end(&mut self, model: &mut Sequential, _: usize, logs: &mut Logs) -> Result<Control> {
        log_learning_rate(model, logs)?;
        Ok(Control::Continue)
    }
}
