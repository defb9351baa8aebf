//! Flags for the data, which are loaded and scaled as the model expects them.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use tallynet::datasets::batches::Rows;
use tallynet::datasets::images::ImageSize;
use tallynet::datasets::{
    self, Dataset, FolderKind, Inputs, SampleNames, Targets, TrainTest, synthetic,
};
use tallynet::losses::TargetForm;
use tallynet::model::{RecordedData, Sequential};
use tallynet::shape::Shape;

use super::held_out::{self, TestData};
use super::images::FolderFlags;
use super::scale::Scale;
use super::{Failure, LoadedModel, Outcome, table};

/// Data and the scaling of their bytes.
#[derive(Args)]
pub struct Data {
    /// .npz file or pipe with x_train, y_train, x_test, y_test (`evaluate` needs only x_test and
    /// y_test); table in text (CSV), to train on with --target; or a folder: one folder of PNG and
    /// JPEG images per class, or folders train/ and test/ of these; or the four MNIST files (raw
    /// or .gz, as downloads name and nest them), IDX files of any size, CIFAR's binary files, or
    /// x_train.npy, y_train.npy, x_test.npy, y_test.npy [default: $TALLYNET_DATA, else data/ in the
    /// current folder, else data/ in tallynet's source tree]
    #[arg(long, value_name = "DIR|FILE.npz|FILE.csv")]
    data: Option<PathBuf>,
    #[command(flatten)]
    folder: FolderFlags,
    #[command(flatten)]
    scale: Scale,
}

/// Source of the training and test data.
pub enum DataSource {
    /// A folder or a file.
    Path(PathBuf),
    /// A synthetic task, generated from a seed.
    Synthetic(fn(u64) -> TrainTest),
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.recorded().fmt(f)
    }
}

impl DataSource {
    /// The data as a record of the training holds them.
    pub fn recorded(&self) -> RecordedData {
        match self {
            DataSource::Path(path) => RecordedData::Path(path.display().to_string()),
            DataSource::Synthetic(_) => RecordedData::Synthetic,
        }
    }

    /// Files that the data are read from.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            DataSource::Path(path) => datasets::files(path),
            DataSource::Synthetic(_) => vec![],
        }
    }

    /// These samples of the data, in words: `the test samples of data/`.
    pub fn words(&self, samples: &str) -> String {
        match self {
            DataSource::Path(path) => format!("{samples} of {}", path.display()),
            DataSource::Synthetic(_) => format!("{samples} of a small synthetic task"),
        }
    }
}

/// Data at this path or in the environment, else those that the model is made for.
pub fn source(named: Option<&Path>, model: Option<&Sequential>) -> Result<DataSource, Failure> {
    let is_named = named.is_some() || datasets::from_environment().is_some();
    if let Some(model) = model.filter(|model| !is_named && model.open_axes().is_empty())
        && let Some(task) = synthetic::matching(model.input_shape(), model.output_shape())
    {
        return Ok(DataSource::Synthetic(task));
    }
    Ok(DataSource::Path(datasets::find(named)?))
}

/// Data of a training.
pub struct TrainingData {
    /// The training and the test set.
    pub sets: TrainTest,
    /// Validation set, if the data have one beside the test set.
    pub validation: Option<Dataset>,
    /// Names of the test samples.
    pub test_names: SampleNames,
}

impl From<TrainTest> for TrainingData {
    fn from(sets: TrainTest) -> TrainingData {
        TrainingData { sets, validation: None, test_names: SampleNames::default() }
    }
}

