//! Data of a training: the sets, and the validation set that `--shuffle-split` draws.

use serde_json::{Value, json};
use tallynet::datasets::{DataDescription, Dataset, TrainTest, split};

use super::super::data::DataSource;
use super::super::description::Plan;
use super::super::{Failure, LoadedModel, table};
use super::Train;

impl Train {
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
