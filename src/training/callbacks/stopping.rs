//! Callbacks that end training.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{
    Callback, CallbackState, FitInfo, Flow, Logs, Monitor, MonitorState, NotFiniteLoss, from_state,
    say, to_state,
};
use crate::training::TrainerHandle;
use crate::{Real, Result};

/// Ends training at the first loss that is NaN or infinite, with the history of the earlier epochs.
/// Unlike in Keras, that batch does not change the weights, so they stay finite.
///
/// ```
/// use tallynet::training::{Callback, TerminateOnNaN};
///
/// let callbacks: &mut [&mut dyn Callback] = &mut [&mut TerminateOnNaN];
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminateOnNaN;

impl Callback for TerminateOnNaN {
    fn on_not_finite(&mut self, _: &TrainerHandle, loss: &NotFiniteLoss) -> ControlFlow<()> {
        say(true, &format!("Batch {}: Invalid loss, terminating training", loss.batch));
        ControlFlow::Break(())
    }
}

/// Stops training when a monitored value has stopped improving.
///
/// ```
/// use tallynet::training::EarlyStopping;
///
/// let stopping =
///     EarlyStopping { patience: 3, restore_best_weights: true, ..EarlyStopping::default() };
/// ```
#[derive(Debug, Clone, Default)]
pub struct EarlyStopping {
    /// Value to watch.
    pub monitor: Monitor,
    /// Number of epochs with no improvement after which training stops.
    pub patience: usize,
    /// Value that an improvement must also beat to reset the wait.
    pub baseline: Option<f64>,
    /// True to restore the weights of the best epoch when training ends, stopped early or not.
    pub restore_best_weights: bool,
    /// First epoch to compare, counted from 0.
    pub start_from_epoch: usize,
    /// True to report stopping and restoring on stderr.
    pub verbose: bool,
    /// State, reset when training begins unless it was [restored](EarlyStopping::restore).
    pub state: EarlyStoppingState,
}

/// State of [`EarlyStopping`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyStoppingState {
    /// Best value so far.
    pub monitor: MonitorState,
    /// Number of epochs since the last improvement.
    pub wait: usize,
    /// Epoch, counted from 0, after which this callback stopped the training.
    pub stopped_epoch: Option<usize>,
    /// Best epoch, if its weights are to be restored.
    pub best_epoch: Option<BestEpoch>,
    /// True to keep this state when the next training begins.
    pub restored: bool,
}

/// Epoch with the best monitored value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Epoch, counted from 0.
    pub epoch: usize,
    /// Parameter vector at its end. In a backup it has its own place.
    #[serde(skip)]
    pub weights: Vec<Real>,
}

impl EarlyStopping {
    /// Restores the state of an interrupted training; the next training does not reset it.
    pub fn restore(&mut self, state: EarlyStoppingState) {
        self.state = EarlyStoppingState { stopped_epoch: None, restored: true, ..state };
    }
}

impl Callback for EarlyStopping {
    fn state(&mut self) -> Result<CallbackState> {
        let best = self.state.best_epoch.as_ref();
        let weights = best.map(|best| best.weights.clone()).unwrap_or_default();
        Ok(CallbackState { weights, ..to_state(&self.state)? })
    }

    fn set_state(&mut self, mut state: CallbackState) -> Result<()> {
        let weights = std::mem::take(&mut state.weights);
        self.restore(from_state(state)?);
        if let Some(best) = &mut self.state.best_epoch {
            best.weights = weights;
        }
        Ok(())
    }

    fn on_train_begin(&mut self, trainer: &mut TrainerHandle, info: &FitInfo) -> Result<()> {
        let lower_is_better = self.monitor.resolve(trainer, info)?;
        if !self.state.restored {
            self.state = EarlyStoppingState::default();
        }
        if let Some(best) = &self.state.best_epoch {
            trainer.check_length(&best.weights)?;
        }
        self.state.restored = false;
        self.state.monitor.lower_is_better = lower_is_better;
        Ok(())
    }

    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, epoch: usize, logs: &mut Logs) -> Flow {
        let value = self.monitor.value(logs)?;
        if epoch < self.start_from_epoch {
            return Ok(ControlFlow::Continue(()));
        }
        let state = &mut self.state;
        let better = self.monitor.improves(value, &mut state.monitor, trainer);
        if self.restore_best_weights && (better || state.best_epoch.is_none()) {
            state.best_epoch = Some(BestEpoch { epoch, weights: trainer.weights().to_vec() });
        }
        state.wait = state.wait.saturating_add(1);
        let lower_is_better = state.monitor.lower_is_better;
        if better {
            if self.monitor.beats(value, self.baseline, lower_is_better) {
                state.wait = 0;
            }
        } else if state.wait >= self.patience && epoch > 0 {
            state.stopped_epoch = Some(epoch);
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn on_train_end(&mut self, trainer: &mut TrainerHandle) -> Result<()> {
        if let Some(epoch) = self.state.stopped_epoch {
            say(self.verbose, &format!("Epoch {}: early stopping", epoch + 1));
        }
        if self.restore_best_weights
            && let Some(best) = &self.state.best_epoch
        {
            let text = "Restoring model weights from the end of the best epoch";
            say(self.verbose, &format!("{text}: {}.", best.epoch + 1));
            trainer.set_weights(&best.weights)?;
        }
        Ok(())
    }
}
