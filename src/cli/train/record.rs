//! Record of a training, which travels in the saved model, and its page for `--report`.

use std::ops::ControlFlow;

use tallynet::datasets::{Dataset, TrainTest};
use tallynet::model::{Sequential, TrainingRun};
use tallynet::report::{LOSS_AT_END, ReportInput, TestSamples};
use tallynet::training::{Callback, Flow, Logs, TrainerHandle};

use super::super::data::{DataSource, TrainingData};
use super::super::plan::Plan;
use super::super::{Outcome, report};
use super::Train;

/// Flags with a value that change nothing of what is trained.
const OUTPUTS: [&str; 7] =
    ["--save", "--csv", "--checkpoint", "--backup", "--backup-every", "--report", "--threads"];
/// The same without a value.
const SWITCHES: [&str; 3] = ["--json", "--quiet", "--no-color"];

/// Words of this command without flags that change nothing of what is trained: the same training
/// gives the same file.
fn command() -> Vec<String> {
    let mut kept = vec![];
    let mut is_value = false;
    for word in report::command() {
        let flag = word.split('=').next().unwrap_or_default();
        let is_output = OUTPUTS.contains(&flag);
        if !is_value && !is_output && !SWITCHES.contains(&flag) {
            kept.push(word.clone());
        }
        is_value = is_output && !word.contains('=');
    }
    kept
}

impl Train {
    /// Record of the training as it is before its first epoch.
    pub(super) fn run_record(
        &self,
        source: &DataSource,
        model: &Sequential,
        data: &TrainingData,
        plan: &Plan,
    ) -> TrainingRun {
        let fraction = self.validation_split.or(plan.validation_split);
        let n_train = data.sets.train.len();
        let mut n_samples = n_train;
        let validation = match (&data.validation, fraction) {
            (Some(validation), Some(fraction)) if self.shuffle_split => {
                format!("{} samples drawn from the training set ({fraction})", validation.len())
            }
            (Some(validation), _) => format!("a validation set of {} samples", validation.len()),
            (None, Some(fraction)) => {
                n_samples = (n_train as f64 * (1.0 - fraction)).floor() as usize;
                format!("the last {} samples of the training set", n_train - n_samples)
            }
            (None, None) => format!(
                "the test set of {} samples (to stop, or to choose, by it makes the test score \
                 optimistic)",
                data.sets.test.len()
            ),
        };
        let compiled = model.compiled().ok();
        let optimizer = compiled.and_then(|compiled| compiled.optimizer().ok());
        TrainingRun {
            command: command(),
            version: Some(env!("CARGO_PKG_VERSION").to_string()),
            data: Some(source.to_string()),
            n_samples: Some(n_samples),
            validation: Some(validation),
            seed: Some(model.seed),
            optimizer: optimizer
                .and_then(|optimizer| serde_json::to_value(optimizer).ok())
                .unwrap_or_default(),
            loss: compiled.map(|compiled| compiled.loss().name()),
            ..TrainingRun::default()
        }
    }

    /// Callback for `--report` that adds the loss at the end of each epoch.
    pub(super) fn loss_at_end(
        &self,
        data: &TrainingData,
        plan: &Plan,
    ) -> tallynet::Result<Option<LossAtEnd>> {
        if self.report.is_none() {
            return Ok(None);
        }
        let train = &data.sets.train;
        let fraction = self.validation_split.or(plan.validation_split);
        let samples = match (&data.validation, fraction) {
            (None, Some(fraction)) => train.split(fraction)?.0,
            _ => train.clone(),
        };
        Ok(Some(LossAtEnd { samples }))
    }

    /// Writes the page of the trained model.
    pub(super) fn write_report(
        &self,
        model: &Sequential,
        sets: &TrainTest,
        source: &DataSource,
    ) -> Outcome {
        let Some(path) = &self.report else { return Ok(()) };
        let name = self.save.as_ref().map(|path| path.display().to_string());
        let test = TestSamples {
            data: &sets.test,
            names: vec![],
            source: source.words("the test samples"),
        };
        report::write_page(
            path,
            &ReportInput {
                command: report::command(),
                test: Ok(test),
                warnings: report::warnings(model),
                ..ReportInput::new(name.unwrap_or_else(|| self.model.clone()), model)
            },
        )
    }
}

/// Callback that measures the loss of the weights at the end of each epoch, where Keras's `loss` is
/// a mean over the epoch.
pub(super) struct LossAtEnd {
    samples: Dataset,
}

impl Callback for LossAtEnd {
    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, _: usize, logs: &mut Logs) -> Flow {
        let loss = trainer.model().evaluate(&self.samples)?.loss;
        logs.push((LOSS_AT_END.to_string(), loss));
        Ok(ControlFlow::Continue(()))
    }
}
