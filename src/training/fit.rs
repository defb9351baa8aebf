//! `fit`: epochs of batches, validation and callbacks.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::Value;

use super::engine::Engine;
use super::engines::Evaluation;
use super::loss_head::{MetricSums, Objective};
use super::ranks;
use super::{
    BatchLogs, Callback, FitInfo, FitOptions, History, Logs, NotFiniteLoss, TrainerHandle,
};
use crate::datasets::batches::{Rows, shuffle};
use crate::model::Sequential;
use crate::{Error, Result};

/// One run of `fit`.
pub(super) struct Fit<'a, 'd> {
    pub(super) model: &'a mut Sequential,
    pub(super) objective: Objective<'d>,
    engine: &'a mut Engine,
    pub(super) validation: Option<Evaluation<'a, 'd>>,
    pub(super) options: FitOptions<'d>,
    /// Indices of the rows, in training order.
    pub(super) order: Vec<u32>,
    /// True if the weights were finite before the first step.
    were_finite: bool,
    /// Batches of the running epoch that are done, and their sums.
    pub(super) batches_done: usize,
    pub(super) sums: MetricSums,
    pub(super) history: History,
    /// Description of this run for its backups, if any are made.
    pub(super) run: Value,
}

/// End of an epoch, or of its batches.
#[derive(PartialEq)]
enum EpochEnd {
    Complete,
    /// A callback stopped training.
    Stopped,
    /// A callback ended training at a loss that is not finite.
    NotFinite,
    Interrupted,
}

impl<'a, 'd> Fit<'a, 'd> {
    pub fn new(
        model: &'a mut Sequential,
        objective: Objective<'d>,
        engine: &'a mut Engine,
        validation: Option<Evaluation<'a, 'd>>,
        options: FitOptions<'d>,
    ) -> Self {
        let order = (0..objective.rows.len() as u32).collect();
        let were_finite = model.parameters.are_finite();
        Fit {
            model,
            objective,
            engine,
            validation,
            options,
            order,
            were_finite,
            batches_done: 0,
            sums: MetricSums::default(),
            history: History::default(),
            run: Value::Null,
        }
    }

    /// Trains all epochs.
    pub fn run(mut self, callbacks: &mut [&mut dyn Callback]) -> Result<History> {
        // The first rank has the callbacks; the others follow what they change.
        let callbacks = if ranks::is_first() { callbacks } else { &mut [] };
        let _running = self.begin()?;
        self.restart(callbacks)?;
        self.follow_first_rank()?;
        let FitOptions { epochs, batch_size, .. } = self.options;
        let initial_epoch = self.options.initial_epoch.saturating_add(self.history.epochs.len());
        let batches = self.order.len().div_ceil(batch_size);
        let names = self.log_names(callbacks);
        let info = FitInfo { epochs, initial_epoch, batches, names: &names };
        self.notify(callbacks, |callback, trainer| callback.on_train_begin(trainer, &info))?;
        if initial_epoch < epochs {
            self.go_on();
            self.back_up(callbacks)?;
        }
        for epoch in initial_epoch..epochs {
            match self.epoch(epoch, callbacks)? {
                EpochEnd::Complete => self.back_up_if_due(callbacks, true)?,
                EpochEnd::Stopped | EpochEnd::NotFinite => break,
                EpochEnd::Interrupted => return self.interrupt(callbacks),
            }
        }
        self.notify(callbacks, |callback, trainer| callback.on_train_end(trainer))?;
        self.follow_first_rank()?;
        Ok(self.history)
    }

    /// Trains one epoch, and validates.
    fn epoch(&mut self, epoch: usize, callbacks: &mut [&mut dyn Callback]) -> Result<EpochEnd> {
        let [is_interrupted] = ranks::any([self.is_interrupted()]);
        if is_interrupted {
            return Ok(EpochEnd::Interrupted);
        }
        if self.batches_done == 0 {
            self.notify(callbacks, |each, trainer| each.on_epoch_begin(trainer, epoch))?;
        }
        self.follow_first_rank()?;
        if self.options.shuffle {
            shuffle(&mut self.order, self.model.seed, self.model.epochs_done);
        }
        let start = Instant::now();
        let end = self.batches(epoch, callbacks)?;
        if end == EpochEnd::NotFinite || end == EpochEnd::Interrupted {
            return Ok(end);
        }
        let seconds = start.elapsed().as_secs_f64();
        let flow = self.end_epoch(epoch, callbacks, seconds)?;
        let [stops] = ranks::any([end == EpochEnd::Stopped || flow.is_break()]);
        Ok(if stops { EpochEnd::Stopped } else { EpochEnd::Complete })
    }

    /// Validates, and records the logs of an epoch.
    fn end_epoch(
        &mut self,
        epoch: usize,
        callbacks: &mut [&mut dyn Callback],
        seconds: f64,
    ) -> Result<ControlFlow<()>> {
        // No later loss would reveal a non-finite final update, so check the weights.
        if !self.model.parameters.are_finite() {
            return Err(self.not_finite(epoch, self.batches_done - 1, f64::NAN));
        }
        // An epoch that a callback ended early is repeated when training resumes.
        if self.batches_done * self.options.batch_size >= self.order.len() {
            self.model.epochs_done = self.model.epochs_done.saturating_add(1);
        }
        let mut logs = self.logs();
        // Before the callbacks, which may save the model, and after them for what they add.
        self.model.record.set_epoch(epoch, &logs);
        let mut flow = ControlFlow::Continue(());
        for callback in callbacks.iter_mut() {
            let mut handle = TrainerHandle::new(self.model);
            if callback.on_epoch_end(&mut handle, epoch, &mut logs)?.is_break() {
                flow = ControlFlow::Break(());
            }
        }
        self.model.record.set_epoch(epoch, &logs);
        self.history.record(epoch, logs, seconds);
        (self.batches_done, self.sums) = (0, MetricSums::default());
        Ok(flow)
    }

