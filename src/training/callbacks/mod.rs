//! What may watch a training, change it and stop it: the trait, and Keras's own.

mod csv_logger;
mod learning_rate;
mod model_checkpoint;
mod monitor;
mod stopping;

pub use csv_logger::CSVLogger;
pub use learning_rate::{LearningRateScheduler, ReduceLROnPlateau};
pub use model_checkpoint::ModelCheckpoint;
pub use monitor::{Mode, Monitor};
pub use stopping::{EarlyStopping, TerminateOnNaN};

use std::io::{IsTerminal, Write, stderr};

use crate::Result;
use crate::model::Sequential;

/// Named numbers of a batch or an epoch, in the order `loss`, metrics, `val_loss`, validation
/// metrics.
pub type Logs = Vec<(String, f64)>;

/// What a training is going to be.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// The epochs, unless something ends it earlier.
    pub epochs: usize,
    /// The batches of an epoch.
    pub batches: usize,
    /// The names that the logs of an epoch will have, with those that callbacks
    /// [add](Callback::adds).
    pub names: &'a [String],
}

/// Whether training goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    /// On to the next epoch.
    Continue,
    /// This epoch was the last.
    Stop,
}

/// Called while a model is trained. Every method does nothing by default.
///
/// ```
/// use tallynet::model::Sequential;
/// use tallynet::training::{Callback, Control, Logs};
///
/// struct StopWhenGood;
/// impl Callback for StopWhenGood {
///     fn on_epoch_end(&mut self, _: &mut Sequential, _: usize, logs: &mut Logs) -> tallynet::Result<Control> {
///         let good = logs.iter().any(|(name, value)| name == "val_accuracy" && *value > 0.9);
///         Ok(if good { Control::Stop } else { Control::Continue })
///     }
/// }
/// ```
///
/// A callback may change the model, but not put another in its place: that ends the training with
/// an error.
pub trait Callback: Send {
    /// The names of the numbers that it adds to the logs of an epoch, for others to watch.
    fn adds(&self) -> &[&'static str] {
        &[]
    }

    /// Before the first epoch.
    fn on_train_begin(&mut self, _model: &mut Sequential, _course: &Course) -> Result<()> {
        Ok(())
    }

    /// Before an epoch. As in Keras, each `fit` counts its epochs from 0.
    fn on_epoch_begin(&mut self, _model: &mut Sequential, _epoch: usize) -> Result<()> {
        Ok(())
    }

    /// After a batch, counted from 0: the means of the epoch so far, under `names`. Called in the
    /// middle of training, so it should be quick. Stop ends the epoch here, which is then the last;
    /// what follows an epoch still does.
    fn on_batch_end(&mut self, _batch: usize, _names: &[String], _means: &[f64]) -> Control {
        Control::Continue
    }

    /// When the loss of a batch, counted from 0, is not a finite number; nothing has moved yet.
    /// Where a callback says stop, training ends here with the history of the epochs before; where
    /// none does, with an error.
    fn on_not_finite(&mut self, _epoch: usize, _batch: usize, _loss: f64) -> Control {
        Control::Continue
    }

    /// After an epoch and its validation. What is added to the logs is recorded in the history.
    fn on_epoch_end(
        &mut self,
        _model: &mut Sequential,
        _epoch: usize,
        _logs: &mut Logs,
    ) -> Result<Control> {
        Ok(Control::Continue)
    }

    /// After the last epoch, be it the last of all or the one that a callback stopped at.
    fn on_train_end(&mut self, _model: &mut Sequential) -> Result<()> {
        Ok(())
    }
}

/// The number of this name.
fn logged(logs: &Logs, name: &str) -> Option<f64> {
    logs.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
}

/// The logs that a training is going to have, with a number for each name.
fn expected(course: &Course) -> Logs {
    course.names.iter().map(|name| (name.clone(), 0.5)).collect()
}

/// The names that there are, for an error.
fn names(logs: &Logs) -> String {
    logs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Says something on stderr, on a terminal below the bar that may be there. Nobody need listen.
fn say(verbose: bool, text: &str) {
    if verbose {
        let _ = writeln!(stderr(), "{}{text}", if stderr().is_terminal() { "\n" } else { "" });
    }
}
