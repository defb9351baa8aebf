//! Test sets that are drawn from the data, and found again when a saved model is evaluated.

use tallynet::datasets::{DataDescription, Dataset, TrainTest, TrainingSplit, split};
use tallynet::model::Sequential;

use super::{Failure, LoadedModel, output};

/// Fraction of the samples to evaluate on, if nothing else is said.
const TEST_SPLIT: f64 = 0.2;

/// Data to evaluate on.
pub struct TestData {
    /// Samples to evaluate on.
    pub data: Dataset,
    /// Row in the data of each sample, counted from 0, if only some are evaluated on.
    pub rows: Option<Vec<usize>>,
    /// File of each row of the data, for a folder of images; else empty.
    pub files: Vec<String>,
}

impl TestData {
    /// All of these samples.
    pub fn whole(data: Dataset) -> TestData {
        TestData { data, rows: None, files: vec![] }
    }

    /// Row in the data of a sample, counted from 0.
    pub fn row(&self, sample: usize) -> usize {
        match &self.rows {
            Some(rows) => rows[sample],
            None => sample,
        }
    }
}

/// Notes in the model which data it is trained on.
fn note(training: TrainingSplit, model: &mut Sequential) {
    model.data.get_or_insert_with(DataDescription::default).training = Some(training);
}

/// Notes in the model that it is trained on all of these samples.
pub fn note_all(data: &Dataset, model: &mut Sequential) {
    note(TrainingSplit::of(data, None, model.seed), model);
}

/// The note in the model, if it was trained on these samples.
fn noted<'m>(data: &Dataset, model: &'m Sequential) -> Option<&'m TrainingSplit> {
    let training = model.data.as_ref()?.training.as_ref()?;
    if training.is_of(data) { Some(training) } else { None }
}

/// Draws the test set by class, and notes it in the model. The fraction is that of the flag, or
/// that of the earlier training on the same data, or that of the script.
pub fn draw(
    data: Dataset,
    flag: Option<f64>,
    loaded: &mut LoadedModel,
) -> Result<TrainTest, Failure> {
    let earlier = noted(&data, &loaded.model).filter(|noted| noted.test_split.is_some()).cloned();
    let mut fraction = TEST_SPLIT;
    let mut seed = loaded.model.seed;
    let mut reason = "";
    if let Some(flag) = flag {
        fraction = flag;
    } else if let Some(TrainingSplit { test_split: Some(earlier), seed: earlier_seed, .. }) =
        earlier
    {
        fraction = earlier;
        seed = earlier_seed;
        reason = ", as in the training so far";
    } else if let Some(of_script) = loaded.plan.test_fraction {
        fraction = of_script;
        reason = ", as in the script";
    }
    let training = TrainingSplit::of(&data, Some(fraction), seed);
    let (train, test) = split::shuffled(data, fraction, seed)?;
    let n_samples = test.len();
    loaded.notice(&format!(
        "Test set: {n_samples} of the samples, drawn from the seed {seed} (--test-split \
         {fraction}{reason})"
    ));
    note(training, &mut loaded.model);
    Ok(TrainTest { train, test })
}

/// Samples of these data to evaluate on: those that the training held out, if the model was trained
/// on the others, with a notice; else all. If it was trained on all, there is a warning.
pub fn of_training(data: Dataset, loaded: &LoadedModel) -> Result<TestData, Failure> {
    let Some(training) = noted(&data, &loaded.model) else { return Ok(TestData::whole(data)) };
    let n_samples = data.len();
    let Some(fraction) = training.test_split else {
        output::notice(
            "warning: the model was trained on these samples; its score on new ones may be worse",
        );
        return Ok(TestData::whole(data));
    };
    let rows = split::rows_of_second(&data, fraction, training.seed)?;
    let (_, test) = split::shuffled(data, fraction, training.seed)?;
    loaded.notice(&format!(
        "The model was trained on these data: it is evaluated on the {} of {n_samples} samples \
         that were held out.",
        test.len()
    ));
    Ok(TestData { data: test, rows: Some(rows), files: vec![] })
}
