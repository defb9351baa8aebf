//! Data of an examination: read by the readers of a training, but with faults that a training
//! refuses.

use std::path::Path;

use tallynet::datasets::doctor::{Finding, Severity};
use tallynet::datasets::images::{Folder, ImageOptions};
use tallynet::datasets::table::{LearnedTable, Statistics, TableOptions};
use tallynet::datasets::{
    DataDescription, Dataset, FolderKind, ImageShape, Inputs, LoadedData, Targets, TrainTest, npz,
};

use super::super::data::{DataSource, scale_targets};
use super::super::scale::UNIT;
use super::super::table::{self, task_of};
use super::super::table_file::{encode, learn};
use super::super::{Failure, LoadedModel, images};
use super::Doctor;

/// Height and width of images that are examined without a model.
const SIDE: usize = 64;

/// Data sets to examine.
pub struct Loaded {
    pub train: Dataset,
    pub validation: Option<Dataset>,
    pub test: Option<Dataset>,
    pub description: DataDescription,
    /// Findings of the reader.
    pub findings: Vec<Finding>,
}

impl From<LoadedData> for Loaded {
    fn from(data: LoadedData) -> Loaded {
        let LoadedData { train, validation, test, description, warnings, .. } = data;
        let findings = warnings.into_iter().map(|warning| warning.finding).collect();
        Loaded { train, validation, test, description, findings }
    }
}

impl Loaded {
    /// `60000 training and 10000 test samples of (28, 28), bytes`.
    pub fn describe(&self) -> String {
        let mut text = format!("{} training", self.train.len());
        for (name, set) in [("validation", &self.validation), ("test", &self.test)] {
            if let Some(set) = set {
                text += &format!(", {} {name}", set.len());
            }
        }
        let sample = self.train.x.shape().get(1..).unwrap_or_default();
        let sample: Vec<String> = sample.iter().map(usize::to_string).collect();
        let sample = sample.join("x");
        let kind = match (self.train.x.byte_scale().is_some(), &sample[..]) {
            (true, _) => "bytes",
            (false, "1") => "number",
            (false, _) => "numbers",
        };
        let targets = match &self.train.y {
            _ if !self.description.classes.is_empty() => {
                format!("{} classes", self.description.classes.len())
            }
            Targets::Labels(_) => "integer targets".to_string(),
            Targets::Reals(_) => "targets that are numbers".to_string(),
        };
        format!("{text} samples of {sample} {kind}, {targets}")
    }

    fn sets(&mut self) -> Vec<&mut Dataset> {
        let mut sets = vec![&mut self.train];
        sets.extend(&mut self.validation);
        sets.extend(&mut self.test);
        sets
    }
}

impl Doctor {
    /// Reads the data. A model gets their description, and their Normalization if they are a table.
    pub(super) fn load(
        &self,
        source: &DataSource,
        model: Option<&mut LoadedModel>,
    ) -> Result<Loaded, Failure> {
        let mut data = match source {
            DataSource::Synthetic(task) => of_sets(task(0)),
            DataSource::Path(path) => self.read(path, model.as_deref())?,
        };
        match model {
            Some(loaded) => self.prepare(&mut data, loaded)?,
            None => {
                let factor = self.scale.flag().unwrap_or(UNIT);
                data.sets().into_iter().for_each(|set| set.x.scale_bytes(factor));
            }
        }
        Ok(data)
    }

    /// Reads a table, a folder or an archive.
    fn read(&self, path: &Path, loaded: Option<&LoadedModel>) -> Result<Loaded, Failure> {
        let options = self.roles.options();
        let is_table = match loaded {
            Some(loaded) => table::is_table(path, &loaded.model),
            None => table::is_named_as_table(path),
        };
        if options.is_some() || is_table {
            return self.read_table(path, loaded, options.unwrap_or_default());
        }
        if self.test.is_some() || self.task.is_some() {
            let problem = "--task and --test are for a table: name its target with --target";
            return Err(Failure::usage(problem));
        }
        if path.is_dir() {
            return match FolderKind::of(path) {
                FolderKind::Images => self.read_images(path, loaded),
                kind => Ok(kind.load(path, None, &mut |_| {})?.into()),
            };
        }
        match npz::load_available(path) {
            Ok(data) => Ok(data.into()),
            // A training ends with the error, but the training set may be worth a look.
            Err(error) => match npz::load_train(path) {
                Ok(train) => {
                    let mut data = Loaded::from(LoadedData::from(train));
                    data.findings.push(of_failure(Severity::Problem, "unreadable", &error.into()));
                    Ok(data)
                }
                Err(_) => Err(error.into()),
            },
        }
    }

