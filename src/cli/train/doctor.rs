//! One line about data that look wrong, before and after the first epoch.

use std::ops::ControlFlow;

use tallynet::datasets::doctor::{Effort, Finding, Severity, Subject};
use tallynet::report::FirstLosses;
use tallynet::training::{BatchLogs, Callback, FitInfo, Flow, Logs, TrainerHandle};
use tallynet::{Error, Result};

use super::super::data::{DataSource, TrainingData};
use super::super::{Failure, LoadedModel, output};
use super::Train;

impl Train {
    /// Examines the data quickly and prints one line if something is found.
    pub(super) fn examine(
        &self,
        loaded: &LoadedModel,
        data: &TrainingData,
        source: &DataSource,
    ) -> Result<Diagnosis> {
        let model = &loaded.model;
        let splits_off = self.validation_split.or(loaded.plan.validation_split).is_some();
        let subject = Subject {
            validation: data.validation.as_ref(),
            test: Some(&data.sets.test),
            description: model.data.as_ref(),
            splits_off_last: splits_off && data.validation.is_none(),
            effort: Effort::Quick,
            ..Subject::new(&data.sets.train)
        };
        let mut findings = model.examine(&subject)?.findings;
        findings.retain(|finding| finding.severity < Severity::Note);
        let command = self.doctor_command(source);
        if let Some(worst) = findings.first() {
            let others = match findings.len() - 1 {
                0 => String::new(),
                n => format!(" (and {n} more)"),
            };
            output::notice(&format!("warning: {}{others}: {command} says more", worst.found));
        }
        let is_scale = |finding: &&Finding| finding.rule == "unscaled-inputs";
        let cause = findings.iter().find(is_scale).map(|finding| finding.found.clone());
        Ok(Diagnosis { cause, command })
    }

    /// The command that examines the data for the model, without the flags that say how samples
    /// are read and held out.
    fn doctor_command(&self, source: &DataSource) -> String {
        let data = match source {
            DataSource::Path(path) => format!(" {}", output::quoted(&path.display().to_string())),
            DataSource::Synthetic(_) => String::new(),
        };
        let roles = self.table.roles.as_text();
        format!("`tallynet doctor{data} {}{roles}`", output::quoted(&self.model))
    }
}

/// Outcome of the quick examination.
#[derive(Clone)]
pub(super) struct Diagnosis {
    /// Cause of a loss that begins high, if it was found.
    cause: Option<String>,
    /// Command that says more.
    command: String,
}

impl Diagnosis {
    /// Adds to the error of a loss that is not finite where to find out more.
    pub fn explain(&self, error: Error) -> Failure {
        let is_not_finite = matches!(error, Error::NotFinite { .. });
        let mut failure = Failure::from(error);
        if is_not_finite {
            failure.message += &format!("\n  {} examines the data", self.command);
        }
        failure
    }
}

/// Callback that compares the loss of the first epoch of a new model with that of guessing.
pub(super) struct FirstEpoch {
    diagnosis: Diagnosis,
    first_batch: Option<f64>,
    is_done: bool,
}

impl FirstEpoch {
    /// Callback that prints nothing for a model that was trained before.
    pub fn new(diagnosis: &Diagnosis, loaded: &LoadedModel) -> FirstEpoch {
        let is_trained = loaded.has_weights || loaded.model.epochs_done > 0;
        FirstEpoch { diagnosis: diagnosis.clone(), first_batch: None, is_done: is_trained }
    }
}

impl Callback for FirstEpoch {
    fn on_train_begin(&mut self, _: &mut TrainerHandle, info: &FitInfo) -> Result<()> {
        self.is_done |= info.initial_epoch > 0;
        Ok(())
    }

    fn on_batch_end(&mut self, _: &TrainerHandle, batch: usize, logs: &BatchLogs) -> Flow {
        if batch == 0 && self.first_batch.is_none() {
            self.first_batch = logs.means.first().copied();
        }
        Ok(ControlFlow::Continue(()))
    }

    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, _: usize, logs: &mut Logs) -> Flow {
        let is_first = !std::mem::replace(&mut self.is_done, true);
        if is_first
            && let Some(first_batch) = self.first_batch
            && let Some((_, epoch)) = logs.first()
            && let Some(finding) =
                (FirstLosses { first_batch, epoch: *epoch }).finding(trainer.model())
        {
            let Diagnosis { cause, command } = &self.diagnosis;
            let explanation = match cause {
                Some(cause) => format!("{cause}: {command} says more"),
                // An examination of the data does not see the loss.
                None => format!("{}; {}", finding.reason, finding.remedy),
            };
            output::notice(&format!("warning: {}: {explanation}", finding.found));
        }
        Ok(ControlFlow::Continue(()))
    }
}
