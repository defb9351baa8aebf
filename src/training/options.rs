//! `FitOptions`: the arguments of `fit`.

use std::sync::atomic::AtomicBool;

#[cfg(doc)]
use super::Callback;
use crate::datasets::Dataset;
use crate::{Error, Real, Result};

/// Options of `fit`. The defaults are Keras's.
///
/// ```
/// use tallynet::training::FitOptions;
///
/// let options = FitOptions { epochs: 5, validation_split: 0.1, ..FitOptions::default() };
/// assert_eq!(options.batch_size, 32);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FitOptions<'a> {
    /// Rows of a batch. The last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// End of training, exclusive: the number of epochs, unless `initial_epoch` is set.
    pub epochs: usize,
    /// First epoch, counted from 0, in callbacks and logs of a resumed training.
    pub initial_epoch: usize,
    /// True to shuffle the rows before each epoch.
    pub shuffle: bool,
    /// Dataset that is evaluated after every epoch.
    pub validation_data: Option<&'a Dataset>,
    /// Fraction of the rows, taken from the end, used for validation. Ignored if `validation_data`
    /// is set.
    pub validation_split: f64,
    /// Weight of each row's loss, including the validation split, as in Keras. Metrics ignore it.
    /// Not allowed together with `class_weight`.
    pub sample_weight: Option<&'a [Real]>,
    /// Weight of a row's loss by its class; 1 for classes not listed.
    pub class_weight: Option<&'a [(usize, Real)]>,
    /// Flag that ends training after the batch during which it is set, without validation, end of
    /// the epoch or [`Callback::on_train_end`]. The model then holds one moment of the training,
    /// saved with it, and the next `fit` on the same data continues with the next batch.
    pub interrupt: Option<&'a AtomicBool>,
}

impl Default for FitOptions<'_> {
    fn default() -> Self {
        FitOptions {
            batch_size: 32,
            epochs: 1,
            initial_epoch: 0,
            shuffle: true,
            validation_data: None,
            validation_split: 0.0,
            sample_weight: None,
            class_weight: None,
            interrupt: None,
        }
    }
}

impl FitOptions<'_> {
    pub(super) fn validate(&self) -> Result<()> {
        if self.batch_size > 0 {
            return Ok(());
        }
        Err(Error::option("batch_size", "a batch has at least 1 row; 0 were asked for"))
    }
}