    fn read_table(
        &self,
        path: &Path,
        loaded: Option<&LoadedModel>,
        options: TableOptions,
    ) -> Result<Loaded, Failure> {
        let trained = loaded.filter(|loaded| loaded.has_weights);
        let known = trained.and_then(|loaded| table::description(&loaded.model));
        let mut data: Loaded = match (trained, known) {
            (Some(loaded), Some(description)) => {
                let train = table::load_test(path, loaded)?;
                LoadedData { description: description.clone(), ..train.into() }.into()
            }
            _ => {
                let by_loss =
                    loaded.and_then(|loaded| task_of(&loaded.model, options.targets.len()));
                let options = TableOptions { task: self.task.or(by_loss), ..options };
                let LearnedTable { data, description, warnings, .. } =
                    learn(path, &options, self.json)?;
                LoadedData { description, warnings, ..data.into() }.into()
            }
        };
        if let Some(test) = &self.test {
            let encoded = encode(test, &data.description, self.json)?;
            data.test = encoded.y.map(|y| Dataset { x: encoded.x, y });
        }
        Ok(data)
    }

    /// Reads a folder of images; broken ones become findings.
    fn read_images(&self, path: &Path, loaded: Option<&LoadedModel>) -> Result<Loaded, Failure> {
        let folder = Folder::scan(path)?;
        let other_classes = loaded.and_then(|loaded| images::check_classes(&folder, loaded).err());
        let size = match loaded {
            Some(loaded) => self.images.size(&loaded.model)?,
            None => {
                let own = folder.usual_size()?;
                match self.images.image_size {
                    Some(size) => ImageShape { height: size.height, width: size.width, ..own },
                    None => ImageShape {
                        height: own.height.min(SIDE),
                        width: own.width.min(SIDE),
                        ..own
                    },
                }
            }
        };
        let n = folder.train.len() + folder.validation.len() + folder.test.len();
        let bar = images::bar(n, self.json);
        let options = ImageOptions { skip_broken: true, ..ImageOptions::new(size) };
        let data = folder.read(&options, &mut |n_done| bar.set_position(n_done as u64));
        bar.finish_and_clear();
        let mut data = Loaded::from(data?);
        if let Some(failure) = other_classes {
            data.findings.push(of_failure(Severity::Problem, "other-classes", &failure));
        }
        Ok(data)
    }

    /// Prepares data and model for each other, as a training does.
    fn prepare(&self, data: &mut Loaded, loaded: &mut LoadedModel) -> Result<(), Failure> {
        for set in data.sets() {
            images::flatten(&mut set.x, &loaded.model)?;
        }
        loaded.fit_open_axes(data.train.x.shape())?;
        let is_table = !data.description.columns.is_empty();
        if is_table && !loaded.has_weights && fits(&data.train.x, loaded) {
            let statistics = Statistics::of(&data.train.x, &data.description)?;
            loaded.model = loaded.model.clone().standardized(&statistics)?;
        }
        if data.description != DataDescription::default() {
            loaded.model.data = Some(data.description.clone());
        }
        if let Inputs::Bytes { values, .. } = &data.train.x {
            match self.scale.factor(loaded, values) {
                Ok(factor) => {
                    data.sets().into_iter().for_each(|set| set.x.scale_bytes(factor));
                    scale_targets(loaded, &mut data.sets());
                }
                Err(failure) => {
                    data.findings.push(of_failure(Severity::Odd, "unknown-scale", &failure));
                }
            }
        }
        Ok(())
    }
}

/// True if the inputs have the shape that the model takes.
fn fits(inputs: &Inputs, loaded: &LoadedModel) -> bool {
    let n_values: usize = inputs.shape().get(1..).unwrap_or_default().iter().product();
    loaded.model.input_shape().n_values() == n_values
}

fn of_sets(sets: TrainTest) -> Loaded {
    LoadedData { test: Some(sets.test), ..sets.train.into() }.into()
}

/// Finding from an error that ends a training: its message, and the help in its last line as
/// remedy.
pub(super) fn of_failure(severity: Severity, rule: &'static str, failure: &Failure) -> Finding {
    let (found, remedy) = match failure.message.rsplit_once("\n  ") {
        Some((found, help)) => (found, help),
        None if failure.code == 2 => (&failure.message[..], "correct the command line"),
        None => (&failure.message[..], "correct the file, or download it again"),
    };
    Finding {
        severity,
        rule,
        found: found.to_string(),
        place: "data".to_string(),
        reason: "training ends with this error".to_string(),
        remedy: remedy.to_string(),
    }
}
