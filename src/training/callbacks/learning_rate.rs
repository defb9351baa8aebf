//! The callbacks that set the learning rate. The rate that an epoch was trained with is logged as
//! `learning_rate`.

use super::{Callback, Control, Course, Logs, Monitor, say};
use crate::model::Sequential;
use crate::{Error, Result};

/// Sets the learning rate of an epoch, counted from 0, to what a function makes of its number and
/// of the rate before.
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
    fn adds(&self) -> &[&'static str] {
        &["learning_rate"]
    }

    fn on_epoch_begin(&mut self, model: &mut Sequential, epoch: usize) -> Result<()> {
        let compiled = model.compiled_mut()?;
        compiled.set_learning_rate((self.0)(epoch, compiled.learning_rate()))
    }

    fn on_epoch_end(
        &mut self,
        model: &mut Sequential,
        _: usize,
        logs: &mut Logs,
    ) -> Result<Control> {
        log_rate(model, logs)
    }
}

/// Multiplies the learning rate by `factor` when `patience` epochs one after the other were no
/// better than the best before them.
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
    fn adds(&self) -> &[&'static str] {
        &["learning_rate"]
    }

    fn on_train_begin(&mut self, model: &mut Sequential, course: &Course) -> Result<()> {
        if !(0.0..1.0).contains(&self.factor) {
            let what = format!(
                "ReduceLROnPlateau needs a factor of at least 0 and under 1, and not {}",
                self.factor
            );
            return Err(Error::option("factor", what));
        }
        self.monitor.check(course)?;
        (self.wait, self.cooldown_counter, self.monitor.best) = (0, 0, None);
        let compiled = model.compiled_mut()?;
        compiled.set_learning_rate(compiled.learning_rate())
    }

    fn on_epoch_end(
        &mut self,
        model: &mut Sequential,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<Control> {
        log_rate(model, logs)?;
        if self.cooldown_counter > 0 {
            self.cooldown_counter -= 1;
            self.wait = 0;
        }
        if self.monitor.improves(self.monitor.value(logs)?)? {
            self.wait = 0;
        } else if self.cooldown_counter == 0 {
            self.wait += 1;
            let compiled = model.compiled_mut()?;
            let rate = compiled.learning_rate();
            if self.wait >= self.patience && rate > self.min_lr {
                let rate = (rate * self.factor).max(self.min_lr);
                compiled.set_learning_rate(rate)?;
                let text = format!(
                    "Epoch {}: ReduceLROnPlateau reducing learning rate to {rate:?}.",
                    epoch + 1
                );
                say(self.verbose, &text);
                (self.wait, self.cooldown_counter) = (0, self.cooldown);
            }
        }
        Ok(Control::Continue)
    }
}

/// Puts the learning rate into the logs, once.
fn log_rate(model: &Sequential, logs: &mut Logs) -> Result<Control> {
    logs.retain(|(name, _)| name != "learning_rate");
    logs.push(("learning_rate".to_string(), model.compiled()?.learning_rate()));
    Ok(Control::Continue)
}
