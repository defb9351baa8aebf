//! `ReduceLROnPlateau`: shorter steps once a number has stopped getting better.

use super::{Callback, Control, Logs, Monitor, log_learning_rate, say};
use crate::model::Sequential;
use crate::{Error, Result};

/// Multiplies the learning rate by `factor` when `patience` epochs one after the other were no better than the best
/// before them. The rate that an epoch was trained with is logged as `learning_rate`.
#[derive(Debug, Clone)]
pub struct ReduceLROnPlateau {
    /// What is watched. Here a change of less than 1e-4 is none, if nothing else is said.
    pub monitor: Monitor,
    /// What the learning rate is multiplied by, under 1.
    pub factor: f64,
    /// Epochs without improvement that are borne.
    pub patience: usize,
    /// Epochs after a reduction in which none is counted.
    pub cooldown: usize,
    /// The learning rate that is never gone below.
    pub min_lr: f64,
    /// Whether reductions are told on stderr.
    pub verbose: bool,
    /// Epochs waited so far.
    pub wait: usize,
    /// Epochs of cooldown left.
    pub cooldown_counter: usize,
}

impl Default for ReduceLROnPlateau {
    fn default() -> Self {
        ReduceLROnPlateau {
            monitor: Monitor { min_delta: 1e-4, ..Monitor::default() },
            factor: 0.1,
            patience: 10,
            cooldown: 0,
            min_lr: 0.0,
            verbose: false,
            wait: 0,
            cooldown_counter: 0,
        }
    }
}

impl Callback for ReduceLROnPlateau {
    fn on_train_begin(&mut self, model: &mut Sequential, _: usize, _: usize, _: usize) -> Result<()> {
        if !(0.0..1.0).contains(&self.factor) {
            let what = format!("ReduceLROnPlateau needs a factor of at least 0 and under 1, and not {}", self.factor);
            return Err(Error::Argument(what));
        }
        (self.wait, self.cooldown_counter, self.monitor.best) = (0, 0, None);
        let compiled = model.compiled_mut()?;
        compiled.set_learning_rate(compiled.learning_rate())
    }

    fn on_epoch_end(&mut self, model: &mut Sequential, epoch: usize, logs: &mut Logs) -> Result<Control> {
        log_learning_rate(model, logs)?;
        let value = self.monitor.value(logs)?;
        if self.cooldown_counter > 0 {
            self.cooldown_counter -= 1;
            self.wait = 0;
        }
        if self.monitor.improves(value)? {
            self.wait = 0;
        } else if self.cooldown_counter == 0 {
            self.wait += 1;
            let compiled = model.compiled_mut()?;
            let rate = compiled.learning_rate();
            if self.wait >= self.patience && rate > self.min_lr {
                let rate = (rate * self.factor).max(self.min_lr);
                compiled.set_learning_rate(rate)?;
                say(
                    self.verbose,
                    &format!("Epoch {}: ReduceLROnPlateau reducing learning rate to {rate:?}.", epoch + 1),
                );
                (self.wait, self.cooldown_counter) = (0, self.cooldown);
            }
        }
        Ok(Control::Continue)
    }
}
