//! Test sets that are drawn from the data, and found again when a saved model is evaluated.

use std::path::Path;

use tallynet::datasets::{
    self, DataDescription, Dataset, SampleNames, TrainTest, TrainingSplit, split,
};
use tallynet::model::{RecordedData, Sequential};

use super::data::TrainingData;
use super::{Failure, LoadedModel, output};

/// Fraction of the samples to evaluate on, if nothing else is said.
const TEST_SPLIT: f64 = 0.2;

/// Data to evaluate on.
pub struct TestData {
    /// Samples to evaluate on.
    pub data: Dataset,
    /// Their names.
    pub names: SampleNames,
    /// Fraction of its data that the training held out, if the samples are that part.
    pub test_split: Option<f64>,
}

impl TestData {
    /// All of these samples.
    pub fn whole(data: Dataset) -> TestData {
        TestData { data, names: SampleNames::default(), test_split: None }
    }
}

/// Notes in the model which data it is trained on.
fn note(training: TrainingSplit, model: &mut Sequential) {
    model.data.get_or_insert_with(DataDescription::default).training = Some(training);
}

/// Notes in the model that it is trained on all of these samples, whose order is by this seed.
pub fn note_all(data: &Dataset, seed: u64, model: &mut Sequential) {
    note(TrainingSplit::of(data, None, seed), model);
}

/// Corrects the note of an earlier split of these samples: all of them are trained on now.
pub fn forget_split(data: &Dataset, model: &mut Sequential) {
    if let Some(training) = noted(data, model) {
        note(TrainingSplit { test_split: None, ..training.clone() }, model);
    }
}

/// The note of the data that the model was trained on.
pub fn noted_split(model: &Sequential) -> Option<&TrainingSplit> {
    model.data.as_ref()?.training.as_ref()
}

/// The note in the model, if it was trained on these samples.
fn noted<'m>(data: &Dataset, model: &'m Sequential) -> Option<&'m TrainingSplit> {
    noted_split(model).filter(|training| training.is_of(data))
}

/// Draws the test set by class, and notes it in the model. The fraction is that of the flag, or
/// that of the earlier training on the same data, or that of the script. The seed is that of the
/// order of the samples; a split as in the earlier training has its seed.
pub fn draw(
    data: Dataset,
    flag: Option<f64>,
    seed: u64,
    loaded: &mut LoadedModel,
) -> Result<TrainingData, Failure> {
    let noted = noted(&data, &loaded.model).cloned();
    let earlier = noted.as_ref().and_then(|noted| Some((noted.test_split?, noted.seed)));
    let mut fraction = TEST_SPLIT;
    let mut seed = seed;
    let mut reason = "";
    if let Some(flag) = flag {
        fraction = flag;
    } else if let Some((earlier_fraction, earlier_seed)) = earlier {
        fraction = earlier_fraction;
        seed = earlier_seed;
        reason = ", as in the training so far";
    } else if let Some(of_script) = loaded.plan.test_fraction {
        fraction = of_script;
        reason = ", as in the script";
    }
    let training = match noted {
        Some(noted) => TrainingSplit { test_split: Some(fraction), seed, ..noted },
        None => TrainingSplit::of(&data, Some(fraction), seed),
    };
    let rows = split::rows_of_second(&data, fraction, seed)?;
    let (train, test) = split::shuffled(data, fraction, seed)?;
    let n_samples = test.len();
    loaded.notice(&format!(
        "Test set: {n_samples} of the samples, drawn from the seed {seed} (--test-split \
         {fraction}{reason})"
    ));
    note(training, &mut loaded.model);
    let test_names = SampleNames { rows: Some(rows), files: vec![] };
    Ok(TrainingData { test_names, ..TrainTest { train, test }.into() })
}

/// Samples of the data at this path to evaluate on: those that the training held out, if the model
/// was trained on the others, with a notice; else all. There is a warning if it was trained on all,
/// or if the data of the training were changed.
pub fn of_training(path: &Path, data: Dataset, loaded: &LoadedModel) -> Result<TestData, Failure> {
    if let Some(training) = noted(&data, &loaded.model) {
        return held_out(data, training, loaded);
    }
    if has_held_out(&loaded.model) && recorded_data(&loaded.model) == Some(path) {
        output::notice(&format!(
            "warning: {} was changed since the training, so it is not known which samples were \
             held out: all are scored, also those that were trained on",
            path.display()
        ));
    }
    Ok(TestData::whole(data))
}

/// True if the training held out samples of its data.
pub fn has_held_out(model: &Sequential) -> bool {
    noted_split(model).is_some_and(|training| training.test_split.is_some())
}

/// Description of the table or of the images that the model was trained on, if it was.
pub fn own_data(model: &Sequential) -> Option<&DataDescription> {
    model.data.as_ref().filter(|data| !data.columns.is_empty() || data.image.is_some())
}

/// Path of the data of the last training, if the model's file says it.
pub fn recorded_data(model: &Sequential) -> Option<&Path> {
    match model.record.runs.last()?.data.as_ref()? {
        RecordedData::Path(path) => Some(Path::new(path)),
        RecordedData::Synthetic => None,
    }
}

/// As [`of_training`], for the training set of an archive; `None` if no part of it was held out.
pub fn of_archive(path: &Path, loaded: &LoadedModel) -> Result<Option<TestData>, Failure> {
    let training = noted_split(&loaded.model).filter(|training| training.test_split.is_some());
    // A pipe can be read only once.
    let Some(training) = training.filter(|_| path.is_file()) else { return Ok(None) };
    match datasets::load_train(path) {
        Ok(data) if training.is_of(&data) => held_out(data, training, loaded).map(Some),
        _ => Ok(None),
    }
}

/// The samples that a training on these data held out; all if it was trained on all of them.
fn held_out(
    data: Dataset,
    training: &TrainingSplit,
    loaded: &LoadedModel,
) -> Result<TestData, Failure> {
    let Some(fraction) = training.test_split else {
        output::notice(
            "warning: the model was trained on these samples; its score on new ones may be worse",
        );
        return Ok(TestData::whole(data));
    };
    let rows = split::rows_of_second(&data, fraction, training.seed)?;
    let test = data.select(&rows)?;
    loaded.notice(&format!(
        "The model was trained on these data: it is evaluated on the {} of {} samples that were \
         held out.",
        test.len(),
        data.len()
    ));
    let names = SampleNames { rows: Some(rows), files: vec![] };
    Ok(TestData { data: test, names, test_split: Some(fraction) })
}
