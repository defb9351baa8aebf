//! Callbacks: the trait, and those of Keras.
//!
//! All have the same structure: options are public fields, with defaults from `default()` or
//! `new(path)`, and the public field `state` holds the values that change during training.

mod backup_and_restore;
mod csv_logger;
mod learning_rate;
mod model_checkpoint;
mod monitor;
mod stopping;

pub use backup_and_restore::{BackupAndRestore, BackupEvery, BackupState};
pub use csv_logger::{CSVLogger, CSVLoggerState};
pub use learning_rate::{LearningRateScheduler, ReduceLROnPlateau, ReduceLROnPlateauState};
pub use model_checkpoint::ModelCheckpoint;
pub use monitor::{Mode, Monitor, MonitorState};
pub use stopping::{BestEpoch, EarlyStopping, EarlyStoppingState, TerminateOnNaN};

use std::io::{IsTerminal, Write, stderr};
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TrainerHandle;
use crate::formats::CallbackState;
use crate::{Error, Result};

/// Named values of an epoch in the order `loss`, metrics, `val_loss`, validation metrics.
pub type Logs = Vec<(String, f64)>;

/// Result of a hook that can stop training, with `Break`.
pub type Flow = Result<ControlFlow<()>>;

/// Epochs, batches and log names of a training, known before its first epoch.
#[derive(Debug, Clone, Copy)]
pub struct FitInfo<'a> {
    /// End of the epochs, exclusive: `initial_epoch..epochs` are run, unless a callback stops.
    pub epochs: usize,
    /// First epoch, counted from 0.
    pub initial_epoch: usize,
    /// Number of batches per epoch.
    pub batches: usize,
    /// Names in the logs of each epoch, including those that callbacks [add](Callback::adds).
    pub names: &'a [String],
}

/// Loss and metrics within an epoch.
#[derive(Debug, Clone, Copy)]
pub struct BatchLogs<'a> {
    /// `loss` and the names of the metrics.
    pub names: &'a [String],
    /// Mean of each over the batches of this epoch so far.
    pub means: &'a [f64],
}

/// Loss that is NaN or infinite.
#[derive(Debug, Clone, Copy)]
pub struct NotFiniteLoss {
    /// Epoch, counted from 0.
    pub epoch: usize,
    /// Batch, counted from 0.
    pub batch: usize,
    /// Loss of that batch.
    pub loss: f64,
}

/// Hooks that `fit` calls. By default they do nothing. An error from a hook ends training;
/// [`Error::callback`](crate::Error::callback) makes one of any other error.
///
/// ```
/// use std::ops::ControlFlow;
/// use tallynet::Error;
/// use tallynet::training::{Callback, Flow, Logs, TrainerHandle};
///
/// struct StopAbove(f64);
/// impl Callback for StopAbove {
///     fn on_epoch_end(&mut self, _: &mut TrainerHandle, _: usize, logs: &mut Logs) -> Flow {
///         let Some((_, value)) = logs.iter().find(|(name, _)| name == "val_accuracy") else {
///             return Err(Error::callback("there is no val_accuracy to watch"));
///         };
///         Ok(if *value > self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
///     }
/// }
/// ```
pub trait Callback: Send {
    /// Names of the values that [`Callback::on_epoch_end`] adds to the logs.
    fn adds(&self) -> &[&'static str] {
        &[]
    }

    /// Called before the first epoch.
    fn on_train_begin(&mut self, _: &mut TrainerHandle, _info: &FitInfo) -> Result<()> {
        Ok(())
    }

    /// Called before each epoch. As in Keras, `fit` counts epochs from its `initial_epoch`.
    fn on_epoch_begin(&mut self, _: &mut TrainerHandle, _epoch: usize) -> Result<()> {
        Ok(())
    }

    /// Called after each batch, counted from 0; should be fast. `Break` ends training after this
    /// batch; validation and `on_epoch_end` of its epoch still run.
    fn on_batch_end(&mut self, _: &TrainerHandle, _batch: usize, _logs: &BatchLogs) -> Flow {
        Ok(ControlFlow::Continue(()))
    }

    /// Called if the loss of a batch is not finite, before any weight changes. If a callback
    /// returns `Break`, training ends with the history of the earlier epochs; otherwise with an
    /// error.
    fn on_not_finite(&mut self, _: &TrainerHandle, _loss: &NotFiniteLoss) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Called after each epoch and its validation. The history records values added to the logs.
    /// `Break` stops training.
    fn on_epoch_end(&mut self, _: &mut TrainerHandle, _epoch: usize, _logs: &mut Logs) -> Flow {
        Ok(ControlFlow::Continue(()))
    }

    /// Called after the last epoch, even if a callback stopped training, but not if it was
    /// [interrupted](crate::training::FitOptions::interrupt).
    fn on_train_end(&mut self, _: &mut TrainerHandle) -> Result<()> {
        Ok(())
    }

    /// State to keep in a backup. By default there is none.
    fn state(&mut self) -> Result<CallbackState> {
        Ok(CallbackState::default())
    }

    /// Takes over the state of an interrupted training. Called before
    /// [`Callback::on_train_begin`], which then does not reset it.
    fn set_state(&mut self, _: CallbackState) -> Result<()> {
        Ok(())
    }

    /// The callback itself, if it keeps the backup of the training.
    #[doc(hidden)]
    fn as_backup(&mut self) -> Option<&mut BackupAndRestore> {
        None
    }

    /// Called in place of [`Callback::on_train_end`] if training was interrupted.
    fn on_interrupt(&mut self, _: &TrainerHandle) -> Result<()> {
        Ok(())
    }
}

/// State of a callback as JSON.
fn to_state(state: &impl Serialize) -> Result<CallbackState> {
    let values = serde_json::to_value(state).map_err(Error::callback)?;
    Ok(CallbackState { values, ..CallbackState::default() })
}

/// State of a callback from JSON.
fn from_state<T: DeserializeOwned>(state: CallbackState) -> Result<T> {
    serde_json::from_value(state.values).map_err(|error| {
        let found = format!("the backup holds no state of this callback ({error})");
        Error::format(found, "give the callbacks of the run that made the backup, in their order")
    })
}

/// Value of a name in the logs.
fn logged(logs: &Logs, name: &str) -> Option<f64> {
    logs.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
}

/// Logs with the names of an epoch and placeholder values.
fn placeholder_logs(info: &FitInfo) -> Logs {
    info.names.iter().map(|name| (name.clone(), 0.5)).collect()
}

/// Names in the logs, for error messages.
fn names(logs: &Logs) -> String {
    logs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Prints to stderr if `verbose`, on a terminal below the progress bar. Ignores write errors.
fn say(verbose: bool, text: &str) {
    if verbose {
        let line_break = if stderr().is_terminal() { "\n" } else { "" };
        let _ = writeln!(stderr(), "{line_break}{text}");
    }
}
