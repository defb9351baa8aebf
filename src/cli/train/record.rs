//! Record of a training, which travels in the saved model, and its page for `--report`.

use std::borrow::Cow;
use std::ops::ControlFlow;

use tallynet::datasets::Dataset;
use tallynet::model::{Sequential, TrainingRun, Validation};
use tallynet::report::{LOSS_AT_END, ReportInput, TestSamples, TrainingLoss};
use tallynet::training::{Callback, Flow, Logs, Scores, TrainerHandle};

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
    /// Samples to validate on: the validation set if there is one, else the last
    /// `--validation-split` of the training samples, else the test set.
    pub(super) fn validation(&self, data: &TrainingData, plan: &Plan) -> Validation {
        let fraction = self.validation_split.or(plan.validation_split);
        match (&data.validation, fraction) {
            (Some(validation), Some(fraction)) if self.shuffle_split => {
                Validation::Drawn { n: validation.len(), fraction }
            }
            (Some(validation), _) => Validation::Set(validation.len()),
            (None, Some(fraction)) => {
                let n_train = data.sets.train.len();
                let n_kept = (n_train as f64 * (1.0 - fraction)).floor() as usize;
                Validation::Last { n: n_train - n_kept, fraction }
            }
            (None, None) => Validation::TestSet(data.sets.test.len()),
        }
    }

    /// Record of the training as it is before its first epoch.
    pub(super) fn run_record(
        &self,
        source: &DataSource,
        model: &Sequential,
        data: &TrainingData,
        validation: Validation,
    ) -> TrainingRun {
        let n_train = data.sets.train.len();
        let n_samples = match validation {
            Validation::Last { n, .. } => n_train - n,
            _ => n_train,
        };
        let compiled = model.compiled().ok();
        let optimizer = compiled.and_then(|compiled| compiled.optimizer().ok());
        TrainingRun {
            command: command(),
            version: Some(env!("CARGO_PKG_VERSION").to_string()),
            data: Some(source.recorded()),
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
    pub(super) fn loss_at_end<'d>(
        &self,
        data: &'d TrainingData,
        validation: Validation,
    ) -> tallynet::Result<Option<LossAtEnd<'d>>> {
        if self.report.is_none() {
            return Ok(None);
        }
        let train = &data.sets.train;
        let samples = match validation {
            Validation::Last { fraction, .. } => Cow::Owned(train.split(fraction)?.0),
            _ => Cow::Borrowed(train),
        };
        Ok(Some(LossAtEnd { samples, last: None }))
    }

    /// Writes the page of the trained model.
    pub(super) fn write_report(
        &self,
        model: &Sequential,
        data: &TrainingData,
        source: &DataSource,
        known: KnownScores,
    ) -> Outcome {
        let Some(path) = &self.report else { return Ok(()) };
        let name = self.save.as_ref().map(|path| path.display().to_string());
        let test = TestSamples {
            data: &data.sets.test,
            names: data.test_names.clone(),
            source: source.words("the test samples"),
            scores: Some(known.test),
        };
        let training_loss = match &known.loss_at_end {
            Some(loss_at_end) => Some(loss_at_end.of_weights(model)?),
            None => None,
        };
        report::write_page(
            path,
            &ReportInput {
                command: report::command(),
                test: Ok(test),
                training_loss,
                warnings: report::warnings(model),
                ..ReportInput::new(name.unwrap_or_else(|| self.model.clone()), model)
            },
        )
    }
}

/// Scores of the trained model that need not be computed again for its page.
pub(super) struct KnownScores<'d> {
    pub test: Scores,
    pub loss_at_end: Option<LossAtEnd<'d>>,
}

/// Callback that measures the loss of the weights at the end of each epoch, where Keras's `loss` is
/// a mean over the epoch.
pub(super) struct LossAtEnd<'d> {
    /// Samples trained on.
    samples: Cow<'d, Dataset>,
    last: Option<MeasuredLoss>,
}

/// Loss of the weights with this fingerprint.
struct MeasuredLoss {
    loss: f64,
    fingerprint: String,
}

impl LossAtEnd<'_> {
    /// Loss of the weights, which are not those of the last epoch's end if the best ones were
    /// restored, or if a signal ended the training.
    fn of_weights(&self, model: &Sequential) -> tallynet::Result<TrainingLoss> {
        let loss = match &self.last {
            Some(last) if last.fingerprint == model.fingerprint() => last.loss,
            _ => model.evaluate(&self.samples)?.loss,
        };
        Ok(TrainingLoss { loss, n_samples: self.samples.len() })
    }
}

impl Callback for LossAtEnd<'_> {
    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, _: usize, logs: &mut Logs) -> Flow {
        let model = trainer.model();
        let loss = model.evaluate(&self.samples)?.loss;
        self.last = Some(MeasuredLoss { loss, fingerprint: model.fingerprint() });
        logs.push((LOSS_AT_END.to_string(), loss));
        Ok(ControlFlow::Continue(()))
    }
}
