//! Folders as data: their flags, and the pictures that a model takes.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use ndarray::IxDyn;
use tallynet::datasets::pictures::{self, Folder, ImageSize, PictureOptions};
use tallynet::datasets::{
    DataDescription, FolderKind, Inputs, LoadedData, PictureSize, TrainTest, split,
};
use tallynet::model::Sequential;

use super::data::{TestData, TrainingData};
use super::{Failure, LoadedModel, output};

/// Size of pictures.
#[derive(Args)]
pub struct PictureFlags {
    /// Height and width that pictures are resized to [default: those of the model's input]
    #[arg(long, value_name = "HxW")]
    pub image_size: Option<ImageSize>,
}

/// Flags for folders to train on or to evaluate on.
#[derive(Args)]
pub struct FolderFlags {
    #[command(flatten)]
    pub pictures: PictureFlags,
    /// Leave out pictures that are broken, with a warning
    #[arg(long)]
    skip_broken: bool,
}

/// True if this is a picture or a folder, by its name.
pub fn are_pictures(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    matches!(extension.to_str(), Some("png" | "jpg" | "jpeg")) || path.is_dir()
}

/// Paths of the pictures in a folder, in order, or of the single picture.
pub fn paths(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(if path.is_dir() { pictures::find(path)? } else { vec![path.to_path_buf()] })
}

impl PictureFlags {
    /// Reads a picture, or all in a folder, to predict.
    pub fn load_inputs(&self, path: &Path, model: &Sequential) -> Result<Inputs, Failure> {
        let size = self.size(model)?;
        let paths = paths(path)?;
        let bar = bar(paths.len(), false);
        let inputs = pictures::read_pictures(&paths, size, &mut |n| bar.set_position(n as u64));
        bar.finish_and_clear();
        let mut inputs = inputs?;
        flatten(&mut inputs, model)?;
        Ok(inputs)
    }

    /// Size that the model was trained on, or else that it takes.
    fn size(&self, model: &Sequential) -> Result<PictureSize, Failure> {
        let trained = model.data.as_ref().and_then(|data| data.picture);
        let trained = trained.map(|size| ImageSize { height: size.height, width: size.width });
        Ok(PictureSize::for_input(model.input_shape(), self.image_size.or(trained))?)
    }
}

impl FolderFlags {
    /// Reads the training, the validation and the test set, and describes the data in the model. If
    /// a share is given, the test set is drawn from the training set.
    pub fn load(
        &self,
        path: &Path,
        loaded: &mut LoadedModel,
        test_split: Option<f64>,
    ) -> Result<TrainingData, Failure> {
        let kind = FolderKind::of(path);
        let mut data = if kind == FolderKind::Pictures {
            let folder = Folder::scan(path)?;
            check_classes(&folder, loaded)?;
            let options = self.options(loaded)?;
            let n = folder.train.len() + folder.validation.len() + folder.test.len();
            let bar = bar(n, loaded.is_quiet);
            let data = folder.read(&options, &mut |n_done| bar.set_position(n_done as u64));
            bar.finish_and_clear();
            data?
        } else {
            kind.load(path, None, &mut |_| {})?
        };
        notices(&data, loaded);
        for set in [Some(&mut data.train), data.validation.as_mut(), data.test.as_mut()] {
            if let Some(set) = set {
                flatten(&mut set.x, &loaded.model)?;
            }
        }
        let description = data.description.clone();
        let data = with_test(path, data, loaded, test_split)?;
        if description != DataDescription::default() {
            loaded.model.data = Some(description);
        }
        Ok(data)
    }

    /// Reads the test set alone, by the classes that the model was trained on.
    pub fn load_test(&self, path: &Path, loaded: &LoadedModel) -> Result<TestData, Failure> {
        let kind = FolderKind::of(path);
        let mut test = if kind == FolderKind::Pictures {
            self.read_test(path, loaded)?
        } else {
            let data = kind.load(path, None, &mut |_| {})?;
            notices(&data, loaded);
            TestData::from(data.test.unwrap_or(data.train))
        };
        flatten(&mut test.data.x, &loaded.model)?;
        Ok(test)
    }

