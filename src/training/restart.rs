//! Backups of a run of `fit`, and the restart from one or from an interrupted model.

use std::time::Instant;

use serde_json::{Value, json};

use super::fit::Fit;
use super::loss_head::MetricSums;
use super::{BackupAndRestore, Callback};
use crate::formats::backup::Backup;
use crate::model::RunningEpoch;
use crate::{Error, Real, Result, kernels};

/// The callback that keeps a backup, if any.
fn keeper<'c>(callbacks: &'c mut [&mut dyn Callback]) -> Option<&'c mut BackupAndRestore> {
    callbacks.iter_mut().find_map(|callback| callback.as_backup())
}

impl Fit<'_, '_> {
    /// Sets the model, the history and the callbacks to the backup of an earlier run, if any.
    pub(super) fn restart(&mut self, callbacks: &mut [&mut dyn Callback]) -> Result<()> {
        let Some(keeper) = keeper(callbacks) else { return Ok(()) };
        self.run = self.describe(&keeper.run);
        let Some(backup) = keeper.restore(self.model, &self.run)? else { return Ok(()) };
        self.history = serde_json::from_value(backup.history).map_err(|error| {
            let found = format!("the history is damaged ({error})");
            Error::file(&keeper.file(), found, "delete the backup to start over")
        })?;
        for (callback, state) in callbacks.iter_mut().zip(backup.callbacks) {
            callback.set_state(state)?;
        }
        Ok(())
    }

    /// Goes on in the epoch that an earlier training of this model was interrupted in, if data,
    /// batch size and metrics are the same; otherwise that epoch starts over.
    pub(super) fn go_on(&mut self) {
        let Some(running) = self.model.running_epoch.take() else { return };
        let is_same = running.rows == self.order.len()
            && running.batch_size == self.options.batch_size
            && running.names == self.objective.head.names
            && running.batches <= running.all_batches();
        if is_same && let Some(sums) = running.sums.as_array() {
            self.batches_done = running.batches;
            self.sums = MetricSums::from_bits(sums);
        }
    }

    /// Records in the model how far the running epoch is.
    pub(super) fn record_running_epoch(&mut self) {
        let running = RunningEpoch {
            batches: self.batches_done,
            batch_size: self.options.batch_size,
            rows: self.order.len(),
            names: self.objective.head.names.clone(),
            sums: self.sums.to_bits().to_vec(),
        };
        self.model.running_epoch = Some(running).filter(|running| running.batches > 0);
    }

    /// Makes a backup, if one is due after a batch or at the end of an epoch.
    pub(super) fn back_up_if_due(
        &mut self,
        callbacks: &mut [&mut dyn Callback],
        epoch_ends: bool,
    ) -> Result<()> {
        let Some(keeper) = keeper(callbacks) else { return Ok(()) };
        if keeper.is_due(epoch_ends) { self.back_up(callbacks) } else { Ok(()) }
    }

    /// Makes a backup, if a callback keeps one.
    pub(super) fn back_up(&mut self, callbacks: &mut [&mut dyn Callback]) -> Result<()> {
        if keeper(callbacks).is_none() {
            return Ok(());
        }
        let start = Instant::now();
        self.record_running_epoch();
        let mut states = vec![];
        for callback in callbacks.iter_mut() {
            states.push(callback.state()?);
        }
        let history = serde_json::to_value(&self.history).map_err(Error::callback)?;
        let backup = Backup { run: self.run.clone(), history, callbacks: states };
        let Some(keeper) = keeper(callbacks) else { return Ok(()) };
        keeper.save(self.model, &backup, start)?;
        self.model.running_epoch = None;
        Ok(())
    }

    /// Everything that the result of training depends on. The number of threads is not among it.
    pub(super) fn describe(&self, run: &Value) -> Value {
        let (model, options) = (&self.model, &self.options);
        let state = model.compiled.as_ref().map(|compiled| &compiled.state);
        let mut description = model.description();
        // The trainings so far change nothing of this one.
        description["training"]["record"] = Value::Null;
        let slots = state.into_iter().flat_map(|state| state.slots.iter().flatten());
        let mut optimizer = flate2::Crc::new();
        slots.for_each(|value| optimizer.update(&value.to_le_bytes()));
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "instruction_set": kernels::instruction_set().name(),
            "bits": 8 * size_of::<Real>(),
            "model": description,
            "weights": model.fingerprint(),
            "optimizer_state": optimizer.sum(),
            "data": self.objective.rows.checksum(),
            "validation_data": self.validation.as_ref().map(|each| each.objective.rows.checksum()),
            "fit": {
                "batch_size": options.batch_size,
                "epochs": options.epochs,
                "initial_epoch": options.initial_epoch,
                "shuffle": options.shuffle,
            },
            "command": run,
        })
    }
}
