//! What may watch a training, and stop it.

use crate::Result;
use crate::model::Sequential;

/// Named numbers of a batch or an epoch, in the order `loss`, metrics, `val_loss`, validation metrics.
pub type Logs = Vec<(String, f64)>;

/// Whether training goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub trait Callback: Send {
    /// Before the first of `epochs` epochs, each of `batches` batches; `first` counts from 0.
    fn on_train_begin(
        &mut self,
        _model: &mut Sequential,
        _first: usize,
        _epochs: usize,
        _batches: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Before an epoch, counted from 0.
    fn on_epoch_begin(&mut self, _model: &mut Sequential, _epoch: usize) -> Result<()> {
        Ok(())
    }

    /// After a batch, counted from 0: the means of the epoch so far, under `names`. Called in the middle of training,
    /// so it should be quick.
    fn on_batch_end(&mut self, _batch: usize, _names: &[String], _means: &[f64]) {}

    /// After an epoch and its validation. What is added to the logs is recorded in the history.
    fn on_epoch_end(&mut self, _model: &mut Sequential, _epoch: usize, _logs: &mut Logs) -> Result<Control> {
        Ok(Control::Continue)
    }
}