    /// Reads the pictures to evaluate on.
    fn read_test(&self, path: &Path, loaded: &LoadedModel) -> Result<TestData, Failure> {
        let trained = loaded.model.data.as_ref().map(|data| &data.classes[..]).unwrap_or_default();
        let folder = if trained.is_empty() {
            Folder::scan(path)?
        } else {
            Folder::scan_test(path, trained)?
        };
        let bar = bar(folder.test_or_train().len(), loaded.is_quiet);
        let test = folder.read_test(&self.options(loaded)?, &mut |n| bar.set_position(n as u64));
        bar.finish_and_clear();
        let test = test?;
        let (n, classes) = (test.data.len(), list(&folder.classes));
        loaded.notice(&format!("Read {n} pictures, of {classes}"));
        warn(&test.warnings);
        let mut files = vec![];
        for file in &test.files {
            files.push(file.strip_prefix(path).unwrap_or(file).display().to_string());
        }
        Ok(TestData { data: test.data, files })
    }

    fn options(&self, loaded: &LoadedModel) -> Result<PictureOptions, Failure> {
        Ok(PictureOptions {
            size: self.pictures.size(&loaded.model)?,
            skip_broken: self.skip_broken,
            seed: loaded.model.seed,
        })
    }
}

/// The data sets, with a test set that is split off if there is none.
fn with_test(
    path: &Path,
    data: LoadedData,
    loaded: &LoadedModel,
    test_split: Option<f64>,
) -> Result<TrainingData, Failure> {
    let validation = data.validation;
    match (data.test, test_split) {
        (Some(test), None) => {
            Ok(TrainingData { sets: TrainTest { train: data.train, test }, validation })
        }
        (Some(_), Some(_)) => {
            let message = "--test-split: the data have a test set already";
            Err(Failure::usage(message))
        }
        (None, Some(share)) => {
            let (train, test) = split::shuffled(data.train, share, loaded.model.seed)?;
            Ok(TrainingData { sets: TrainTest { train, test }, validation })
        }
        (None, None) => {
            let message = format!(
                "{}: there is no test set in here\n  add one (folders train/ and test/ for \
                 pictures), or split one off: --test-split 0.2",
                path.display()
            );
            Err(Failure { message, code: 1 })
        }
    }
}

/// Refuses other classes than the model was trained on.
fn check_classes(folder: &Folder, loaded: &LoadedModel) -> Result<(), Failure> {
    let model = &loaded.model;
    let trained = model.data.as_ref().map(|data| &data.classes[..]).unwrap_or_default();
    let (n_classes, n_outputs) = (folder.classes.len(), model.output_shape().last());
    let message = if !trained.is_empty() && trained != folder.classes {
        format!(
            "the folder has the classes {}, and the model was trained on {}\n  name the folders \
             alike",
            folder.classes.join(", "),
            trained.join(", ")
        )
    } else if n_classes > n_outputs.max(2) {
        format!(
            "the folder has {n_classes} classes, and the model has {n_outputs} outputs\n  give its \
             last layer {n_classes} units"
        )
    } else {
        return Ok(());
    };
    Err(Failure { message, code: 1 })
}

/// Prints what was read and what was left out.
fn notices(data: &LoadedData, loaded: &LoadedModel) {
    let classes = &data.description.classes;
    if !classes.is_empty() {
        let mut text = format!("Read {} pictures", data.train.len());
        if let Some(validation) = &data.validation {
            text += &format!(", {} to validate on", validation.len());
        }
        if let Some(test) = &data.test {
            text += &format!(" and {} to evaluate on", test.len());
        }
        loaded.notice(&format!("{text}, of {}", list(classes)));
    }
    warn(&data.warnings);
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        output::notice(&format!("warning: {warning}"));
    }
}

/// `3 classes: cats, dogs, mice`.
fn list(classes: &[String]) -> String {
    let n = classes.len();
    let names = classes[..n.min(10)].join(", ");
    let more = if n > 10 { ", …" } else { "" };
    format!("{n} classes: {names}{more}")
}

/// Makes rows of pictures for a model whose input has one axis.
fn flatten(inputs: &mut Inputs, model: &Sequential) -> Result<(), Failure> {
    let &[n_values] = model.input_shape().dims() else { return Ok(()) };
    let Inputs::Bytes { values, .. } = inputs else { return Ok(()) };
    let n_samples = values.shape()[0];
    if values.ndim() > 1 && values.len() == n_samples * n_values {
        *values = std::mem::take(values).into_shape_with_order(IxDyn(&[n_samples, n_values]))?;
    }
    Ok(())
}

/// Bar on a terminal.
fn bar(n: usize, is_quiet: bool) -> ProgressBar {
    output::bar(n as u64, "Pictures {pos}/{len} {bar:20} {eta} left", is_quiet)
}
