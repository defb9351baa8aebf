//! Folders as data: their flags, and the size of the images that a model takes.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use ndarray::IxDyn;
use tallynet::datasets::doctor::Warning;
use tallynet::datasets::images::{Folder, ImageOptions, ImageSize};
use tallynet::datasets::{
    DataDescription, FolderKind, ImageShape, Inputs, LoadedData, SampleNames, TrainTest,
};
use tallynet::model::Sequential;
use tallynet::training::ranks;

use super::data::TrainingData;
use super::held_out::{self, TestData};
use super::{Failure, LoadedModel, output};

/// Size of images.
#[derive(Args)]
pub struct ImageFlags {
    /// Height and width that images are resized to [default: those of the model's input; for a
    /// script that takes them from the data, its image_size, or those of the images if all are
    /// alike and small, else 256x256]. For a model of MNIST, `predict` then only resizes the image
    /// and does not look for the ink
    #[arg(long, value_name = "HxW")]
    pub image_size: Option<ImageSize>,
}

/// Flags for images to train on, to evaluate on or to predict from.
#[derive(Args)]
pub struct FolderFlags {
    #[command(flatten)]
    pub images: ImageFlags,
    /// Skip broken images, with a warning
    #[arg(long)]
    pub skip_broken: bool,
}

impl ImageFlags {
    /// Size that the model was trained on, or else that it takes.
    pub fn size(&self, model: &Sequential) -> Result<ImageShape, Failure> {
        let trained = model.data.as_ref().and_then(|data| data.image);
        let trained = trained.map(|size| ImageSize { height: size.height, width: size.width });
        let size = self.image_size.or(trained);
        if model.open_axes().is_empty() {
            return Ok(ImageShape::for_input(model.input_shape(), size)?);
        }
        let channels = model.input_shape().last();
        let Some(ImageSize { height, width }) = size else {
            return Err(Failure::usage(
                "the model takes images of any size; give one with --image-size HEIGHTxWIDTH",
            ));
        };
        Ok(ImageShape { height, width, channels })
    }
}

impl FolderFlags {
    /// Reads the training, the validation and the test set, and describes the data in the model. If
    /// a fraction is given, the test set is drawn from the training set.
    pub fn load(
        &self,
        path: &Path,
        loaded: &mut LoadedModel,
        test_split: Option<f64>,
    ) -> Result<TrainingData, Failure> {
        let kind = FolderKind::of(path);
        let mut data = if kind == FolderKind::Images {
            let folder = Folder::scan(path)?;
            check_classes(&folder, loaded)?;
            self.notice_of_size(&folder, loaded)?;
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
        let sets = [Some(&mut data.train), data.validation.as_mut(), data.test.as_mut()];
        for set in sets.into_iter().flatten() {
            flatten(&mut set.x, &loaded.model)?;
        }
        let mut description = data.description.clone();
        if description != DataDescription::default() {
            description.training = loaded.model.data.take().and_then(|earlier| earlier.training);
            loaded.model.data = Some(description);
        }
        with_test(path, kind, data, loaded, test_split)
    }

    /// Prints the size and color that images are converted to, unless a flag gives the size.
    fn notice_of_size(&self, folder: &Folder, loaded: &LoadedModel) -> Result<(), Failure> {
        let size = self.images.size(&loaded.model)?;
        let is_given = self.images.image_size.is_some() && size.channels == 3;
        if is_given || !ranks::is_first() {
            return Ok(());
        }
        let own = folder.usual_size()?;
        let mut changes = vec![];
        if self.images.image_size.is_none() && (own.height, own.width) != (size.height, size.width)
        {
            changes.push(format!("resized to {}x{}", size.height, size.width));
        }
        if (own.channels, size.channels) == (3, 1) {
            changes.push("converted to gray".to_string());
        }
        if !changes.is_empty() {
            let input = loaded.model.input_shape();
            let changes = changes.join(" and ");
            loaded.notice(&format!("Images are {changes}: the model takes {input}."));
        }
        Ok(())
    }

    /// Reads only the samples to evaluate on, by the classes that the model was trained on: the
    /// test set, or what the training held out.
    pub fn load_test(&self, path: &Path, loaded: &LoadedModel) -> Result<TestData, Failure> {
        let kind = FolderKind::of(path);
        let mut test = if kind == FolderKind::Images {
            self.read_test(path, loaded)?
        } else {
            let data = kind.load(path, None, &mut |_| {})?;
            notices(&data, loaded);
            match data.test {
                Some(test) => TestData::whole(test),
                None => held_out::of_training(path, data.train, loaded)?,
            }
        };
        flatten(&mut test.data.x, &loaded.model)?;
        Ok(test)
    }

    /// Reads the images to evaluate on.
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
        loaded.notice(&format!("Read {n} images, of {classes}"));
        warn(&test.warnings);
        let files = within(path, &test.files);
        let mut test = held_out::of_training(path, test.data, loaded)?;
        test.names.files = files;
        Ok(test)
    }

