//! Data of a training: the sets, and the validation set that `--shuffle-split` draws.

use serde_json::{Value, json};
use tallynet::datasets::{DataDescription, Dataset, TrainTest, split};

use super::super::data::{DataSource, TrainingData};
use super::super::description::Supplied;
use super::super::plan::Plan;
use super::super::{Failure, LoadedModel, Outcome, output, table};
use super::Train;

impl Train {
    /// Refuses a target without the table that it is a column of.
    pub(super) fn check_table_is_named(&self) -> Outcome {
        if !self.table.name_a_table() || self.data.is_named() {
            return Ok(());
        }
        let message = "--target names a column of a table; give the table with --data";
        Err(Failure::usage(message))
    }

    /// Values for a script: those of --set, and what the data tell.
    pub(super) fn supplied_values(&self) -> Supplied {
        let supplied = self.supplied.with_data(self.data.path(), true);
        let supplied = supplied.with_roles(self.table.options(), self.data.image_size());
        let supplied = supplied.quiet(self.quiet || self.json);
        if self.loss.is_none() { supplied.needing_loss() } else { supplied }
    }

    /// Prints the number of epochs for a script without `fit`.
    pub(super) fn notice_without_fit(&self, loaded: &LoadedModel) {
        let plan = &loaded.plan;
        if plan.is_script && !plan.has_fit && self.epochs.is_none() {
            let n = loaded.epochs;
            loaded
                .notice(&format!("The script has no fit: it is trained for {n} epoch (--epochs)."));
        }
    }

    /// Reads a table, by which the model gets its description and a Normalization; `None` for data
    /// of another kind.
    pub(super) fn load_table(
        &self,
        source: &DataSource,
        loaded: &mut LoadedModel,
    ) -> Result<Option<TrainingData>, Failure> {
        let DataSource::Path(path) = source else { return Ok(None) };
        if self.table.name_a_table() || table::is_table(path, &loaded.model) {
            return Ok(Some(self.table.load(path, loaded)?));
        }
        self.table.refuse_without_table()?;
        Ok(None)
    }

    /// Draws the validation set from the training set, for `--shuffle-split`. With
    /// `--validation-split` a validation set of the data is not used.
    pub(super) fn draw_validation(
        &self,
        data: TrainingData,
        seed: u64,
    ) -> Result<TrainingData, Failure> {
        let Some(fraction) = self.validation_split else { return Ok(data) };
        if data.validation.is_some() {
            output::notice("The validation set of the data is not used: --validation-split.");
        }
        if !self.shuffle_split {
            return Ok(TrainingData { validation: None, ..data });
        }
        let TrainingData { sets: TrainTest { train, test }, test_names, .. } = data;
        let (train, validation) = split::shuffled(train, fraction, seed)?;
        let sets = TrainTest { train, test };
        Ok(TrainingData { sets, validation: Some(validation), test_names })
    }

    /// Numbers of samples to train on and to test with, and the fractions that were split off.
    pub(super) fn split_info(
        &self,
        data: &TrainingData,
        plan: &Plan,
        description: Option<&DataDescription>,
    ) -> Value {
        let training = description.and_then(|description| description.training.as_ref());
        let from_script = plan.validation_split.filter(|_| data.validation.is_none());
        json!({
            "train": data.sets.train.len(),
            "validation": data.validation.as_ref().map(Dataset::len),
            "test": data.sets.test.len(),
            "test_split": training.and_then(|training| training.test_split),
            "validation_split": self.validation_split.or(from_script),
            "shuffle_split": self.shuffle_split,
        })
    }
}
