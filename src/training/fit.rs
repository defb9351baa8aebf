//! `fit`: epochs of batches, validation and callbacks.

use std::ops::ControlFlow;
use std::time::Instant;

use super::engine::Engine;
use super::engines::Evaluation;
use super::loss_head::{LossHead, MetricSums};
use super::trainer::{reason_of_not_finite, train_step};
use super::{BatchLogs, Callback, FitInfo, History, Logs, NotFiniteLoss, TrainerHandle};
use crate::datasets::Dataset;
use crate::datasets::batches::{Rows, shuffle};
use crate::model::Sequential;
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

/// One run of `fit`.
pub(super) struct Fit<'a, 'd> {
    model: &'a mut Sequential,
    rows: Rows<'d>,
    head: LossHead,
    engine: &'a mut Engine,
    validation: Option<Evaluation<'a, 'd>>,
    options: FitOptions<'d>,
    /// Indices of the rows, in training order.
    order: Vec<u32>,
    /// True if the weights were finite before the first step.
    were_finite: bool,
}

/// Outcome of one epoch.
struct EpochOutcome {
    sums: MetricSums,
    /// True if all its batches were trained on.
    complete: bool,
    flow: ControlFlow<()>,
}

impl<'a, 'd> Fit<'a, 'd> {
    pub fn new(
        model: &'a mut Sequential,
        rows: Rows<'d>,
        head: LossHead,
        engine: &'a mut Engine,
        validation: Option<Evaluation<'a, 'd>>,
        options: FitOptions<'d>,
    ) -> Self {
        let order = (0..rows.len() as u32).collect();
        let were_finite = model.parameters.are_finite();
        Fit { model, rows, head, engine, validation, options, order, were_finite }
    }

    /// Trains all epochs.
    pub fn run(mut self, callbacks: &mut [&mut dyn Callback]) -> Result<History> {
        let mut history = History::default();
        let FitOptions { epochs, initial_epoch, batch_size, .. } = self.options;
        let batches = self.order.len().div_ceil(batch_size);
        let names = self.log_names(callbacks);
        let info = FitInfo { epochs, initial_epoch, batches, names: &names };
        self.notify(callbacks, |callback, trainer| callback.on_train_begin(trainer, &info))?;
        for epoch in initial_epoch..epochs {
            self.notify(callbacks, |callback, trainer| callback.on_epoch_begin(trainer, epoch))?;
            if self.options.shuffle {
                shuffle(&mut self.order, self.model.seed, self.model.epochs_done);
            }
            let start = Instant::now();
            let Some(outcome) = self.epoch(epoch, callbacks)? else { break };
            let seconds = start.elapsed().as_secs_f64();
            // No later loss would reveal a non-finite final update, so check the weights.
            if !self.model.parameters.are_finite() {
                return Err(self.not_finite(epoch, batches - 1, f64::NAN));
            }
            // An epoch that a callback ended early is repeated when training resumes.
            if outcome.complete {
                self.model.epochs_done = self.model.epochs_done.saturating_add(1);
            }
            let mut logs = self.logs(&outcome.sums);
            let mut flow = outcome.flow;
            for callback in callbacks.iter_mut() {
                let mut handle = TrainerHandle::new(self.model);
                if callback.on_epoch_end(&mut handle, epoch, &mut logs)?.is_break() {
                    flow = ControlFlow::Break(());
                }
            }
            history.record(epoch, logs, seconds);
            if flow.is_break() {
                break;
            }
        }
        self.notify(callbacks, |callback, trainer| callback.on_train_end(trainer))?;
        Ok(history)
    }

    /// Calls a hook of every callback.
    fn notify(
        &mut self,
        callbacks: &mut [&mut dyn Callback],
        hook: impl Fn(&mut dyn Callback, &mut TrainerHandle) -> Result<()>,
    ) -> Result<()> {
        let mut trainer = TrainerHandle::new(self.model);
        callbacks.iter_mut().try_for_each(|callback| hook(&mut **callback, &mut trainer))
    }

    /// Trains one epoch. `None` if a callback ended training at a loss that is not finite.
    fn epoch(
        &mut self,
        epoch: usize,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Option<EpochOutcome>> {
        let mut sums = MetricSums::ZERO;
        let mut flow = ControlFlow::Continue(());
        let mut complete = true;
        let batch_size = self.options.batch_size;
        for (batch, indices) in self.order.chunks(batch_size).enumerate() {
            let next = &self.order[((batch + 1) * batch_size).min(self.order.len())..];
            let (head, rows) = (&self.head, &self.rows);
            let part = train_step(self.model, self.engine, head, rows, indices, next);
            let loss = part.mean_loss();
            if !loss.is_finite() {
                let failed = NotFiniteLoss { epoch, batch, loss };
                let handle = TrainerHandle::new(self.model);
                for callback in callbacks.iter_mut() {
                    if callback.on_not_finite(&handle, &failed).is_break() {
                        return Ok(None);
                    }
                }
                return Err(self.not_finite(epoch, batch, loss));
            }
            sums.add(&part);
            let (names, means) = (&self.head.names, self.head.means(&sums));
            let logs = BatchLogs { names, means: &means[..names.len()] };
            let handle = TrainerHandle::new(self.model);
            for callback in callbacks.iter_mut() {
                if callback.on_batch_end(&handle, batch, &logs)?.is_break() {
                    flow = ControlFlow::Break(());
                }
            }
            if flow.is_break() {
                complete = next.is_empty();
                break;
            }
        }
        Ok(Some(EpochOutcome { sums, complete, flow }))
    }

    /// Loss and metrics of an epoch, then those of its validation.
    fn logs(&mut self, sums: &MetricSums) -> Logs {
        let mut logs: Logs = self.head.names.iter().cloned().zip(self.head.means(sums)).collect();
        if let Some(validation) = &mut self.validation {
            let means = self.head.means(&validation.run(self.model));
            let names = self.head.names.iter().map(|name| format!("val_{name}"));
            logs.extend(names.zip(means));
        }
        logs
    }

    /// Names in the logs of an epoch, including those that callbacks add.
    fn log_names(&self, callbacks: &[&mut dyn Callback]) -> Vec<String> {
        let mut names = self.head.names.clone();
        if self.validation.is_some() {
            names.extend(self.head.names.iter().map(|name| format!("val_{name}")));
        }
        for callback in callbacks {
            names.extend(callback.adds().iter().map(ToString::to_string));
        }
        names
    }

    /// The error for a loss that is not finite; epoch and batch are counted from 0.
    fn not_finite(&self, epoch: usize, batch: usize, loss: f64) -> Error {
        let reason = reason_of_not_finite(self.were_finite, &self.rows);
        Error::NotFinite { epoch: epoch + 1, batch: batch + 1, loss, reason }
    }
}