    fn options(&self, loaded: &LoadedModel) -> Result<ImageOptions, Failure> {
        Ok(ImageOptions {
            size: self.images.size(&loaded.model)?,
            skip_broken: self.skip_broken,
            seed: order_seed(&loaded.model),
            readers: ranks::readers(),
        })
    }
}

/// Paths of these files within a folder.
fn within(folder: &Path, files: &[PathBuf]) -> Vec<String> {
    let mut names = vec![];
    for file in files {
        names.push(file.strip_prefix(folder).unwrap_or(file).display().to_string());
    }
    names
}

/// Seed of the order of the images: that of the earlier training, so that the same samples are held
/// out.
fn order_seed(model: &Sequential) -> u64 {
    held_out::noted_split(model).map_or(model.seed, |training| training.seed)
}

/// The data sets, with a test set that is split off if there is none.
fn with_test(
    path: &Path,
    kind: FolderKind,
    data: LoadedData,
    loaded: &mut LoadedModel,
    test_split: Option<f64>,
) -> Result<TrainingData, Failure> {
    let validation = data.validation;
    let files = within(path, &data.files);
    let model = &loaded.model;
    let seed = if kind == FolderKind::Images { order_seed(model) } else { model.seed };
    match (data.test, test_split) {
        (Some(test), None) => {
            if kind == FolderKind::Images {
                held_out::note_all(&data.train, seed, &mut loaded.model);
            } else {
                held_out::forget_split(&data.train, &mut loaded.model);
            }
            let sets = TrainTest { train: data.train, test };
            Ok(TrainingData { sets, validation, test_names: SampleNames { rows: None, files } })
        }
        (Some(_), Some(_)) => {
            let message = "--test-split: the data have a test set already";
            Err(Failure::usage(message))
        }
        (None, fraction) if fraction.is_some() || kind == FolderKind::Images => {
            let drawn = held_out::draw(data.train, fraction, seed, loaded)?;
            let test_names = SampleNames { files, ..drawn.test_names };
            Ok(TrainingData { sets: drawn.sets, validation, test_names })
        }
        (None, _) => {
            let message = format!(
                "{}: there is no test set in here\n  add one (folders train/ and test/ for \
                 images), or split one off: --test-split 0.2",
                path.display()
            );
            Err(Failure { message, code: 1 })
        }
    }
}

/// Refuses other classes than the model was trained on.
pub fn check_classes(folder: &Folder, loaded: &LoadedModel) -> Result<(), Failure> {
    let model = &loaded.model;
    let trained = model.data.as_ref().map(|data| &data.classes[..]).unwrap_or_default();
    let (n_classes, n_outputs) = (folder.classes.len(), model.output_shape().last());
    let message = if !trained.is_empty() && trained != folder.classes {
        format!(
            "the folder has the classes {}, and the model was trained on {}\n  give the class \
             folders the names that the model was trained on",
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

/// Prints what was read and what was ignored.
fn notices(data: &LoadedData, loaded: &LoadedModel) {
    let classes = &data.description.classes;
    if !classes.is_empty() {
        let mut text = format!("Read {} images", data.train.len());
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

fn warn(warnings: &[Warning]) {
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

/// Makes rows of images for a model whose input has one axis.
pub fn flatten(inputs: &mut Inputs, model: &Sequential) -> Result<(), Failure> {
    let &[n_values] = model.input_shape().dims() else { return Ok(()) };
    let Inputs::Bytes { values, .. } = inputs else { return Ok(()) };
    let n_samples = values.shape()[0];
    if values.ndim() > 1 && values.len() == n_samples * n_values {
        *values = std::mem::take(values).into_shape_with_order(IxDyn(&[n_samples, n_values]))?;
    }
    Ok(())
}

/// Bar on a terminal.
pub fn bar(n: usize, is_quiet: bool) -> ProgressBar {
    output::bar(n as u64, "Images {pos}/{len} {bar:20} {eta} left", is_quiet)
}