    fn is_interrupted(&self) -> bool {
        self.options.interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed))
    }

    /// Ends training between two batches. The model says where it resumes.
    fn interrupt(mut self, callbacks: &mut [&mut dyn Callback]) -> Result<History> {
        if let Some(interrupt) = self.options.interrupt {
            // The signal may have reached another rank.
            interrupt.store(true, Ordering::Relaxed);
        }
        self.back_up(callbacks)?;
        self.record_running_epoch();
        self.notify(callbacks, |callback, trainer| callback.on_interrupt(trainer))?;
        Ok(self.history)
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

    /// Trains on the batches of an epoch that are left.
    fn batches(&mut self, epoch: usize, callbacks: &mut [&mut dyn Callback]) -> Result<EpochEnd> {
        let n_rows = self.order.len();
        let batch_size = self.options.batch_size;
        while self.batches_done * batch_size < n_rows {
            let batch = self.batches_done;
            let first = batch * batch_size;
            let (indices, next) = self.order[first..].split_at(batch_size.min(n_rows - first));
            let part = self.engine.train_step(self.model, &self.objective, indices, next);
            let loss = part.mean_loss();
            if !loss.is_finite() {
                return self.end_not_finite(NotFiniteLoss { epoch, batch, loss }, callbacks);
            }
            self.sums.add(&part);
            self.batches_done += 1;
            let result = self.end_batch(batch, callbacks);
            let flow = result.inspect_err(|_| self.record_running_epoch())?;
            let [is_interrupted, stops] = ranks::any([self.is_interrupted(), flow.is_break()]);
            if is_interrupted {
                return Ok(EpochEnd::Interrupted);
            }
            if stops {
                return Ok(EpochEnd::Stopped);
            }
            self.back_up_if_due(callbacks, false)?;
        }
        Ok(EpochEnd::Complete)
    }

    /// Passes the means of the epoch so far to the callbacks. `Break` if one stops training.
    fn end_batch(
        &mut self,
        batch: usize,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<ControlFlow<()>> {
        let mut flow = ControlFlow::Continue(());
        let head = &self.objective.head;
        let (names, means) = (&head.names, head.means(&self.sums));
        let logs = BatchLogs { names, means: &means[..names.len()] };
        let handle = TrainerHandle::new(self.model);
        for callback in callbacks {
            if callback.on_batch_end(&handle, batch, &logs)?.is_break() {
                flow = ControlFlow::Break(());
            }
        }
        Ok(flow)
    }

    /// Ends training before the weights change, with an error unless a callback says otherwise.
    fn end_not_finite(
        &mut self,
        failed: NotFiniteLoss,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<EpochEnd> {
        let handle = TrainerHandle::new(self.model);
        let mut ends = false;
        for callback in callbacks.iter_mut() {
            ends = ends || callback.on_not_finite(&handle, &failed).is_break();
        }
        let [ends] = ranks::any([ends]);
        if ends {
            return Ok(EpochEnd::NotFinite);
        }
        Err(self.not_finite(failed.epoch, failed.batch, failed.loss))
    }

    /// Loss and metrics of an epoch, then those of its validation.
    fn logs(&mut self) -> Logs {
        let means = self.objective.head.means(&self.sums);
        let mut logs: Logs = self.objective.head.names.iter().cloned().zip(means).collect();
        if let Some(validation) = &mut self.validation {
            let means = self.objective.head.means(&validation.run(self.model));
            logs.extend(self.validation_names().zip(means));
        }
        logs
    }

    fn validation_names(&self) -> impl Iterator<Item = String> {
        self.objective.head.names.iter().map(|name| format!("val_{name}"))
    }

    /// Names in the logs of an epoch, including those that callbacks add.
    fn log_names(&self, callbacks: &[&mut dyn Callback]) -> Vec<String> {
        let mut names = self.objective.head.names.clone();
        if self.validation.is_some() {
            names.extend(self.validation_names());
        }
        for callback in callbacks {
            names.extend(callback.adds().iter().map(ToString::to_string));
        }
        names
    }

    /// The error for a loss that is not finite; epoch and batch are counted from 0.
    fn not_finite(&self, epoch: usize, batch: usize, loss: f64) -> Error {
        let reason = reason_of_not_finite(self.were_finite, &self.objective.rows);
        Error::NotFinite { epoch: epoch + 1, batch: batch + 1, loss, reason }
    }
}

/// Most likely cause of a loss that is not finite.
pub(super) fn reason_of_not_finite(were_finite: bool, rows: &Rows) -> String {
    match rows.divergence_cause() {
        Some(reason) => reason,
        None if !were_finite => {
            "the weights held values that are not finite before the first step".to_string()
        }
        None => "the learning rate is probably too large; try a tenth of it".to_string(),
    }
}
