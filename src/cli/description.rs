//! Models that are described rather than saved: a Keras script, a notebook, or a JSON without the
//! values that the data or `train` supply.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use tallynet::datasets::images::{Folder, ImageSize};
use tallynet::datasets::table::TableOptions;
use tallynet::datasets::{self, FolderKind, ImageShape, Targets};
use tallynet::formats::{self, Loaded, has_input_shape, set_input_shape};
use tallynet::losses::AnyLoss;

use super::plan::Plan;
use super::table::is_named_as_table;
use super::{Failure, Outcome, output, table_file};

/// Values that a Keras script does not give.
#[derive(Args, Clone, Default)]
pub struct Supplied {
    /// Override a variable of the Keras script with a Python value, such as units=64 or
    /// args.epochs=5; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[arg(skip)]
    data: Option<PathBuf>,
    #[arg(skip)]
    or_mnist: bool,
    /// Roles of the columns, if the data are a table.
    #[arg(skip)]
    table: Option<TableOptions>,
    #[arg(skip)]
    image_size: Option<ImageSize>,
    /// True if an unknown loss is an error rather than a warning.
    #[arg(skip)]
    needs_loss: bool,
    /// True if no progress is shown.
    #[arg(skip)]
    is_quiet: bool,
}

/// A model and the options that come with it.
pub struct DescribedModel {
    /// The model.
    pub loaded: Loaded,
    /// Options of training.
    pub plan: Plan,
}

impl Supplied {
    /// With the data that supply a shape and the classes; without a path those are MNIST's, if
    /// `or_mnist` is set.
    pub fn with_data(&self, data: Option<&Path>, or_mnist: bool) -> Supplied {
        Supplied { data: data.map(Path::to_path_buf), or_mnist, ..self.clone() }
    }

    /// With the roles of the columns of a table, and the size of images.
    pub fn with_roles(
        self,
        table: Option<TableOptions>,
        image_size: Option<ImageSize>,
    ) -> Supplied {
        Supplied { table, image_size, ..self }
    }

    /// Without progress bars, if this is set.
    pub fn quiet(self, is_quiet: bool) -> Supplied {
        Supplied { is_quiet, ..self }
    }

    /// For a training, which needs a loss that is known.
    pub fn needing_loss(self) -> Supplied {
        Supplied { needs_loss: true, ..self }
    }

