//! Test sets that are drawn from the data, and found again when a saved model is evaluated.

use tallynet::datasets::{DataDescription, Dataset, TrainTest, TrainingData, split};
use tallynet::model::Sequential;

use super::{Failure, LoadedModel, output};

/// Share of the samples to evaluate on, if nothing else is said.
const TEST_SPLIT: f64 = 0.2;

/// Samples to evaluate on.
pub struct TestSet {
    pub data: Dataset,
    /// Index in the data of each sample, if only a part of them is evaluated on.
    pub rows: Option<Vec<usize>>,
}

impl TestSet {
    /// All of these samples.
    pub fn whole(data: Dataset) -> TestSet {
        TestSet { data, rows: None }
    }
}

/// Notes in the model which data it is trained on.
fn note(training: TrainingData, model: &mut Sequential) {
    model.data.get_or_insert_with(DataDescription::default).training = Some(training);
}

/// Notes in the model that it is trained on all of these samples.
pub fn note_all(data: &Dataset, model: &mut Sequential) {
    note(TrainingData::of(data, None, model.seed), model);
}

/// The note in the model, if it was trained on these samples.
fn noted<'m>(data: &Dataset, model: &'m Sequential) -> Option<&'m TrainingData> {
    let training = model.data.as_ref()?.training.as_ref()?;
    if training.is_of(data) { Some(training) } else { None }
}

/// Draws the test set by class, and notes it in the model. The share is that of the flag, or that
/// of the earlier training on the same data, or that of the script.
pub fn draw(
    data: Dataset,
    flag: Option<f64>,
    loaded: &mut LoadedModel,
) -> Result<TrainTest, Failure> {
    let earlier = noted(&data, &loaded.model).filter(|noted| noted.test_split.is_some()).cloned();
    let (mut share, mut seed, mut reason) = (TEST_SPLIT, loaded.model.seed, "");
    if let Some(flag) = flag {
        share = flag;
    } else if let Some(TrainingData { test_split: Some(earlier), seed: earlier_seed, .. }) = earlier
    {
        (share, seed, reason) = (earlier, earlier_seed, ", as in the training so far");
    } else if let Some(of_script) = loaded.plan.test_share {
        (share, reason) = (of_script, ", as in the script");
    }
    let training = TrainingData::of(&data, Some(share), seed);
    let (train, test) = split::shuffled(data, share, seed)?;
    let n_samples = test.len();
    loaded.notice(&format!(
        "Test set: {n_samples} of the samples, drawn from the seed {seed} (--test-split \
         {share}{reason})"
    ));
    note(training, &mut loaded.model);
    Ok(TrainTest { train, test })
}

/// Samples of these data to evaluate on: those that the training held out, if the model was trained
/// on the others, with a notice; else all. If it was trained on all, there is a warning.
pub fn of_training(data: Dataset, loaded: &LoadedModel) -> Result<TestSet, Failure> {
    let Some(training) = noted(&data, &loaded.model) else { return Ok(TestSet::whole(data)) };
    let n_samples = data.len();
    let Some(share) = training.test_split else {
        output::notice(
            "warning: the model was trained on these samples; its score on new ones may be worse",
        );
        return Ok(TestSet::whole(data));
    };
    let rows = split::rows_of_second(&data, share, training.seed)?;
    let (_, test) = split::shuffled(data, share, training.seed)?;
    loaded.notice(&format!(
        "The model was trained on these data: it is evaluated on the {} of {n_samples} samples \
         that were held out.",
        test.len()
    ));
    Ok(TestSet { data: test, rows: Some(rows) })
}