impl Data {
    /// The path of the flag.
    pub fn path(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Sets the path, as the flag does.
    pub fn set_path(&mut self, path: PathBuf) {
        self.data = Some(path);
    }

    /// The data named by the flag or the environment, else those that the model is made for.
    pub fn source(&self, model: &Sequential) -> Result<DataSource, Failure> {
        source(self.path(), Some(model))
    }

    /// Loads the training, the validation and the test set. If a fraction is given, the test set is
    /// drawn from the training set.
    pub fn load(
        &self,
        source: &DataSource,
        loaded: &mut LoadedModel,
        test_split: Option<f64>,
    ) -> Result<TrainingData, Failure> {
        let mut data: TrainingData = match (source, test_split) {
            (DataSource::Path(path), _) if path.is_dir() => {
                self.folder.load(path, loaded, test_split)?
            }
            (DataSource::Path(path), Some(_)) => {
                let (all, seed) = (datasets::load_train(path)?, loaded.model.seed);
                held_out::draw(all, test_split, seed, loaded)?
            }
            (DataSource::Path(path), None) => {
                let sets = datasets::load(path)?;
                held_out::forget_split(&sets.train, &mut loaded.model);
                sets.into()
            }
            (DataSource::Synthetic(task), _) => synthetic(*task, loaded).into(),
        };
        loaded.fit_open_axes(data.sets.train.x.shape())?;
        self.check_default(&data.sets.train.x, &loaded.model)?;
        check_finite("training set", &data.sets.train)?;
        let role = "test set, which is the validation data unless --validation-split is given";
        check_finite(role, &data.sets.test)?;
        let TrainTest { train, test } = &mut data.sets;
        let mut sets = vec![train, test];
        sets.extend(&mut data.validation);
        let mut inputs: Vec<&mut Inputs> = sets.iter_mut().map(|set| &mut set.x).collect();
        self.scale.apply(loaded, &mut inputs)?;
        scale_targets(loaded, &mut sets);
        Ok(data)
    }

    /// Size of images that a flag gives.
    pub fn image_size(&self) -> Option<ImageSize> {
        self.folder.images.image_size
    }

    /// Loads only the samples to evaluate on: the test set, or what the training of the model held
    /// out of the same data.
    pub fn load_test(&self, loaded: &mut LoadedModel) -> Result<TestData, Failure> {
        let model = &loaded.model;
        let mut test = match self.source(model)? {
            DataSource::Path(path) if path.is_dir() => self.folder.load_test(&path, loaded)?,
            DataSource::Path(path) if table::is_table(&path, model) => {
                held_out::of_training(&path, table::load_test(&path, loaded)?, loaded)?
            }
            DataSource::Path(path) => match held_out::of_archive(&path, loaded)? {
                Some(test) => test,
                None => TestData::whole(datasets::load_test(&path)?),
            },
            DataSource::Synthetic(task) => TestData::whole(synthetic(task, loaded).test),
        };
        loaded.fit_open_axes(test.data.x.shape())?;
        self.check_default(&test.data.x, &loaded.model)?;
        check_finite("test set", &test.data)?;
        self.scale.apply(loaded, &mut [&mut test.data.x])?;
        scale_targets(loaded, &mut [&mut test.data]);
        Ok(test)
    }

    /// Training set of the data, scaled for the model; `None` for tables and folders of images,
    /// and for data that cannot be read or have none.
    pub fn load_train(&self, loaded: &LoadedModel) -> Option<Dataset> {
        let model = &loaded.model;
        let mut train = match self.source(model).ok()? {
            DataSource::Synthetic(task) => task(0).train,
            DataSource::Path(path) => {
                let is_of_images = path.is_dir() && FolderKind::of(&path) == FolderKind::Images;
                if is_of_images || table::is_table(&path, model) {
                    return None;
                }
                datasets::load_train(&path).ok()?
            }
        };
        if let Some(scale) = model.byte_scale {
            train.x.scale_bytes(scale);
        }
        scale_targets(loaded, &mut [&mut train]);
        Some(train)
    }

    /// True if a flag or the environment names the data.
    pub fn is_named(&self) -> bool {
        self.data.is_some() || datasets::from_environment().is_some()
    }

    /// Checks that the default data fit the model; the error says to give --data.
    fn check_default(&self, inputs: &Inputs, model: &Sequential) -> Outcome {
        if self.is_named() {
            return Ok(());
        }
        Rows::inputs_only(inputs, model.input_shape()).map(|_| ()).map_err(|error| {
            Failure::usage(format!("{error}\n  these are MNIST's; give your data with --data"))
        })
    }
}

fn synthetic(task: fn(u64) -> TrainTest, loaded: &LoadedModel) -> TrainTest {
    let text = "This model has no data set of its own: a small synthetic one is used \
                (--data FILE.npz for yours).";
    loaded.notice(text);
    task(0)
}

/// Refuses data with numbers that are not finite, from which no score could be computed.
fn check_finite(role: &str, data: &Dataset) -> Outcome {
    data.check_finite()
        .map_err(|error| Failure { message: format!("in the {role}: {error}"), code: 1 })
}

/// Scales targets that are images of bytes like the inputs, as for an autoencoder.
pub fn scale_targets(loaded: &LoadedModel, sets: &mut [&mut Dataset]) {
    let mut is_scaled = false;
    for data in sets {
        let Some(factor) = data.x.byte_scale() else { continue };
        if factor != 1.0 && has_image_targets(&loaded.model, data) {
            data.y.scale_integers(factor);
            is_scaled = true;
        }
    }
    if is_scaled {
        loaded.notice("The targets are image bytes too and are scaled like the inputs.");
    }
}

/// True if the targets are integers above 1 that the loss takes as numbers, and samples of them are
/// as large as the inputs, or images too. A mask of 0 and 1 is not an image.
fn has_image_targets(model: &Sequential, data: &Dataset) -> bool {
    let Targets::Labels(values) = &data.y else { return false };
    let takes_labels = match model.compiled() {
        Ok(compiled) => compiled.loss().as_loss().target_form() == TargetForm::Labels,
        Err(_) => false,
    };
    let target = sample_shape(values.shape());
    let input = sample_shape(data.x.shape());
    let are_images = target.squeezed().len() >= 2 && input.squeezed().len() >= 2;
    !takes_labels
        && target.squeezed() == model.output_shape().squeezed()
        && (are_images || target.n_values() == input.n_values())
        && values.iter().any(|value| *value > 1)
}

/// Shape of a sample in an array of this shape.
pub fn sample_shape(shape: &[usize]) -> Shape {
    Shape::from(shape.get(1..).unwrap_or_default())
}