    /// Reads a script or an unfinished JSON; `None` for any other file.
    pub fn open(&self, path: &Path) -> Result<Option<DescribedModel>, Failure> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if matches!(extension.as_str(), "py" | "ipynb") {
            let DescribedScript { description, plan, info } = self.script(path)?;
            return self.build(path, description, plan, info).map(Some);
        }
        self.refuse_set(&path.display().to_string())?;
        let unfinished = if extension == "json" { unfinished(path) } else { None };
        let Some(description) = unfinished else { return Ok(None) };
        let count = |name: &str| description[name].as_u64().and_then(|n| usize::try_from(n).ok());
        let plan =
            Plan { epochs: count("epochs"), batch_size: count("batch_size"), ..Plan::default() };
        self.build(path, description, plan, None).map(Some)
    }

    /// Refuses `--set` for a model that is not a script.
    pub fn refuse_set(&self, model: &str) -> Outcome {
        if self.set.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!("--set is for a Keras script, which {model} is not")))
    }

    /// Builds the model. A missing shape comes from the data, which are read unless `info` is
    /// known.
    fn build(
        &self,
        path: &Path,
        mut description: Value,
        plan: Plan,
        info: Option<SampleInfo>,
    ) -> Result<DescribedModel, Failure> {
        if !has_input_shape(&description) {
            let info = if info.is_some() { info } else { self.sample_info()? };
            match info {
                Some(info) => set_input_shape(&mut description, &info.sample),
                None => {
                    let name = path.display();
                    return Err(Failure::usage(format!(
                        "{name}: the model does not say what shape its input has\n  give the data \
                         with --data, or begin the layers with Input(shape=...)"
                    )));
                }
            }
        }
        if let Some(loss) =
            description["compile_config"]["loss"].as_str().filter(|_| self.needs_loss)
        {
            AnyLoss::by_name(loss).map_err(|error| Failure {
                message: format!("{}: compile: {error}", path.display()),
                code: 1,
            })?;
        }
        let loaded = formats::from_description(&description).map_err(|error| Failure {
            message: format!("{}: {error}", path.display()),
            code: 1,
        })?;
        Ok(DescribedModel { loaded, plan })
    }

    /// Shape and classes of the data, if they are given.
    fn sample_info(&self) -> Result<Option<SampleInfo>, Failure> {
        let path = match &self.data {
            Some(path) => datasets::find(Some(path))?,
            None if datasets::from_environment().is_some() => datasets::find(None)?,
            None if self.or_mnist => {
                let classes = Some(10);
                return Ok(Some(SampleInfo { sample: vec![28, 28], classes, is_resized: false }));
            }
            None => return Ok(None),
        };
        if self.table.is_some() || is_named_as_table(&path) {
            let options = self.table.clone().unwrap_or_default();
            let description = table_file::learn(&path, &options, self.is_quiet)?.description;
            let classes = Some(description.classes.len()).filter(|n| *n > 0);
            let classes = classes.unwrap_or(description.targets.len()) as u64;
            return Ok(Some(SampleInfo {
                sample: vec![description.n_features()],
                classes: Some(classes),
                is_resized: false,
            }));
        }
        if path.is_dir() && FolderKind::of(&path) == FolderKind::Images {
            let folder = Folder::scan(&path)?;
            let ImageShape { height, width, channels } = folder.usual_size()?;
            let ImageSize { height, width } =
                self.image_size.unwrap_or(ImageSize { height, width });
            let classes = Some(folder.classes.len() as u64);
            let sample = vec![height, width, channels];
            return Ok(Some(SampleInfo { sample, classes, is_resized: true }));
        }
        let train = datasets::load_train(&path)?;
        let sample = train.x.shape().get(1..).unwrap_or_default().to_vec();
        let classes = match &train.y {
            Targets::Labels(labels) => labels.iter().max().map(|&label| u64::from(label) + 1),
            Targets::Reals(rows) => rows.shape().get(1).map(|&width| width as u64),
        };
        Ok(Some(SampleInfo { sample, classes, is_resized: false }))
    }

    /// Shape and classes of the data; images of a folder have the size and the channels that a
    /// script gives them. `--image-size` goes before.
    #[cfg(feature = "script")]
    fn resized(
        &self,
        info: Option<SampleInfo>,
        of_script: Option<ImageShape>,
    ) -> Option<SampleInfo> {
        let is_resized = info.as_ref().is_none_or(|info| info.is_resized);
        let Some(ImageShape { height, width, channels }) = of_script.filter(|_| is_resized) else {
            return info;
        };
        let ImageSize { height, width } = self.image_size.unwrap_or(ImageSize { height, width });
        let classes = info.and_then(|info| info.classes);
        Some(SampleInfo { sample: vec![height, width, channels], classes, is_resized })
    }

    #[cfg(feature = "script")]
    fn script(&self, path: &Path) -> Result<DescribedScript, Failure> {
        use tallynet::script::{DataInfo, Setting, Settings, read};
        let mut settings = Settings::default();
        for text in &self.set {
            settings.set.push(text.parse::<Setting>().map_err(Failure::usage)?);
        }
        let mut info = None;
        if self.data.is_some() || datasets::from_environment().is_some() {
            info = self.sample_info()?;
            settings.data = info.as_ref().map(|info| DataInfo {
                sample: info.sample.iter().map(|&length| length as u64).collect(),
                classes: info.classes,
            });
        }
        let script = read(path, &settings)?;
        let info = self.resized(info, script.image_shape);
        output::warnings(path, &script.notes);
        let count = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok());
        let plan = Plan {
            epochs: count(script.fit.epochs),
            batch_size: count(script.fit.batch_size).filter(|&rows| rows > 0),
            validation_split: script.fit.validation_split,
            shuffle: script.fit.shuffle,
            callbacks: script.fit.callbacks,
            byte_scale: script.data.as_ref().and_then(|data| data.factor),
            dataset: script.data.map(|data| data.dataset),
            notes: script.training_notes,
            unknown_data: script.unknown_data.map(|reason| format!("{}: {reason}", path.display())),
            test_fraction: script.test_fraction,
            is_script: true,
            has_fit: script.has_fit,
        };
        Ok(DescribedScript { description: script.description, plan, info })
    }

    #[cfg(not(feature = "script"))]
    fn script(&self, path: &Path) -> Result<DescribedScript, Failure> {
        let name = path.display();
        let message = format!(
            "{name}: this build does not support Python scripts\n  build it with `cargo build \
             --release --features script`, or write the model's JSON in Keras, \
             open(\"m.json\",\"w\").write(model.to_json()), and pass m.json instead of the script"
        );
        Err(Failure { message, code: 1 })
    }
}

/// Contents of a script, and shape and classes of the data that are named.
struct DescribedScript {
    description: Value,
    plan: Plan,
    info: Option<SampleInfo>,
}

/// Shape of a sample, and number of classes.
struct SampleInfo {
    sample: Vec<usize>,
    #[cfg_attr(not(feature = "script"), allow(dead_code))]
    classes: Option<u64>,
    /// True for images of a folder, which are resized as the model needs them.
    #[cfg_attr(not(feature = "script"), allow(dead_code))]
    is_resized: bool,
}

/// The description in a JSON that has no shape of a sample, or options of training.
fn unfinished(path: &Path) -> Option<Value> {
    let bytes = fs::read(path).ok().filter(|bytes| bytes.trim_ascii_start().starts_with(b"{"))?;
    let description: Value = serde_json::from_slice(&bytes).ok()?;
    let is_small = description["class_name"] == "Sequential"
        && (!has_input_shape(&description) || !description["epochs"].is_null());
    if is_small { Some(description) } else { None }
}
