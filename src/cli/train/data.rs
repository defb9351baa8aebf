//! Data of a training: the sets, and the validation set that `--shuffle-split` draws.

use serde_json::{Value, json};
use tallynet::datasets::{DataDescription, Dataset, TrainTest, split};

use super::super::data::DataSource;
use super::super::description::{Plan, Supplied};
use super::super::{Failure, LoadedModel, Outcome, table};
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
        if self.loss.is_none() { supplied.needing_loss() } else { supplied }
    }

    /// Tells the number of epochs of a script that does not train its model.
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
    ) -> Result<Option<TrainTest>, Failure> {
        let DataSource::Path(path) = source else { return Ok(None) };
        if self.table.name_a_table() || table::is_table(path, &loaded.model) {
            return Ok(Some(self.table.load(path, loaded)?));
        }
        self.table.refuse_without_table()?;
        Ok(None)
    }

    /// Draws the validation set from the training set, for `--shuffle-split`.
    pub(super) fn draw_validation(
        &self,
        data: TrainTest,
        seed: u64,
    ) -> Result<(TrainTest, Option<Dataset>), Failure> {
        let Some(share) = self.validation_split.filter(|_| self.shuffle_split) else {
            return Ok((data, None));
        };
        let (train, validation) = split::shuffled(data.train, share, seed)?;
        Ok((TrainTest { train, test: data.test }, Some(validation)))
    }

    /// Numbers of samples to train on and to test with, and the shares that were split off.
    pub(super) fn split_facts(
        &self,
        data: &TrainTest,
        plan: &Plan,
        description: Option<&DataDescription>,
    ) -> Value {
        let training = description.and_then(|description| description.training.as_ref());
        json!({
            "train": data.train.len(),
            "test": data.test.len(),
            "test_split": training.and_then(|training| training.test_split),
            "validation_split": self.validation_split.or(plan.validation_split),
            "shuffle_split": self.shuffle_split,
        })
    }
}
