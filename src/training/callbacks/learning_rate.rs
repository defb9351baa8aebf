//! Callbacks that set the learning rate. They log the rate of each epoch as `learning_rate`.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{
    Callback, CallbackState, FitInfo, Flow, Logs, Monitor, MonitorState, from_state, say, to_state,
};
use crate::training::TrainerHandle;
use crate::{Error, Result};

/// Sets the learning rate of each epoch to `schedule(epoch, rate)`, given the epoch, counted from
/// 0, and the current rate.
///
/// ```
/// use tallynet::training::LearningRateScheduler;
///
/// let halved = LearningRateScheduler::new(|_epoch, rate| rate / 2.0);
/// ```
#[derive(Debug, Clone)]
pub struct LearningRateScheduler<F> {
    /// Learning rate of an epoch.
    pub schedule: F,
}

impl<F: FnMut(usize, f64) -> f64 + Send> LearningRateScheduler<F> {
    /// Scheduler with this schedule.
    pub fn new(schedule: F) -> Self {
        LearningRateScheduler { schedule }
    }
}

impl<F: FnMut(usize, f64) -> f64 + Send> Callback for LearningRateScheduler<F> {
    fn adds(&self) -> &[&'static str] {
        &["learning_rate"]
    }

    fn on_epoch_begin(&mut self, trainer: &mut TrainerHandle, epoch: usize) -> Result<()> {
        trainer.set_learning_rate((self.schedule)(epoch, trainer.learning_rate()))
    }

    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, _: usize, logs: &mut Logs) -> Flow {
        log_rate(trainer, logs);
        Ok(ControlFlow::Continue(()))
    }
}

/// Reduces the learning rate when a monitored value has stopped improving.
///
/// ```
/// use tallynet::training::ReduceLROnPlateau;
///
/// let reduce = ReduceLROnPlateau { patience: 3, min_lr: 1e-5, ..ReduceLROnPlateau::default() };
/// ```
#[derive(Debug, Clone)]
pub struct ReduceLROnPlateau {
    /// Value to watch. Its `min_delta` defaults to 1e-4 here.
    pub monitor: Monitor,
    /// Factor by which the learning rate is multiplied, below 1.
    pub factor: f64,
    /// Number of epochs with no improvement after which the learning rate is reduced.
    pub patience: usize,
    /// Number of epochs after a reduction that do not count towards the next one.
    pub cooldown: usize,
    /// Lower bound on the learning rate.
    pub min_lr: f64,
    /// True to report reductions on stderr.
    pub verbose: bool,
    /// State, reset when training begins unless it was [restored](ReduceLROnPlateau::restore).
    pub state: ReduceLROnPlateauState,
}

/// State of [`ReduceLROnPlateau`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ReduceLROnPlateauState {
    /// Best value so far.
    pub monitor: MonitorState,
    /// Number of epochs since the last improvement or reduction.
    pub wait: usize,
    /// Number of epochs of cooldown left.
    pub cooldown_counter: usize,
    /// True to keep this state when the next training begins.
    pub restored: bool,
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
            state: ReduceLROnPlateauState::default(),
        }
    }
}

impl ReduceLROnPlateau {
    /// Restores the state of an interrupted training; the next training does not reset it.
    pub fn restore(&mut self, state: ReduceLROnPlateauState) {
        self.state = ReduceLROnPlateauState { restored: true, ..state };
    }

    fn reduce(&mut self, trainer: &mut TrainerHandle, epoch: usize) -> Result<()> {
        let rate = (trainer.learning_rate() * self.factor).max(self.min_lr);
        trainer.set_learning_rate(rate)?;
        self.state.wait = 0;
        self.state.cooldown_counter = self.cooldown;
        let epoch = epoch + 1;
        let text = format!("Epoch {epoch}: ReduceLROnPlateau reducing learning rate to {rate:?}.");
        say(self.verbose, &text);
        Ok(())
    }
}

impl Callback for ReduceLROnPlateau {
    fn state(&mut self) -> Result<CallbackState> {
        to_state(&self.state)
    }

    fn set_state(&mut self, state: CallbackState) -> Result<()> {
        self.restore(from_state(state)?);
        Ok(())
    }

    fn adds(&self) -> &[&'static str] {
        &["learning_rate"]
    }

    fn on_train_begin(&mut self, trainer: &mut TrainerHandle, info: &FitInfo) -> Result<()> {
        if !(0.0..1.0).contains(&self.factor) {
            let range = "ReduceLROnPlateau needs a factor of at least 0 and under 1, and not";
            return Err(Error::option("factor", format!("{range} {}", self.factor)));
        }
        let lower_is_better = self.monitor.resolve(trainer, info)?;
        if !self.state.restored {
            self.state = ReduceLROnPlateauState::default();
        }
        self.state.restored = false;
        self.state.monitor.lower_is_better = lower_is_better;
        // Rejects a schedule before the first step.
        trainer.set_learning_rate(trainer.learning_rate())
    }

    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, epoch: usize, logs: &mut Logs) -> Flow {
        log_rate(trainer, logs);
        let state = &mut self.state;
        if state.cooldown_counter > 0 {
            state.cooldown_counter -= 1;
            state.wait = 0;
        }
        if self.monitor.improves(self.monitor.value(logs)?, &mut state.monitor, trainer) {
            state.wait = 0;
        } else if state.cooldown_counter == 0 {
            state.wait = state.wait.saturating_add(1);
            if state.wait >= self.patience && trainer.learning_rate() > self.min_lr {
                self.reduce(trainer, epoch)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Logs the learning rate, in place of one that another callback logged.
fn log_rate(trainer: &TrainerHandle, logs: &mut Logs) {
    logs.retain(|(name, _)| name != "learning_rate");
    logs.push(("learning_rate".to_string(), trainer.learning_rate()));
}
