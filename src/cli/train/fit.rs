//! The call of `fit`, with the options of the flags.

use tallynet::Error;
use tallynet::model::Validation;
use tallynet::training::{BackupAndRestore, Callback, FitOptions, History};

use super::super::data::{DataSource, TrainingData};
use super::super::interrupt::Interrupt;
use super::super::{Failure, LoadedModel};
use super::Train;
use super::doctor::{Diagnosis, FirstEpoch};
use super::record::LossAtEnd;

impl Train {
    /// Trains the model.
    pub(super) fn fit<'d>(
        &self,
        loaded: &mut LoadedModel,
        data: &'d TrainingData,
        source: &DataSource,
        diagnosis: &Diagnosis,
    ) -> Result<Trained<'d>, Failure> {
        let initial_epoch = loaded.model.epochs_done;
        let validation = self.validation(data, &loaded.plan);
        let validates_on_test = matches!(validation, Validation::TestSet(_));
        let validation_data = match validation {
            Validation::TestSet(_) => Some(&data.sets.test),
            Validation::Set(_) | Validation::Drawn { .. } => data.validation.as_ref(),
            Validation::Last { .. } => None, // `fit` splits it off.
        };
        let validation_split = match validation {
            Validation::Last { fraction, .. } => fraction,
            _ => 0.0,
        };
        let interrupt = Interrupt::listen();
        let options = FitOptions {
            batch_size: self.batch_size.unwrap_or(loaded.batch_size),
            epochs: initial_epoch.saturating_add(self.epochs.unwrap_or(loaded.epochs)),
            initial_epoch,
            shuffle: !self.no_shuffle && loaded.plan.shuffle.unwrap_or(true),
            validation_data,
            validation_split,
            interrupt: Some(interrupt.flag()),
            ..FitOptions::default()
        };
        let mut callbacks = self.callbacks(loaded, validates_on_test);
        let mut first_epoch = FirstEpoch::new(diagnosis, loaded);
        let mut callbacks: Vec<&mut dyn Callback> =
            callbacks.iter_mut().map(|callback| &mut **callback as _).collect();
        let mut backup = self.backup(loaded);
        callbacks.extend(backup.as_mut().map(|backup| backup as &mut dyn Callback));
        let mut loss_at_end = self.loss_at_end(data, validation)?;
        callbacks.extend(loss_at_end.as_mut().map(|each| each as &mut dyn Callback));
        let mut run = self.run_record(source, &loaded.model, data, validation);
        run.batch_size = Some(options.batch_size);
        callbacks.push(&mut first_epoch);
        let model = &mut loaded.model;
        if options.epochs > initial_epoch {
            model.record.begin(run);
        }
        let steps_before = model.compiled()?.state().iteration;
        let result = model.fit(&data.sets.train, options, &mut callbacks);
        let fingerprint = model.fingerprint();
        if let Some(run) = model.record.runs.last_mut() {
            run.fingerprint = Some(fingerprint);
        }
        // An error of a callback (a full disk) does not lose the trained model.
        let has_trained = match &result {
            Ok(_) => true,
            Err(Error::NotFinite { .. }) => false,
            Err(_) => model.compiled()?.state().iteration > steps_before,
        };
        Ok(Trained { result, has_trained, interrupt, backup, loss_at_end })
    }
}

/// Outcome of `fit`.
pub(super) struct Trained<'d> {
    pub result: tallynet::Result<History>,
    /// True if there is a trained model to save, even after some errors.
    pub has_trained: bool,
    pub interrupt: Interrupt,
    /// Backup of the training, locked.
    pub backup: Option<BackupAndRestore>,
    /// Loss on the training samples, for `--report`.
    pub loss_at_end: Option<LossAtEnd<'d>>,
}
