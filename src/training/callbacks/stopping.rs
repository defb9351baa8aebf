//! The callbacks that end training.

use super::{Callback, Control, Course, Logs, Monitor, say};
use crate::model::Sequential;
use crate::{Real, Result};

/// Ends training at the first batch whose loss is NaN or infinite, with the history of the epochs
/// before. Unlike in Keras, the weights are those before that batch, and finite.
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminateOnNaN;

impl Callback for TerminateOnNaN {
    fn on_not_finite(&mut self, _epoch: usize, batch: usize, _loss: f64) -> Control {
        say(true, &format!("Batch {batch}: Invalid loss, terminating training"));
        Control::Stop
    }
}

/// Stops when `patience` epochs one after the other were no better than the best before them.
#[derive(Debug, Clone, Default)]
pub struct EarlyStopping {
    /// What is watched.
    pub monitor: Monitor,
    /// Epochs without improvement that are borne.
    pub patience: usize,
    /// A value to be beaten too before the waiting starts anew.
    pub baseline: Option<f64>,
    /// Whether the model ends, stopped or not, with the weights of its best epoch.
    pub restore_best_weights: bool,
    /// The first epoch, counted from 0, that is looked at.
    pub start_from_epoch: usize,
    /// Whether stopping and restoring are told on stderr.
    pub verbose: bool,
    /// Epochs waited so far.
    pub wait: usize,
    /// The epoch, counted from 0, that training was stopped after.
    pub stopped_epoch: Option<usize>,
    /// The best epoch, counted from 0, and the weights at its end.
    pub best: Option<(usize, Vec<Real>)>,
}

impl Callback for EarlyStopping {
    fn on_train_begin(&mut self, _: &mut Sequential, course: &Course) -> Result<()> {
        self.monitor.check(course)?;
        (self.wait, self.stopped_epoch, self.best, self.monitor.best) = (0, None, None, None);
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        model: &mut Sequential,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<Control> {
        let value = self.monitor.value(logs)?;
        if epoch < self.start_from_epoch {
            return Ok(Control::Continue);
        }
        let better = self.monitor.improves(value)?;
        if self.restore_best_weights && (better || self.best.is_none()) {
            self.best = Some((epoch, model.parameters.values.clone()));
        }
        self.wait += 1;
        if better {
            if self.baseline.is_none() || self.monitor.beats(value, self.baseline)? {
                self.wait = 0;
            }
        } else if self.wait >= self.patience && epoch > 0 {
            self.stopped_epoch = Some(epoch);
            return Ok(Control::Stop);
        }
        Ok(Control::Continue)
    }

    fn on_train_end(&mut self, model: &mut Sequential) -> Result<()> {
        if let Some(epoch) = self.stopped_epoch {
            say(self.verbose, &format!("Epoch {}: early stopping", epoch + 1));
        }
        if let Some((epoch, weights)) = &self.best {
            say(
                self.verbose,
                &format!("Restoring model weights from the end of the best epoch: {}.", epoch + 1),
            );
            model.parameters.values.copy_from_slice(weights);
        }
        Ok(())
    }
}
